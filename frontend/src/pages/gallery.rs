//! Everything of the kit in every state, to be looked at while it is worked on. A release does not have it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Value, json};
use shared::codes::{Choice as Code, Tone};
use shared::describe::{Cell, Field, Input};
use shared::problem::FieldError;
use shared::resource::FormMap;
use shared::text::t;

use crate::api::Failure;
use crate::kit::button::{busy_button, button};
use crate::kit::cell::{descriptions, tag};
use crate::kit::checkbox::checkbox;
use crate::kit::confirm::{Question, confirm};
use crate::kit::dropdown::{Item, dropdown};
use crate::kit::empty::empty;
use crate::kit::fetched::trouble;
use crate::kit::forest::{Forest, Mark};
use crate::kit::form::form_view;
use crate::kit::icon::{FILE_TEXT, PLUS, SEARCH};
use crate::kit::modal::{dialog, drawer};
use crate::kit::pagination::{Extent, pagination};
use crate::kit::select::{Levels, Opt, Select, select};
use crate::kit::steps::{Progress, Step, steps};
use crate::kit::tabs::{Tab, tabs};
use crate::kit::toast::toast;
use crate::kit::transfer::{Transfer, transfer};
use crate::kit::tree::{Choice, Tree, tools, tree};
use crate::kit::upload::{Stage, Upload, upload};
use crate::run::live;

const CODES: &[Code] = &[
    Code { value: "car", label: t("汽车", "Car"), tone: Tone::Primary },
    Code { value: "bike", label: t("单车", "E-bike"), tone: Tone::Success },
];

const FIELDS: &[Field] = &[
    Field::new("name", t("名称", "Name"), Input::Text(50)).required().help(t("司机看到的名称", "What drivers read")),
    Field::new("kind", t("类型", "Kind"), Input::Choice(CODES)).required(),
    Field::new("power", t("功率", "Power"), Input::Watts { max: 1_000_000 }),
    Field::new("price", t("价格", "Price"), Input::Fen { min: 0, max: 100_000 }),
    Field::new("enabled", t("启用", "Enabled"), Input::Switch),
    Field::new("created", t("创建时间", "Created"), Input::Days),
    Field::new("note", t("备注", "Note"), Input::Area(200)),
];

const DEPARTMENTS: [(&str, &str, &str); 9] = [
    ("1", "", "华东运营中心"),
    ("2", "1", "运维部"),
    ("3", "2", "一组"),
    ("4", "2", "二组"),
    ("5", "1", "财务部"),
    ("6", "", "华南运营中心"),
    ("7", "6", "客服部"),
    ("8", "7", "夜班"),
    ("9", "6", "市场部"),
];

fn opt(value: &str, label: &str) -> Opt {
    Opt { value: value.to_owned(), label: label.to_owned(), note: String::new() }
}

fn departments() -> Forest {
    let given =
        |(id, parent, name): (&str, &str, &str)| (opt(id, name), Some(parent.to_owned()).filter(|it| !it.is_empty()));
    Forest::grow(DEPARTMENTS.map(given).into())
}

/// The page.
pub fn gallery() -> AnyView {
    let parts: [(&'static str, fn() -> AnyView); 13] = [
        ("按钮", buttons),
        ("标签与描述", words),
        ("表单", forms),
        ("树", trees),
        ("树形选择", tree_selects),
        ("穿梭框", transfers),
        ("上传", uploads),
        ("步骤", all_steps),
        ("标签页", all_tabs),
        ("空状态", empties),
        ("加载失败", troubles),
        ("弹层", overlays),
        ("分页", pages),
    ];
    let part = |(title, draw): (&'static str, fn() -> AnyView)| {
        view! {
            <section class="el-card is-never-shadow body panel" data-test=title>
                <h2 class="section-title">{title}</h2>
                {draw()}
            </section>
        }
        .into_any()
    };
    view! { <div class="gallery">{parts.map(part).collect_view()}</div> }.into_any()
}

fn buttons() -> AnyView {
    let busy = RwSignal::new(true);
    let half = Signal::stored(Mark::Half);
    let on = RwSignal::new(Mark::On);
    let turn = Callback::new(move |checked| on.set(if checked { Mark::On } else { Mark::Off }));
    let items = vec![Item::new("one", "修改", false, || ()), Item::new("two", "删除", true, || ())];
    view! {
        <div class="acts">
            {button("", "a", None, "默认", || ())}
            {button("el-button--primary", "b", Some(PLUS), "添加", || ())}
            {button("el-button--primary is-plain", "c", Some(PLUS), "添加", || ())}
            {button("el-button--danger", "d", None, "删除", || ())}
            {button("is-link el-button--primary", "e", None, "链接", || ())}
            {busy_button("el-button--primary", "f", "保存中", busy, || ())}
            {dropdown("", "更多", items)}
            {checkbox("on".to_owned(), "选中".to_owned(), on.into(), false, turn)}
            {checkbox("half".to_owned(), "半选".to_owned(), half, false, turn)}
            {checkbox("locked".to_owned(), "锁定".to_owned(), half, true, turn)}
        </div>
    }
    .into_any()
}

fn words() -> AnyView {
    let tones = [Tone::Primary, Tone::Success, Tone::Warning, Tone::Danger, Tone::Info];
    let tags = tones.map(|it| tag(t("标签", "Tag"), it)).into_iter().collect_view();
    let items = vec![
        ("名称".to_owned(), "滨江一号充电站".into_any()),
        ("功率".to_owned(), crate::kit::cell::cell(&Cell::watts(120_000))),
        ("状态".to_owned(), view! { <div class="acts">{tags}</div> }.into_any()),
        ("备注".to_owned(), crate::kit::cell::cell(&Cell::Empty)),
    ];
    descriptions(items)
}

fn forms() -> AnyView {
    let mut form = FormMap::new();
    form.extend([("name".to_owned(), json!("滨江一号充电站")), ("enabled".to_owned(), Value::Bool(true))]);
    let form = RwSignal::new(form);
    let errs = RwSignal::new(vec![FieldError::new("price", "range", "超出范围")]);
    form_view(FIELDS, form, errs, true)
}

fn trees() -> AnyView {
    let forest = Signal::stored(departments());
    let one = RwSignal::new("3".to_owned());
    let many = RwSignal::new(vec!["3".to_owned(), "9".to_owned()]);
    let make = |id: &str, choice, rows| Tree {
        id: id.to_owned(),
        name: "tree",
        label: "部门".to_owned(),
        forest,
        choice,
        open: RwSignal::new(departments().inner_ids()),
        rows,
    };
    let pick = Callback::new(move |id| one.set(id));
    let turn = Callback::new(move |(ids, on): (Vec<String>, bool)| {
        many.update(|it| {
            it.retain(|it| !ids.contains(it));
            if on {
                it.extend(ids);
            }
        })
    });
    let single = make("tree-one", Choice::One { chosen: one.into(), pick }, false);
    let checked = make("tree-many", Choice::Many { chosen: many.into(), turn }, false);
    let rows = make("tree-rows", Choice::Many { chosen: many.into(), turn }, true);
    view! {
        <div class="gallery-row">
            <div>{tools(&single)}{tree(single)}</div>
            <div>{tools(&checked)}{tree(checked)}</div>
            <div class="rights">{tools(&rows)}{tree(rows)}</div>
        </div>
    }
    .into_any()
}

fn tree_selects() -> AnyView {
    let one = |id: &str, chosen: &str, disabled: bool, clearable: bool| {
        let chosen = RwSignal::new(vec![chosen.to_owned()].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>());
        let forest = departments();
        let named = move |value: String| {
            let name = departments().nodes().iter().find(|it| it.it.value == value).map(|it| it.it.label.clone());
            name.unwrap_or(value)
        };
        select(Select {
            id: id.to_owned(),
            name: "tree-select",
            placeholder: "请选择".to_owned(),
            options: Signal::derive(Vec::new),
            levels: Some(Levels { forest: Signal::stored(forest.clone()), open: RwSignal::new(forest.inner_ids()) }),
            busy: Signal::stored(false),
            chosen: chosen.into(),
            called: Callback::new(named),
            pick: Callback::new(move |it| chosen.set(it)),
            search: None,
            opened: None,
            multiple: false,
            clearable,
            disabled,
        })
    };
    view! {
        <div class="gallery-row">
            <div>{one("ts-empty", "", false, true)}</div>
            <div>{one("ts-chosen", "3", false, true)}</div>
            <div>{one("ts-locked", "5", true, false)}</div>
        </div>
    }
    .into_any()
}

fn transfers() -> AnyView {
    let one = |name: &'static str, chosen: &[&str], options: Vec<Opt>, busy: bool| {
        let chosen = RwSignal::new(chosen.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        transfer(Transfer {
            name,
            label: "用户".to_owned(),
            options: Signal::stored(options),
            busy: Signal::stored(busy),
            search: None,
            called: Callback::new(|value: String| format!("用户 {value}")),
            chosen: chosen.into(),
            pick: Callback::new(move |it| chosen.set(it)),
        })
    };
    let users = (1..=12).map(|it| opt(&it.to_string(), &format!("用户 {it}"))).collect();
    view! { {one("users", &["3", "5"], users, false)}{one("none", &[], Vec::new(), true)} }.into_any()
}

fn uploads() -> AnyView {
    let name = || "电站导入.xlsx".to_owned();
    let stages = [
        Stage::Empty,
        Stage::Chosen(name()),
        Stage::Sending(name(), 42),
        Stage::Sent(name()),
        Stage::Refused("照片.png".to_owned(), "只支持 .xlsx 文件".to_owned()),
    ];
    let one = |stage| {
        let place = Upload {
            name: "sheet",
            accept: &[".xlsx"],
            most_kb: 10_240,
            stage: RwSignal::new(stage),
            take: Box::new(|_| ()),
        };
        view! { <div>{upload(place)}</div> }.into_any()
    };
    view! { <div class="gallery-row">{stages.map(one).into_iter().collect_view()}</div> }.into_any()
}

fn all_steps() -> AnyView {
    let step = |title: &str, note: &str, progress| Step { title: title.to_owned(), note: note.to_owned(), progress };
    let going = [
        step("创建订单", "2026-11-26 08:00", Progress::Done),
        step("支付", "微信支付", Progress::Done),
        step("充电", "已充 12.5 度", Progress::Now),
        step("结算", "", Progress::Ahead),
    ];
    let failed = [
        step("申请退款", "2026-11-26 08:00", Progress::Done),
        step("渠道处理", "余额不足", Progress::Failed),
        step("到账", "", Progress::Ahead),
    ];
    view! { {steps(&going)}{steps(&failed)} }.into_any()
}

fn all_tabs() -> AnyView {
    let tab = |name, title, text: &'static str| Tab::new(name, title, move || text.into_any());
    let items = vec![
        tab("base", "基本信息", "基本信息的内容"),
        tab("orders", "订单", "订单的内容"),
        tab("log", "变更记录", "变更记录的内容"),
    ];
    tabs("示例", items)
}

fn empties() -> AnyView {
    let add = button("el-button--primary", "add", Some(PLUS), "添加电站", || ());
    view! {
        <div class="gallery-row">
            <div>{empty(FILE_TEXT, "暂无数据", None)}</div>
            <div>{empty(SEARCH, "没有符合条件的数据", None)}</div>
            <div>{empty(FILE_TEXT, "还没有电站", Some(add))}</div>
        </div>
    }
    .into_any()
}

fn troubles() -> AnyView {
    trouble(&Failure::unreadable("items: name: missing"), || ())
}

fn overlays() -> AnyView {
    let (in_dialog, in_drawer) = (RwSignal::new(false), RwSignal::new(false));
    let close = |open: RwSignal<bool>| Callback::new(move |()| open.set(false));
    let question = || Question {
        title: "停用 · 滨江一号充电站".to_owned(),
        lines: vec!["确定停用吗？".to_owned(), "将影响 3 个进行中的订单。".to_owned()],
        yes: "停用".to_owned(),
        danger: true,
    };
    let ask = move || spawn_local(async move { _ = confirm(question()).await });
    let tell = || {
        for tone in [Tone::Success, Tone::Warning, Tone::Danger, Tone::Info] {
            toast(tone, format!("{tone:?}：保存成功"));
        }
    };
    let the_dialog = move || {
        let foot = button("el-button--primary", "ok", None, "确定", move || in_dialog.set(false));
        dialog("标题".to_owned(), 560, close(in_dialog), forms(), foot)
    };
    let the_drawer = move || drawer("详细".to_owned(), close(in_drawer), ().into_any(), words());
    view! {
        <div class="acts">
            {button("", "dialog", None, "对话框", move || in_dialog.set(true))}
            {button("", "drawer", None, "抽屉", move || in_drawer.set(true))}
            {button("", "confirm", None, "确认", ask)}
            {button("", "toast", None, "提示", tell)}
        </div>
        {live(move || if in_dialog.get() { the_dialog() } else { ().into_any() })}
        {live(move || if in_drawer.get() { the_drawer() } else { ().into_any() })}
    }
    .into_any()
}

fn pages() -> AnyView {
    let page = RwSignal::new(5);
    let size = RwSignal::new(20);
    let extent = Callback::new(move |()| Extent { page: page.get(), size: size.get(), total: 437, capped: true });
    pagination(extent, Callback::new(move |it| page.set(it)), Callback::new(move |it| size.set(it)))
}
