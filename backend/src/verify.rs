//! Recomputes what must always hold, and lists what does not.

use anyhow::Result;
use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use crate::app::App;

#[derive(QueryableByName)]
struct Broken {
    #[diesel(sql_type = Text)]
    what: String,
}

/// An invariant: its name in the rules, and a query that gives a line for each violation.
const INVARIANTS: &[(&str, &str)] = &[
    (
        "I-10 a ledger transaction sums to nothing",
        "select 'transaction ' || transaction_id || ' is off by ' || sum(amount_fen) as what \
         from ledger_entries group by transaction_id having sum(amount_fen) <> 0",
    ),
    (
        "I-13 a guarded account is never overdrawn",
        "select 'account ' || key || ' stands at ' || balance_fen as what from ledger_accounts where guarded and balance_fen > 0",
    ),
    (
        "I-14 a balance is the sum of its entries",
        "select 'account ' || a.key || ' says ' || a.balance_fen || ', its entries ' || coalesce(sum(e.amount_fen), 0) as what \
         from ledger_accounts a left join ledger_entries e on e.account_id = a.id \
         group by a.id having a.balance_fen <> coalesce(sum(e.amount_fen), 0)",
    ),
];

/// Checks everything; an empty list is good.
///
/// # Errors
/// The database cannot be read.
pub async fn run(app: &App) -> Result<Vec<String>> {
    let mut conn = app.conn().await?;
    let mut broken = vec![];
    for (name, query) in INVARIANTS {
        let rows: Vec<Broken> = sql_query(*query).load(&mut conn).await?;
        broken.extend(rows.into_iter().map(|it| format!("{name}: {}", it.what)));
    }
    Ok(broken)
}
