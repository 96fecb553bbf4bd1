//! Recharging cards and the accounts of collectives, and what moved on a card.

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{card_products as products, cards, collectives};
use shared::fixed::Fen;
use shared::member::card::{CardMovement, CardRow, Cards, RECHARGE, RechargeForm};
use shared::member::collective::{CollectiveRow, Collectives};
use shared::page::{NewestQuery, Page, PageQuery};
use shared::pricing::{RechargeTiers, recharge_bonus};
use shared::resource::FormMap;
use shared::text::t;
use uuid::Uuid;

use crate::api::body::{Body, Params};
use crate::api::idempotency::already_done;
use crate::api::op::Op;
use crate::crud::audit::Actor;
use crate::crud::{Browse, Ctx, ops, page, routes};
use crate::error::{Error, Result};
use crate::ledger::{self, Account, Posting};

/// `POST /members/cards/{id}/recharge`: at the counter, or by the account of the collective that paid for the card.
async fn recharge(ctx: Ctx, id: Path<Uuid>, Body(form): Body<FormMap>) -> Result<Json<CardRow>> {
    let RechargeForm { amount_fen } = shared::check::read(RECHARGE, &form, ctx.lang).map_err(Error::Invalid)?;
    let id = *id;
    routes::act::<Cards, _>(ctx, id, "recharge", move |conn, actor, before| {
        Box::pin(async move {
            if !before.enabled {
                let text = t("电卡已禁用，不能充值", "The card is disabled");
                return Err(Error::Conflict("card_disabled", text));
            }
            routes::stamp(conn, "cards", id, None).await?;
            put_on(conn, actor, id, amount_fen).await
        })
    })
    .await
}

async fn put_on(conn: &mut AsyncPgConnection, actor: &Actor, card: Uuid, amount: Fen) -> Result<()> {
    type Known = (Uuid, Option<Uuid>, RechargeTiers);
    let (property, collective, tiers): Known = cards::table
        .inner_join(products::table)
        .filter(cards::id.eq(card))
        .select((cards::property_id, cards::collective_id, products::tiers))
        .first(conn)
        .await?;
    if let Some(id) = collective {
        let locked: bool = collectives::table.find(id).select(collectives::locked).for_share().first(conn).await?;
        if locked {
            let text = t("集体户的电卡账户已锁定", "The collective's account is locked");
            return Err(Error::Conflict("account_locked", text));
        }
    }
    let minus = |fen: Fen| fen.negated().map_err(anyhow::Error::from);
    let bonus = recharge_bonus(&tiers.0, amount);
    let entries = vec![
        (collective.map_or(Account::Cash(property), Account::Group), amount),
        (Account::CardPrincipal(card), minus(amount)?),
        (Account::CardPromotion(property), bonus),
        (Account::CardBonus(card), minus(bonus)?),
    ];
    post(conn, actor, "card_recharge", card, entries).await
}

/// `POST /members/collectives/{id}/recharge`.
///
/// # Errors
/// 404 when it is not in scope, 422 with the amount.
pub async fn recharge_collective(ctx: Ctx, id: Path<Uuid>, Body(form): Body<FormMap>) -> Result<Json<CollectiveRow>> {
    let RechargeForm { amount_fen } = shared::check::read(RECHARGE, &form, ctx.lang).map_err(Error::Invalid)?;
    let id = *id;
    routes::act::<Collectives, _>(ctx, id, "recharge", move |conn, actor, before| {
        let property = before.property_id;
        Box::pin(async move {
            routes::stamp(conn, "collectives", id, None).await?;
            let held = amount_fen.negated().map_err(anyhow::Error::from)?;
            let entries = vec![(Account::Cash(property), amount_fen), (Account::Group(id), held)];
            post(conn, actor, "group_recharge", id, entries).await
        })
    })
    .await
}

/// Posts a recharge. No business number makes it one of its kind, so that it is named by the key of its request.
async fn post(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    kind: &'static str,
    about: Uuid,
    entries: Vec<(Account, Fen)>,
) -> Result<()> {
    let key = actor.key_id.ok_or_else(|| Error::internal("a recharge without a key"))?;
    let idem_key = format!("{kind}:{key}");
    match ledger::post(conn, Posting { kind, business_id: about, idem_key, entries }).await? {
        true => Ok(()),
        false => Err(already_done()),
    }
}

#[derive(QueryableByName)]
struct Moved {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    principal_fen: Fen,
    #[diesel(sql_type = BigInt)]
    bonus_fen: Fen,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    total: i64,
}

/// `GET /members/cards/{id}/movements`, newest first.
async fn movements(
    mut ctx: Ctx,
    id: Path<Uuid>,
    Params(page): Params<NewestQuery>,
) -> Result<Json<Page<CardMovement>>> {
    let page = page::newest_first(page, ctx.lang)?;
    Cards::find(&mut ctx.conn, &ctx.caller.scope, *id).await?;
    Ok(Json(moved(&mut ctx.conn, *id, &page).await?))
}

async fn moved(conn: &mut AsyncPgConnection, card: Uuid, page: &PageQuery) -> Result<Page<CardMovement>> {
    let rows: Vec<Moved> = diesel::sql_query(
        "select * from (select t.id, t.kind, t.created_at, count(*) over () as total, \
            coalesce(-sum(e.amount_fen) filter (where a.key = $1), 0)::bigint as principal_fen, \
            coalesce(-sum(e.amount_fen) filter (where a.key = $2), 0)::bigint as bonus_fen \
         from ledger_accounts a join ledger_entries e on e.account_id = a.id \
            join ledger_transactions t on t.id = e.transaction_id \
         where a.key in ($1, $2) group by t.id) moved \
         where id < $3 order by id desc limit $4 offset $5",
    )
    .bind::<Text, _>(Account::CardPrincipal(card).key())
    .bind::<Text, _>(Account::CardBonus(card).key())
    .bind::<SqlUuid, _>(page.cursor.unwrap_or(Uuid::max()))
    .bind::<BigInt, _>(page.size)
    .bind::<BigInt, _>(page::offset(page))
    .load(conn)
    .await?;
    let total = rows.as_slice().first().map_or(0, |it| it.total);
    let movement = |it: Moved| {
        let Moved { id, kind, principal_fen, bonus_fen, created_at, total: _ } = it;
        CardMovement { id, kind, principal_fen, bonus_fen, created_at }
    };
    let items: Vec<CardMovement> = rows.into_iter().map(movement).collect();
    let full = i64::try_from(items.len()).is_ok_and(|got| got == page.size);
    let next_cursor = items.last().filter(|_| full).map(|it| it.id);
    Ok(Page { items, page: page.page, size: page.size, total, total_capped: false, next_cursor })
}

/// The operations that move money on cards, or tell of it.
pub fn operations() -> Vec<Op> {
    let recharge = ops::action::<Cards>("recharge").form::<RechargeForm>(RECHARGE).returns::<CardRow>().to(recharge);
    let told = Op::get(
        "/api/v1/members/cards/{id}/movements",
        "movementsOfCard",
        t("充值及消费明细", "What moved on a card, newest first"),
    );
    let told = told.tag("members/cards").query::<NewestQuery>().permission("member.card.view");
    vec![recharge, told.returns_page::<CardMovement>().to(movements)]
}
