//! Double entry: every movement of money is a transaction whose entries sum to nothing, and is never changed.

use std::collections::{BTreeMap, HashMap};

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{ledger_accounts as accounts, ledger_transactions as transactions};
use shared::fixed::Fen;
use uuid::Uuid;

use crate::app::new_id;
use crate::error::{Error, Result};

/// Where money can be. Debits are positive: assets and costs stand above zero, liabilities and income below.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// What a channel holds for a merchant.
    Clearing {
        /// The channel.
        channel: String,
        /// Our merchant number there.
        merchant_no: String,
    },
    /// What was paid in advance for an order and is not used yet.
    Prepaid(String),
    /// What an order's payer is to get back.
    RefundDue(String),
    /// A station's income from energy.
    EnergyIncome(Uuid),
    /// A station's income from service.
    ServiceIncome(Uuid),
    /// What a station delivered beyond what was paid in advance.
    Overrun(Uuid),
    /// Money of a channel that belongs to nothing we know.
    Suspense(String),
    /// What a property took in at its counter.
    Cash(Uuid),
    /// What was paid for and is still on a card.
    CardPrincipal(Uuid),
    /// What was given on top and is still on a card.
    CardBonus(Uuid),
    /// What a property gave on top of what was paid for cards.
    CardPromotion(Uuid),
    /// What a property took for cards beyond what is on them.
    CardFee(Uuid),
    /// What a collective can pay for cards with.
    Group(Uuid),
}

impl Account {
    /// The name that it is stored and shown under.
    pub fn key(&self) -> String {
        match self {
            Self::Clearing { channel, merchant_no } => format!("clearing:{channel}:{merchant_no}"),
            Self::Prepaid(order_no) => format!("prepaid:{order_no}"),
            Self::RefundDue(order_no) => format!("refund_due:{order_no}"),
            Self::EnergyIncome(station) => format!("rev_elec:{station}"),
            Self::ServiceIncome(station) => format!("rev_service:{station}"),
            Self::Overrun(station) => format!("writeoff_overrun:{station}"),
            Self::Suspense(channel) => format!("suspense:{channel}"),
            Self::Cash(property) => format!("cash:{property}"),
            Self::CardPrincipal(card) => format!("card_p:{card}"),
            Self::CardBonus(card) => format!("card_b:{card}"),
            Self::CardPromotion(property) => format!("card_promo_cost:{property}"),
            Self::CardFee(property) => format!("card_fee:{property}"),
            Self::Group(collective) => format!("group:{collective}"),
        }
    }

    /// Others' money: more than there is cannot be taken out of it.
    pub const fn guarded(&self) -> bool {
        match self {
            Self::Prepaid(_) | Self::RefundDue(_) | Self::CardPrincipal(_) | Self::CardBonus(_) | Self::Group(_) => {
                true
            }
            Self::Clearing { .. }
            | Self::EnergyIncome(_)
            | Self::ServiceIncome(_)
            | Self::Overrun(_)
            | Self::Suspense(_)
            | Self::Cash(_)
            | Self::CardPromotion(_)
            | Self::CardFee(_) => false,
        }
    }
}

/// One business event in the ledger.
#[derive(Clone, Debug)]
pub struct Posting {
    /// What happened: `pay`, `settle`, `refund_ok`, ….
    pub kind: &'static str,
    /// The order, card or collective that it is about.
    pub business_id: Uuid,
    /// Names the event; it is posted at most once.
    pub idem_key: String,
    /// What is debited (+) and credited (−). Amounts for one account are added up, and nothing is left out.
    pub entries: Vec<(Account, Fen)>,
}

/// Posts a transaction, in the caller's database transaction. Gives `false`, and does nothing, when its key was posted
/// before. Accounts come into being with their first entry.
///
/// # Errors
/// 409 `insufficient` when a guarded account would be overdrawn; the caller's transaction can then only be rolled back.
pub async fn post(conn: &mut AsyncPgConnection, posting: Posting) -> Result<bool> {
    let Posting { kind, business_id, idem_key, entries } = posting;
    let mut sums: BTreeMap<String, (bool, Fen)> = BTreeMap::new();
    for (account, amount) in entries {
        let sum = sums.entry(account.key()).or_insert((account.guarded(), Fen::ZERO));
        sum.1 = sum.1.plus(amount).map_err(anyhow::Error::from)?;
    }
    sums.retain(|_, (_, amount)| *amount != Fen::ZERO);
    if Fen::sum(sums.values().map(|it| it.1)) != Ok(Fen::ZERO) {
        return Err(Error::internal(format!("the posting {idem_key} is out of balance")));
    }
    let id = new_id(chrono::Utc::now());
    let new = (
        transactions::id.eq(id),
        transactions::kind.eq(kind),
        transactions::business_id.eq(business_id),
        transactions::idem_key.eq(idem_key),
    );
    // Somebody posting the same key now is waited for.
    if diesel::insert_into(transactions::table).values(new).on_conflict_do_nothing().execute(conn).await? == 0 {
        return Ok(false);
    }
    let (accounts, amounts) = lock(conn, sums).await?.into_iter().unzip();
    Move { transaction: id, accounts, amounts }.execute(conn).await?;
    Ok(true)
}

/// Opens the accounts that do not exist yet, then locks all of them. Both go in an order that is the same for everybody,
/// and nothing is locked while one may have to wait for somebody else's opening, so that no two postings wait for each other.
async fn lock(conn: &mut AsyncPgConnection, sums: BTreeMap<String, (bool, Fen)>) -> Result<Vec<(i64, i64)>> {
    let keys: Vec<String> = sums.keys().cloned().collect();
    let guarded = sums.values().map(|it| it.0).collect();
    Open { keys: keys.clone(), guarded }.execute(conn).await?;
    let found: Vec<(i64, String)> = accounts::table
        .filter(accounts::key.eq_any(keys))
        .order(accounts::id)
        .select((accounts::id, accounts::key))
        .for_update()
        .load(conn)
        .await?;
    Ok(found.into_iter().filter_map(|(id, key)| Some((id, sums.get(&key)?.1.0))).collect())
}

/// Opens accounts, in the order of their keys. A statement that stays prepared.
#[derive(QueryId)]
struct Open {
    keys: Vec<String>,
    guarded: Vec<bool>,
}

impl<C> diesel::query_dsl::RunQueryDsl<C> for Open {}

impl QueryFragment<Pg> for Open {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("insert into ledger_accounts (key, guarded) select key, guarded from unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.keys)?;
        out.push_sql("::text[], ");
        out.push_bind_param::<Array<Bool>, _>(&self.guarded)?;
        out.push_sql(
            "::bool[]) as wanted (key, guarded) \
             where not exists (select from ledger_accounts a where a.key = wanted.key) \
             order by key on conflict do nothing",
        );
        Ok(())
    }
}

/// Moves the balances and writes the entries. A statement that stays prepared.
#[derive(QueryId)]
struct Move {
    transaction: Uuid,
    accounts: Vec<i64>,
    amounts: Vec<i64>,
}

impl<C> diesel::query_dsl::RunQueryDsl<C> for Move {}

impl QueryFragment<Pg> for Move {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("with moved as (select * from unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.accounts)?;
        out.push_sql("::bigint[], ");
        out.push_bind_param::<Array<BigInt>, _>(&self.amounts)?;
        out.push_sql(
            "::bigint[]) with ordinality as moved (account_id, amount_fen, seq)), balances as ( \
             update ledger_accounts a set balance_fen = balance_fen + amount_fen from moved where a.id = account_id) \
             insert into ledger_entries (transaction_id, seq, account_id, amount_fen) select ",
        );
        out.push_bind_param::<SqlUuid, _>(&self.transaction)?;
        out.push_sql(", seq::integer, account_id, amount_fen from moved");
        Ok(())
    }
}

/// How an account stands; nothing when it was never moved.
///
/// # Errors
/// The database's.
pub async fn balance(conn: &mut AsyncPgConnection, account: &Account) -> Result<Fen> {
    let balance = accounts::table.filter(accounts::key.eq(account.key())).select(accounts::balance_fen);
    Ok(Fen(balance.first(conn).await.optional()?.unwrap_or_default()))
}

/// What is in the accounts of others' money, in the order asked for; nothing in those that were never moved.
///
/// # Errors
/// The database's.
pub async fn held(conn: &mut AsyncPgConnection, wanted: &[Account]) -> Result<Vec<Fen>> {
    let keys: Vec<String> = wanted.iter().map(Account::key).collect();
    let known: HashMap<String, i64> = accounts::table
        .filter(accounts::key.eq_any(&keys))
        .select((accounts::key, accounts::balance_fen))
        .load::<(String, i64)>(conn)
        .await?
        .into_iter()
        .collect();
    let held = |key: &String| Fen(known.get(key).copied().unwrap_or_default()).negated().map_err(anyhow::Error::from);
    Ok(keys.iter().map(held).collect::<std::result::Result<_, _>>()?)
}
