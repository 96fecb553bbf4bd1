//! Two lists side by side: what is there, and what of it is chosen.

use leptos::ev::{Event, KeyboardEvent};
use leptos::prelude::*;

use super::checkbox::checkbox;
use super::forest::Mark;
use super::icon::{CHEVRON_LEFT, CHEVRON_RIGHT, CHEVRONS_LEFT, CHEVRONS_RIGHT, Icon, SEARCH, icon};
use super::select::Opt;
use crate::lang::tr;
use crate::run::{boxed, live};

/// Two lists: where what is offered comes from and where the choice goes.
#[derive(Clone)]
pub struct Transfer {
    /// How tests find it.
    pub name: &'static str,
    /// What is chosen, for those who cannot see it.
    pub label: String,
    /// What is offered; what is chosen already is left out.
    pub options: Signal<Vec<Opt>>,
    /// More is on its way.
    pub busy: Signal<bool>,
    /// Told what is searched for; without it what is at hand is searched.
    pub search: Option<Callback<String>>,
    /// What a chosen value is called.
    pub called: Callback<String, String>,
    /// What is chosen.
    pub chosen: Signal<Vec<String>>,
    /// Told what is chosen.
    pub pick: Callback<Vec<String>>,
}

/// One of the two lists.
#[derive(Clone, Copy)]
struct Panel {
    name: &'static str,
    title: &'static str,
    shown: Memo<Vec<Opt>>,
    ticked: RwSignal<Vec<String>>,
    typed: Callback<String>,
    busy: Signal<bool>,
}

impl Panel {
    /// The values that are shown, or of these those that are ticked.
    fn values(self, all: bool) -> Vec<String> {
        let ticked = self.ticked.get();
        let wanted = |it: &&Opt| all || ticked.contains(&it.value);
        self.shown.with(|it| it.iter().filter(wanted).map(|it| it.value.clone()).collect())
    }

    fn tick(self, value: &str, on: bool) {
        self.ticked.update(|it| {
            it.retain(|it| it != value);
            if on {
                it.push(value.to_owned());
            }
        });
    }

    /// How many of those that are shown are ticked.
    fn mark(self) -> Mark {
        match (self.values(false).len(), self.shown.with(Vec::len)) {
            (0, _) => Mark::Off,
            (some, all) if some == all => Mark::On,
            _ => Mark::Half,
        }
    }
}

fn found(options: &[Opt], typed: &str) -> Vec<Opt> {
    let typed = typed.to_ascii_lowercase();
    let fits = |it: &&Opt| typed.is_empty() || it.label.to_ascii_lowercase().contains(&typed);
    options.iter().filter(fits).cloned().collect()
}

/// Draws them.
pub fn transfer(it: Transfer) -> AnyView {
    let Transfer { name, label, options, busy, search, called, chosen, pick } = it;
    let (typed, typed_right) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let there = Memo::new(move |_| {
        let typed = if search.is_some() { String::new() } else { typed.get() };
        let mut found = options.with(|it| found(it, &typed));
        chosen.with(|chosen| found.retain(|it| !chosen.contains(&it.value)));
        found
    });
    let taken = Memo::new(move |_| {
        let opt = |value: String| Opt { label: called.run(value.clone()), value, note: String::new() };
        let taken: Vec<Opt> = chosen.get().into_iter().map(opt).collect();
        found(&taken, &typed_right.get())
    });
    let left = Panel {
        name,
        title: tr("可选", "To choose from"),
        shown: there,
        ticked: RwSignal::new(Vec::new()),
        typed: search.unwrap_or_else(|| Callback::new(move |text| typed.set(text))),
        busy,
    };
    let right = Panel {
        name,
        title: tr("已选", "Chosen"),
        shown: taken,
        ticked: RwSignal::new(Vec::new()),
        typed: Callback::new(move |text| typed_right.set(text)),
        busy: Signal::stored(false),
    };
    let add = move |all: bool| {
        let mut values = chosen.get_untracked();
        values.extend(untrack(|| left.values(all)));
        left.ticked.set(Vec::new());
        pick.run(values);
    };
    let remove = move |all: bool| {
        let gone = untrack(|| right.values(all));
        right.ticked.set(Vec::new());
        pick.run(chosen.get_untracked().into_iter().filter(|it| !gone.contains(it)).collect());
    };
    view! {
        <div class="el-transfer transfer" role="group" aria-label=label data-test=name>
            {panel(left, "left")}
            <div class="el-transfer__buttons transfer-buttons">
                {mover("add", CHEVRON_RIGHT, tr("添加选中的", "Add what is ticked"), left, false, Callback::new(move |()| add(false)))}
                {mover("add-all", CHEVRONS_RIGHT, tr("添加全部", "Add all"), left, true, Callback::new(move |()| add(true)))}
                {mover("remove", CHEVRON_LEFT, tr("移除选中的", "Remove what is ticked"), right, false, Callback::new(move |()| remove(false)))}
                {mover("remove-all", CHEVRONS_LEFT, tr("移除全部", "Remove all"), right, true, Callback::new(move |()| remove(true)))}
            </div>
            {panel(right, "right")}
        </div>
    }
    .into_any()
}

/// A button between the lists. One that can do nothing keeps the focus all the same.
fn mover(name: &'static str, face: Icon, label: &'static str, of: Panel, all: bool, act: Callback<()>) -> AnyView {
    let idle = move || of.values(all).is_empty();
    let click = move |_| {
        if !untrack(idle) {
            act.run(());
        }
    };
    view! {
        <button type="button" class="el-button el-button--primary is-plain" class:is-disabled=idle data-test=name title=label
            aria-label=label aria-disabled=move || idle().to_string() on:click=boxed(click)>{icon(face)}</button>
    }
    .into_any()
}

fn panel(it: Panel, side: &'static str) -> AnyView {
    let turn_all = Callback::new(move |on: bool| {
        let shown = it.shown.with_untracked(|it| it.iter().map(|it| it.value.clone()).collect::<Vec<_>>());
        it.ticked.set(if on { shown } else { Vec::new() });
    });
    let count = move || format!("{}/{}", it.values(false).len(), it.shown.with(Vec::len));
    let typing = move |event: Event| it.typed.run(event_target_value(&event));
    // It searches; it does not send the form around it.
    let key = |event: KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
        }
    };
    let hint = tr("输入名称搜索", "Search by name");
    let items = move || {
        let shown = it.shown.get();
        if shown.is_empty() {
            let text =
                move || if it.busy.get() { tr("加载中…", "Loading…") } else { tr("无数据", "Nothing") };
            return view! { <p class="el-transfer-panel__empty">{move || text()}</p> }.into_any();
        }
        shown.into_iter().map(|opt| item(it, opt)).collect_view().into_any()
    };
    view! {
        <section class="el-transfer-panel" data-test=side aria-label=it.title>
            <div class="el-transfer-panel__header transfer-head">
                {checkbox(format!("{}-{side}", it.name), it.title.to_owned(), Signal::derive(move || it.mark()), false, turn_all)}
                <span class="transfer-count num">{move || count()}</span>
            </div>
            <div class="el-transfer-panel__body">
                <div class="el-input el-transfer-panel__filter">
                    <div class="el-input__wrapper">
                        <span class="el-input__prefix"><span class="el-input__prefix-inner">{icon(SEARCH)}</span></span>
                        <input class="el-input__inner" type="text" autocomplete="off" placeholder=hint aria-label=hint 
                            on:input=boxed(typing) on:keydown=boxed(key)/>
                    </div>
                </div>
                <div class="el-transfer-panel__list is-filterable">{live(items)}</div>
            </div>
        </section>
    }
    .into_any()
}

fn item(it: Panel, opt: Opt) -> AnyView {
    let Opt { value, label, note } = opt;
    let mine = value.clone();
    let mark = Signal::derive(move || if it.ticked.with(|it| it.contains(&mine)) { Mark::On } else { Mark::Off });
    let label = if note.is_empty() { label } else { format!("{label} · {note}") };
    let (name, data) = (format!("{}:{value}", it.name), value.clone());
    view! {
        <div class="transfer-item" data-value=data>
            {checkbox(name, label, mark, false, Callback::new(move |on| it.tick(&value, on)))}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_of_letters_does_not_matter() {
        let opt = |label: &str| Opt { value: label.to_owned(), label: label.to_owned(), note: String::new() };
        let options = [opt("Alpha"), opt("滨江"), opt("beta")];
        let labels = |typed: &str| found(&options, typed).into_iter().map(|it| it.label).collect::<Vec<_>>();
        assert_eq!(labels("A"), ["Alpha", "beta"]);
        assert_eq!(labels("江"), ["滨江"]);
        assert_eq!(labels("").len(), 3);
    }
}
