//! Forms drawn from the description of their fields.

use leptos::html::Div;
use leptos::prelude::*;
use serde_json::Value;
use shared::describe::{Field, Input, Offer};
use shared::problem::FieldError;
use shared::resource::FormMap;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use super::input::control;
use crate::lang::say;
use crate::run::follow;
use crate::session;

/// What the inputs of a form hold.
pub type FormState = RwSignal<FormMap>;
/// What is wrong with which field.
pub type Errs = RwSignal<Vec<FieldError>>;

/// One input of a form.
#[derive(Clone, Copy)]
pub struct Slot {
    /// What is entered.
    pub field: Field,
    /// All fields of the form.
    pub fields: &'static [Field],
    /// Where it is kept.
    pub form: FormState,
    /// Where is said what is wrong.
    pub errs: Errs,
    /// Cannot be changed.
    pub locked: bool,
    /// It is a search condition: anything may be left open.
    pub search: bool,
}

impl Slot {
    /// The id of the input.
    pub fn id(self) -> String {
        format!("{}-{}", if self.search { "s" } else { "f" }, self.field.name)
    }

    /// The entry as text.
    pub fn text(self) -> String {
        text_of(self.form, self.field.name)
    }

    /// The entry as ids, when several can be chosen; one that is alone as well.
    pub fn ids(self) -> Vec<String> {
        let text = |it: &Value| it.as_str().filter(|it| !it.is_empty()).map(str::to_owned);
        self.form.with(|it| match it.get(self.field.name) {
            Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
            Some(alone) => text(alone).into_iter().collect(),
            None => Vec::new(),
        })
    }

    /// Changes the entry; what was wrong with it is forgotten.
    pub fn put(self, value: impl Into<Value>) {
        put(self.form, self.field.name, value);
        self.forgive();
    }

    /// Forgets what was wrong with the entry.
    pub fn forgive(self) {
        let concerns = |it: &FieldError| self.concerned(it);
        if self.errs.with_untracked(|it| it.iter().any(concerns)) {
            self.errs.update(|it| it.retain(|it| !concerns(it)));
        }
    }

    /// Whether something is wrong with it, or with a part of it.
    fn concerned(self, it: &FieldError) -> bool {
        it.field.strip_prefix(self.field.name).is_some_and(|it| it.is_empty() || it.starts_with('.'))
    }

    /// What is wrong with it.
    pub fn wrong(self) -> Option<String> {
        self.errs.with(|it| it.iter().find(|it| self.concerned(it)).map(|it| it.message.clone()))
    }
}

/// An entry as text, followed.
pub fn text_of(form: FormState, name: &str) -> String {
    form.with(|it| it.get(name).map(shown).unwrap_or_default())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A form out of its entries. One by one: collected, they would be sorted first, by code that is large.
pub fn form_of(entries: impl Iterator<Item = (String, Value)>) -> FormMap {
    let mut form = FormMap::new();
    form.extend(entries);
    form
}

/// Changes an entry.
pub fn put(form: FormState, name: &str, value: impl Into<Value>) {
    let value = value.into();
    form.update(|it| drop(it.insert(name.to_owned(), value)));
}

/// Whether an input needs the whole width.
const fn wide(input: Input) -> bool {
    match input {
        Input::Text(max) => max >= 100,
        _ => matches!(input, Input::Area(_) | Input::Lookups(_) | Input::Permissions | Input::Custom(_)),
    }
}

/// Whether an input is so large that its form needs room for it.
const fn large(field: &Field) -> bool {
    matches!(field.input, Input::Permissions | Input::Custom(_)) || matches!(field.offer, Offer::TwoLists)
}

/// Whether a form needs a wide dialog with two columns: for many fields, or for one that is large.
pub fn roomy(fields: &[Field]) -> bool {
    fields.len() > 6 || fields.iter().any(large)
}

/// The fields of a form, in two columns when there are many.
pub fn form_view(fields: &'static [Field], form: FormState, errs: Errs, creating: bool) -> AnyView {
    let slot =
        |field: &Field| Slot { field: *field, fields, form, errs, locked: field.fixed && !creating, search: false };
    let root = NodeRef::<Div>::new();
    follow(move || {
        if errs.with(|it| !it.is_empty()) {
            request_animation_frame(move || show_first_error(root));
        }
    });
    view! {
        <div node_ref=root class="el-form form-grid" class:two=roomy(fields)>
            {fields.iter().map(|it| item(slot(it))).collect_view()}
            {move || strays(fields, errs)}
        </div>
    }
    .into_any()
}

/// Brings the first field that is wrong into sight.
fn show_first_error(root: NodeRef<Div>) {
    let Some(root) = root.try_get_untracked().flatten() else { return };
    if let Ok(Some(item)) = root.query_selector(".is-error, .form-strays") {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        item.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Errors that concern no field in sight are told all the same.
fn strays(fields: &'static [Field], errs: Errs) -> Option<AnyView> {
    let known = |name: &str| fields.iter().any(|it| name == it.name || name.starts_with(&format!("{}.", it.name)));
    let strays =
        errs.with(|it| it.iter().filter(|it| !known(&it.field)).map(|it| it.message.clone()).collect::<Vec<_>>());
    let line = |it| view! { <p>{it}</p> }.into_any();
    (!strays.is_empty()).then(|| {
        view! { <div class="el-alert el-alert--error is-light form-strays" role="alert">{strays.into_iter().map(line).collect_view()}</div> }
            .into_any()
    })
}

/// A label, its input, and below it what helps or what is wrong.
pub fn item(slot: Slot) -> AnyView {
    let field = slot.field;
    let needed = move || !slot.search && slot.form.with(|it| field.needed(it));
    let asked = move || slot.search || slot.form.with(|it| field.asked(it));
    if field.only.is_some() && !slot.search {
        // What is not asked for is not sent either.
        follow(move || {
            if !asked() && slot.form.with_untracked(|it| it.get(field.name).is_some_and(|it| !it.is_null())) {
                slot.put(Value::Null);
            }
        });
    }
    let own = session::own(field.name);
    if let Some(own) = own.filter(|_| !slot.search) {
        follow(move || {
            if asked() && slot.text().is_empty() {
                slot.put(own.to_string());
            }
        });
    }
    let shown = move || own.is_none() && asked();
    view! {
        <div class="el-form-item el-form-item--default asterisk-left" class:is-required=needed class:wide=wide(field.input)
            style:display=move || if shown() { "" } else { "none" }
            class:is-error=move || slot.wrong().is_some() data-field=field.name>
            <label class="el-form-item__label" for=slot.id()>{say(field.label)}</label>
            <div class="el-form-item__content">
                {control(slot)}
                {move || slot.wrong().map(|it| view! {
                    <div class="el-form-item__error" role="alert" id=format!("{}-error", slot.id())>{it}</div>
                }.into_any())}
                {field.help.filter(|_| !slot.search).map(|it| view! { <div class="form-help">{say(it)}</div> }.into_any())}
            </div>
        </div>
    }
    .into_any()
}
