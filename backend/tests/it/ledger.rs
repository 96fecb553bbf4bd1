//! The ledger on a real database: balanced, posted once, never overdrawn, never changed.

use backend::db::Connection;
use backend::error::Error;
use backend::ledger::{self, Account, Posting};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use shared::fixed::Fen;
use uuid::Uuid;

use crate::app::TestApp;

fn clearing() -> Account {
    Account::Clearing { channel: "sandbox".to_owned(), merchant_no: "M1000".to_owned() }
}

fn prepaid() -> Account {
    Account::Prepaid("C1".to_owned())
}

fn posting(key: &str, entries: &[(Account, i64)]) -> Posting {
    let entries = entries.iter().map(|(account, fen)| (account.clone(), Fen(*fen))).collect();
    Posting { kind: "test", business_id: Uuid::nil(), idem_key: key.to_owned(), entries }
}

async fn post(conn: &mut Connection, posting: Posting) -> Result<bool, Error> {
    conn.transaction(async |conn| ledger::post(conn, posting).await).await
}

async fn balance(conn: &mut Connection, account: &Account) -> i64 {
    ledger::balance(conn, account).await.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_leaves_income_and_nothing_owed() {
    let app = TestApp::new().await;
    let mut conn = app.conn().await;
    let (station, due) = (Uuid::now_v7(), Account::RefundDue("C1".to_owned()));
    let (energy, service) = (Account::EnergyIncome(station), Account::ServiceIncome(station));
    let steps = [
        posting("pay:sandbox:1", &[(clearing(), 5000), (prepaid(), -5000)]),
        posting(
            "settle:C1",
            &[(prepaid(), 5000), (energy.clone(), -2290), (service.clone(), -1055), (due.clone(), -1655)],
        ),
        posting("refund_ok:R1", &[(due.clone(), 1655), (clearing(), -1655)]),
    ];
    for step in steps {
        assert!(post(&mut conn, step).await.unwrap());
    }
    let mut balances = vec![];
    for account in [clearing(), prepaid(), due, energy, service] {
        balances.push(balance(&mut conn, &account).await);
    }
    assert_eq!(balances, [3345, 0, 0, -2290, -1055]);
    assert_eq!(backend::verify::check_ledger(&mut conn).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_posted_once_however_many_try() {
    let app = TestApp::new().await;
    let tries = (0..20).map(|_| async {
        let mut conn = app.conn().await;
        post(&mut conn, posting("pay:sandbox:1", &[(clearing(), 100), (prepaid(), -100)])).await.unwrap()
    });
    let posted = join_all(tries).await.into_iter().filter(|it| *it).count();
    assert_eq!((posted, balance(&mut app.conn().await, &clearing()).await), (1, 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guarded_account_is_never_overdrawn() {
    let app = TestApp::new().await;
    let fill = posting("fill", &[(clearing(), 3050), (prepaid(), -3050)]);
    post(&mut app.conn().await, fill).await.unwrap();
    let takers = (0..50).map(|n| {
        let app = &app;
        async move {
            let take = posting(&format!("take:{n}"), &[(prepaid(), 100), (clearing(), -100)]);
            post(&mut app.conn().await, take).await
        }
    });
    let mut taken = 0;
    for result in join_all(takers).await {
        match result {
            Ok(posted) => taken += i64::from(posted),
            Err(Error::Conflict("insufficient", _)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    let mut conn = app.conn().await;
    assert_eq!((taken, balance(&mut conn, &prepaid()).await, balance(&mut conn, &clearing()).await), (30, -50, 50));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_balance_is_refused_by_us_and_by_the_database() {
    let app = TestApp::new().await;
    let mut conn = app.conn().await;
    let off = post(&mut conn, posting("off", &[(clearing(), 100), (prepaid(), -99)])).await;
    assert!(matches!(off, Err(Error::Internal(_))));
    let huge = post(&mut conn, posting("huge", &[(clearing(), i64::MAX), (clearing(), 1)])).await;
    assert!(matches!(huge, Err(Error::Internal(_))));
    let raw = conn
        .transaction(async |conn| {
            let sql = "insert into ledger_accounts (key, guarded) values ('x', false); \
                       insert into ledger_transactions (id, kind, business_id, idem_key) values (gen_random_uuid(), 'x', gen_random_uuid(), 'x'); \
                       insert into ledger_entries select t.id, 1, a.id, 7 from ledger_transactions t, ledger_accounts a where t.kind = 'x' and a.key = 'x'";
            conn.batch_execute(sql).await
        })
        .await;
    assert!(raw.unwrap_err().to_string().contains("out of balance by 7 fen"));
    assert_eq!(count(&mut conn, "ledger_transactions").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_for_one_account_are_one_entry_and_nothing_is_no_entry() {
    let app = TestApp::new().await;
    let mut conn = app.conn().await;
    let entries = [(clearing(), 60), (clearing(), 40), (prepaid(), -100), (Account::Suspense("sandbox".to_owned()), 0)];
    assert!(post(&mut conn, posting("sum", &entries)).await.unwrap());
    assert_eq!((count(&mut conn, "ledger_entries").await, count(&mut conn, "ledger_accounts").await), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_or_removed() {
    let app = TestApp::new().await;
    let mut conn = app.conn().await;
    post(&mut conn, posting("pay:sandbox:1", &[(clearing(), 100), (prepaid(), -100)])).await.unwrap();
    for sql in [
        "update ledger_entries set amount_fen = 1",
        "delete from ledger_entries",
        "truncate ledger_entries",
        "update ledger_transactions set kind = 'other'",
        "delete from ledger_transactions",
        "truncate ledger_transactions cascade",
    ] {
        let refused = conn.batch_execute(sql).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
}

/// Postings in random directions between random accounts, many at once: none waits for ever, and the books are right.
#[tokio::test(flavor = "multi_thread")]
async fn balances_are_the_sums_of_their_entries_whatever_is_posted() {
    let app = TestApp::new().await;
    let accounts: Vec<_> = (0..6)
        .map(|n| Account::Prepaid(format!("C{n}")))
        .chain((0..3).map(|n| Account::Suspense(format!("s{n}"))))
        .collect();
    let posters = (0..6_u64).map(|seed| {
        let (app, accounts) = (&app, &accounts);
        async move {
            let mut random = StdRng::seed_from_u64(seed);
            let mut conn = app.conn().await;
            let mut posted = 0;
            for n in 0..60 {
                let mut entries = vec![];
                for _ in 0..random.random_range(1..4) {
                    let [from, to] = [(); 2].map(|()| accounts[random.random_range(0..accounts.len())].clone());
                    let amount = random.random_range(0..500);
                    entries.extend([(from, amount), (to, -amount)]);
                }
                match post(&mut conn, posting(&format!("{seed}:{n}"), &entries)).await {
                    Ok(true) => posted += 1,
                    Ok(false) => panic!("a fresh key"),
                    Err(Error::Conflict("insufficient", _)) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            posted
        }
    });
    let posted: i64 = join_all(posters).await.into_iter().sum();
    let mut conn = app.conn().await;
    assert!(posted > 0);
    assert_eq!(count(&mut conn, "ledger_transactions").await, posted);
    let mut total = 0;
    for account in &accounts {
        let balance = balance(&mut conn, account).await;
        assert!(!account.guarded() || balance <= 0, "{account:?} stands at {balance}");
        total += balance;
    }
    assert_eq!(total, 0);
    assert_eq!(backend::verify::check_ledger(&mut conn).await.unwrap(), Vec::<String>::new());
}

async fn count(conn: &mut Connection, table: &str) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let query = diesel::sql_query(format!("select count(*) as count from {table}"));
    query.get_result::<Count>(conn).await.unwrap().count
}
