//! One control for every way in which a field is entered.

use std::cell::{Cell, RefCell};

use leptos::ev::Event;
use leptos::prelude::*;
use serde_json::Value;
use shared::codes::Choice;
use shared::describe::{Input, Offer};
use shared::fixed::Fen;

use super::days::days;
use super::entry::coordinates;
use super::form::{Slot, put, text_of};
use super::lookup::Lookup;
use super::permissions::permissions;
use super::select::{Opt, Select, select};
use super::transfer::transfer;
use crate::lang::{lang, say, tr};
use crate::pages::custom_input;
use crate::run::{boxed, follow};

/// The control of a field.
pub fn control(slot: Slot) -> AnyView {
    match slot.field.input {
        Input::Text(max) => line(slot, Line { max: Some(max), ..Line::default() }),
        Input::Mobile => line(slot, Line { max: Some(11), keys: "tel", ..Line::default() }),
        Input::Phone => line(slot, Line { max: Some(30), keys: "tel", ..Line::default() }),
        Input::Plate => line(slot, Line { max: Some(12), ..Line::default() }),
        Input::Email => line(slot, Line { max: Some(254), keys: "email", ..Line::default() }),
        Input::Password => line(slot, Line { kind: "password", max: Some(128), ..Line::default() }),
        Input::Int { .. } => line(slot, Line { keys: "numeric", ..Line::default() }),
        Input::Watts { .. } => line(slot, Line { keys: "decimal", unit: unit(slot, "kW", "kW"), ..Line::default() }),
        Input::Fen { .. } => line(slot, Line { keys: "decimal", unit: unit(slot, "元", "yuan"), ..Line::default() }),
        Input::Degrees { limit } => degrees(slot, limit),
        Input::Area(max) => area(slot, max),
        Input::Switch if slot.search => yes_or_no(slot),
        Input::Switch => switch(slot),
        Input::Choice(choices) => choice(slot, choices),
        Input::Lookup(path) => lookup(slot, path, false),
        Input::Lookups(path) if slot.field.offer == Offer::TwoLists => two_lists(slot, path),
        Input::Lookups(path) => lookup(slot, path, true),
        Input::Permissions => permissions(slot),
        Input::Days => days(slot),
        Input::Custom(name) => custom_input(name, slot),
    }
}

/// The unit behind the input, unless the label names it already.
fn unit(slot: Slot, zh: &'static str, en: &'static str) -> &'static str {
    let unit = tr(zh, en);
    if say(slot.field.label).contains(unit) { "" } else { unit }
}

struct Line {
    kind: &'static str,
    keys: &'static str,
    max: Option<usize>,
    unit: &'static str,
    hint: &'static str,
}

impl Default for Line {
    fn default() -> Self {
        Self { kind: "text", keys: "text", max: None, unit: "", hint: "" }
    }
}

fn line(slot: Slot, it: Line) -> AnyView {
    let Line { kind, keys, max, unit, hint } = it;
    let typed = move |event: Event| slot.put(event_target_value(&event));
    let most = move || {
        let most = slot.form.with(|it| it.get(slot.field.most?).and_then(Value::as_i64))?;
        Some(format!("{} {}", tr("最多", "At most"), Fen(most).yuan()))
    };
    // A search has no room for sentences below its inputs.
    let hint = slot.field.help.filter(|_| slot.search).map_or(hint, say);
    let hint = move || most().unwrap_or_else(|| hint.to_owned());
    let complete = if kind == "password" { "new-password" } else { "off" };
    view! {
        <div class="el-input" class:is-disabled=slot.locked>
            <div class="el-input__wrapper">
                <input class="el-input__inner" type=kind id=slot.id() name=slot.field.name inputmode=keys autocomplete=complete
                    placeholder=hint maxlength=max.map(|it| it.to_string()) disabled=slot.locked
                    aria-invalid=move || slot.wrong().is_some().to_string()
                    aria-required=(slot.field.required && !slot.search).to_string()
                    prop:value=move || slot.text() on:input=boxed(typed)/>
                {(!unit.is_empty()).then(|| view! { <span class="el-input__suffix"><span class="el-input__suffix-inner">{unit}</span></span> }.into_any())}
            </div>
        </div>
    }
    .into_any()
}

/// A coordinate; pasting a pair into either fills both.
fn degrees(slot: Slot, limit: u16) -> AnyView {
    let with_limit = move |limit| {
        let fits = |it: &&shared::describe::Field| it.input == Input::Degrees { limit };
        slot.fields.iter().find(fits).map(|it| it.name)
    };
    let paste = move |event: web_sys::ClipboardEvent| {
        let text = event.clipboard_data().and_then(|it| it.get_data("text").ok()).unwrap_or_default();
        if let (Some((lng, lat)), Some(first), Some(second)) = (coordinates(&text), with_limit(180), with_limit(90)) {
            event.prevent_default();
            put(slot.form, first, lng);
            put(slot.form, second, lat);
        }
    };
    let hint = if limit == 180 { tr("可粘贴“经度,纬度”", "Paste “lng,lat” here") } else { "" };
    view! { <div class="el-input-row" on:paste=boxed(paste)>{line(slot, Line { keys: "decimal", hint, ..Line::default() })}</div> }.into_any()
}

fn area(slot: Slot, max: usize) -> AnyView {
    let typed = move |event: Event| slot.put(event_target_value(&event));
    view! {
        <div class="el-textarea">
            <textarea class="el-textarea__inner" rows="3" id=slot.id() name=slot.field.name maxlength=max.to_string()
                disabled=slot.locked aria-invalid=move || slot.wrong().is_some().to_string()
                prop:value=move || slot.text() on:input=boxed(typed)></textarea>
            <span class="el-input__count">{move || format!("{} / {max}", slot.text().chars().count())}</span>
        </div>
    }
    .into_any()
}

fn switch(slot: Slot) -> AnyView {
    let on = move || slot.form.with(|it| it.get(slot.field.name).and_then(Value::as_bool).unwrap_or_default());
    toggle(slot.id(), slot.field.name, String::new(), on, slot.locked, move |on| slot.put(on))
}

/// Element's switch.
pub fn toggle(
    id: String,
    name: &'static str,
    label: String,
    on: impl Fn() -> bool + Send + Sync + 'static,
    locked: bool,
    flip: impl Fn(bool) + 'static,
) -> AnyView {
    plain_toggle(id, name, label, Signal::derive(on), locked, boxed(move |event| flip(event_target_checked(&event))))
}

fn plain_toggle(
    id: String,
    name: &'static str,
    label: String,
    on: Signal<bool>,
    locked: bool,
    change: Box<dyn FnMut(Event)>,
) -> AnyView {
    view! {
        <label class="el-switch" class:is-checked=on class:is-disabled=locked>
            <input class="el-switch__input" type="checkbox" role="switch" id=id name=name disabled=locked
                aria-label=(!label.is_empty()).then_some(label)
                prop:checked=on on:change=change/>
            <span class="el-switch__core"><span class="el-switch__action"></span></span>
        </label>
    }
    .into_any()
}

/// What all selects of a form have in common.
fn base(slot: Slot) -> Select {
    Select {
        id: slot.id(),
        name: slot.field.name,
        placeholder: if slot.search { tr("全部", "All") } else { tr("请选择", "Choose") }.to_owned(),
        options: Signal::derive(Vec::new),
        levels: None,
        busy: Signal::derive(|| false),
        chosen: Signal::derive(move || slot.ids()),
        called: Callback::new(|it| it),
        pick: Callback::new(move |mut picked: Vec<String>| slot.put(picked.pop().map_or(Value::Null, Value::from))),
        search: None,
        opened: None,
        multiple: false,
        clearable: slot.search || !slot.field.required,
        disabled: slot.locked,
    }
}

fn among(slot: Slot, options: Vec<Opt>) -> AnyView {
    let names = options.clone();
    let called = move |value: String| names.iter().find(|it| it.value == value).map_or(value, |it| it.label.clone());
    select(Select { options: Signal::stored(options), called: Callback::new(called), ..base(slot) })
}

fn choice(slot: Slot, choices: &'static [Choice]) -> AnyView {
    let option =
        |it: &Choice| Opt { value: it.value.to_owned(), label: it.label.get(lang()).to_owned(), note: String::new() };
    among(slot, choices.iter().map(option).collect())
}

fn yes_or_no(slot: Slot) -> AnyView {
    let (yes, no) = if slot.field.name == "enabled" {
        (tr("启用", "Enabled"), tr("禁用", "Disabled"))
    } else {
        (tr("是", "Yes"), tr("否", "No"))
    };
    let option =
        |value: &str, label: &str| Opt { value: value.to_owned(), label: label.to_owned(), note: String::new() };
    among(slot, vec![option("true", yes), option("false", no)])
}

/// The rows of a resource that the form's other fields leave.
fn rows(slot: Slot, path: &'static str) -> Lookup {
    let parents = slot.field.parents();
    let chosen = move |_: Option<&Vec<_>>| {
        parents.clone().map(|it| (it, text_of(slot.form, it))).filter(|it| !it.1.is_empty()).collect()
    };
    let within = Memo::new(chosen);
    let lookup = Lookup::new(path, within.into());
    if slot.field.parents().next().is_some() {
        // Another parent: what was chosen below the old one no longer fits.
        let before: RefCell<Vec<(&str, String)>> = RefCell::default();
        follow(move || {
            let now = within.get();
            let before = before.replace(now.clone());
            if !before.is_empty() && before != now && !slot.locked {
                slot.put(Value::Null);
            }
        });
    }
    lookup
}

fn two_lists(slot: Slot, path: &'static str) -> AnyView {
    let lookup = rows(slot, path);
    let chosen = Signal::derive(move || slot.ids());
    let pick = Callback::new(move |ids: Vec<String>| slot.put(ids));
    transfer(lookup.transfer(slot.field.name, say(slot.field.label).to_owned(), chosen, pick))
}

fn lookup(slot: Slot, path: &'static str, multiple: bool) -> AnyView {
    let lookup = rows(slot, path);
    if slot.field.offer == Offer::Tree {
        return select(lookup.tree(base(slot)));
    }
    let lookup = lookup.renewed();
    if !slot.search && !slot.locked && slot.field.required && !multiple {
        lookup.search(String::new(), 0);
        choose_the_only(slot, lookup);
    }
    let base = base(slot);
    let pick = if multiple { Callback::new(move |picked: Vec<String>| slot.put(picked)) } else { base.pick };
    select(lookup.select(Select { multiple, pick, ..base }))
}

/// Where there is nothing to choose, nobody should have to: the only row is taken when the form opens.
fn choose_the_only(slot: Slot, lookup: Lookup) {
    let seen = Cell::new(false);
    follow(move || {
        let options = lookup.options.get();
        let empty = slot.form.with_untracked(|it| it.get(slot.field.name).is_none_or(Value::is_null));
        if let ([only], false, true) = (options.as_slice(), seen.get(), empty) {
            slot.put(only.value.clone());
        }
        seen.set(seen.get() || !options.is_empty());
    });
}
