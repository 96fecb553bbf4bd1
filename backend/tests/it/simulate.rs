//! The simulated drivers live on for as long as the platform does: they log in once, whatever is refused to them on the way.

use std::sync::Arc;
use std::time::Duration;

use backend::config::Secret;
use backend::simulate::charger::Deed;
use backend::simulate::driver::{Driver, Manner};
use backend::simulate::{self, Simulation, World};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{car_orders, chargers, connectors, drivers, login_codes, sessions};
use shared::device::ConnectorStatus;
use shared::fixed::Fen;
use shared::order::OrderState;
use uuid::Uuid;

use crate::app::{Site, TestApp};
use crate::payment::eventually;
use crate::process::free_address;

const PHONE: &str = "17000000001";

/// A server whose access tokens live for a second, and one simulated charger of two connectors.
async fn world() -> (TestApp, World, Site) {
    let bank = free_address();
    let mut settings = backend::config::Config::default();
    let app = TestApp::with(|config| {
        config.auth.access_seconds = 1;
        config.payment.sandbox.url = format!("http://{bank}");
        config.payment.sandbox.secret = Secret::new("a secret of the channel");
        config.sms.url = format!("http://{bank}");
        config.sms.secret = Secret::new("a secret of the text messages");
        settings.clone_from(config);
    })
    .await;
    let tenant = app.tenant().await;
    let mut site = app.site(&tenant).await;
    app.tariff(&tenant, &site).await;
    site.serial_no = "SIM0001".to_owned();
    let renamed = chargers::serial_no.eq(&site.serial_no);
    diesel::update(chargers::table.find(site.charger)).set(renamed).execute(&mut app.conn().await).await.unwrap();
    let simulation = Simulation {
        url: app.url.clone(),
        chargers: 1,
        prefix: "SIM".to_owned(),
        drivers: 0,
        bank,
        sample_seconds: 1,
        power_kw: Some(60),
        ..Simulation::default()
    };
    let world = simulate::start(&simulation, &settings).unwrap();
    world.chargers[&site.serial_no].until(|it| it.online && it.told).await.unwrap();
    (app, world, site)
}

fn driver(app: &TestApp, world: &World, phone: &str) -> Driver {
    let manner = Manner {
        platform: app.url.clone(),
        charge: Duration::ZERO..Duration::from_millis(1),
        away: Duration::ZERO..Duration::from_millis(1),
        prepaid: Fen(1000),
        look: Duration::from_millis(20),
        patience: Duration::from_secs(60),
    };
    let http = backend::app::http_client().unwrap();
    Driver::new(phone.to_owned(), Arc::new(manner), world.bank.clone(), http)
}

async fn completed(app: &TestApp, phone: &str) -> i64 {
    let of = car_orders::table.filter(car_orders::phone.eq(phone)).filter(car_orders::state.eq(OrderState::Completed));
    of.count().get_result(&mut app.conn().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_who_logged_in_once_charges_again_and_again() {
    let (app, world, site) = world().await;
    // One of the two connectors is broken: whoever plugs in there is refused, and has to try the other one.
    let broken = Deed::Fault(1, Some(ocpp::message::ChargePointErrorCode::OtherError));
    world.chargers[&site.serial_no].act(broken).await.unwrap();
    eventually("the platform knows", async || {
        let row = connectors::table.find(site.connectors[0]).select(connectors::status);
        row.first::<ConnectorStatus>(&mut app.conn().await).await.unwrap() == ConnectorStatus::Faulted
    })
    .await;

    let stopping = world.stopping.child_token();
    let one = driver(&app, &world, PHONE);
    let living = tokio::spawn(one.live(world.chargers.clone(), stopping.clone()));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(240);
    while completed(&app, PHONE).await <= 30 {
        assert!(tokio::time::Instant::now() < deadline, "{} charges only", completed(&app, PHONE).await);
        assert!(!living.is_finished());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    stopping.cancel();
    living.await.unwrap();

    let mut conn = app.conn().await;
    let at: Vec<Uuid> = car_orders::table
        .filter(car_orders::phone.eq(PHONE))
        .select(car_orders::connector_id)
        .distinct()
        .load(&mut conn)
        .await
        .unwrap();
    assert_eq!(at, [site.connectors[1]]);
    let sends: i32 = login_codes::table.find(PHONE).select(login_codes::sends).first(&mut conn).await.unwrap();
    assert_eq!(sends, 1, "one code was enough");
    let mine = sessions::table.inner_join(drivers::table).filter(drivers::phone.eq(PHONE));
    let families: Vec<Uuid> = mine.select(sessions::family).distinct().load(&mut conn).await.unwrap();
    assert_eq!(families.len(), 1, "and one login");
    let renewed: i64 = mine.count().get_result(&mut conn).await.unwrap();
    assert!(renewed > 1, "whose tokens were renewed");
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_session_was_ended_logs_in_anew() {
    let (app, world, _) = world().await;
    let one = driver(&app, &world, PHONE);
    let charged = one.trip(&world.chargers).await.unwrap().unwrap();
    assert_eq!(charged.state, OrderState::Completed);
    let mut conn = app.conn().await;
    let ended = sessions::revoked_at.eq(diesel::dsl::now);
    diesel::update(sessions::table.filter(sessions::driver_id.is_not_null()))
        .set(ended)
        .execute(&mut conn)
        .await
        .unwrap();
    // The next code may be asked for a minute after the last.
    let earlier = login_codes::sent_at.eq(chrono::Utc::now() - chrono::TimeDelta::seconds(61));
    diesel::update(login_codes::table.find(PHONE)).set(earlier).execute(&mut conn).await.unwrap();
    let charged = one.trip(&world.chargers).await.unwrap().unwrap();
    assert_eq!(charged.state, OrderState::Completed);
    let sends: i32 = login_codes::table.find(PHONE).select(login_codes::sends).first(&mut conn).await.unwrap();
    assert_eq!(sends, 2);
}
