//! The curve of a charge: energy, power and the battery's state over time.

use leptos::prelude::*;
use serde_json::Value;
use shared::amount::unscaled;
use shared::text::{Lang, t};
use shared::time::local_text;

use crate::kit::cell::nothing;
use crate::kit::chart::{Chart, Series, Shape, chart as draw};
use crate::kit::facts::items;
use crate::lang::{lang, tr};
use crate::run::live;

/// Draws it; until there are two readings it says so.
pub fn curve(answer: RwSignal<Value>) -> AnyView {
    let enough = Memo::new(move |_| answer.with(|it| items(it, "curve").len() > 1));
    let content = move || {
        if enough.get() {
            draw(Signal::derive(move || answer.with(|it| chart(items(it, "curve"), lang()))), 320)
        } else {
            nothing(tr("暂无电表读数", "No meter readings yet"))
        }
    };
    live(content)
}

/// The readings as a chart; the energy counts from the first.
fn chart(points: &[Value], lang: Lang) -> Chart {
    let number = |it: &Value, name: &str| it.get(name).and_then(Value::as_i64);
    let begin = points.first().and_then(|it| number(it, "wh")).unwrap_or_default();
    let series = |label: &str, scale, value: &dyn Fn(&Value) -> Option<String>| {
        let values: Vec<String> = points.iter().map(|it| value(it).unwrap_or_default()).collect();
        let known = values.iter().any(|it| !it.is_empty());
        known.then(|| Series { name: label.to_owned(), shape: Shape::Line, values, scale })
    };
    let all = [
        series(t("电量(kWh)", "Energy (kWh)").get(lang), 0, &|it| {
            Some(unscaled((number(it, "wh")? - begin).max(0), 3))
        }),
        series(t("功率(kW)", "Power (kW)").get(lang), 1, &|it| Some(unscaled(number(it, "power_w")?, 3))),
        series("SOC(%)", 2, &|it| Some(number(it, "soc")?.to_string())),
    ];
    let at = |it: &Value| it.get("at").and_then(Value::as_str).and_then(|it| it.parse().ok()).map(local_text);
    Chart {
        title: t("充电曲线", "Curve of the charge").get(lang).to_owned(),
        labels: points.iter().map(|it| at(it).unwrap_or_default()).collect(),
        series: all.into_iter().flatten().collect(),
        units: ["kWh", "kW", "%"].map(str::to_owned).to_vec(),
        timed: true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn energy_counts_from_the_beginning_and_gaps_stay_gaps() {
        let mut points = items(&super::super::tests::order(), "curve").to_vec();
        let told = chart(&points, Lang::Zh);
        assert_eq!(told.labels, ["2026-11-26 05:46:23", "2026-11-26 05:56:23"]);
        let values: Vec<_> = told.series.iter().map(|it| it.values.clone()).collect();
        assert_eq!(values, [["0", "5"], ["", "30"], ["20", "31"]]);
        points.iter_mut().for_each(|it| it["soc"] = json!(null));
        assert_eq!(chart(&points, Lang::Zh).series.len(), 2, "what no charger told is not drawn");
    }
}
