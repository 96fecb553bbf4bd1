//! Posts: what people are in a department.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{collectives, departments, posts, properties, providers, users};
use shared::page::{Page, PageQuery};
use shared::system::post::{PostFilter, PostForm, PostRow, Posts};
use shared::text::t;
use shared::user::UserKind;
use uuid::Uuid;

use super::department::require_open;
use super::node;
use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::{Browse, Change, Create, Delete, Impact, Switch, ops, page};
use crate::error::{Error, Result};

#[derive(HasQuery)]
#[diesel(table_name = posts, check_for_backend(Pg), base_query = joined())]
struct Post {
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
    department_id: Uuid,
    #[diesel(select_expression = departments::name)]
    department_name: String,
    name: String,
    position: i32,
    enabled: bool,
    #[diesel(select_expression = users::table.filter(users::post_id.eq(posts::id.nullable())).count().single_value().assume_not_null())]
    users: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Post> for PostRow {
    fn from(it: Post) -> Self {
        Self {
            id: it.id,
            kind: it.kind,
            provider_id: it.provider_id,
            provider_name: it.provider_name,
            property_id: it.property_id,
            property_name: it.property_name,
            collective_id: it.collective_id,
            collective_name: it.collective_name,
            department_id: it.department_id,
            department_name: it.department_name,
            name: it.name,
            position: it.position,
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
    posts::table
        .inner_join(departments::table)
        .left_join(providers::table)
        .left_join(properties::table)
        .left_join(collectives::table)
}

/// The posts of the caller's node and of those below it.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    scope.narrow_to_node(joined().into_boxed(), posts::provider_id, posts::property_id, posts::collective_id)
}

fn found(scope: &Scope, filter: &PostFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let PostFilter { provider_id, property_id, collective_id, department_id, name, enabled } = filter;
    let mut query = visible(scope);
    if let Some(id) = provider_id {
        query = query.filter(posts::provider_id.eq(*id));
    }
    if let Some(id) = property_id {
        query = query.filter(posts::property_id.eq(*id));
    }
    if let Some(id) = collective_id {
        query = query.filter(posts::collective_id.eq(*id));
    }
    if let Some(id) = department_id {
        query = query.filter(posts::department_id.eq(*id));
    }
    if let Some(name) = name {
        query = query.filter(posts::name.ilike(page::containing(name)));
    }
    if let Some(enabled) = enabled {
        query = query.filter(posts::enabled.eq(*enabled));
    }
    query
}

impl Browse for Posts {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &PostFilter,
        page: &PageQuery,
    ) -> Result<Page<PostRow>> {
        let (key, falling) = page.order();
        let order = match key {
            "name" => page::by(posts::name, falling),
            "position" => page::by(posts::position, falling),
            _ => page::by(posts::id, falling),
        };
        let rows = beyond!(found(scope, filter), posts::id, page).order(order).select(Post::as_select());
        page::load::<Post, _, _, _>(conn, page, rows, found(scope, filter).select(posts::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<PostRow> {
        let post: Post = visible(scope).filter(posts::id.eq(id)).select(Post::as_select()).first(conn).await?;
        Ok(post.into())
    }
}

/// Whether somebody holds it.
async fn is_held(conn: &mut AsyncPgConnection, id: Uuid) -> Result<bool> {
    Ok(diesel::select(exists(users::table.filter(users::post_id.eq(id)))).get_result(conn).await?)
}

impl Create for Posts {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &PostForm) -> Result<Uuid> {
        let PostForm { kind, provider_id, property_id, collective_id, department_id, name, position, enabled } = form;
        let node = node::for_new(conn, by, form.seat()).await?;
        require_open(conn, node, *department_id, "department_id").await?;
        let id = new_id(Utc::now());
        diesel::insert_into(posts::table)
            .values((
                posts::id.eq(id),
                posts::kind.eq(kind),
                posts::provider_id.eq(provider_id),
                posts::property_id.eq(property_id),
                posts::collective_id.eq(collective_id),
                posts::department_id.eq(department_id),
                posts::name.eq(name),
                posts::position.eq(position.unwrap_or_default()),
                posts::enabled.eq(enabled.unwrap_or(true)),
            ))
            .execute(conn)
            .await?;
        Ok(id)
    }
}

impl Change for Posts {
    const TABLE: &'static str = "posts";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &PostForm) -> Result<()> {
        let PostForm {
            kind: _,
            provider_id: _,
            property_id: _,
            collective_id: _,
            department_id,
            name,
            position,
            enabled,
        } = form;
        // The lock makes whoever gives it to a user wait.
        let before: Uuid = posts::table.find(id).select(posts::department_id).for_update().first(conn).await?;
        if before != *department_id {
            require_open(conn, node::of(form.seat())?, *department_id, "department_id").await?;
            if is_held(conn, id).await? {
                let text = t("岗位已被用户关联，不能更换部门", "Users hold the post, and are in its department");
                return Err(Error::Conflict("post_in_use", text));
            }
        }
        diesel::update(posts::table.find(id))
            .set((
                posts::department_id.eq(department_id),
                posts::name.eq(name),
                posts::position.eq(position.unwrap_or_default()),
                posts::enabled.eq(enabled.unwrap_or(true)),
            ))
            .execute(conn)
            .await?;
        Ok(())
    }
}

impl Switch for Posts {
    const TABLE: &'static str = "posts";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        diesel::update(posts::table.find(id)).set(posts::enabled.eq(on)).execute(conn).await?;
        Ok(())
    }

    async fn impact(conn: &mut AsyncPgConnection, _: &Scope, id: Uuid) -> Result<Impact> {
        let users = users::table.filter(users::post_id.eq(id)).count().get_result(conn).await?;
        Ok(Impact { users, ..Impact::default() })
    }
}

impl Delete for Posts {
    async fn delete(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid) -> Result<()> {
        let _: Uuid = posts::table.find(id).select(posts::id).for_update().first(conn).await?;
        if is_held(conn, id).await? {
            let text = t("岗位已被用户关联，不能删除", "Users hold the post");
            return Err(Error::Conflict("post_in_use", text));
        }
        diesel::delete(posts::table.find(id)).execute(conn).await?;
        Ok(())
    }
}

/// The operations of posts.
pub fn operations() -> Vec<Op> {
    [
        ops::browse::<Posts>(),
        ops::write::<Posts>(),
        ops::switch::<Posts>(),
        ops::delete::<Posts>(),
        ops::history::<Posts>(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
