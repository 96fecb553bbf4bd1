//! The control of a set of permissions: a tree of the menu's parts, their pages, and what can be done on each.

use leptos::prelude::*;
use shared::permission::{Group, Permission, groups};
use shared::user::UserKind;

use super::forest::Forest;
use super::form::{Slot, text_of};
use super::select::Opt;
use super::tree::{Choice, Tree, tools, tree};
use crate::lang::{Lang, lang, say};
use crate::pages::GROUPS;
use crate::run::follow;
use crate::session;

/// What can be given: nobody grants what they lack, and a role has only what its kind may have.
fn offered(kind: &str) -> Vec<Group> {
    let mine = session::me().map(|it| it.permissions).unwrap_or_default();
    let kind: Option<UserKind> = kind.parse().ok();
    let fits = |it: &Permission| mine.contains(&it.code) && kind.is_none_or(|kind| it.kinds.contains(&kind));
    let own = |it: Group| Group { permissions: it.permissions.into_iter().filter(fits).collect(), ..it };
    groups().into_iter().map(own).filter(|it| !it.permissions.is_empty()).collect()
}

/// The part of the menu in which a page is that has company there.
fn part(prefix: &str, lang: Lang) -> Option<&'static str> {
    let part = GROUPS.iter().find(|it| it.pages.iter().any(|it| it.permission == prefix))?;
    (part.pages.len() > 1).then(|| part.title.get(lang))
}

fn prefix(code: &str) -> &str {
    code.rsplit_once('.').map_or(code, |it| it.0)
}

/// The permissions below their pages, and these below the parts of the menu.
fn planted(groups: Vec<Group>, lang: Lang) -> Forest {
    let opt = |id: &str, label: &str| Opt { value: id.to_owned(), label: label.to_owned(), note: String::new() };
    let mut given: Vec<(Opt, Option<String>)> = Vec::new();
    for group in groups {
        let page = group.permissions.first().map(|it| prefix(&it.code).to_owned()).unwrap_or_default();
        let part = part(&page, lang);
        if let Some(part) = part
            && !given.iter().any(|it| it.0.value == part)
        {
            given.push((opt(part, part), None));
        }
        given.push((opt(&page, group.title.get(lang)), part.map(str::to_owned)));
        given.extend(group.permissions.into_iter().map(|it| (opt(&it.code, it.label.get(lang)), Some(page.clone()))));
    }
    Forest::grow(given)
}

/// Whoever may do something on a page must be able to see it, and the other way round.
fn turn(all: &mut Vec<String>, code: &str, on: bool) {
    let page = prefix(code);
    if on {
        for code in [code.to_owned(), format!("{page}.view")] {
            if !all.contains(&code) {
                all.push(code);
            }
        }
    } else if code.strip_prefix(page) == Some(".view") {
        all.retain(|it| prefix(it) != page);
    } else {
        all.retain(|it| it != code);
    }
}

/// The control.
pub fn permissions(slot: Slot) -> AnyView {
    let forest = Memo::new(move |_| planted(offered(&text_of(slot.form, "kind")), lang()));
    let open = RwSignal::new(Vec::new());
    follow(move || open.set(forest.with(Forest::inner_ids)));
    let turn = Callback::new(move |(codes, on): (Vec<String>, bool)| {
        let mut all = untrack(|| slot.ids());
        for code in codes {
            turn(&mut all, &code, on);
        }
        slot.put(all);
    });
    let choice = Choice::Many { chosen: Signal::derive(move || slot.ids()), turn };
    let label = say(slot.field.label).to_owned();
    let it = Tree { id: slot.id(), name: slot.field.name, label, forest: forest.into(), choice, open, rows: true };
    view! { <div class="rights">{tools(&it)}{tree(it)}</div> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeing_goes_with_doing() {
        let mut all = Vec::new();
        turn(&mut all, "car.station.update", true);
        assert_eq!(all, ["car.station.update", "car.station.view"]);
        turn(&mut all, "car.charger.view", true);
        turn(&mut all, "car.station.view", false);
        assert_eq!(all, ["car.charger.view"]);
    }

    #[test]
    fn pages_stand_in_their_parts_of_the_menu() {
        let forest = planted(groups(), Lang::Zh);
        let above = |id: &str| {
            let place = forest.place(id).unwrap();
            (0..place)
                .rev()
                .find(|it| forest.get(*it).unwrap().end > place)
                .map(|it| forest.get(it).unwrap().it.value.clone())
        };
        assert_eq!(above("car.station.update").as_deref(), Some("car.station"));
        assert_eq!(above("car.station"), part("car.station", Lang::Zh).map(str::to_owned));
        assert_eq!(above("dashboard"), None, "a part of one page is that page");
    }
}
