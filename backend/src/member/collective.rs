//! Collectives: added below a property, with a department and a role of their own from the beginning.

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{cards, collectives, properties, providers, users};
use shared::fixed::Fen;
use shared::member::card::{RECHARGE, RechargeForm};
use shared::member::collective::{CollectiveFilter, CollectiveForm, CollectiveRow, Collectives};
use shared::page::{Page, PageQuery};
use uuid::Uuid;

use super::card::{self, recharge_collective};
use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::{Node, Scope};
use crate::beyond;
use crate::crud::{Browse, Change, Create, Ctx, Impact, Switch, ops, page, routes};
use crate::error::Result;
use crate::ledger::{self, Account};
use crate::system::{node, rights};
use crate::tenant::property_takes_new;

#[derive(HasQuery)]
#[diesel(table_name = collectives, check_for_backend(Pg), base_query = joined())]
struct Collective {
    id: Uuid,
    provider_id: Uuid,
    #[diesel(select_expression = providers::name)]
    provider_name: String,
    property_id: Uuid,
    #[diesel(select_expression = properties::name)]
    property_name: String,
    name: String,
    email: Option<String>,
    contact: String,
    phone: String,
    address: Option<String>,
    note: Option<String>,
    enabled: bool,
    #[diesel(select_expression = users::table.filter(users::collective_id.eq(collectives::id.nullable())).count().single_value().assume_not_null())]
    users: i64,
    locked: bool,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Collective> for CollectiveRow {
    fn from(it: Collective) -> Self {
        Self {
            id: it.id,
            provider_id: it.provider_id,
            provider_name: it.provider_name,
            property_id: it.property_id,
            property_name: it.property_name,
            name: it.name,
            email: it.email,
            contact: it.contact,
            phone: it.phone,
            address: it.address,
            note: it.note,
            enabled: it.enabled,
            users: it.users,
            balance_fen: Fen::ZERO,
            locked: it.locked,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

/// Adds to collectives what is on their accounts, which the ledger alone says.
async fn complete(conn: &mut AsyncPgConnection, collectives: &mut [CollectiveRow]) -> Result<()> {
    let accounts: Vec<Account> = collectives.iter().map(|it| Account::Group(it.id)).collect();
    for (collective, held) in collectives.iter_mut().zip(ledger::held(conn, &accounts).await?) {
        collective.balance_fen = held;
    }
    Ok(())
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    collectives::table.inner_join(providers::table).inner_join(properties::table)
}

/// The collectives below the caller's node, or the one that it is. They stand at no station, so whoever is bound to
/// stations sees none.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let query = joined().into_boxed();
    if scope.stations.is_some() {
        return query.filter(collectives::id.eq(Uuid::nil()));
    }
    match scope.node {
        Node::Platform => query,
        Node::Provider(id) => query.filter(collectives::provider_id.eq(id)),
        Node::Property { property, .. } => query.filter(collectives::property_id.eq(property)),
        Node::Collective { collective, .. } => query.filter(collectives::id.eq(collective)),
    }
}

fn found(scope: &Scope, filter: &CollectiveFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let CollectiveFilter { provider_id, property_id, name, phone, enabled } = filter;
    let mut query = visible(scope);
    if let Some(id) = provider_id {
        query = query.filter(collectives::provider_id.eq(*id));
    }
    if let Some(id) = property_id {
        query = query.filter(collectives::property_id.eq(*id));
    }
    if let Some(name) = name {
        query = query.filter(collectives::name.ilike(page::containing(name)));
    }
    if let Some(phone) = phone {
        query = query.filter(collectives::phone.like(page::containing(phone)));
    }
    if let Some(enabled) = enabled {
        query = query.filter(collectives::enabled.eq(*enabled));
    }
    query
}

impl Browse for Collectives {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &CollectiveFilter,
        page: &PageQuery,
    ) -> Result<Page<CollectiveRow>> {
        let (key, falling) = page.order();
        let order = match key {
            "name" => page::by(collectives::name, falling),
            _ => page::by(collectives::id, falling),
        };
        let rows = beyond!(found(scope, filter), collectives::id, page).order(order).select(Collective::as_select());
        let counted = found(scope, filter).select(collectives::id);
        let mut page: Page<CollectiveRow> = page::load::<Collective, _, _, _>(conn, page, rows, counted).await?;
        complete(conn, &mut page.items).await?;
        Ok(page)
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<CollectiveRow> {
        let collective: Collective =
            visible(scope).filter(collectives::id.eq(id)).select(Collective::as_select()).first(conn).await?;
        let mut collective = [collective.into()];
        complete(conn, &mut collective).await?;
        let [collective] = collective;
        Ok(collective)
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = collectives, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Values<'a> {
    name: &'a str,
    email: Option<&'a str>,
    contact: &'a str,
    phone: &'a str,
    address: Option<&'a str>,
    note: Option<&'a str>,
}

fn values(form: &CollectiveForm) -> Values<'_> {
    let CollectiveForm { provider_id: _, property_id: _, name, email, contact, phone, address, note } = form;
    Values { name, email: email.as_deref(), contact, phone, address: address.as_deref(), note: note.as_deref() }
}

impl Create for Collectives {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &CollectiveForm) -> Result<Uuid> {
        rights::require_unbound(by)?;
        let (provider, property) = (form.provider_id, form.property_id);
        property_takes_new(conn, &by.scope, provider, property).await?;
        let id = new_id(Utc::now());
        diesel::insert_into(collectives::table)
            .values((
                collectives::id.eq(id),
                collectives::provider_id.eq(provider),
                collectives::property_id.eq(property),
                values(form),
            ))
            .execute(conn)
            .await?;
        node::furnish(conn, Node::Collective { provider, property, collective: id }, &form.name).await?;
        Ok(id)
    }
}

impl Change for Collectives {
    const TABLE: &'static str = "collectives";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &CollectiveForm) -> Result<()> {
        diesel::update(collectives::table.find(id)).set(values(form)).execute(conn).await?;
        Ok(())
    }
}

impl Switch for Collectives {
    const TABLE: &'static str = "collectives";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        diesel::update(collectives::table.find(id)).set(collectives::enabled.eq(on)).execute(conn).await?;
        Ok(())
    }

    async fn impact(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<Impact> {
        let users = users::table.filter(users::collective_id.eq(id)).count().get_result(conn).await?;
        let cards = card::visible(scope).filter(cards::collective_id.eq(id)).filter(cards::enabled);
        Ok(Impact { users, cards: cards.count().get_result(conn).await?, ..Impact::default() })
    }
}

async fn lock(ctx: Ctx, id: Path<Uuid>) -> Result<Json<CollectiveRow>> {
    set_locked(ctx, *id, "lock", true).await
}

async fn unlock(ctx: Ctx, id: Path<Uuid>) -> Result<Json<CollectiveRow>> {
    set_locked(ctx, *id, "unlock", false).await
}

async fn set_locked(ctx: Ctx, id: Uuid, verb: &'static str, locked: bool) -> Result<Json<CollectiveRow>> {
    routes::act::<Collectives, _>(ctx, id, verb, move |conn, _, _| {
        Box::pin(async move {
            routes::stamp(conn, "collectives", id, None).await?;
            diesel::update(collectives::table.find(id)).set(collectives::locked.eq(locked)).execute(conn).await?;
            Ok(())
        })
    })
    .await
}

/// The operations of collectives.
pub fn operations() -> Vec<Op> {
    let action = |verb| ops::action::<Collectives>(verb).returns::<CollectiveRow>();
    [
        ops::browse::<Collectives>(),
        ops::write::<Collectives>(),
        ops::switch::<Collectives>(),
        ops::history::<Collectives>(),
        vec![
            action("recharge").form::<RechargeForm>(RECHARGE).to(recharge_collective),
            action("lock").to(lock),
            action("unlock").to(unlock),
        ],
    ]
    .into_iter()
    .flatten()
    .collect()
}
