//! The trial: what a charge would cost, priced here by the same code as the server's bill.

use leptos::ev::Event;
use leptos::prelude::*;
use shared::codes::Code;
use shared::fixed::Kwh;
use shared::pricing::{Bill, Line, Tariff};
use shared::problem::FieldError;
use shared::tariff::{Trial, TrialForm};
use shared::time;

use crate::clock;
use crate::kit::cell::tag;
use crate::lang::{lang, say, tr};
use crate::run::{boxed, live};

/// The trial of a tariff; nothing while there is none.
pub fn trial(tariff: Signal<Option<Tariff>>) -> AnyView {
    let kwh = RwSignal::new("30".to_owned());
    let start = RwSignal::new(String::new());
    let minutes = RwSignal::new(String::new());
    let outcome = move || match (tariff.get(), read(&kwh.get(), &start.get(), &minutes.get())) {
        (None, _) => Err(tr("先填写完整的单价", "Fill in all prices first").to_owned()),
        (Some(_), Err(wrong)) => Err(wrong.to_owned()),
        (Some(tariff), Ok(charge)) => charge.price(&tariff, lang()).map_err(said),
    };
    let result = move || match outcome() {
        Ok(trial) => priced(trial),
        Err(wrong) => view! { <p class="form-help" role="status">{wrong}</p> }.into_any(),
    };
    view! {
        <div class="trial" data-test="trial">
            <div class="trial-form">
                {input("trial-kwh", tr("充电电量(度)", "Energy (kWh)"), "30", kwh)}
                {input("trial-start", tr("开始时刻", "Begins at"), "08:00", start)}
                {input("trial-minutes", tr("充电时长(分钟)", "Minutes"), tr("可不填", "optional"), minutes)}
            </div>
            <div class="trial-result" aria-live="polite">{live(result)}</div>
        </div>
    }
    .into_any()
}

fn said(errors: Vec<FieldError>) -> String {
    errors.into_iter().map(|it| it.message).collect::<Vec<_>>().join("；")
}

fn input(name: &'static str, label: &'static str, hint: &'static str, value: RwSignal<String>) -> AnyView {
    view! {
        <label class="trial-field">
            <span>{label}</span>
            <span class="el-input"><span class="el-input__wrapper">
                <input class="el-input__inner" name=name placeholder=hint autocomplete="off" prop:value=value
                    on:input=boxed(move |event: Event| value.set(event_target_value(&event)))/>
            </span></span>
        </label>
    }
    .into_any()
}

/// What was typed as a charge, today.
fn read(kwh: &str, start: &str, minutes: &str) -> Result<TrialForm, &'static str> {
    let kwh: Kwh = kwh.trim().parse().map_err(|_| tr("请填写电量，最多四位小数", "Energy with at most four places"))?;
    let start = match start.trim() {
        "" => None,
        text => {
            let clock: time::Clock = text.parse().map_err(|_| tr("时刻应为 08:00 的形式", "A time such as 08:00"))?;
            let midnight = time::midnight(time::business_day(clock::now()));
            Some(midnight + chrono::TimeDelta::minutes(clock.minute().into()))
        }
    };
    let seconds = match minutes.trim() {
        "" => None,
        text => {
            let minutes: u32 = text.parse().map_err(|_| tr("时长应为整数分钟", "Whole minutes"))?;
            Some(minutes.saturating_mul(60))
        }
    };
    Ok(TrialForm { kwh: Some(kwh), start, duration_seconds: seconds, kwh_by_period: None })
}

fn priced(it: Trial) -> AnyView {
    let Trial { bill, each_period } = it;
    let each = each_period.into_iter().map(|it| {
        view! {
            <tr>
                <td>{tag(it.period.label(), it.period.tone())}</td>
                <td class="num">{it.bill.elec_fen.yuan()}</td>
                <td class="num">{it.bill.service_fen.yuan()}</td>
                <td class="num"><b>{it.bill.total_fen.yuan()}</b></td>
            </tr>
        }
        .into_any()
    });
    match bill {
        Some(bill) => bill_table(&bill),
        None => view! {
            <table class="plain-table">
                <caption>{tr("全部电量落在各时段时", "If all of it falls into one period")}</caption>
                {heads(false)}
                <tbody>{each.collect_view()}</tbody>
            </table>
        }
        .into_any(),
    }
}

fn heads(with_energy: bool) -> AnyView {
    view! {
        <thead>
            <tr>
                <th>{tr("时段", "Period")}</th>
                {with_energy.then(|| view! { <th>{tr("电量(度)", "kWh")}</th> }.into_any())}
                <th>{tr("电费(元)", "Energy (yuan)")}</th>
                <th>{tr("服务费(元)", "Service (yuan)")}</th>
                <th>{tr("总费用(元)", "Total (yuan)")}</th>
            </tr>
        </thead>
    }
    .into_any()
}

/// A bill, period by period.
pub fn bill_table(bill: &Bill) -> AnyView {
    let line = |it: &Line| {
        let total = it.elec_fen.plus(it.service_fen).map(|it| it.yuan()).unwrap_or_default();
        view! {
            <tr>
                <td>{tag(it.period.label(), it.period.tone())}</td>
                <td class="num">{it.kwh.to_string()}</td>
                <td class="num">{it.elec_fen.yuan()}</td>
                <td class="num">{it.service_fen.yuan()}</td>
                <td class="num">{total}</td>
            </tr>
        }
        .into_any()
    };
    view! {
        <table class="plain-table bill">
            {heads(true)}
            <tbody>{bill.lines.iter().map(line).collect_view()}</tbody>
            <tfoot>
                <tr data-test="bill-total">
                    <th>{say(shared::text::t("合计", "All"))}</th>
                    <td class="num">{bill.kwh_total.to_string()}</td>
                    <td class="num">{bill.elec_fen.yuan()}</td>
                    <td class="num">{bill.service_fen.yuan()}</td>
                    <td class="num"><b>{bill.total_fen.yuan()}</b></td>
                </tr>
            </tfoot>
        </table>
    }
    .into_any()
}
