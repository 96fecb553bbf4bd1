//! Departments: a tree for each node, from the one that it has from its beginning.

mod tree;

use actix_web::HttpRequest;
use actix_web::web::Json;
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{collectives, departments, posts, properties, providers, users};
use serde::{Deserialize, Serialize};
use shared::page::{Page, PageQuery};
use shared::system::department::{DepartmentFilter, DepartmentForm, DepartmentRow, Departments};
use shared::system::node::Seat;
use shared::text::t;
use shared::user::UserKind;
use utoipa::IntoParams;
use uuid::Uuid;

use super::node;
use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::{Node, Scope};
use crate::beyond;
use crate::crud::{Browse, Change, Create, Ctx, Delete, Impact, Switch, ops, page, routes};
use crate::error::{Error, Result};

mod above {
    diesel::alias!(schema::departments as parents: Parents);
}

#[derive(HasQuery)]
#[diesel(table_name = departments, check_for_backend(Pg), base_query = joined())]
struct Department {
    id: Uuid,
    kind: UserKind,
    provider_id: Option<Uuid>,
    #[diesel(select_expression = providers::name.nullable())]
    provider_name: Option<String>,
    property_id: Option<Uuid>,
    #[diesel(select_expression = properties::name.nullable())]
    property_name: Option<String>,
    collective_id: Option<Uuid>,
    #[diesel(select_expression = collectives::name.nullable())]
    collective_name: Option<String>,
    parent_id: Option<Uuid>,
    #[diesel(select_expression = above::parents.filter(above::parents.field(departments::id).nullable().eq(departments::parent_id)).select(above::parents.field(departments::name)).single_value())]
    parent_name: Option<String>,
    name: String,
    position: i32,
    leader: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    enabled: bool,
    #[diesel(select_expression = users::table.filter(users::department_id.eq(departments::id.nullable())).count().single_value().assume_not_null())]
    users: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Department> for DepartmentRow {
    fn from(it: Department) -> Self {
        Self {
            id: it.id,
            kind: it.kind,
            provider_id: it.provider_id,
            provider_name: it.provider_name,
            property_id: it.property_id,
            property_name: it.property_name,
            collective_id: it.collective_id,
            collective_name: it.collective_name,
            parent_id: it.parent_id,
            parent_name: it.parent_name,
            name: it.name,
            position: it.position,
            leader: it.leader,
            phone: it.phone,
            email: it.email,
            enabled: it.enabled,
            users: it.users,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    departments::table.left_join(providers::table).left_join(properties::table).left_join(collectives::table)
}

/// The departments of the caller's node and of those below it. They have no station, so that bindings do not narrow
/// this.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let query = joined().into_boxed();
    scope.narrow_to_node(query, departments::provider_id, departments::property_id, departments::collective_id)
}

fn found(scope: &Scope, filter: &DepartmentFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let DepartmentFilter { kind, provider_id, property_id, collective_id, parent_id, name, enabled } = filter;
    let mut query = visible(scope);
    if let Some(kind) = kind {
        query = query.filter(departments::kind.eq(*kind));
    }
    if let Some(id) = provider_id {
        query = query.filter(departments::provider_id.eq(*id));
    }
    if let Some(id) = property_id {
        query = query.filter(departments::property_id.eq(*id));
    }
    if let Some(id) = collective_id {
        query = query.filter(departments::collective_id.eq(*id));
    }
    if let Some(id) = parent_id {
        query = query.filter(departments::parent_id.eq(*id));
    }
    if let Some(name) = name {
        query = query.filter(departments::name.ilike(page::containing(name)));
    }
    if let Some(enabled) = enabled {
        query = query.filter(departments::enabled.eq(*enabled));
    }
    query
}

impl Browse for Departments {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &DepartmentFilter,
        page: &PageQuery,
    ) -> Result<Page<DepartmentRow>> {
        let (key, falling) = page.order();
        let order = match key {
            "name" => page::by(departments::name, falling),
            "position" => page::by(departments::position, falling),
            _ => page::by(departments::id, falling),
        };
        let rows = beyond!(found(scope, filter), departments::id, page).order(order).select(Department::as_select());
        page::load::<Department, _, _, _>(conn, page, rows, found(scope, filter).select(departments::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<DepartmentRow> {
        let department: Department =
            visible(scope).filter(departments::id.eq(id)).select(Department::as_select()).first(conn).await?;
        Ok(department.into())
    }
}

/// The departments at exactly this node.
#[diesel::dsl::auto_type]
fn at(node: Node) -> _ {
    let kind: UserKind = node.kind();
    let provider: Option<Uuid> = node.provider();
    let property: Option<Uuid> = node.property();
    let collective: Option<Uuid> = node.collective();
    departments::table
        .filter(departments::kind.eq(kind))
        .filter(departments::provider_id.is_not_distinct_from(provider))
        .filter(departments::property_id.is_not_distinct_from(property))
        .filter(departments::collective_id.is_not_distinct_from(collective))
}

/// Refuses a department that is not the node's, or disabled: nothing new is linked to it. The lock keeps it from being
/// removed meanwhile.
///
/// # Errors
/// 422 on the field.
pub async fn require_open(conn: &mut AsyncPgConnection, node: Node, id: Uuid, field: &'static str) -> Result<()> {
    type Row = ((UserKind, Option<Uuid>, Option<Uuid>, Option<Uuid>), bool);
    let row: Option<Row> = departments::table
        .find(id)
        .select((
            (departments::kind, departments::provider_id, departments::property_id, departments::collective_id),
            departments::enabled,
        ))
        .for_key_share()
        .first(conn)
        .await
        .optional()?;
    let seat = |(kind, provider, property, collective)| Seat { kind, provider, property, collective };
    match row.map(|(of, enabled)| (seat(of), enabled)) {
        Some((of, true)) if of == node.seat() => Ok(()),
        Some((of, false)) if of == node.seat() => {
            Err(Error::field(field, "disabled", t("部门已禁用", "The department is disabled")))
        }
        _ => Err(Error::field(field, "choice", t("部门不存在，或属于其他节点", "No such department at this node"))),
    }
}

/// The parent that a form means, if the department can be there. The lock on the node's first department makes whoever
/// changes the same tree wait, so that two changes cannot make a circle.
async fn parent(
    conn: &mut AsyncPgConnection,
    node: Node,
    moved: Option<Uuid>,
    wanted: Option<Uuid>,
    before: Option<Uuid>,
) -> Result<Uuid> {
    let root: Uuid = at(node)
        .filter(departments::parent_id.is_null())
        .select(departments::id)
        .for_no_key_update()
        .first(conn)
        .await?;
    let parent = wanted.unwrap_or(root);
    if before == Some(parent) {
        return Ok(parent);
    }
    require_open(conn, node, parent, "parent_id").await?;
    let all: Vec<(Uuid, Option<Uuid>)> = at(node).select((departments::id, departments::parent_id)).load(conn).await?;
    tree::fits(&all.into_iter().collect(), moved, parent)
        .map_err(|(code, text)| Error::field("parent_id", code, text))?;
    Ok(parent)
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = departments, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Values<'a> {
    name: &'a str,
    position: i32,
    leader: Option<&'a str>,
    phone: Option<&'a str>,
    email: Option<&'a str>,
    enabled: bool,
}

fn values(form: &DepartmentForm) -> Values<'_> {
    let DepartmentForm {
        kind: _,
        provider_id: _,
        property_id: _,
        collective_id: _,
        parent_id: _,
        name,
        position,
        leader,
        phone,
        email,
        enabled,
    } = form;
    Values {
        name,
        position: position.unwrap_or_default(),
        leader: leader.as_deref(),
        phone: phone.as_deref(),
        email: email.as_deref(),
        enabled: enabled.unwrap_or(true),
    }
}

impl Create for Departments {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &DepartmentForm) -> Result<Uuid> {
        let node = node::for_new(conn, by, form.seat()).await?;
        let parent = parent(conn, node, None, form.parent_id, None).await?;
        let id = new_id(Utc::now());
        diesel::insert_into(departments::table)
            .values((
                departments::id.eq(id),
                departments::kind.eq(node.kind()),
                departments::provider_id.eq(node.provider()),
                departments::property_id.eq(node.property()),
                departments::collective_id.eq(node.collective()),
                departments::parent_id.eq(parent),
                values(form),
            ))
            .execute(conn)
            .await?;
        Ok(id)
    }
}

impl Change for Departments {
    const TABLE: &'static str = "departments";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &DepartmentForm) -> Result<()> {
        let before: Option<Uuid> = departments::table.find(id).select(departments::parent_id).first(conn).await?;
        let parent = match (before, form.parent_id) {
            (None, None) => None,
            (None, Some(_)) => {
                let text = t("一级部门没有上级部门", "The first department has none above it");
                return Err(Error::field("parent_id", "root", text));
            }
            (Some(_), wanted) => Some(parent(conn, node::of(form.seat())?, Some(id), wanted, before).await?),
        };
        let set = (departments::parent_id.eq(parent), values(form));
        diesel::update(departments::table.find(id)).set(set).execute(conn).await?;
        Ok(())
    }
}

impl Switch for Departments {
    const TABLE: &'static str = "departments";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        diesel::update(departments::table.find(id)).set(departments::enabled.eq(on)).execute(conn).await?;
        Ok(())
    }

    async fn impact(conn: &mut AsyncPgConnection, _: &Scope, id: Uuid) -> Result<Impact> {
        let users = users::table.filter(users::department_id.eq(id)).count().get_result(conn).await?;
        Ok(Impact { users, ..Impact::default() })
    }
}

impl Delete for Departments {
    async fn delete(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid) -> Result<()> {
        // The lock makes whoever links something to it wait, and find it gone.
        let above: Option<Uuid> =
            departments::table.find(id).select(departments::parent_id).for_update().first(conn).await?;
        if above.is_none() {
            return Err(Error::Conflict("root", t("一级部门不能删除", "The first department cannot be deleted")));
        }
        let children = departments::table.filter(departments::parent_id.eq(id));
        if diesel::select(exists(children)).get_result(conn).await? {
            let text = t("请先删除或移走下级部门", "There are departments below it");
            return Err(Error::Conflict("has_departments", text));
        }
        if diesel::select(exists(posts::table.filter(posts::department_id.eq(id)))).get_result(conn).await? {
            return Err(Error::Conflict("has_posts", t("部门下还有岗位", "There are posts in it")));
        }
        if diesel::select(exists(users::table.filter(users::department_id.eq(id)))).get_result(conn).await? {
            return Err(Error::Conflict("has_users", t("部门下还有用户", "There are users in it")));
        }
        diesel::delete(departments::table.find(id)).execute(conn).await?;
        Ok(())
    }
}

/// The node whose tree is read; the caller's own when nothing is said.
#[derive(Serialize, Deserialize, IntoParams)]
struct OfNode {
    /// The provider.
    provider_id: Option<Uuid>,
    /// The property.
    property_id: Option<Uuid>,
    /// The collective.
    collective_id: Option<Uuid>,
}

/// `GET /system/departments/tree`: all departments of one node, each followed by those below it.
async fn read_tree(mut ctx: Ctx, req: HttpRequest) -> Result<Json<Vec<DepartmentRow>>> {
    let (asked, _) = routes::read_search::<OfNode>(req.query_string(), &[], ctx.lang)?;
    let scope = &ctx.caller.scope;
    let query = visible(scope);
    let query = match (asked.collective_id, asked.property_id, asked.provider_id) {
        (Some(id), ..) => query.filter(departments::collective_id.eq(id)),
        (None, Some(id), _) => {
            query.filter(departments::property_id.eq(id)).filter(departments::kind.eq(UserKind::Property))
        }
        (None, None, Some(id)) => {
            query.filter(departments::provider_id.eq(id)).filter(departments::kind.eq(UserKind::Provider))
        }
        (None, None, None) => query.filter(departments::kind.eq(scope.node.kind())),
    };
    let rows: Vec<Department> = query.select(Department::as_select()).load(&mut ctx.conn).await?;
    Ok(Json(tree::arranged(rows.into_iter().map(Into::into).collect())))
}

/// The operations of departments.
pub fn operations() -> Vec<Op> {
    let tree = Op::get(
        "/api/v1/system/departments/tree",
        "treeOfDepartments",
        t("部门树", "All departments of one node, each followed by those below it"),
    );
    let tree = tree.tag("system/departments").permission("system.department.view").query::<OfNode>();
    let tree = tree.returns_list::<DepartmentRow>().to(read_tree);
    [
        ops::browse::<Departments>(),
        ops::write::<Departments>(),
        ops::switch::<Departments>(),
        ops::delete::<Departments>(),
        ops::history::<Departments>(),
        vec![tree],
    ]
    .into_iter()
    .flatten()
    .collect()
}
