//! A tree of permissions: pages by group, and what can be done on each.

use std::collections::BTreeSet;

use leptos::prelude::*;
use serde_json::Value;

use super::form::Slot;
use crate::lang::{say, tr};
use crate::pages::{GROUPS, Page};
use crate::session;

/// What a permission's last part is called.
fn verb_label(page: &Page, verb: &str) -> String {
    let text = match verb {
        "view" => tr("查看", "View"),
        "create" => tr("添加", "Create"),
        "update" => tr("修改", "Change"),
        "enable" => tr("启用", "Enable"),
        "disable" => tr("禁用", "Disable"),
        "delete" => tr("删除", "Delete"),
        "export" => tr("导出", "Export"),
        "import" => tr("导入", "Import"),
        _ => "",
    };
    let action = || page.source.and_then(|it| (it.actions)().into_iter().find(|it| it.verb == verb));
    if text.is_empty() {
        action().map_or_else(|| verb.to_owned(), |it| say(it.label).to_owned())
    } else {
        text.to_owned()
    }
}

/// The permissions of a page that the person at the screen has: nobody grants what they lack.
fn of_page(page: &Page) -> Vec<(String, String)> {
    const ORDER: [&str; 8] = ["view", "create", "update", "enable", "disable", "delete", "export", "import"];
    let prefix = format!("{}.", page.permission);
    let mine = session::me().map(|it| it.permissions).unwrap_or_default();
    let mut verbs: Vec<&str> =
        mine.iter().filter_map(|it| it.strip_prefix(&prefix)).filter(|it| !it.contains('.')).collect();
    verbs.sort_by_key(|it| (ORDER.iter().position(|verb| verb == it).unwrap_or(ORDER.len()), *it));
    verbs.into_iter().map(|verb| (format!("{prefix}{verb}"), verb_label(page, verb))).collect()
}

#[derive(Clone, Copy)]
struct Chosen(Slot);

impl Chosen {
    fn all(self) -> BTreeSet<String> {
        let items = self.0.form.with(|it| it.get(self.0.field.name).and_then(Value::as_array).cloned());
        items.unwrap_or_default().iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
    }

    fn set(self, codes: &[String], on: bool) {
        let mut all = untrack(|| self.all());
        for code in codes {
            if on {
                all.insert(code.clone());
                // Whoever may do something on a page must be able to see it.
                all.extend(code.rsplit_once('.').map(|(page, _)| format!("{page}.view")));
            } else {
                all.remove(code);
                if let Some(page) = code.strip_suffix("view") {
                    all.retain(|it| it.strip_prefix(page).is_none_or(|verb| verb.contains('.')));
                }
            }
        }
        self.0.put(all.into_iter().collect::<Vec<_>>());
    }
}

/// The control of a set of permissions.
pub fn permissions(slot: Slot) -> AnyView {
    let chosen = Chosen(slot);
    let group = |group: &'static crate::pages::Group| {
        let pages: Vec<_> = group.pages.iter().map(|it| (it, of_page(it))).filter(|it| !it.1.is_empty()).collect();
        let codes: Vec<String> = pages.iter().flat_map(|it| it.1.iter().map(|it| it.0.clone())).collect();
        (!pages.is_empty()).then(|| {
            view! {
                <fieldset class="rights-group">
                    <legend>{check(chosen, codes, say(group.title).to_owned())}</legend>
                    {pages.into_iter().map(|(page, verbs)| row(chosen, page, verbs)).collect_view()}
                </fieldset>
            }
        })
    };
    view! { <div class="rights" id=slot.id() data-test=slot.field.name>{GROUPS.iter().filter_map(group).collect_view()}</div> }.into_any()
}

fn row(chosen: Chosen, page: &'static Page, verbs: Vec<(String, String)>) -> AnyView {
    let codes = verbs.iter().map(|it| it.0.clone()).collect();
    view! {
        <div class="rights-row">
            <div class="rights-page">{check(chosen, codes, say(page.title).to_owned())}</div>
            <div class="rights-verbs">{verbs.into_iter().map(|(code, label)| check(chosen, vec![code], label)).collect_view()}</div>
        </div>
    }
    .into_any()
}

/// A check box for one or several codes; for several it can be half on.
fn check(chosen: Chosen, codes: Vec<String>, label: String) -> AnyView {
    let name = codes.first().filter(|_| codes.len() == 1).cloned();
    let of = codes.clone();
    let on = Memo::new(move |_| {
        let all = chosen.all();
        (of.iter().all(|it| all.contains(it)), of.iter().any(|it| all.contains(it)))
    });
    let all = move || on.get().0;
    let half = move || on.get().1 && !on.get().0;
    view! {
        <label class="el-checkbox" class:is-checked=all>
            <span class="el-checkbox__input" class:is-checked=all class:is-indeterminate=half>
                <input type="checkbox" class="el-checkbox__original" name=name prop:checked=all prop:indeterminate=half
                    on:change=move |event| chosen.set(&codes, event_target_checked(&event))/>
                <span class="el-checkbox__inner"></span>
            </span>
            <span class="el-checkbox__label">{label}</span>
        </label>
    }
    .into_any()
}
