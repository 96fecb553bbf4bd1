//! Charts, with the same numbers as a table for those who cannot see them.

use leptos::html::Div;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::lang::{Lang, dark, lang, tr};
use crate::run::follow;

#[wasm_bindgen(module = "/src/kit/chart.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn draw(node: &web_sys::Element, address: &str, theme: &str, locale: &str) -> Result<JsValue, JsValue>;
    fn show(chart: &JsValue, option: &str);
    fn leave(chart: &JsValue);
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Bars.
    Bar,
    /// A line.
    Line,
    /// A line that changes at once, as prices do.
    Steps,
    /// A share of a whole.
    Pie,
}

/// Numbers that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What they are.
    pub name: String,
    /// How they are drawn.
    pub shape: Shape,
    /// One a label, as decimal text; empty where there is none.
    pub values: Vec<String>,
    /// Which of the scales they are read from.
    pub scale: usize,
}

/// A chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What is counted along the bottom.
    pub labels: Vec<String>,
    /// The numbers.
    pub series: Vec<Series>,
    /// The units of the scales: the first at the left, the others at the right.
    pub units: Vec<String>,
    /// The labels are instants, `2026-11-22 09:30:05`, and stand as far apart as these.
    pub timed: bool,
}

/// Where the bundle is; its name bears a hash, so the page knows it.
fn address() -> Option<String> {
    document().query_selector("meta[name=echarts]").ok().flatten()?.get_attribute("content")
}

/// Draws a chart of a height in pixels; it follows its numbers, the width, and the theme.
pub fn chart(it: Signal<Chart>, height: u16) -> AnyView {
    let node = NodeRef::<Div>::new();
    let drawn = StoredValue::new_local(None::<JsValue>);
    let lost = RwSignal::new(false);
    let end = move || {
        if let Some(chart) = drawn.try_update_value(Option::take).flatten() {
            leave(&chart);
        }
    };
    follow(move || {
        let (Some(node), Some(address)) = (node.get(), address()) else { return };
        let theme = if dark() { "dark" } else { "light" };
        let locale = if lang() == Lang::Zh { "ZH" } else { "EN" };
        spawn_local(async move {
            let made = draw(node.unchecked_ref(), &address, theme, locale).await;
            _ = lost.try_set(made.is_err());
            let Ok(made) = made else { return };
            end();
            // The page may be gone by now, and with it the place to keep the chart.
            match it.try_with_untracked(option) {
                Some(option) if drawn.try_set_value(Some(made.clone())).is_none() => show(&made, &option.to_string()),
                _ => leave(&made),
            }
        });
    });
    follow(move || {
        let option = it.with(option).to_string();
        drawn.with_value(|it| it.iter().for_each(|it| show(it, &option)));
    });
    on_cleanup(end);
    view! {
        <figure class="chart" aria-label=move || it.with(|it| it.title.clone())>
            <div node_ref=node class="chart-canvas" aria-hidden="true" style:height=format!("{height}px")></div>
            {move || lost.get().then(|| view! { <p class="chart-lost">{tr("图表加载失败，数据见下表。", "The chart could not be loaded; its numbers follow.")}</p> }.into_any())}
            <div class=move || if lost.get() { "chart-numbers" } else { "visually-hidden" }>{move || it.with(numbers)}</div>
        </figure>
    }
    .into_any()
}

/// Rows that the table of numbers has at most: nobody listens to five hundred.
const MOST_ROWS: usize = 60;

/// The numbers as a table.
fn numbers(it: &Chart) -> AnyView {
    let heads = it.series.iter().map(|it| view! { <th scope="col">{it.name.clone()}</th> }.into_any()).collect_view();
    let step = it.labels.len().div_ceil(MOST_ROWS).max(1);
    let row = |(index, label): (usize, &String)| {
        let values = it.series.iter().map(|it| it.values.get(index).cloned().unwrap_or_default());
        view! { <tr><th scope="row">{label.clone()}</th>{values.map(|it| view! { <td>{it}</td> }.into_any()).collect_view()}</tr> }.into_any()
    };
    view! {
        <table class="plain-table">
            <caption>{it.title.clone()}</caption>
            <thead><tr><td></td>{heads}</tr></thead>
            <tbody>{it.labels.iter().enumerate().step_by(step).map(row).collect_view()}</tbody>
        </table>
    }
    .into_any()
}

/// ECharts' description of a chart.
fn option(it: &Chart) -> Value {
    const COLOURS: [&str; 6] = ["#409eff", "#36cfc9", "#f7ba2a", "#f56c6c", "#9373ee", "#67c23a"];
    let series: Vec<Value> = it.series.iter().map(|series| of_series(it, series)).collect();
    let pie = it.series.iter().any(|it| it.shape == Shape::Pie);
    let common = json!({
        "color": COLOURS,
        "backgroundColor": "transparent",
        "animationDuration": 400,
        "animationDurationUpdate": 300,
        // Drawn on the canvas: the content security policy permits no styles in markup.
        "tooltip": {"trigger": if pie { "item" } else { "axis" }, "renderMode": "richText", "confine": true},
        "legend": {"top": 0, "type": "scroll"},
        "series": series,
    });
    let Value::Object(mut option) = common else { return common };
    if !pie {
        let scales: Vec<Value> = match it.units.as_slice() {
            [] => vec![scale(0, "", true)],
            units => units.iter().enumerate().map(|(index, unit)| scale(index, unit, false)).collect(),
        };
        let bottom = if it.timed {
            json!({"id": "x", "type": "time", "axisLabel": {"hideOverlap": true}})
        } else {
            json!({"id": "x", "type": "category", "data": it.labels, "axisTick": {"alignWithLabel": true}})
        };
        option.insert("xAxis".to_owned(), bottom);
        option.insert("yAxis".to_owned(), Value::from(scales));
        option.insert("grid".to_owned(), json!({"left": 8, "right": 12, "top": 56, "bottom": 4, "containLabel": true}));
    }
    Value::Object(option)
}

/// The room that a scale takes beside the one before it, in pixels.
const BESIDE: usize = 48;

/// A scale: the first at the left, the others beside each other at the right.
fn scale(index: usize, unit: &str, whole: bool) -> Value {
    json!({"id": format!("y{index}"), "type": "value", "name": unit, "position": if index == 0 { "left" } else { "right" },
        "offset": BESIDE * index.saturating_sub(1), "minInterval": if whole { 1 } else { 0 },
        "splitLine": {"show": index == 0, "lineStyle": {"type": "dashed", "opacity": 0.4}}})
}

fn of_series(chart: &Chart, it: &Series) -> Value {
    let value = |text: &String| if text.is_empty() { Value::Null } else { Value::from(text.clone()) };
    match it.shape {
        Shape::Pie => {
            let slice = |(label, text): (&String, &String)| json!({"name": label, "value": value(text)});
            let data: Vec<Value> = chart.labels.iter().zip(&it.values).map(slice).collect();
            json!({"type": "pie", "id": it.name, "name": it.name, "radius": ["42%", "68%"], "center": ["50%", "56%"], "data": data,
                "label": {"formatter": "{b}\n{d}%"}})
        }
        shape => {
            let data: Vec<Value> = if chart.timed {
                chart.labels.iter().zip(&it.values).map(|(label, text)| json!([label, value(text)])).collect()
            } else {
                it.values.iter().map(value).collect()
            };
            // `false` is ECharts' own way of saying that a line has no steps.
            let step = if shape == Shape::Steps { Value::from("end") } else { Value::from(false) };
            json!({"type": if shape == Shape::Bar { "bar" } else { "line" }, "id": it.name, "name": it.name, "data": data, "step": step,
                "yAxisIndex": it.scale, "barMaxWidth": 28, "showSymbol": !chart.timed})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(shape: Shape) -> Series {
        Series { name: "n".to_owned(), shape, values: vec!["1.50".to_owned(), String::new()], scale: 0 }
    }

    #[test]
    fn numbers_reach_the_chart_as_they_were_written() {
        let labels = vec!["a".to_owned(), "b".to_owned()];
        let chart = Chart { labels, series: vec![series(Shape::Bar)], ..Chart::default() };
        let option = option(&chart);
        assert_eq!(option["series"][0]["data"], json!(["1.50", null]));
        assert_eq!(option["xAxis"]["data"], json!(["a", "b"]));
        let timed = super::option(&Chart { timed: true, series: vec![series(Shape::Steps)], ..chart.clone() });
        assert_eq!(timed["series"][0]["data"], json!([["a", "1.50"], ["b", null]]));
        assert_eq!(timed["series"][0]["step"], "end");
        let pie = super::option(&Chart { series: vec![series(Shape::Pie)], ..chart });
        assert_eq!(pie["series"][0]["data"][0], json!({"name": "a", "value": "1.50"}));
        assert!(pie.get("xAxis").is_none());
    }
}
