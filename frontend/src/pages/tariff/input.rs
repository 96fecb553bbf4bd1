//! The control of a tariff: one price all day, or a painted day with a price for each period.

use leptos::ev::Event;
use leptos::prelude::*;
use serde_json::{Map, Value, json};
use shared::amount::unscaled;
use shared::codes::Code;
use shared::fixed::Price;
use shared::pricing::{Period, Range, Tariff, TariffMode, effective_from};
use shared::resource::FormMap;
use shared::text::Lang;
use shared::time::{SLOTS, minute_text};

use super::grid::{Day, PERIODS, colour, grid};
use super::trial::trial;
use crate::kit::form::{FormState, Slot, put, text_of};
use crate::kit::input::toggle;
use crate::lang::{lang, say, tr};
use crate::run::{boxed, follow, live};
use crate::{answer, clock};

#[derive(Clone, Copy)]
struct Draft {
    /// Where it goes.
    slot: Slot,
    mode: RwSignal<TariffMode>,
    /// The prices as typed: `peak-elec`, `peak-service`, ….
    prices: FormState,
    day: RwSignal<Day>,
    free: RwSignal<bool>,
}

impl Draft {
    fn of(slot: Slot) -> Self {
        let value = slot.form.with_untracked(|it| it.get(slot.field.name).cloned().unwrap_or_default());
        let tariff: Option<Tariff> = answer::part(&value).ok();
        let typed = |price: Price| unscaled(price.units(), 5);
        let mut prices = FormMap::new();
        for (period, it) in tariff.iter().flat_map(|it| &it.prices) {
            prices.insert(price_name(*period, "elec"), typed(it.elec).into());
            prices.insert(price_name(*period, "service"), typed(it.service).into());
        }
        let mode = tariff.as_ref().map_or(TariffMode::Uniform, |it| it.mode);
        let day = match (&tariff, mode) {
            (Some(tariff), TariffMode::TimeOfUse) => tariff.grid().to_vec(),
            _ => vec![None; SLOTS],
        };
        let free = tariff.is_some_and(|it| it.free);
        Self {
            slot,
            mode: RwSignal::new(mode),
            prices: RwSignal::new(prices),
            day: RwSignal::new(day),
            free: RwSignal::new(free),
        }
    }

    /// The periods that need prices.
    fn used(self) -> Vec<Period> {
        match self.mode.get() {
            TariffMode::Uniform => vec![Period::Uniform],
            TariffMode::TimeOfUse => {
                self.day.with(|day| PERIODS.into_iter().filter(|it| day.contains(&Some(*it))).collect())
            }
        }
    }

    /// The two prices of a period.
    fn typed(self, period: Period) -> (String, String) {
        let typed = |name| text_of(self.prices, &price_name(period, name));
        (typed("elec"), typed("service"))
    }

    /// Whether something was found to be wrong with the prices of a period.
    fn refused(self, period: Period) -> bool {
        let name = format!("{}.prices.{period}", self.slot.field.name);
        self.slot.errs.with(|it| it.iter().any(|it| it.field == name))
    }

    /// As it is sent; what is no price stays text, and the checker says so.
    fn wire(self) -> Value {
        let mut prices = Map::new();
        for period in self.used() {
            let (elec, service) = self.typed(period);
            if !elec.is_empty() || !service.is_empty() {
                prices.insert(period.to_string(), json!({"elec": or_zero(&elec), "service": or_zero(&service)}));
            }
        }
        let slots = match self.mode.get() {
            TariffMode::Uniform => Vec::new(),
            TariffMode::TimeOfUse => self.day.with(|it| Range::join(it)),
        };
        json!({"mode": self.mode.get(), "prices": prices, "slots": slots, "free": self.free.get()})
    }
}

fn price_name(period: Period, name: &str) -> String {
    format!("{period}-{name}")
}

fn or_zero(text: &str) -> &str {
    if text.is_empty() { "0" } else { text }
}

/// The control.
pub fn tariff_input(slot: Slot) -> AnyView {
    let draft = Draft::of(slot);
    follow(move || slot.put(draft.wire()));
    let mode = |mode: TariffMode| {
        let on = move || draft.mode.get() == mode;
        view! {
            <label class="el-radio-button" class:is-active=on>
                <input class="el-radio-button__original-radio" type="radio" name="tariff-mode" value=mode.as_str()
                    prop:checked=on on:change=boxed(move |_| draft.mode.set(mode))/>
                <span class="el-radio-button__inner">{say(mode.label())}</span>
            </label>
        }
        .into_any()
    };
    let parsed = move || answer::part::<Tariff>(&draft.wire()).ok();
    let free = tr("确认单价为 0 即免费", "A price of 0 is meant");
    view! {
        <div class="tariff" id=slot.id() data-test="tariff">
            <div class="el-radio-group" role="radiogroup" aria-label=tr("计费方式", "Mode")>
                {mode(TariffMode::Uniform)}{mode(TariffMode::TimeOfUse)}
            </div>
            {move || (draft.mode.get() == TariffMode::TimeOfUse).then(|| grid(draft.day))}
            {price_table(draft)}
            <div class="tariff-foot">
                <div class="tariff-free">
                    {toggle("tariff-free".to_owned(), "free", free.to_owned(), move || draft.free.get(), false, move |on| draft.free.set(on))}
                    <span aria-hidden="true">{free}</span>
                </div>
                <span class="form-help">{move || effective(text_of(slot.form, "effective_now") == "true")}</span>
            </div>
            <details class="tariff-trial">
                <summary>{tr("计费测试", "Trial")}</summary>
                {trial(Signal::derive(parsed))}
            </details>
        </div>
    }
    .into_any()
}

/// When what is saved now comes into force.
fn effective(at_once: bool) -> String {
    if at_once {
        return tr("保存后立即生效。", "Once saved it is in force.").to_owned();
    }
    let at = minute_text(effective_from(clock::now()));
    match lang() {
        Lang::Zh => format!("现在保存，将于今日 24:00（{at}）生效；跨 24 点的订单按启动时的规则计费。"),
        Lang::En => format!(
            "Saved now, it comes into force at 24:00 today ({at}). A running charge keeps the prices of its start."
        ),
    }
}

fn price_table(draft: Draft) -> AnyView {
    let used = Memo::new(move |_| draft.used());
    let rows = move || {
        let used = used.get();
        if used.is_empty() {
            let text = tr("先在上面涂出时段，再填写单价。", "Paint the day first, then fill in the prices.");
            return view! { <tr><td colspan="4" class="none">{text}</td></tr> }.into_any();
        }
        used.into_iter().map(|period| price_row(draft, period)).collect_view().into_any()
    };
    view! {
        <table class="plain-table tariff-prices">
            <thead>
                <tr>
                    <th scope="col">{tr("时段", "Period")}</th>
                    <th scope="col">{tr("电费(元/度)", "Energy (yuan/kWh)")}</th>
                    <th scope="col">{tr("服务费(元/度)", "Service (yuan/kWh)")}</th>
                    <th scope="col">{tr("合计(元/度)", "Both (yuan/kWh)")}</th>
                </tr>
            </thead>
            <tbody>{live(rows)}</tbody>
        </table>
    }
    .into_any()
}

fn price_row(draft: Draft, period: Period) -> AnyView {
    let sum = move || {
        let (elec, service) = draft.typed(period);
        let price = |text: &str| or_zero(text).parse::<Price>().ok();
        let sum = price(&elec)?.units() + price(&service)?.units();
        (!elec.is_empty() || !service.is_empty()).then(|| unscaled(sum, 5))
    };
    view! {
        <tr>
            <th scope="row"><span class=format!("day-range {}", colour(period))><i></i>{say(period.label())}</span></th>
            <td>{price_input(draft, period, "elec")}</td>
            <td>{price_input(draft, period, "service")}</td>
            <td class="num">{move || sum().unwrap_or_else(|| "-".to_owned())}</td>
        </tr>
    }
    .into_any()
}

fn price_input(draft: Draft, period: Period, name: &'static str) -> AnyView {
    let text = move || text_of(draft.prices, &price_name(period, name));
    let misread = move || Some(text()).is_some_and(|it| !it.is_empty() && it.parse::<Price>().is_err());
    let wrong = move || misread() || draft.refused(period);
    let typed = move |event: Event| put(draft.prices, &price_name(period, name), event_target_value(&event).trim());
    let label = format!(
        "{} {}",
        say(period.label()),
        if name == "elec" { tr("电费", "energy fee") } else { tr("服务费", "service fee") }
    );
    view! {
        <div class="el-input" class:price-wrong=wrong>
            <div class="el-input__wrapper">
                <input class="el-input__inner" inputmode="decimal" autocomplete="off" name=price_name(period, name) aria-label=label
                    placeholder="0.00000" aria-invalid=move || wrong().to_string() prop:value=text on:input=boxed(typed)/>
            </div>
        </div>
    }
    .into_any()
}
