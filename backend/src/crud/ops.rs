//! The operations of a resource, from its description.

use shared::describe::Action;
use shared::history::HistoryRow;
use shared::resource::{Resource, Verb};
use shared::text::t;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr, Type};

use super::{Browse, Change, Create, Delete, Impact, Switch, export, history, import, routes};
use crate::api::op::Op;

/// The media type of xlsx.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn path<R: Resource>(rest: &str) -> String {
    format!("/api/v1/{}{rest}", R::PATH)
}

/// The permission for a verb on a resource.
pub fn permission<R: Resource>(verb: &str) -> String {
    format!("{}.{verb}", R::PERMISSION)
}

fn has<R: Resource>(verb: Verb) -> bool {
    R::VERBS.contains(&verb)
}

/// List, find, export.
pub fn browse<R: Browse>() -> Vec<Op> {
    let find = find::<R>().returns::<R::Detail>().to(routes::find::<R>);
    lists::<R>().into_iter().chain([find]).collect()
}

/// List and export.
pub fn lists<R: Browse>() -> Vec<Op> {
    let many = R::MANY;
    let list = Op::get(path::<R>(""), format!("list{many}"), t("查询列表", "One page of the list"));
    let list = list.query::<R::Filter>().paged(&routes::sorted::<R>()).permission(permission::<R>("view"));
    let mut ops = vec![list.returns_page::<R::Row>().to(routes::list::<R>)];
    if has::<R>(Verb::Export) {
        let export =
            Op::get(path::<R>("/export.xlsx"), format!("export{many}"), t("导出 Excel", "The list as a sheet"));
        let export = export.query::<R::Filter>().permission(permission::<R>("export")).returns_media(XLSX);
        ops.push(export.to(export::export::<R>));
    }
    tagged::<R>(ops)
}

/// Find, without its answer and handler: for what must tell more than [`routes::find`].
pub fn find<R: Browse>() -> Op {
    let find = Op::get(path::<R>("/{id}"), format!("get{}", R::ONE), t("查看详细", "All that is known of one"));
    find.tag(R::PATH).permission(permission::<R>("view"))
}

/// Create, update, import.
pub fn write<R: Create + Change>() -> Vec<Op> {
    let create = create::<R>().returns_with::<R::Detail>(201).to(routes::create::<R>);
    let mut ops = vec![create];
    ops.extend(change::<R>());
    ops.extend(sheets::<R>());
    ops
}

/// Update alone, for what is made together with something else.
pub fn change<R: Change>() -> Vec<Op> {
    vec![update::<R>().returns::<R::Detail>().to(routes::update::<R>)]
}

/// Create, without its answer and handler: for what must tell or do more than [`routes::create`].
pub fn create<R: Create>() -> Op {
    let create = Op::post(path::<R>(""), format!("create{}", R::ONE), t("添加", "Add one"));
    let create = create.tag(R::PATH).permission(permission::<R>("create")).form::<R::Form>(R::FIELDS);
    if R::KEYED { create.keyed() } else { create }
}

/// Update, without its answer and handler: for what must do more than [`routes::update`].
pub fn update<R: Change>() -> Op {
    let update = Op::put(path::<R>("/{id}"), format!("update{}", R::ONE), t("修改", "Change one"));
    let name = format!("{}Change", R::Form::name());
    let update = update.tag(R::PATH).permission(permission::<R>("update"));
    update.form::<R::Form>(R::FIELDS).body_schema(name, with_version::<R::Form>())
}

/// Import and its template.
pub fn sheets<R: Create>() -> Vec<Op> {
    let many = R::MANY;
    if !has::<R>(Verb::Import) {
        return vec![];
    }
    let template = Op::get(
        path::<R>("/import-template.xlsx"),
        format!("template{many}"),
        t("导入模板", "An empty sheet to fill in"),
    );
    let import =
        Op::post(path::<R>("/import"), format!("import{many}"), t("导入 Excel", "Add all rows of a sheet, or none"));
    let may = permission::<R>("import");
    tagged::<R>(vec![
        template.permission(&may).returns_media(XLSX).to(import::template::<R>),
        import.permission(&may).fails(&["429"]).body_of(XLSX).returns::<import::Imported>().to(import::import::<R>),
    ])
}

/// A change is the whole form and the version that it is based on.
pub fn with_version<F: ToSchema>() -> RefOr<Schema> {
    let version = ObjectBuilder::new()
        .property(
            "version",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .description(Some("The version that the change is based on; or `If-Match`.")),
        )
        .build();
    let both = utoipa::openapi::schema::AllOfBuilder::new().item(Ref::from_schema_name(F::name())).item(version);
    RefOr::T(both.build().into())
}

/// Enable, disable, and what disabling would hit.
pub fn switch<R: Switch>() -> Vec<Op> {
    let one = R::ONE;
    let keyed = |op: Op| if R::TELLS { op.keyed() } else { op };
    let enable = keyed(Op::post(path::<R>("/{id}/enable"), format!("enable{one}"), t("启用", "Switch on")));
    let disable = keyed(Op::post(path::<R>("/{id}/disable"), format!("disable{one}"), t("禁用", "Switch off")));
    let impact = Op::get(
        path::<R>("/{id}/impact"),
        format!("impactOf{one}"),
        t("禁用的影响", "What switching it off would hit"),
    );
    tagged::<R>(vec![
        enable.permission(permission::<R>("enable")).returns::<R::Detail>().to(routes::enable::<R>),
        disable.permission(permission::<R>("disable")).returns::<R::Detail>().to(routes::disable::<R>),
        impact.permission(permission::<R>("view")).returns::<Impact>().to(routes::impact::<R>),
    ])
}

/// What was done to a row, by whom, and what changed by it.
pub fn history<R: Browse>() -> Vec<Op> {
    let history =
        Op::get(path::<R>("/{id}/history"), format!("historyOf{}", R::ONE), t("变更记录", "What was done to it"));
    let history = history.paged(&[]).permission(permission::<R>("view"));
    tagged::<R>(vec![history.returns_page::<HistoryRow>().to(history::history::<R>)])
}

/// Delete.
pub fn delete<R: Delete>() -> Vec<Op> {
    let delete = Op::delete(path::<R>("/{id}"), format!("delete{}", R::ONE), t("删除", "Remove one"));
    tagged::<R>(vec![delete.permission(permission::<R>("delete")).to(routes::delete::<R>)])
}

/// A special action `POST …/{id}/{verb}` as the resource's `ACTIONS` describe it; add the body, the answer and the handler.
/// A test compares the verbs with the descriptions, so that none lacks its label, button and permission.
pub fn action<R: Resource>(verb: &'static str) -> Op {
    let action = described::<R>(verb);
    let (label, keyed) = action.map_or((t("操作", "Act"), false), |it| (it.label, it.keyed));
    let op = Op::post(path::<R>(&format!("/{{id}}/{verb}")), operation_id::<R>(verb), label);
    let op = op.tag(R::PATH).permission(permission::<R>(verb));
    if keyed { op.keyed() } else { op }
}

/// A special action that gives a file, `GET …/{id}/{verb}`; add the media type and the handler.
pub fn file<R: Resource>(verb: &'static str) -> Op {
    let label = described::<R>(verb).map_or(t("下载", "Download"), |it| it.label);
    let op = Op::get(path::<R>(&format!("/{{id}}/{verb}")), operation_id::<R>(verb), label);
    op.tag(R::PATH).permission(permission::<R>(verb))
}

fn described<R: Resource>(verb: &str) -> Option<&'static Action> {
    R::ACTIONS.iter().find(|it| it.verb == verb)
}

/// `sync-clock` of a charger is `syncClockCarCharger`.
fn operation_id<R: Resource>(verb: &str) -> String {
    let mut name = String::new();
    for word in verb.split('-') {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if !name.is_empty() => name.extend(first.to_uppercase()),
            Some(first) => name.push(first),
            None => {}
        }
        name.push_str(letters.as_str());
    }
    name + R::ONE
}

fn tagged<R: Resource>(ops: Vec<Op>) -> Vec<Op> {
    ops.into_iter().map(|op| op.tag(R::PATH)).collect()
}
