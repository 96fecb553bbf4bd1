//! The list of a resource: search, table, pages. Filters, page and order live in the address.

use leptos::prelude::*;
use shared::describe::Column;
use shared::resource::Verb;
use uuid::Uuid;

use super::desk::Desk;
use super::detail::detail;
use super::hold::Hold;
use super::import::import_dialog;
use super::levels::Levels;
use super::row::row;
use super::source::{Entry, Page, Source};
use crate::api;
use crate::events;
use crate::kit::button::{busy_button, button};
use crate::kit::cell::at_right;
use crate::kit::fetched::{Fetched, absent, fetched, stale, veil};
use crate::kit::icon::{LIST_TREE, PLUS, UPLOAD};
use crate::kit::keyed::keyed;
use crate::kit::pagination::{Extent, pagination};
use crate::kit::query::Query;
use crate::kit::search::{parameters, search};
use crate::kit::toast;
use crate::lang::{say, tr};
use crate::run::{boxed, live};
use crate::{clock, nav};

/// A page of rows, or why the answer is none.
pub type Rows = Option<Result<Page, String>>;

/// Everything on the page of a resource that its parts share.
#[derive(Clone, Copy)]
pub struct Listing {
    /// Where things are done to the rows.
    pub desk: Desk,
    /// The answer with the page of rows.
    pub fetched: Fetched,
    /// The page of rows read from it.
    pub rows: Memo<Rows>,
    /// The query in the address.
    pub query: Memo<Query>,
    /// Which rows are below which.
    pub levels: Levels,
    /// Which rows are in sight.
    pub hold: Hold,
}

impl Listing {
    /// A row that is on the page; the last that was known of it.
    pub fn entry(self, id: Uuid) -> Memo<Option<Entry>> {
        Memo::new(move |last: Option<&Option<Entry>>| {
            let now = self.rows.with(|it| it.iter().flatten().flat_map(|it| &it.items).find(|it| it.id == id).cloned());
            now.or_else(|| last.cloned().flatten())
        })
    }

    /// The address of a row's detail, over the list as it stands; followed.
    pub fn to(self, id: Uuid) -> String {
        self.query.get().after(&format!("/{}/{id}", self.desk.source.path))
    }

    fn go(self, query: &Query) {
        nav::go(&query.after(&format!("/{}", self.desk.source.path)));
    }

    fn set(self, changes: &[(&str, String)]) {
        let query = changes.iter().fold(self.query.get_untracked(), |query, (name, value)| query.with(name, value));
        self.go(&query);
    }
}

/// The query in the address, as far as it is for the list of a resource.
pub fn place(source: Source) -> Memo<Query> {
    let names: Vec<String> = source.filters.iter().flat_map(parameters).collect();
    let known = move |name: &str| matches!(name, "page" | "size" | "sort") || names.iter().any(|it| it == name);
    Memo::new(move |_| nav::query().only(&known))
}

/// The page of a resource; `open` is the row whose detail is shown over it.
pub fn crud(source: Source, open: Memo<Option<Uuid>>) -> AnyView {
    let query = place(source);
    let fetched = fetched(move || Some(source.asked(query.get())));
    let rows =
        Memo::new_with_compare(move |_| fetched.text.with(|it| it.as_deref().map(|it| source.page(it))), |_, _| true);
    let desk = Desk::new(source, Memo::new(move |_| query.get().after(&format!("/{}", source.path))));
    let levels = Levels::new(rows);
    let hold = Hold::new(desk, fetched, Memo::new(move |_| levels.shown()));
    let it = Listing { desk, fetched, rows, query, levels, hold };
    fetched.refresh_on(events::changed(source.live));
    let conditions = Memo::new(move |_| query.get().only(|name| !matches!(name, "page" | "size" | "sort")));
    let apply = Callback::new(move |conditions: Query| {
        let kept = query.get_untracked().only(|name| matches!(name, "size" | "sort"));
        let wanted = conditions.iter().fold(kept, |query, (name, value)| query.with(name, value));
        // Asking the same again means looking anew.
        if wanted == query.get_untracked() { hold.reload() } else { it.go(&wanted) }
    });
    let reset = Callback::new(move |()| apply.run(Query::default()));
    let extent = Callback::new(move |()| {
        let counted =
            rows.with(|it| it.iter().flatten().map(|it| (it.total, it.total_capped)).next()).unwrap_or_default();
        Extent {
            page: query.get().number("page", 1),
            size: query.get().number("size", source.size()),
            total: counted.0,
            capped: counted.1,
        }
    });
    let turn =
        Callback::new(move |page: i64| it.set(&[("page", if page == 1 { String::new() } else { page.to_string() })]));
    let resize = Callback::new(move |size: i64| it.set(&[("page", String::new()), ("size", size.to_string())]));
    view! {
        <div class="page" data-test=source.path>
            {(!source.filters.is_empty()).then(|| search(source.filters, conditions, apply, reset))}
            <section class="el-card is-never-shadow body">
                {toolbar(it)}
                {stale(fetched)}
                {table(it)}
                {pagination(extent, turn, resize)}
            </section>
            {move || open.get().map(|id| detail(desk, id))}
            {desk.dialogs()}
        </div>
    }
    .into_any()
}

/// What can be done to the list as a whole.
fn toolbar(it: Listing) -> Option<AnyView> {
    let (create, import, export) = (it.desk.can(Verb::Create), it.desk.can(Verb::Import), it.desk.can(Verb::Export));
    let importing = RwSignal::new(false);
    let tree = it.desk.source.tree;
    (create || import || export || tree).then(|| {
        view! {
            <div class="toolbar">
                {create.then(|| button("el-button--primary is-plain", "create", Some(PLUS), tr("添加", "Add"), move || it.desk.add()))}
                {import.then(|| button("is-plain", "import", Some(UPLOAD), tr("导入", "Import"), move || importing.set(true)))}
                {export.then(|| export_button(it))}
                {tree.then(|| button("is-plain", "fold-all", Some(LIST_TREE), tr("展开/折叠", "Open or close all"), move || it.levels.fold_all()))}
            </div>
            {move || importing.get().then(|| import_dialog(it.desk, importing))}
        }
        .into_any()
    })
}

/// Saves all rows that fit the conditions as a sheet.
fn export_button(it: Listing) -> AnyView {
    let busy = RwSignal::new(false);
    let act = move || {
        busy.set(true);
        let query = it.query.get_untracked().only(|name| !matches!(name, "page" | "size" | "sort"));
        leptos::task::spawn_local(async move {
            let name = format!("{}-{}.xlsx", say(it.desk.source.title), clock::today().to_string().replace('-', ""));
            if let Err(failure) =
                api::download(&query.after(&format!("{}/export.xlsx", it.desk.source.path)), &name).await
            {
                toast::failed(&failure);
            }
            _ = busy.try_set(false);
        });
    };
    busy_button("is-plain", "export", tr("导出", "Export"), busy, act)
}

fn table(it: Listing) -> AnyView {
    let source = it.desk.source;
    let heads: Vec<(usize, &'static Column)> =
        source.columns.iter().enumerate().filter(|(_, head)| head.in_table).collect();
    let shown = StoredValue::new(heads.clone());
    let width = heads.len() + 1;
    let numbers = Memo::new(move |_| {
        it.rows.with(|page| {
            let right = |index: usize| {
                page.iter().flatten().flat_map(|it| &it.items).any(|row| row.cells.get(index).is_some_and(at_right))
            };
            shown.with_value(|heads| heads.iter().map(|(index, _)| right(*index)).collect::<Vec<_>>())
        })
    });
    let head = move |(column, (_, head)): (usize, (usize, &'static Column))| {
        let right = move || numbers.with(|it| it.get(column).copied().unwrap_or_default());
        heading(it, head, Signal::derive(right))
    };
    let hold = it.hold;
    let ids = Memo::new(move |_| hold.shown.get());
    let filled = Memo::new(move |_| ids.with(|it| !it.is_empty()));
    let draw = Callback::new(move |id: String| shown.with_value(|heads| row(it, heads, numbers, &id)));
    let body = move || {
        if filled.get() {
            return keyed(ids, draw);
        }
        let content = match it.rows.get() {
            Some(Ok(_)) => nothing(it),
            Some(Err(reason)) => absent(it.fetched, &reason),
            None if it.fetched.failure.with(Option::is_some) => absent(it.fetched, ""),
            None => view! { <p class="el-table__empty-text">{tr("加载中…", "Loading…")}</p> }.into_any(),
        };
        line(width, content)
    };
    view! {
        <div class="el-table el-table--border el-table--enable-row-hover table" aria-busy=move || it.fetched.busy.get().to_string()>
            <div class="el-table__inner-wrapper">
                <div class="table-scroll" tabindex="0" role="region" aria-label=say(source.title)>
                    <table class="el-table__header el-table__body">
                        <thead>
                            <tr>
                                {heads.into_iter().enumerate().map(head).collect_view()}
                                <th class="el-table__cell table-acts" scope="col"><div class="cell">{tr("操作", "Actions")}</div></th>
                            </tr>
                        </thead>
                        <tbody on:pointerenter=boxed(move |_| hold.hover(true)) on:pointerleave=boxed(move |_| hold.hover(false))
                            on:focusin=boxed(move |event| hold.focus(&event, true)) on:focusout=boxed(move |event| hold.focus(&event, false))>
                            {live(body)}
                        </tbody>
                    </table>
                </div>
            </div>
            {hold.notice()}
            {veil(it.fetched.busy)}
        </div>
    }
    .into_any()
}

/// A line over the whole width.
fn line(width: usize, content: AnyView) -> AnyView {
    view! { <tr><td class="el-table__cell" colspan=width.to_string()><div class="el-table__empty-block table-line">{content}</div></td></tr> }
        .into_any()
}

fn nothing(it: Listing) -> AnyView {
    let searched = it.query.with_untracked(|it| it.iter().any(|(name, _)| !matches!(name, "size" | "sort")));
    let text = if searched {
        tr("没有符合条件的数据", "Nothing fits these conditions")
    } else {
        tr("暂无数据", "Nothing here yet")
    };
    view! { <p class="el-table__empty-text" data-test="empty">{text}</p> }.into_any()
}

/// A heading; one that sorts goes up, down, and back to the usual order.
fn heading(it: Listing, head: &'static Column, right: Signal<bool>) -> AnyView {
    let title = say(head.fact.label);
    if !head.sorted {
        return view! { <th class="el-table__cell" class:is-right=right scope="col"><div class="cell">{title}</div></th> }.into_any();
    }
    let order = move || match it.query.get().get("sort") {
        Some(sort) if sort == head.key => "ascending",
        Some(sort) if sort.strip_prefix('-') == Some(head.key) => "descending",
        _ => "none",
    };
    let next = move |_| {
        let sort = match untrack(order) {
            "none" => head.key.to_owned(),
            "ascending" => format!("-{}", head.key),
            _ => String::new(),
        };
        it.set(&[("sort", sort), ("page", String::new())]);
    };
    view! {
        <th class="el-table__cell is-sortable" class:is-right=right scope="col" aria-sort=order
            class:ascending=move || order() == "ascending" class:descending=move || order() == "descending">
            <div class="cell">
                <button type="button" class="sort-button" data-test=format!("sort-{}", head.key) on:click=boxed(next)>
                    {title}
                    <span class="caret-wrapper" aria-hidden="true"><i class="sort-caret ascending"></i><i class="sort-caret descending"></i></span>
                </button>
            </div>
        </th>
    }
    .into_any()
}
