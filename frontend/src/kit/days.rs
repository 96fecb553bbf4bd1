//! A range of days: two boxes to type in, and two months to choose from.

use chrono::{Datelike, NaiveDate};
use leptos::ev::{Event, FocusEvent, KeyboardEvent, MouseEvent};
use leptos::html::Div;
use leptos::prelude::*;
use serde_json::Value;
use shared::text::{Lang, t};

use super::button::icon_button;
use super::calendar::{day_away, month_away, ordered, read_day, weeks};
use super::form::{Slot, put, text_of};
use super::icon::{CALENDAR, CHEVRON_LEFT, CHEVRON_RIGHT, CHEVRONS_LEFT, CHEVRONS_RIGHT, X, icon};
use super::popper::{left, popper};
use crate::clock;
use crate::lang::{lang, say, tr};
use crate::run::boxed;

#[derive(Clone, Copy)]
struct Range {
    slot: Slot,
    open: RwSignal<bool>,
    /// The month on the left.
    month: RwSignal<NaiveDate>,
    /// The day under the keyboard or the mouse.
    at: RwSignal<NaiveDate>,
    /// The first day, while the second has yet to be chosen.
    first: RwSignal<Option<NaiveDate>>,
}

impl Range {
    fn name(self, end: &str) -> String {
        format!("{}_{end}", self.slot.field.name)
    }

    fn day(self, end: &str) -> Option<NaiveDate> {
        read_day(&text_of(self.slot.form, &self.name(end)))
    }

    fn set(self, from: Option<NaiveDate>, to: Option<NaiveDate>) {
        let value = |it: Option<NaiveDate>| it.map_or(Value::Null, |it| Value::from(it.to_string()));
        put(self.slot.form, &self.name("from"), value(from));
        put(self.slot.form, &self.name("to"), value(to));
    }

    fn pick(self, day: NaiveDate) {
        match self.first.get_untracked() {
            None => self.first.set(Some(day)),
            Some(first) => {
                let (from, to) = ordered(first, day);
                self.set(Some(from), Some(to));
                self.close();
            }
        }
    }

    fn show(self) {
        if !self.open.get_untracked() {
            let today = clock::today();
            self.at.set(untrack(|| self.day("to")).unwrap_or(today));
            self.month.set(untrack(|| self.day("from")).unwrap_or_else(|| month_away(today, -1)));
            self.first.set(None);
            self.open.set(true);
        }
    }

    fn close(self) {
        self.first.set(None);
        self.open.set(false);
    }

    /// Moves to a day and brings its month into view.
    fn go(self, day: NaiveDate) {
        self.at.set(day);
        let (shown, wanted) = (month_away(self.month.get_untracked(), 0), month_away(day, 0));
        if wanted < shown {
            self.month.set(wanted);
        } else if wanted > month_away(shown, 1) {
            self.month.set(month_away(wanted, -1));
        }
    }

    fn turn(self, months: i32) {
        self.month.update(|it| *it = month_away(*it, months));
    }
}

/// The control of a range of days.
pub fn days(slot: Slot) -> AnyView {
    let today = clock::today();
    let it = Range {
        slot,
        open: RwSignal::new(false),
        month: RwSignal::new(today),
        at: RwSignal::new(today),
        first: RwSignal::new(None),
    };
    let root = NodeRef::<Div>::new();
    let leave = move |event: FocusEvent| {
        if left(&event, root) {
            it.close();
        }
    };
    let key = move |event: KeyboardEvent| {
        if on_key(it, &event.key()) {
            event.prevent_default();
            event.stop_propagation();
        }
    };
    let clear = move |event: MouseEvent| {
        event.stop_propagation();
        it.set(None, None);
    };
    let some = move || it.day("from").is_some() || it.day("to").is_some();
    view! {
        <div node_ref=root class="days" tabindex="-1" on:focusout=boxed(leave) on:keydown=boxed(key)>
            <div class="el-date-editor el-date-editor--daterange el-input__wrapper el-range-editor" class:is-active=it.open on:click=boxed(move |_| it.show())>
                <span class="el-range__icon">{icon(CALENDAR)}</span>
                {end(it, "from", tr("开始日期", "From"), slot.id())}
                <span class="el-range-separator">{tr("至", "to")}</span>
                {end(it, "to", tr("结束日期", "To"), format!("{}-to", slot.id()))}
                <span class="el-range__close-icon">
                    {move || some().then(|| view! {
                        <button type="button" class="select-clear" tabindex="-1" aria-label=tr("清除", "Clear") on:click=boxed(clear)>{icon(X)}</button>
                    }.into_any())}
                </span>
            </div>
            {popper(it.open, root, false, "el-picker__popper", move || panel(it))}
        </div>
    }
    .into_any()
}

/// Keys that move through the calendar; the rest is typing.
fn on_key(it: Range, key: &str) -> bool {
    if !it.open.get_untracked() {
        return (key == "ArrowDown").then(|| it.show()).is_some();
    }
    let at = it.at.get_untracked();
    match key {
        "ArrowLeft" => it.go(day_away(at, -1)),
        "ArrowRight" => it.go(day_away(at, 1)),
        "ArrowUp" => it.go(day_away(at, -7)),
        "ArrowDown" => it.go(day_away(at, 7)),
        "PageUp" => it.go(month_away(at, -1)),
        "PageDown" => it.go(month_away(at, 1)),
        "Enter" => it.pick(at),
        "Escape" => it.close(),
        _ => return false,
    }
    true
}

/// One of the two boxes; what is typed counts when it is a day.
fn end(it: Range, which: &'static str, hint: &'static str, id: String) -> AnyView {
    let typed = move |event: Event| {
        let text = event_target_value(&event);
        let day = read_day(&text);
        if day.is_some() || text.trim().is_empty() {
            put(it.slot.form, &it.name(which), day.map_or(Value::Null, |it| Value::from(it.to_string())));
        }
        if let Some(day) = day {
            it.go(day);
        }
    };
    view! {
        <input class="el-range-input" id=id name=it.name(which) placeholder=hint aria-label=hint autocomplete="off"
            prop:value=move || text_of(it.slot.form, &it.name(which)) on:change=boxed(typed) on:focus=boxed(move |_| it.show())/>
    }
    .into_any()
}

fn panel(it: Range) -> AnyView {
    let shortcut = |(label, from, to): (&'static str, i64, i64)| {
        let act = move |_: MouseEvent| {
            let today = clock::today();
            it.set(Some(day_away(today, from)), Some(day_away(today, to)));
            it.close();
        };
        view! { <button type="button" class="el-picker-panel__shortcut" on:click=boxed(act)>{label}</button> }
            .into_any()
    };
    let this_month = move |_: MouseEvent| {
        let today = clock::today();
        it.set(Some(month_away(today, 0)), Some(today));
        it.close();
    };
    view! {
        <div class="el-picker-panel el-date-range-picker has-sidebar" role="group" aria-label=tr("选择日期范围", "Choose a range of days")>
            <div class="el-picker-panel__body-wrapper">
                <div class="el-picker-panel__sidebar">
                    {[
                        (tr("今天", "Today"), 0, 0),
                        (tr("昨天", "Yesterday"), -1, -1),
                        (tr("最近7天", "Last 7 days"), -6, 0),
                        (tr("最近30天", "Last 30 days"), -29, 0),
                    ].map(shortcut).collect_view()}
                    <button type="button" class="el-picker-panel__shortcut" on:click=boxed(this_month)>{tr("本月", "This month")}</button>
                </div>
                <div class="el-picker-panel__body">
                    {half(it, 0)}
                    {half(it, 1)}
                </div>
            </div>
        </div>
    }
    .into_any()
}

fn title(month: NaiveDate) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    match lang() {
        Lang::Zh => format!("{} 年 {} 月", month.year(), month.month()),
        Lang::En => {
            let index = usize::try_from(month.month0()).unwrap_or_default();
            format!("{} {}", MONTHS.get(index).unwrap_or(&""), month.year())
        }
    }
}

/// One of the two months.
fn half(it: Range, offset: i32) -> AnyView {
    const DAYS: [shared::text::Text; 7] =
        [t("日", "Su"), t("一", "Mo"), t("二", "Tu"), t("三", "We"), t("四", "Th"), t("五", "Fr"), t("六", "Sa")];
    let month = move || month_away(it.month.get(), offset);
    let turn = |face, label, months| icon_button("el-picker-panel__icon-btn", "", face, label, move || it.turn(months));
    let arrows = if offset == 0 {
        view! {
            {turn(CHEVRONS_LEFT, tr("上一年", "A year back"), -12)}
            {turn(CHEVRON_LEFT, tr("上一月", "A month back"), -1)}
        }
        .into_any()
    } else {
        view! {
            <span class="turn-on">
                {turn(CHEVRON_RIGHT, tr("下一月", "A month on"), 1)}
                {turn(CHEVRONS_RIGHT, tr("下一年", "A year on"), 12)}
            </span>
        }
        .into_any()
    };
    let side = if offset == 0 { "is-left" } else { "is-right" };
    view! {
        <div class=format!("el-picker-panel__content el-date-range-picker__content {side}")>
            <div class="el-date-range-picker__header">{arrows}<div>{move || title(month())}</div></div>
            <table class="el-date-table" role="grid" aria-label=move || title(month())>
                <tbody>
                    <tr>{DAYS.map(|it| view! { <th scope="col">{say(it)}</th> }.into_any()).collect_view()}</tr>
                    {move || {
                        let month = month();
                        let week = |days: Vec<NaiveDate>| view! {
                            <tr class="el-date-table__row">{days.into_iter().map(|day| cell(it, month, day)).collect_view()}</tr>
                        }.into_any();
                        weeks(month).into_iter().map(week).collect_view()
                    }}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

fn cell(it: Range, month: NaiveDate, day: NaiveDate) -> AnyView {
    if (day.year(), day.month()) != (month.year(), month.month()) {
        let edge = if day < month { "prev-month" } else { "next-month" };
        return view! { <td class=edge><div class="el-date-table-cell"><span class="el-date-table-cell__text">{day.day()}</span></div></td> }
            .into_any();
    }
    let today = clock::today();
    // While the second day is open, the range follows the keyboard and the mouse.
    let range = move || match it.first.get() {
        Some(first) => Some(ordered(first, it.at.get())),
        None => it.day("from").zip(it.day("to")),
    };
    let class = move || {
        let mut class = "available".to_owned();
        if day == today {
            class.push_str(" today");
        }
        if let Some((from, to)) = range() {
            for (holds, name) in
                [(from <= day && day <= to, " in-range"), (from == day, " start-date"), (to == day, " end-date")]
            {
                if holds {
                    class.push_str(name);
                }
            }
        }
        if it.at.get() == day {
            class.push_str(" at");
        }
        class
    };
    let over = move |_: MouseEvent| {
        if it.first.get_untracked().is_some() {
            it.at.set(day);
        }
    };
    view! {
        <td class=class data-day=day.to_string() on:click=boxed(move |_| it.pick(day)) on:mouseenter=boxed(over)>
            <div class="el-date-table-cell"><span class="el-date-table-cell__text">{day.day()}</span></div>
        </td>
    }
    .into_any()
}
