//! Issuing a card: to a driver, out of a product, paid for at the counter or by a collective's account.

use chrono::Utc;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{card_products as products, cards, collectives, drivers};
use shared::fixed::Fen;
use shared::member::card::{CardForm, Cards};
use shared::member::card_product::{CardKind, IssuedTo};
use shared::pricing::{CardIssue, IssuedCard, issue_card};
use shared::text::t;
use uuid::Uuid;

use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::Node;
use crate::crud::Create;
use crate::error::{Error, Result};
use crate::ledger::{self, Account, Posting};
use crate::system::rights;
use crate::tenant::{collective_takes_new, property_takes_new};

impl Create for Cards {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &CardForm) -> Result<Uuid> {
        rights::require_unbound(by)?;
        let Node::Property { provider, property } = by.scope.node else {
            return Err(Error::Conflict("not_a_property", t("只有物业账号可以发卡", "Only a property issues cards")));
        };
        property_takes_new(conn, &by.scope, provider, property).await?;
        let product = product(conn, property, form).await?;
        require_numbers(product.kind, form)?;
        if let Some(collective) = form.collective_id {
            require_paying(conn, by, (provider, property, collective), form.issued_to).await?;
        }
        let driver = driver(conn, form).await?;
        let id = new_id(Utc::now());
        diesel::insert_into(cards::table)
            .values((
                cards::id.eq(id),
                cards::provider_id.eq(provider),
                cards::property_id.eq(property),
                cards::product_id.eq(form.product_id),
                cards::driver_id.eq(driver),
                cards::collective_id.eq(form.collective_id),
                cards::kind.eq(product.kind),
                cards::issued_to.eq(product.issued_to),
                (cards::price_fen.eq(product.price_fen), cards::face_fen.eq(product.face_fen)),
                cards::holder.eq(&form.holder),
                cards::card_no.eq(&form.card_no),
                cards::chip_uid.eq(&form.chip_uid),
                cards::valid_days.eq(form.valid_days),
                cards::issued_by.eq(&by.name),
            ))
            .execute(conn)
            .await?;
        pay(conn, id, property, form.collective_id, (product.price_fen, product.face_fen)).await?;
        Ok(id)
    }
}

/// The product, as it is when the card is issued. Nobody changes it meanwhile.
#[derive(Queryable)]
struct Product {
    kind: CardKind,
    issued_to: IssuedTo,
    price_fen: Fen,
    face_fen: Fen,
    enabled: bool,
}

async fn product(conn: &mut AsyncPgConnection, property: Uuid, form: &CardForm) -> Result<Product> {
    let columns = (products::kind, products::issued_to, products::price_fen, products::face_fen, products::enabled);
    let found: Option<Product> = products::table
        .find(form.product_id)
        .filter(products::property_id.eq(property))
        .select(columns)
        .for_share()
        .first(conn)
        .await
        .optional()?;
    match found {
        Some(product) if product.issued_to != form.issued_to => {
            let text = t("该产品的发行类型不同", "Cards of this product are issued to others");
            Err(Error::field("product_id", "choice", text))
        }
        Some(product) if product.enabled => Ok(product),
        Some(_) => {
            let text = t("该电卡产品已禁用，不能发卡", "The product is disabled: no cards are issued");
            Err(Error::field("product_id", "disabled", text))
        }
        None => Err(Error::field("product_id", "choice", t("没有此电卡产品", "There is no such product"))),
    }
}

/// Physical cards have a number, virtual ones have none.
///
/// # Errors
/// 422 with the field.
pub fn require_numbers(kind: CardKind, form: &CardForm) -> Result<()> {
    match (kind, &form.card_no, &form.chip_uid) {
        (CardKind::Physical, None, None) => {
            let text = t("实体卡须填写实体卡号或物理卡号", "A physical card has at least one of its numbers");
            Err(Error::field("card_no", "required", text))
        }
        (CardKind::Virtual, Some(_), _) => {
            Err(Error::field("card_no", "unexpected", t("虚拟卡没有卡号", "A virtual card has no numbers")))
        }
        (CardKind::Virtual, None, Some(_)) => {
            Err(Error::field("chip_uid", "unexpected", t("虚拟卡没有卡号", "A virtual card has no numbers")))
        }
        (CardKind::Physical, ..) | (CardKind::Virtual, None, None) => Ok(()),
    }
}

/// Refuses a collective that is not the property's, or disabled, or whose account is locked.
async fn require_paying(
    conn: &mut AsyncPgConnection,
    by: &Caller,
    (provider, property, collective): (Uuid, Uuid, Uuid),
    issued_to: IssuedTo,
) -> Result<()> {
    if issued_to == IssuedTo::Person {
        let text = t("发行给个人的卡不选择集体户", "No collective pays for a person's card");
        return Err(Error::field("collective_id", "unexpected", text));
    }
    collective_takes_new(conn, &by.scope, provider, property, collective).await?;
    let locked = collectives::table.find(collective).select(collectives::locked).for_share();
    if locked.first(conn).await? {
        let text = t("该集体户的电卡账户已锁定，不能发卡", "The collective's account is locked: no cards are issued");
        return Err(Error::field("collective_id", "locked", text));
    }
    Ok(())
}

/// The driver with this telephone; who is not known yet becomes one.
async fn driver(conn: &mut AsyncPgConnection, form: &CardForm) -> Result<Uuid> {
    let new = (drivers::id.eq(new_id(Utc::now())), drivers::phone.eq(&form.phone), drivers::name.eq(&form.holder));
    diesel::insert_into(drivers::table).values(new).on_conflict_do_nothing().execute(conn).await?;
    let known = drivers::table.filter(drivers::phone.eq(&form.phone)).select((drivers::id, drivers::enabled));
    match known.first(conn).await? {
        (id, true) => Ok(id),
        (_, false) => Err(Error::field("phone", "disabled", t("该车主已禁用，不能发卡", "The driver is disabled"))),
    }
}

/// Posts what the card cost, and what is on it.
async fn pay(
    conn: &mut AsyncPgConnection,
    card: Uuid,
    property: Uuid,
    collective: Option<Uuid>,
    (price, face): (Fen, Fen),
) -> Result<()> {
    let group_balance = match collective {
        Some(id) => ledger::held(conn, &[Account::Group(id)]).await?.pop(),
        None => None,
    };
    let issue = issue_card(price, face, group_balance).map_err(anyhow::Error::from)?;
    let CardIssue { card: Some(IssuedCard { principal_fen, bonus_fen }), .. } = issue else {
        let text = t("集体户账户余额不足，不能发卡", "The collective's account does not suffice");
        return Err(Error::field("collective_id", "insufficient", text));
    };
    let minus = |fen: Fen| fen.negated().map_err(anyhow::Error::from);
    let beyond = price.minus(principal_fen).map_err(anyhow::Error::from)?;
    let payer = collective.map_or(Account::Cash(property), Account::Group);
    let entries = vec![
        (payer, price),
        (Account::CardPrincipal(card), minus(principal_fen)?),
        (Account::CardFee(property), minus(beyond)?),
        (Account::CardPromotion(property), bonus_fen),
        (Account::CardBonus(card), minus(bonus_fen)?),
    ];
    // The group account is guarded: of two cards that it can pay for only one, the second is refused.
    let idem_key = format!("card_issue:{card}");
    ledger::post(conn, Posting { kind: "card_issue", business_id: card, idem_key, entries }).await.map(drop)
}
