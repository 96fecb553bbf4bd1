//! What the detail of a tariff shows below its columns: its prices, its earlier wordings, and a trial.

use leptos::prelude::*;
use serde_json::Value;
use shared::codes::{Code, Tone};
use shared::pricing::{Range, Tariff, UnitPrice};
use shared::tariff::{CarTariffRow, TariffVersion};
use shared::text::{Lang, t};
use shared::time::minute_text;

use super::grid::colour;
use super::trial::trial;
use crate::answer;
use crate::kit::cell::tag;
use crate::kit::fetched::unreadable;
use crate::lang::{lang, say, tr};

/// Draws it from the server's answer.
pub fn more(answer: &Value) -> AnyView {
    match read(answer) {
        Ok((row, versions)) => draw(row, &versions),
        Err(wrong) => unreadable(wrong),
    }
}

fn read(answer: &Value) -> Result<(CarTariffRow, Vec<TariffVersion>), String> {
    Ok((answer::part(answer)?, answer::part(answer.get("versions").unwrap_or(&Value::Null))?))
}

fn draw(row: CarTariffRow, versions: &[TariffVersion]) -> AnyView {
    view! {
        <h3 class="detail-title">{tr("计费单价", "Prices")}</h3>
        {prices(&row.tariff)}
        <h3 class="detail-title">{tr("计费测试", "Trial")}</h3>
        {trial(Signal::stored(Some(row.tariff)))}
        <h3 class="detail-title">{tr("历史版本", "Wordings")}</h3>
        <ol class="versions">{versions.iter().map(|it| version(it, row.number_in_force)).collect_view()}</ol>
    }
    .into_any()
}

/// The prices of a tariff and the times at which they apply.
pub fn prices(tariff: &Tariff) -> AnyView {
    let row = |(period, price): (&shared::pricing::Period, &UnitPrice)| {
        let times =
            tariff.slots.iter().filter(|it| it.period == *period).map(|it: &Range| format!("{}–{}", it.from, it.to));
        let times = times.collect::<Vec<_>>().join("，");
        let both = price.elec.plus(price.service).map(|it| it.to_string()).unwrap_or_default();
        view! {
            <tr>
                <td><span class=format!("day-range {}", colour(*period))><i></i>{say(period.label())}</span></td>
                <td>{if times.is_empty() { tr("全天", "All day").to_owned() } else { times }}</td>
                <td class="num is-right">{price.elec.to_string()}</td>
                <td class="num is-right">{price.service.to_string()}</td>
                <td class="num is-right"><b>{both}</b></td>
            </tr>
        }
        .into_any()
    };
    view! {
        <table class="plain-table">
            <thead>
                <tr>
                    <th>{tr("时段", "Period")}</th><th>{tr("时间", "Times")}</th><th class="is-right">{tr("电费(元/度)", "Energy (yuan/kWh)")}</th>
                    <th class="is-right">{tr("服务费(元/度)", "Service (yuan/kWh)")}</th><th class="is-right">{tr("合计(元/度)", "Both (yuan/kWh)")}</th>
                </tr>
            </thead>
            <tbody>{tariff.prices.iter().map(row).collect_view()}</tbody>
        </table>
    }
    .into_any()
}

fn version(it: &TariffVersion, in_force: Option<i32>) -> AnyView {
    let TariffVersion { number, tariff, saved_at, effective_at, saved_by, .. } = it;
    let line = match lang() {
        Lang::Zh => format!("版本 {number} · {} 保存 · {} 生效", minute_text(*saved_at), minute_text(*effective_at)),
        Lang::En => format!(
            "Wording {number} · saved {} · in force from {}",
            minute_text(*saved_at),
            minute_text(*effective_at)
        ),
    };
    view! {
        <li>
            <details>
                <summary>
                    {line}{saved_by.as_ref().map(|it| format!(" · {it}"))}" "
                    {(in_force == Some(*number)).then(|| tag(t("生效中", "In force"), Tone::Success))}
                    {tag(tariff.mode.label(), tariff.mode.tone())}
                </summary>
                {prices(tariff)}
            </details>
        </li>
    }
    .into_any()
}
