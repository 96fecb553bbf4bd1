//! The calendar, the select, the form and the dialog.

use frontend::clock::pause;
use frontend::kit::button::button;
use frontend::kit::days::days;
use frontend::kit::form::{FormState, Slot, form_view};
use frontend::kit::modal::dialog;
use leptos::prelude::*;
use shared::codes::{Choice, Tone};
use shared::describe::{Field, Input};
use shared::problem::FieldError;
use shared::resource::FormMap;
use shared::text::t;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlInputElement;

use crate::bench::{press, show};

const CHOICES: &[Choice] = &[
    Choice { value: "a", label: t("甲", "A"), tone: Tone::Info },
    Choice { value: "b", label: t("乙", "B"), tone: Tone::Info },
];
const FIELDS: &[Field] = &[
    Field::new("kind", t("类型", "Kind"), Input::Choice(CHOICES)).required(),
    Field::new("name", t("名称", "Name"), Input::Text(10)).required(),
    Field::new("power", t("功率", "Power"), Input::Watts { max: 1000 }),
];
const DAYS: &[Field] = &[Field::new("created", t("创建时间", "Created"), Input::Days)];

fn form() -> FormState {
    RwSignal::new(FormMap::new())
}

fn text(form: FormState, name: &str) -> String {
    form.with_untracked(|it| it.get(name).and_then(|it| it.as_str().map(str::to_owned))).unwrap_or_default()
}

#[wasm_bindgen_test]
async fn a_range_is_chosen_by_mouse() {
    let form = form();
    let errs = RwSignal::new(Vec::new());
    form.update(|it| drop(it.insert("created_from".to_owned(), "2026-11-05".into())));
    let slot = Slot { field: DAYS[0], fields: DAYS, form, errs, locked: false, search: true };
    let shown = show(move || days(slot));
    shown.find(".el-range-editor").click();
    pause(50).await;
    shown.find("[data-day=\"2026-11-20\"]").click();
    pause(20).await;
    shown.find("[data-day=\"2026-11-11\"]").click();
    pause(20).await;
    assert_eq!((text(form, "created_from"), text(form, "created_to")), ("2026-11-11".into(), "2026-11-20".into()));
    assert!(!shown.has(".el-picker-panel"), "the panel closes");
}

#[wasm_bindgen_test]
async fn a_range_is_chosen_by_keyboard() {
    let form = form();
    let errs = RwSignal::new(Vec::new());
    form.update(|it| drop(it.insert("created_to".to_owned(), "2026-11-20".into())));
    let slot = Slot { field: DAYS[0], fields: DAYS, form, errs, locked: false, search: true };
    let shown = show(move || days(slot));
    let input = shown.find("input[name=created_from]");
    for key in ["ArrowDown", "Enter", "ArrowDown", "Enter"] {
        press(&input, key).await;
    }
    assert_eq!((text(form, "created_from"), text(form, "created_to")), ("2026-11-20".into(), "2026-11-27".into()));
}

#[wasm_bindgen_test]
async fn a_select_obeys_the_keyboard() {
    let form = form();
    let errs = RwSignal::new(Vec::new());
    let shown = show(move || form_view(FIELDS, form, errs, true));
    let input = shown.find("input[name=kind]");
    for key in ["ArrowDown", "ArrowDown", "Enter"] {
        press(&input, key).await;
    }
    assert_eq!(text(form, "kind"), "b");
    assert_eq!(shown.find(".el-select__placeholder").text_content().unwrap(), "乙");
    assert!(!shown.has("[role=listbox]"), "the list closes");
}

#[wasm_bindgen_test]
async fn errors_stand_at_their_fields_until_something_is_typed() {
    let form = form();
    let errs = RwSignal::new(Vec::new());
    let shown = show(move || form_view(FIELDS, form, errs, true));
    errs.set(vec![FieldError::new("name", "taken", "已被使用"), FieldError::new("elsewhere", "odd", "不对")]);
    pause(20).await;
    assert_eq!(shown.find("[data-field=name] .el-form-item__error").text_content().unwrap(), "已被使用");
    assert_eq!(shown.find(".form-strays").text_content().unwrap(), "不对");
    let input: HtmlInputElement = shown.find("input[name=name]").unchecked_into();
    input.set_value("好");
    input.dispatch_event(&web_sys::Event::new("input").unwrap()).unwrap();
    pause(20).await;
    assert!(!shown.has("[data-field=name] .el-form-item__error"));
    assert_eq!(text(form, "name"), "好");
}

#[wasm_bindgen_test]
async fn a_dialog_keeps_the_focus_and_gives_it_back() {
    let open = RwSignal::new(false);
    let close = Callback::new(move |()| open.set(false));
    let body = || view! { <input name="inside"/> }.into_any();
    let shown = show(move || {
        view! {
            {button("", "opener", None, "open", move || open.set(true))}
            {move || open.get().then(|| dialog("标题".to_owned(), 400, close, body(), button("", "last", None, "ok", || ())))}
        }
    });
    let opener = shown.find("[data-test=opener]");
    opener.focus().unwrap();
    opener.click();
    pause(60).await;
    let focused = || document().active_element().unwrap();
    assert_eq!(focused().get_attribute("name").as_deref(), Some("inside"));
    let last = shown.find("[data-test=last]");
    last.focus().unwrap();
    press(&last, "Tab").await;
    assert_eq!(focused().get_attribute("data-test").as_deref(), Some("close"), "Tab runs in a circle");
    press(&last, "Escape").await;
    assert!(!shown.has("[role=dialog]"));
    assert_eq!(focused().get_attribute("data-test").as_deref(), Some("opener"));
}
