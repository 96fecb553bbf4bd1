//! Properties: added below a provider, with a login account from the beginning.

use actix_web::HttpResponse;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, cards, chargers, properties, providers, reservations, stations};
use shared::page::{Page, PageQuery};
use shared::resource::FormMap;
use shared::system::property::{Properties, PropertyFilter, PropertyForm, PropertyRow};
use uuid::Uuid;

use super::account::{self, Password};
use super::rights;
use crate::api::body::Body;
use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::{Node, Scope};
use crate::beyond;
use crate::crud::{Browse, Change, Create, Ctx, Impact, Switch, ops, page, routes};
use crate::error::{Error, Result};
use crate::impact;
use crate::member::card;
use crate::tenant::provider_takes_new;

#[derive(HasQuery)]
#[diesel(table_name = properties, check_for_backend(Pg), base_query = joined())]
struct Property {
    id: Uuid,
    provider_id: Uuid,
    #[diesel(select_expression = providers::name)]
    provider_name: String,
    name: String,
    contact: String,
    phone: String,
    email: Option<String>,
    province: Option<String>,
    city: Option<String>,
    address: Option<String>,
    enabled: bool,
    #[diesel(select_expression = stations::table.filter(stations::property_id.eq(properties::id)).count().single_value().assume_not_null())]
    stations: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Property> for PropertyRow {
    fn from(it: Property) -> Self {
        Self {
            id: it.id,
            provider_id: it.provider_id,
            provider_name: it.provider_name,
            name: it.name,
            contact: it.contact,
            phone: it.phone,
            email: it.email,
            province: it.province,
            city: it.city,
            address: it.address,
            enabled: it.enabled,
            stations: it.stations,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
            initial_password: None,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    properties::table.inner_join(providers::table)
}

/// The properties that the caller may see: those below their node, or those of the stations that they are bound to.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let query = joined().into_boxed();
    let mut query = match scope.node {
        Node::Platform => query,
        Node::Provider(id) => query.filter(properties::provider_id.eq(id)),
        // A collective's people may see what it belongs to.
        Node::Property { property, .. } | Node::Collective { property, .. } => {
            query.filter(properties::id.eq(property))
        }
    };
    if let Some(ids) = &scope.stations {
        let bound = stations::table.filter(stations::id.eq_any(ids.clone())).select(stations::property_id);
        query = query.filter(properties::id.eq_any(bound));
    }
    query
}

fn found(scope: &Scope, filter: &PropertyFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let PropertyFilter { provider_id, name, phone, enabled } = filter;
    let mut query = visible(scope);
    if let Some(id) = provider_id {
        query = query.filter(properties::provider_id.eq(*id));
    }
    if let Some(name) = name {
        query = query.filter(properties::name.ilike(page::containing(name)));
    }
    if let Some(phone) = phone {
        query = query.filter(properties::phone.like(page::containing(phone)));
    }
    if let Some(enabled) = enabled {
        query = query.filter(properties::enabled.eq(*enabled));
    }
    query
}

impl Browse for Properties {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &PropertyFilter,
        page: &PageQuery,
    ) -> Result<Page<PropertyRow>> {
        let (key, falling) = page.order();
        let order = match key {
            "name" => page::by(properties::name, falling),
            _ => page::by(properties::id, falling),
        };
        let rows = beyond!(found(scope, filter), properties::id, page).order(order).select(Property::as_select());
        page::load::<Property, _, _, _>(conn, page, rows, found(scope, filter).select(properties::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<PropertyRow> {
        let property: Property =
            visible(scope).filter(properties::id.eq(id)).select(Property::as_select()).first(conn).await?;
        Ok(property.into())
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = properties, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Values<'a> {
    name: &'a str,
    contact: &'a str,
    email: Option<&'a str>,
    province: Option<&'a str>,
    city: Option<&'a str>,
    address: Option<&'a str>,
}

fn values(form: &PropertyForm) -> Values<'_> {
    let PropertyForm { provider_id: _, name, contact, phone: _, email, province, city, address } = form;
    Values {
        name,
        contact,
        email: email.as_deref(),
        province: province.as_deref(),
        city: city.as_deref(),
        address: address.as_deref(),
    }
}

impl Create for Properties {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &PropertyForm) -> Result<Uuid> {
        rights::require_unbound(by)?;
        provider_takes_new(conn, &by.scope, form.provider_id).await?;
        account::require_free(conn, &form.phone).await?;
        let id = new_id(Utc::now());
        diesel::insert_into(properties::table)
            .values((
                properties::id.eq(id),
                properties::provider_id.eq(form.provider_id),
                properties::phone.eq(&form.phone),
                values(form),
            ))
            .execute(conn)
            .await?;
        let node = Node::Property { provider: form.provider_id, property: id };
        account::open(conn, node, &form.name, &form.phone, &form.contact).await?;
        Ok(id)
    }
}

impl Change for Properties {
    const TABLE: &'static str = "properties";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &PropertyForm) -> Result<()> {
        diesel::update(properties::table.find(id)).set(values(form)).execute(conn).await?;
        Ok(())
    }
}

impl Switch for Properties {
    const TABLE: &'static str = "properties";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        diesel::update(properties::table.find(id)).set(properties::enabled.eq(on)).execute(conn).await?;
        Ok(())
    }

    async fn impact(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<Impact> {
        let running = impact::running(scope).filter(car_orders::property_id.eq(id));
        let stations = impact::stations(scope).filter(stations::property_id.eq(id));
        let chargers = impact::chargers(scope).filter(chargers::property_id.eq(id));
        let kept = impact::reserved(scope).filter(reservations::property_id.eq(id));
        let cards = card::visible(scope).filter(cards::property_id.eq(id)).filter(cards::enabled);
        Ok(Impact {
            running_orders: running.count().get_result(conn).await?,
            reservations: kept.count().get_result(conn).await?,
            stations: stations.count().get_result(conn).await?,
            chargers: chargers.count().get_result(conn).await?,
            cards: cards.count().get_result(conn).await?,
            ..Impact::default()
        })
    }
}

/// `POST /system/properties`: tells the account's first password besides the property. A sheet of properties opens
/// accounts too, whose passwords are then reset one by one.
async fn create(ctx: Ctx, Body(form): Body<FormMap>) -> Result<HttpResponse> {
    let form = routes::read_form::<Properties>(form, &ctx.caller, ctx.lang)?;
    let password = Password::new(&ctx.app, None).await?;
    let (actor, now) = (ctx.actor(), ctx.app.now());
    let mut conn = ctx.conn;
    let mut row = conn
        .transaction(async |conn| {
            let row = routes::insert::<Properties>(conn, &actor, &form).await?;
            account::set_by_name(conn, &form.phone, &password, now).await?;
            Ok::<_, Error>(row)
        })
        .await?;
    row.initial_password = password.told();
    Ok(HttpResponse::Created().json(row))
}

/// The operations of properties.
pub fn operations() -> Vec<Op> {
    let create = ops::create::<Properties>().returns_with::<PropertyRow>(201).to(create);
    let update = ops::update::<Properties>().returns::<PropertyRow>().to(routes::update::<Properties>);
    [
        ops::browse::<Properties>(),
        vec![create, update],
        ops::sheets::<Properties>(),
        ops::switch::<Properties>(),
        ops::history::<Properties>(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
