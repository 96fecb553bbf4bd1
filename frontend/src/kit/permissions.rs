//! A table of permissions: the pages, and what can be done on each.

use std::collections::BTreeSet;

use leptos::prelude::*;
use serde_json::Value;
use shared::permission::{Group, Permission, groups};
use shared::user::UserKind;

use super::form::{Slot, text_of};
use crate::lang::{say, tr};
use crate::run::{boxed, live};
use crate::session;

/// What can be given: nobody grants what they lack, and a role has only what its kind may have.
fn offered(kind: &str) -> Vec<Group> {
    let mine = session::me().map(|it| it.permissions).unwrap_or_default();
    let kind: Option<UserKind> = kind.parse().ok();
    let fits = |it: &Permission| mine.contains(&it.code) && kind.is_none_or(|kind| it.kinds.contains(&kind));
    let own = |it: Group| Group { permissions: it.permissions.into_iter().filter(fits).collect(), ..it };
    groups().into_iter().map(own).filter(|it| !it.permissions.is_empty()).collect()
}

#[derive(Clone, Copy)]
struct Chosen(Slot);

impl Chosen {
    fn all(self) -> BTreeSet<String> {
        let items = self.0.form.with(|it| it.get(self.0.field.name).and_then(Value::as_array).cloned());
        let mut all = BTreeSet::new();
        all.extend(items.unwrap_or_default().iter().filter_map(|it| it.as_str().map(str::to_owned)));
        all
    }

    fn set(self, codes: &[String], on: bool) {
        let mut all = untrack(|| self.all());
        for code in codes {
            toggle(&mut all, code, on);
        }
        self.0.put(all.into_iter().collect::<Vec<_>>());
    }
}

/// Whoever may do something on a page must be able to see it, and the other way round.
fn toggle(all: &mut BTreeSet<String>, code: &str, on: bool) {
    let Some((page, verb)) = code.rsplit_once('.') else { return };
    if on {
        all.extend([code.to_owned(), format!("{page}.view")]);
    } else if verb == "view" {
        all.retain(|it| it.rsplit_once('.').is_none_or(|(other, _)| other != page));
    } else {
        all.remove(code);
    }
}

/// The control of a set of permissions.
pub fn permissions(slot: Slot) -> AnyView {
    let chosen = Chosen(slot);
    let rows = move || {
        let groups = offered(&text_of(slot.form, "kind"));
        let all = groups.iter().flat_map(|it| it.permissions.iter().map(|it| it.code.clone())).collect();
        view! {
            <div class="rights-row rights-head">{check(chosen, all, tr("全部", "All"))}</div>
            {groups.into_iter().map(|it| row(chosen, it)).collect_view()}
        }
        .into_any()
    };
    view! { <div class="rights" id=slot.id() data-test=slot.field.name>{live(rows)}</div> }.into_any()
}

fn row(chosen: Chosen, group: Group) -> AnyView {
    let codes = group.permissions.iter().map(|it| it.code.clone()).collect();
    let one = |it: Permission| check(chosen, vec![it.code], say(it.label));
    view! {
        <div class="rights-row">
            <div class="rights-page">{check(chosen, codes, say(group.title))}</div>
            <div class="rights-verbs">{group.permissions.into_iter().map(one).collect_view()}</div>
        </div>
    }
    .into_any()
}

/// A check box for one or several codes; for several it can be half on.
fn check(chosen: Chosen, codes: Vec<String>, label: &'static str) -> AnyView {
    let name = codes.first().filter(|_| codes.len() == 1).cloned();
    let of = codes.clone();
    let on = Memo::new(move |_| {
        let all = chosen.all();
        (of.iter().all(|it| all.contains(it)), of.iter().any(|it| all.contains(it)))
    });
    let all = move || on.get().0;
    let half = move || on.get().1 && !on.get().0;
    view! {
        <label class="el-checkbox" class:is-checked=move || all()>
            <span class="el-checkbox__input" class:is-checked=all class:is-indeterminate=move || half()>
                <input type="checkbox" class="el-checkbox__original" name=name prop:checked=move || all() prop:indeterminate=move || half()
                    on:change=boxed(move |event| chosen.set(&codes, event_target_checked(&event)))/>
                <span class="el-checkbox__inner"></span>
            </span>
            <span class="el-checkbox__label">{label}</span>
        </label>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeing_goes_with_doing() {
        let mut all = BTreeSet::new();
        toggle(&mut all, "car.station.update", true);
        let codes: Vec<_> = all.iter().map(String::as_str).collect();
        assert_eq!(codes, ["car.station.update", "car.station.view"]);
        toggle(&mut all, "car.charger.view", true);
        toggle(&mut all, "car.station.view", false);
        assert_eq!(all.iter().map(String::as_str).collect::<Vec<_>>(), ["car.charger.view"]);
    }
}
