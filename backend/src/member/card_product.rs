//! Card products: the kinds of electric cards that a property issues.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{card_product_stations as bound, card_products, cards, properties, providers, stations};
use shared::fixed::Fen;
use shared::member::card_product::{
    CardKind, CardProductFilter, CardProductForm, CardProductRow, CardProducts, IssuedTo,
};
use shared::page::{Page, PageQuery};
use shared::pricing::RechargeTiers;
use shared::text::t;
use uuid::Uuid;

use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::{Node, Scope};
use crate::beyond;
use crate::crud::{Browse, Change, Create, Impact, Switch, ops, page};
use crate::error::{Error, Result};
use crate::system::rights;
use crate::tenant::property_takes_new;

#[derive(HasQuery)]
#[diesel(table_name = card_products, check_for_backend(Pg), base_query = joined())]
struct CardProduct {
    id: Uuid,
    provider_id: Uuid,
    #[diesel(select_expression = providers::name)]
    provider_name: String,
    property_id: Uuid,
    #[diesel(select_expression = properties::name)]
    property_name: String,
    name: String,
    kind: CardKind,
    issued_to: IssuedTo,
    price_fen: Fen,
    face_fen: Fen,
    tiers: RechargeTiers,
    #[diesel(select_expression = cards::table.filter(cards::product_id.eq(card_products::id)).count().single_value().assume_not_null())]
    cards: i64,
    enabled: bool,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<CardProduct> for CardProductRow {
    fn from(it: CardProduct) -> Self {
        Self {
            id: it.id,
            provider_id: it.provider_id,
            provider_name: it.provider_name,
            property_id: it.property_id,
            property_name: it.property_name,
            name: it.name,
            kind: it.kind,
            issued_to: it.issued_to,
            price_fen: it.price_fen,
            face_fen: it.face_fen,
            car_station_ids: vec![],
            bike_station_ids: vec![],
            stations: vec![],
            tiers: it.tiers,
            cards: it.cards,
            enabled: it.enabled,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

/// A station that takes the cards of a product.
pub struct Taking {
    /// The station.
    pub id: Uuid,
    /// Its line of business.
    pub line: String,
    /// Its name.
    pub name: String,
}

/// The stations that take the cards of these products; none of a product whose cards all stations take.
pub async fn taking(conn: &mut AsyncPgConnection, products: &[Uuid]) -> Result<HashMap<Uuid, Vec<Taking>>> {
    let rows: Vec<(Uuid, Uuid, String, String)> = bound::table
        .inner_join(stations::table)
        .filter(bound::product_id.eq_any(products))
        .order(stations::id)
        .select((bound::product_id, stations::id, stations::line, stations::name))
        .load(conn)
        .await?;
    let mut taking: HashMap<Uuid, Vec<Taking>> = HashMap::new();
    for (product, id, line, name) in rows {
        taking.entry(product).or_default().push(Taking { id, line, name });
    }
    Ok(taking)
}

/// Adds to products the stations that take their cards.
async fn complete(conn: &mut AsyncPgConnection, products: &mut [CardProductRow]) -> Result<()> {
    let ids: Vec<Uuid> = products.iter().map(|it| it.id).collect();
    let mut taking = taking(conn, &ids).await?;
    for product in products {
        for Taking { id, line, name } in taking.remove(&product.id).unwrap_or_default() {
            let of_line = if line == "bike" { &mut product.bike_station_ids } else { &mut product.car_station_ids };
            of_line.push(id);
            product.stations.push(name);
        }
    }
    Ok(())
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    card_products::table.inner_join(providers::table).inner_join(properties::table)
}

/// The products of the properties below the caller's node. They stand at no station, so whoever is bound to stations sees
/// none; nor does a collective.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let query = joined().into_boxed();
    match scope.node {
        _ if scope.stations.is_some() => query.filter(card_products::id.eq(Uuid::nil())),
        Node::Platform => query,
        Node::Provider(id) => query.filter(card_products::provider_id.eq(id)),
        Node::Property { property, .. } => query.filter(card_products::property_id.eq(property)),
        Node::Collective { .. } => query.filter(card_products::id.eq(Uuid::nil())),
    }
}

fn found(scope: &Scope, filter: &CardProductFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let CardProductFilter { provider_id, property_id, name, kind, issued_to, enabled } = filter;
    let mut query = visible(scope);
    if let Some(id) = provider_id {
        query = query.filter(card_products::provider_id.eq(*id));
    }
    if let Some(id) = property_id {
        query = query.filter(card_products::property_id.eq(*id));
    }
    if let Some(name) = name {
        query = query.filter(card_products::name.ilike(page::containing(name)));
    }
    if let Some(kind) = kind {
        query = query.filter(card_products::kind.eq(*kind));
    }
    if let Some(issued_to) = issued_to {
        query = query.filter(card_products::issued_to.eq(*issued_to));
    }
    if let Some(enabled) = enabled {
        query = query.filter(card_products::enabled.eq(*enabled));
    }
    query
}

impl Browse for CardProducts {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &CardProductFilter,
        page: &PageQuery,
    ) -> Result<Page<CardProductRow>> {
        let (key, falling) = page.order();
        let order = match key {
            "name" => page::by(card_products::name, falling),
            _ => page::by(card_products::id, falling),
        };
        let rows = beyond!(found(scope, filter), card_products::id, page).order(order).select(CardProduct::as_select());
        let counted = found(scope, filter).select(card_products::id);
        let mut page: Page<CardProductRow> = page::load::<CardProduct, _, _, _>(conn, page, rows, counted).await?;
        complete(conn, &mut page.items).await?;
        Ok(page)
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<CardProductRow> {
        let product: CardProduct =
            visible(scope).filter(card_products::id.eq(id)).select(CardProduct::as_select()).first(conn).await?;
        let mut product = [product.into()];
        complete(conn, &mut product).await?;
        let [product] = product;
        Ok(product)
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = card_products)]
struct Values<'a> {
    name: &'a str,
    kind: CardKind,
    issued_to: IssuedTo,
    price_fen: Fen,
    face_fen: Fen,
    tiers: RechargeTiers,
}

fn values(form: &CardProductForm) -> Values<'_> {
    let CardProductForm {
        provider_id: _,
        property_id: _,
        name,
        kind,
        issued_to,
        price_fen,
        face_fen,
        car_station_ids: _,
        bike_station_ids: _,
        tiers,
    } = form;
    Values {
        name,
        kind: *kind,
        issued_to: *issued_to,
        price_fen: *price_fen,
        face_fen: *face_fen,
        tiers: tiers.clone().unwrap_or_default(),
    }
}

/// Says anew which stations of the property take the cards.
async fn bind(conn: &mut AsyncPgConnection, id: Uuid, form: &CardProductForm) -> Result<()> {
    diesel::delete(bound::table.filter(bound::product_id.eq(id))).execute(conn).await?;
    let lines =
        [("car_station_ids", "car", &form.car_station_ids), ("bike_station_ids", "bike", &form.bike_station_ids)];
    for (field, line, wanted) in lines {
        let wanted = wanted.as_deref().unwrap_or_default();
        let known: Vec<Uuid> = stations::table
            .filter(stations::property_id.eq(form.property_id))
            .filter(stations::line.eq(line))
            .filter(stations::id.eq_any(wanted))
            .select(stations::id)
            .load(conn)
            .await?;
        if wanted.iter().any(|it| !known.contains(it)) {
            return Err(Error::field(field, "choice", t("该物业下没有此电站", "The property has no such station")));
        }
        let rows: Vec<_> = known.iter().map(|it| (bound::product_id.eq(id), bound::station_id.eq(*it))).collect();
        diesel::insert_into(bound::table).values(rows).execute(conn).await?;
    }
    Ok(())
}

impl Create for CardProducts {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &CardProductForm) -> Result<Uuid> {
        rights::require_unbound(by)?;
        property_takes_new(conn, &by.scope, form.provider_id, form.property_id).await?;
        let id = new_id(Utc::now());
        diesel::insert_into(card_products::table)
            .values((
                card_products::id.eq(id),
                card_products::provider_id.eq(form.provider_id),
                card_products::property_id.eq(form.property_id),
                values(form),
            ))
            .execute(conn)
            .await?;
        bind(conn, id, form).await?;
        Ok(id)
    }
}

impl Change for CardProducts {
    const TABLE: &'static str = "card_products";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &CardProductForm) -> Result<()> {
        diesel::update(card_products::table.find(id)).set(values(form)).execute(conn).await?;
        bind(conn, id, form).await
    }
}

impl Switch for CardProducts {
    const TABLE: &'static str = "card_products";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        diesel::update(card_products::table.find(id)).set(card_products::enabled.eq(on)).execute(conn).await?;
        Ok(())
    }

    /// Cards that were issued are taken as before.
    async fn impact(_: &mut AsyncPgConnection, _: &Scope, _: Uuid) -> Result<Impact> {
        Ok(Impact::default())
    }
}

/// The operations of card products.
pub fn operations() -> Vec<Op> {
    [
        ops::browse::<CardProducts>(),
        ops::write::<CardProducts>(),
        ops::switch::<CardProducts>(),
        ops::history::<CardProducts>(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
