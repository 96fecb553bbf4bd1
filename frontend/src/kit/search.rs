//! The search conditions above a list. What is applied lives in the address, not here.

use chrono::NaiveDate;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use serde_json::Value;
use shared::describe::{Field, Input};
use shared::resource::FormMap;

use super::button::button;
use super::form::{Slot, form_of, item};
use super::icon::{CHEVRON_DOWN, ROTATE_CCW, SEARCH, icon};
use super::query::Query;
use crate::clock;
use crate::lang::tr;
use crate::run::{boxed, follow};
use crate::session;

/// More conditions than this are folded away.
const UNFOLDED: usize = 5;

/// The query parameters of a condition.
pub fn parameters(field: &Field) -> Vec<String> {
    match field.input {
        Input::Days => vec![format!("{}_from", field.name), format!("{}_to", field.name)],
        _ => vec![field.name.to_owned()],
    }
}

/// The conditions of an address. The days that a list shows by itself are shown as well.
fn read(fields: &[Field], query: &Query, today: NaiveDate) -> FormMap {
    let names = fields.iter().flat_map(parameters);
    let mut form = form_of(names.filter_map(|name| query.get(&name).map(|it| (name.clone(), Value::from(it)))));
    for (field, recent) in fields.iter().filter_map(|it| Some((it, it.recent?))) {
        let asked = parameters(field).iter().any(|it| query.get(it).is_some());
        if !asked && recent.unless.iter().all(|it| query.get(it).is_none()) {
            let days = [recent.first(today), today].map(|it| Value::from(it.to_string()));
            form.extend(parameters(field).into_iter().zip(days));
        }
    }
    form
}

/// The address of conditions. The days that a list shows by itself stay unsaid: so a number is looked for on all days, and
/// tomorrow the last days are others.
fn write(fields: &[Field], form: &FormMap, today: NaiveDate) -> Query {
    let said = |name: &str| form.get(name).and_then(Value::as_str).unwrap_or_default().trim();
    let mut query = Query::default();
    for field in fields {
        let names = parameters(field);
        let own = field.recent.map(|it| [it.first(today), today].map(|it| it.to_string()));
        if own.is_some_and(|days| names.iter().zip(days).all(|(name, day)| said(name) == day)) {
            continue;
        }
        for name in &names {
            query.set(name, said(name));
        }
    }
    query
}

/// Draws them; `apply` is told the conditions, `reset` that none are wanted.
pub fn search(fields: &'static [Field], applied: Memo<Query>, apply: Callback<Query>, reset: Callback<()>) -> AnyView {
    let form = RwSignal::new(FormMap::new());
    let errs = RwSignal::new(Vec::new());
    // The way back in the browser changes the address, and the inputs follow.
    follow(move || form.set(applied.with(|it| read(fields, it, clock::today()))));
    let asked: Vec<&Field> = fields.iter().filter(|it| session::own(it.name).is_none()).collect();
    let hidden = asked.iter().skip(UNFOLDED - 1).flat_map(|it| parameters(it)).collect::<Vec<_>>();
    let foldable = asked.len() > UNFOLDED;
    let set_there = applied.with_untracked(|it| hidden.iter().any(|name| it.get(name).is_some()));
    let folded = RwSignal::new(foldable && !set_there);
    let shown = move |index: usize| index < UNFOLDED - 1 || !folded.get();
    let slot = move |field: &Field| Slot { field: *field, fields, form, errs, locked: false, search: true };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let query = form.with_untracked(|it| write(fields, it, clock::today()));
        form.set(read(fields, &query, clock::today()));
        apply.run(query);
    };
    let clear = move || {
        form.set(read(fields, &Query::default(), clock::today()));
        reset.run(());
    };
    view! {
        <section class="el-card is-never-shadow search" aria-label=tr("搜索条件", "Search conditions")>
            <form class="el-form el-form--inline" on:submit=boxed(submit)>
                {asked.into_iter().enumerate().map(|(index, field)| view! {
                    <div class="search-item" style:display=move || if shown(index) || !foldable { "" } else { "none" }>{item(slot(field))}</div>
                }.into_any()).collect_view()}
                <div class="search-buttons">
                    <button type="submit" class="el-button el-button--primary" data-test="search">{icon(SEARCH)}<span>{tr("搜索", "Search")}</span></button>
                    {button("", "reset", Some(ROTATE_CCW), tr("重置", "Reset"), clear)}
                    {foldable.then(|| view! {
                        <button type="button" class="el-button is-link el-button--primary fold" data-test="fold" aria-expanded=move || (!folded.get()).to_string()
                            class:is-folded=folded on:click=boxed(move |_| folded.update(|it| *it = !*it))>
                            <span>{move || if folded.get() { tr("展开", "More") } else { tr("收起", "Less") }}</span>{icon(CHEVRON_DOWN)}
                        </button>
                    }.into_any())}
                </div>
            </form>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use shared::describe::Recent;
    use shared::text::t;

    use super::*;

    const FIELDS: &[Field] = &[
        Field::new("name", t("名称", "Name"), Input::Text(50)),
        Field::new("created", t("创建时间", "Created"), Input::Days),
    ];

    #[test]
    fn conditions_go_into_the_address_and_back() {
        let query = Query::parse("name=a&created_from=2026-11-01&page=3&other=x");
        let form = read(FIELDS, &query, today());
        assert_eq!(form.len(), 2);
        assert_eq!(write(FIELDS, &form, today()).to_string(), "name=a&created_from=2026-11-01");
    }

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 29).unwrap()
    }

    #[test]
    fn the_days_that_are_shown_by_themselves_are_seen_and_not_said() {
        let recent = Recent { days: 7, unless: &["name"] };
        let fields = [FIELDS[0], FIELDS[1].recent(recent)];
        let form = read(&fields, &Query::default(), today());
        assert_eq!(
            (form["created_from"].as_str(), form["created_to"].as_str()),
            (Some("2026-11-23"), Some("2026-11-29"))
        );
        assert!(write(&fields, &form, today()).is_empty());
        let named = form_of(form.into_iter().chain([("name".to_owned(), "a".into())]));
        let query = write(&fields, &named, today());
        assert_eq!(query.to_string(), "name=a");
        assert_eq!(read(&fields, &query, today()).len(), 1, "a number is looked for on all days");
        let other = Query::parse("created_to=2026-11-29");
        assert_eq!(write(&fields, &read(&fields, &other, today()), today()), other);
    }
}
