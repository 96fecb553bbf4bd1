//! Trees and two lists.

use frontend::kit::forest::Forest;
use frontend::kit::select::{Levels, Opt, Select, select};
use frontend::kit::transfer::{Transfer, transfer};
use frontend::kit::tree::{Choice, Tree, tools, tree};
use leptos::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::bench::{fill, press, show};

fn opt(value: &str, label: &str) -> Opt {
    Opt { value: value.to_owned(), label: label.to_owned(), note: String::new() }
}

/// 总部(运维(一组 二组) 财务) 分部
fn departments() -> Forest {
    let given = [
        ("a", "", "总部"),
        ("b", "a", "运维"),
        ("c", "b", "一组"),
        ("d", "b", "二组"),
        ("e", "a", "财务"),
        ("f", "", "分部"),
    ];
    let one =
        |(id, parent, name): (&str, &str, &str)| (opt(id, name), Some(parent.to_owned()).filter(|it| !it.is_empty()));
    Forest::grow(given.map(one).into())
}

fn plant(choice: Choice, open: RwSignal<Vec<String>>) -> Tree {
    let forest = Signal::stored(departments());
    Tree { id: "t".to_owned(), name: "tree", label: "部门".to_owned(), forest, choice, open, rows: false }
}

#[wasm_bindgen_test]
async fn a_tree_obeys_the_keyboard() {
    let (chosen, open) = (RwSignal::new(String::new()), RwSignal::new(Vec::new()));
    let pick = Callback::new(move |id| chosen.set(id));
    let shown = show(move || tree(plant(Choice::One { chosen: chosen.into(), pick }, open)));
    let root = shown.find("[role=tree]");
    root.focus().unwrap();
    for key in ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"] {
        press(&root, key).await;
    }
    assert_eq!(open.get_untracked(), ["a", "b"]);
    assert_eq!(shown.says("[role=tree]", "aria-activedescendant"), "t-d");
    press(&root, "Enter").await;
    assert_eq!(chosen.get_untracked(), "d");
    assert_eq!(shown.says("#t-d", "aria-selected"), "true");
    press(&root, "ArrowLeft").await;
    press(&root, "ArrowLeft").await;
    assert_eq!(shown.says("#t-b", "aria-expanded"), "false");
    assert_eq!(shown.texts(".el-tree-node__label"), ["总部", "运维", "财务", "分部"]);
}

#[wasm_bindgen_test]
async fn parents_are_half_checked_and_turn_all_below() {
    let (chosen, open) = (RwSignal::new(vec!["c".to_owned()]), RwSignal::new(departments().inner_ids()));
    let turn = Callback::new(move |(ids, on): (Vec<String>, bool)| {
        chosen.update(|it| {
            it.retain(|it| !ids.contains(it));
            if on {
                it.extend(ids);
            }
        })
    });
    let shown = show(move || {
        let it = plant(Choice::Many { chosen: chosen.into(), turn }, open);
        view! { {tools(&it)}{tree(it)} }
    });
    let state = |id: &str| shown.says(&format!("#t-{id}"), "aria-checked");
    assert_eq!(
        (state("a"), state("b"), state("c"), state("f")),
        ("mixed".into(), "mixed".into(), "true".into(), "false".into())
    );
    shown.click("#t-b > .el-tree-node__content").await;
    assert_eq!((state("a"), state("b"), state("d")), ("mixed".into(), "true".into(), "true".into()));
    shown.click("#t-b > .el-tree-node__content").await;
    assert_eq!((state("a"), chosen.get_untracked()), ("false".into(), Vec::<String>::new()));
    shown.click("input[name=tree-all]").await;
    assert_eq!(chosen.get_untracked(), ["c", "d", "e", "f"]);
    shown.click("[data-test=tree-close]").await;
    assert_eq!(shown.texts(".el-tree-node__label"), ["总部", "分部"]);
    shown.click("[data-test=tree-open]").await;
    assert_eq!(shown.texts(".el-tree-node__label").len(), 6);
}

#[wasm_bindgen_test]
async fn a_tree_select_folds_searches_and_picks() {
    let chosen = RwSignal::new(Vec::<String>::new());
    let shown = show(move || {
        let levels = Levels { forest: Signal::stored(departments()), open: RwSignal::new(departments().inner_ids()) };
        select(Select {
            id: "s".to_owned(),
            name: "department",
            placeholder: "请选择".to_owned(),
            options: Signal::derive(Vec::new),
            levels: Some(levels),
            busy: Signal::stored(false),
            chosen: chosen.into(),
            called: Callback::new(|it| it),
            pick: Callback::new(move |it| chosen.set(it)),
            search: None,
            opened: None,
            multiple: false,
            clearable: true,
            disabled: false,
        })
    });
    let input = shown.find("input");
    input.focus().unwrap();
    press(&input, "ArrowDown").await;
    assert_eq!(shown.texts("[role=treeitem]").len(), 6);
    assert_eq!(shown.says("[data-value=b]", "aria-level"), "2");
    for key in ["ArrowDown", "ArrowLeft"] {
        press(&input, key).await;
    }
    assert_eq!(shown.texts("[role=treeitem]"), ["总部", "运维", "财务", "分部"]);
    fill(&input, "二").await;
    assert_eq!(shown.texts("[role=treeitem]"), ["总部", "运维", "二组"]);
    for key in ["ArrowDown", "ArrowDown", "Enter"] {
        press(&input, key).await;
    }
    assert_eq!(chosen.get_untracked(), ["d"]);
    assert!(!shown.has("[role=tree]"), "the tree closes");
}

#[wasm_bindgen_test]
async fn two_lists_hand_over_what_is_ticked_or_all() {
    let chosen = RwSignal::new(vec!["3".to_owned()]);
    let shown = show(move || {
        transfer(Transfer {
            name: "users",
            label: "用户".to_owned(),
            options: Signal::stored((1..=4).map(|it| opt(&it.to_string(), &format!("用户{it}"))).collect()),
            busy: Signal::stored(false),
            search: None,
            called: Callback::new(|it: String| format!("用户{it}")),
            chosen: chosen.into(),
            pick: Callback::new(move |it| chosen.set(it)),
        })
    });
    let side = |side: &str| shown.texts(&format!("[data-test={side}] .transfer-item"));
    assert_eq!((side("left").join(" "), side("right").join(" ")), ("用户1 用户2 用户4".into(), "用户3".into()));
    assert_eq!(shown.says("[data-test=add]", "aria-disabled"), "true");
    shown.click("[data-test=left] [data-value='2'] input").await;
    assert_eq!(shown.texts("[data-test=left] .transfer-count"), ["1/3"]);
    shown.click("[data-test=add]").await;
    assert_eq!(chosen.get_untracked(), ["3", "2"]);
    fill(&shown.find("[data-test=left] .el-input__inner"), "4").await;
    assert_eq!(side("left"), ["用户4"]);
    shown.click("[data-test=add-all]").await;
    assert_eq!(chosen.get_untracked(), ["3", "2", "4"]);
    shown.click("[data-test=right] [data-value='2'] input").await;
    shown.click("[data-test=remove]").await;
    assert_eq!(chosen.get_untracked(), ["3", "4"]);
    shown.click("[data-test=remove-all]").await;
    assert!(chosen.get_untracked().is_empty());
    assert_eq!(shown.texts("[data-test=right] .el-transfer-panel__empty"), ["无数据"]);
}
