//! Electric cards: who holds which, and what is on them, which the ledger alone says.

mod issue;
mod money;

use chrono::{DateTime, Days, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{card_products, cards, collectives, drivers, properties, providers};
use shared::fixed::Fen;
use shared::member::card::{CardFilter, CardForm, CardRow, Cards};
use shared::member::card_product::{CardKind, IssuedTo};
use shared::page::{Page, PageQuery};
use shared::time::business_day;
use uuid::Uuid;

use super::card_product;
use crate::api::op::Op;
use crate::auth::caller::Caller;
use crate::auth::scope::{Node, Scope};
use crate::beyond;
use crate::crud::{Browse, Change, Impact, Switch, ops, page};
use crate::error::Result;
use crate::ledger::{self, Account};

pub use money::recharge_collective;

#[derive(HasQuery)]
#[diesel(table_name = cards, check_for_backend(Pg), base_query = joined())]
struct Card {
    id: Uuid,
    code: String,
    card_no: Option<String>,
    chip_uid: Option<String>,
    product_id: Uuid,
    #[diesel(select_expression = card_products::name)]
    product_name: String,
    kind: CardKind,
    issued_to: IssuedTo,
    driver_id: Uuid,
    #[diesel(select_expression = drivers::phone)]
    phone: String,
    holder: String,
    collective_id: Option<Uuid>,
    #[diesel(select_expression = collectives::name.nullable())]
    collective_name: Option<String>,
    provider_id: Uuid,
    #[diesel(select_expression = providers::name)]
    provider_name: String,
    property_id: Uuid,
    #[diesel(select_expression = properties::name)]
    property_name: String,
    price_fen: Fen,
    face_fen: Fen,
    valid_days: Option<i32>,
    issued_by: String,
    enabled: bool,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Card> for CardRow {
    fn from(it: Card) -> Self {
        let valid = it.valid_days.and_then(|it| u64::try_from(it).ok());
        Self {
            id: it.id,
            code: it.code,
            card_no: it.card_no,
            chip_uid: it.chip_uid,
            product_id: it.product_id,
            product_name: it.product_name,
            kind: it.kind,
            issued_to: it.issued_to,
            driver_id: it.driver_id,
            phone: it.phone,
            holder: it.holder,
            collective_id: it.collective_id,
            collective_name: it.collective_name,
            provider_id: it.provider_id,
            provider_name: it.provider_name,
            property_id: it.property_id,
            property_name: it.property_name,
            price_fen: it.price_fen,
            face_fen: it.face_fen,
            balance_fen: Fen::ZERO,
            principal_fen: Fen::ZERO,
            bonus_fen: Fen::ZERO,
            stations: vec![],
            valid_days: it.valid_days,
            expires_on: valid.and_then(|days| business_day(it.created_at).checked_add_days(Days::new(days))),
            issued_by: it.issued_by,
            enabled: it.enabled,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

/// Adds to cards what is on them, and which stations take them.
async fn complete(conn: &mut AsyncPgConnection, cards: &mut [CardRow]) -> Result<()> {
    let accounts: Vec<Account> =
        cards.iter().flat_map(|it| [Account::CardPrincipal(it.id), Account::CardBonus(it.id)]).collect();
    let held = ledger::held(conn, &accounts).await?;
    let products: Vec<Uuid> = cards.iter().map(|it| it.product_id).collect();
    let taking = card_product::taking(conn, &products).await?;
    for (card, held) in cards.iter_mut().zip(held.chunks(2)) {
        if let [principal, bonus] = held {
            (card.principal_fen, card.bonus_fen) = (*principal, *bonus);
            card.balance_fen = principal.plus(*bonus).map_err(anyhow::Error::from)?;
        }
        card.stations = taking.get(&card.product_id).into_iter().flatten().map(|it| it.name.clone()).collect();
    }
    Ok(())
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    cards::table
        .inner_join(card_products::table)
        .inner_join(drivers::table)
        .left_join(collectives::table)
        .inner_join(providers::table)
        .inner_join(properties::table)
}

/// The cards that were issued below the caller's node, or paid for by the collective that it is. They stand at no station,
/// so whoever is bound to stations sees none.
pub fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    joined().into_boxed().filter(cards::id.eq_any(visible_alone(scope).select(cards::id)))
}

/// As [`visible`], of the cards alone.
pub fn visible_alone(scope: &Scope) -> cards::BoxedQuery<'static, Pg> {
    let query = cards::table.into_boxed();
    match scope.node {
        _ if scope.stations.is_some() => query.filter(cards::id.eq(Uuid::nil())),
        Node::Platform => query,
        Node::Provider(id) => query.filter(cards::provider_id.eq(id)),
        Node::Property { property, .. } => query.filter(cards::property_id.eq(property)),
        Node::Collective { collective, .. } => query.filter(cards::collective_id.eq(collective)),
    }
}

fn found(scope: &Scope, filter: &CardFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let CardFilter {
        number,
        product,
        phone,
        kind,
        issued_to,
        collective_id,
        driver_id,
        provider_id,
        property_id,
        enabled,
    } = filter;
    let mut query = visible(scope);
    if let Some(number) = number {
        let part = page::containing(number);
        let own = cards::card_no.ilike(part.clone()).or(cards::chip_uid.ilike(part.clone()));
        query = query.filter(cards::code.nullable().ilike(part).or(own));
    }
    if let Some(product) = product {
        query = query.filter(card_products::name.ilike(page::containing(product)));
    }
    if let Some(phone) = phone {
        query = query.filter(drivers::phone.eq(phone.clone()));
    }
    if let Some(kind) = kind {
        query = query.filter(cards::kind.eq(*kind));
    }
    if let Some(issued_to) = issued_to {
        query = query.filter(cards::issued_to.eq(*issued_to));
    }
    if let Some(id) = collective_id {
        query = query.filter(cards::collective_id.eq(*id));
    }
    if let Some(id) = driver_id {
        query = query.filter(cards::driver_id.eq(*id));
    }
    if let Some(id) = provider_id {
        query = query.filter(cards::provider_id.eq(*id));
    }
    if let Some(id) = property_id {
        query = query.filter(cards::property_id.eq(*id));
    }
    if let Some(enabled) = enabled {
        query = query.filter(cards::enabled.eq(*enabled));
    }
    query
}

impl Browse for Cards {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &CardFilter,
        page: &PageQuery,
    ) -> Result<Page<CardRow>> {
        let (key, falling) = page.order();
        let order = match key {
            "code" => page::by(cards::code, falling),
            _ => page::by(cards::id, falling),
        };
        let rows = beyond!(found(scope, filter), cards::id, page).order(order).select(Card::as_select());
        let counted = found(scope, filter).select(cards::id);
        let mut page: Page<CardRow> = page::load::<Card, _, _, _>(conn, page, rows, counted).await?;
        complete(conn, &mut page.items).await?;
        Ok(page)
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<CardRow> {
        let card: Card = visible(scope).filter(cards::id.eq(id)).select(Card::as_select()).first(conn).await?;
        let mut card = [card.into()];
        complete(conn, &mut card).await?;
        let [card] = card;
        Ok(card)
    }
}

impl Change for Cards {
    const TABLE: &'static str = "cards";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &CardForm) -> Result<()> {
        let kind = cards::table.find(id).select(cards::kind).first(conn).await?;
        issue::require_numbers(kind, form)?;
        let numbers = (cards::card_no.eq(&form.card_no), cards::chip_uid.eq(&form.chip_uid));
        diesel::update(cards::table.find(id)).set(numbers).execute(conn).await?;
        Ok(())
    }
}

impl Switch for Cards {
    const TABLE: &'static str = "cards";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        diesel::update(cards::table.find(id)).set(cards::enabled.eq(on)).execute(conn).await?;
        Ok(())
    }

    /// Nobody but its holder, who is asked for.
    async fn impact(_: &mut AsyncPgConnection, _: &Scope, _: Uuid) -> Result<Impact> {
        Ok(Impact::default())
    }
}

/// How many members there are below the caller's node, and how many cards they hold.
///
/// # Errors
/// The database's.
pub async fn count(conn: &mut AsyncPgConnection, scope: &Scope) -> Result<(i64, i64)> {
    use diesel::dsl::{count, count_star};
    let members = visible(scope).select(count(cards::driver_id).aggregate_distinct());
    let members = members.first(conn).await?;
    Ok((members, visible(scope).select(count_star()).first(conn).await?))
}

/// The operations of cards.
pub fn operations() -> Vec<Op> {
    [
        ops::browse::<Cards>(),
        ops::write::<Cards>(),
        ops::switch::<Cards>(),
        ops::history::<Cards>(),
        money::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
