//! Streams of events: who is told what, and that a stream has no more rights than its reader has at the moment.

use std::time::Duration;

use backend::app::new_id;
use backend::auth::scope::Owner;
use backend::events::{self, Happening, Kind};
use chrono::Utc;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{drivers, roles, user_roles, user_stations, users};
use serde_json::{Value, json};
use shared::user::UserKind;
use uuid::Uuid;

use crate::app::{Client, Site, Tenant, TestApp};
use crate::payment::World;

/// Nothing in these tests takes this long, unless it never comes.
const LIMIT: Duration = Duration::from_secs(20);

/// A stream of server-sent events, as a client reads it.
pub struct Stream {
    response: reqwest::Response,
    unread: String,
}

impl Stream {
    pub async fn open(client: &Client, path: &str) -> Self {
        let mut stream = Self { response: client.open(path).await, unread: String::new() };
        assert_eq!(stream.line().await.as_deref(), Some(": hello"));
        stream
    }

    /// The next line that is not empty; nothing when the stream has ended.
    async fn line(&mut self) -> Option<String> {
        loop {
            while let Some((line, rest)) = self.unread.split_once('\n') {
                let line = line.to_owned();
                self.unread = rest.to_owned();
                if !line.is_empty() {
                    return Some(line);
                }
            }
            let chunk = tokio::time::timeout(LIMIT, self.response.chunk()).await.expect("the stream says nothing");
            self.unread.push_str(std::str::from_utf8(&chunk.unwrap()?).unwrap());
        }
    }

    /// What is told next; nothing when the stream has ended.
    async fn told(&mut self) -> Option<Value> {
        loop {
            if let Some(data) = self.line().await?.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
        }
    }

    /// What happened next; nothing when the stream has ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let told = self.told().await?;
            if told != json!({"kind": "rights"}) {
                return Some(told);
            }
        }
    }
}

fn owner(tenant: &Tenant, site: &Site) -> Owner {
    Owner { provider_id: tenant.provider, property_id: tenant.property, station_id: site.station }
}

/// Something happens to a thing of this owner; gives what a client would be told.
pub async fn happen(app: &TestApp, owner: Owner, kind: Kind) -> Value {
    let id = new_id(Utc::now());
    events::tell(&mut *app.conn().await, &Happening { kind, id, owner, driver_id: None }).await.unwrap();
    json!({"kind": kind, "id": id})
}

/// Waits until the server listens to the database: what is told before is lost.
pub async fn listening(app: &TestApp) {
    let mut heard = app.app.hub.happenings();
    let nobody = Owner { provider_id: Uuid::nil(), property_id: Uuid::nil(), station_id: Uuid::nil() };
    let mut told = 0;
    while tokio::time::timeout(Duration::from_millis(50), heard.recv()).await.is_err() {
        happen(app, nobody, Kind::Charger).await;
        told += 1;
        assert!(told < 400, "the server does not listen");
    }
}

async fn user_of(client: &Client) -> Uuid {
    client.get("/api/v1/auth/me").await.id()
}

#[tokio::test]
async fn a_stream_tells_what_its_reader_may_view_and_nothing_else() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let (own, foreign) = (app.site(&mine).await, app.site(&theirs).await);
    listening(&app).await;
    let limited = ["car.charger.view", "order.refund.view"];
    let limited = app.user(UserKind::Provider, Some(mine.provider), None, Some(&limited)).await;
    let mut all = Stream::open(&mine.boss, "/api/v1/events").await;
    let mut some = Stream::open(&limited, "/api/v1/events").await;
    let mut platform = Stream::open(&app.admin, "/api/v1/events").await;
    let kinds = [Kind::CarOrder, Kind::Charger, Kind::Connector, Kind::Command, Kind::Payment, Kind::Refund];
    for kind in kinds {
        let not_theirs = happen(&app, owner(&theirs, &foreign), kind).await;
        let told = happen(&app, owner(&mine, &own), kind).await;
        assert_eq!(all.next().await, Some(told.clone()));
        if matches!(kind, Kind::Charger | Kind::Connector | Kind::Command | Kind::Refund) {
            assert_eq!(some.next().await, Some(told.clone()));
        }
        assert_eq!((platform.next().await, platform.next().await), (Some(not_theirs), Some(told)));
    }
}

/// Gives somebody one more role, with this permission.
async fn give(app: &TestApp, tenant: &Tenant, user: Uuid, permission: &str) -> Uuid {
    let mut conn = app.conn().await;
    let role = new_id(Utc::now());
    let row = (
        roles::id.eq(role),
        roles::kind.eq(UserKind::Provider),
        roles::provider_id.eq(tenant.provider),
        roles::name.eq(permission),
        roles::permissions.eq(vec![permission]),
    );
    diesel::insert_into(roles::table).values(row).execute(&mut conn).await.unwrap();
    let given = (user_roles::user_id.eq(user), user_roles::role_id.eq(role));
    diesel::insert_into(user_roles::table).values(given).execute(&mut conn).await.unwrap();
    role
}

/// Of what happens in this order, the reader is told of the last alone.
async fn told_of_the_last(app: &TestApp, stream: &mut Stream, happenings: &[(Owner, Kind)]) {
    let mut last = None;
    for (owner, kind) in happenings {
        last = Some(happen(app, *owner, *kind).await);
    }
    assert_eq!(stream.next().await, last);
}

#[tokio::test]
async fn an_open_stream_gains_and_loses_rights_as_its_reader_does() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let (near, far) = (app.site(&tenant).await, app.site(&tenant).await);
    let (near, far) = (owner(&tenant, &near), owner(&tenant, &far));
    listening(&app).await;
    let reader = app.user(UserKind::Provider, Some(tenant.provider), None, Some(&["car.charger.view"])).await;
    let id = user_of(&reader).await;
    let mut stream = Stream::open(&reader, "/api/v1/events").await;
    told_of_the_last(&app, &mut stream, &[(near, Kind::Payment), (far, Kind::Charger)]).await;
    let payments = give(&app, &tenant, id, "order.payment.view").await;
    told_of_the_last(&app, &mut stream, &[(near, Kind::Refund), (near, Kind::Payment)]).await;
    let refunds = give(&app, &tenant, id, "order.refund.view").await;

    // Bound to one station, it is told of the others no more.
    let mut conn = app.conn().await;
    let bound = (user_stations::user_id.eq(id), user_stations::station_id.eq(near.station_id));
    diesel::insert_into(user_stations::table).values(bound).execute(&mut conn).await.unwrap();
    told_of_the_last(&app, &mut stream, &[(far, Kind::Charger), (near, Kind::Charger)]).await;
    // A role is taken, one is switched off, and one allows something else.
    let taken = user_roles::table.find((id, payments));
    diesel::delete(taken).execute(&mut conn).await.unwrap();
    told_of_the_last(&app, &mut stream, &[(near, Kind::Payment), (near, Kind::Refund)]).await;
    diesel::update(roles::table.find(refunds)).set(roles::enabled.eq(false)).execute(&mut conn).await.unwrap();
    told_of_the_last(&app, &mut stream, &[(near, Kind::Refund), (near, Kind::Command)]).await;
    let of_reader = user_roles::table.filter(user_roles::user_id.eq(id)).select(user_roles::role_id);
    let row = diesel::update(roles::table.filter(roles::id.eq_any(of_reader)));
    row.set(roles::permissions.eq(vec!["car.connector.view"])).execute(&mut conn).await.unwrap();
    told_of_the_last(&app, &mut stream, &[(near, Kind::Charger), (near, Kind::Connector)]).await;
}

#[tokio::test]
async fn whoever_gains_or_loses_rights_is_told_before_all_that_happens_afterwards() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let owner = owner(&tenant, &site);
    listening(&app).await;
    let reader = app.user(UserKind::Provider, Some(tenant.provider), None, Some(&["car.charger.view"])).await;
    let (id, other) = (user_of(&reader).await, user_of(&tenant.boss).await);
    let mut stream = Stream::open(&reader, "/api/v1/events").await;
    let rights = Some(json!({"kind": "rights"}));

    let role = give(&app, &tenant, id, "order.payment.view").await;
    let payment = happen(&app, owner, Kind::Payment).await;
    assert_eq!((stream.told().await, stream.told().await), (rights.clone(), Some(payment)));
    // What changes for others, or changes nothing, is not told.
    give(&app, &tenant, other, "order.refund.view").await;
    give(&app, &tenant, id, "car.charger.view").await;
    let charger = happen(&app, owner, Kind::Charger).await;
    assert_eq!(stream.told().await, Some(charger));
    // Nothing has to happen for it to be told.
    diesel::delete(user_roles::table.find((id, role))).execute(&mut app.conn().await).await.unwrap();
    assert_eq!(stream.told().await, rights);
}

#[tokio::test]
async fn a_stream_ends_with_its_access_token() {
    let world = World::new().await;
    let order = world.order(5000).await.order;
    let app = &world.app.app;
    let paths = [
        (&world.app.admin, "/api/v1/events".to_owned()),
        (&world.driver, format!("/api/app/v1/orders/{order}/events")),
    ];
    for (client, path) in paths {
        let mut claims = app.tokens.read(&client.token).unwrap();
        let mut lasting = Stream::open(client, &path).await;
        claims.exp = Utc::now().timestamp() + 5;
        let brief = world.app.bearer(&app.tokens.sign(&claims).unwrap());
        let mut stream = Stream::open(&brief, &path).await;
        while stream.line().await.is_some() {}
        assert!(Utc::now().timestamp() >= claims.exp);
        // The session itself goes on.
        let line = tokio::time::timeout(Duration::from_millis(200), async { while lasting.line().await.is_some() {} });
        assert!(line.await.is_err(), "the other one was told to end");
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let owner = owner(&tenant, &site);
    listening(&app).await;

    let mut left = Stream::open(&tenant.boss, "/api/v1/events").await;
    tenant.boss.post("/api/v1/auth/logout", json!({})).await;
    // Nothing that happens afterwards is told.
    happen(&app, owner, Kind::Charger).await;
    assert_eq!(left.next().await, None);

    let keeper = user_of(&tenant.keeper).await;
    let changes = [
        diesel::update(users::table.find(keeper)).set((users::enabled.eq(true), users::must_change_password.eq(true))),
        diesel::update(users::table.find(keeper))
            .set((users::enabled.eq(false), users::must_change_password.eq(false))),
    ];
    for change in changes {
        let mut stream = Stream::open(&tenant.keeper, "/api/v1/events").await;
        change.execute(&mut app.conn().await).await.unwrap();
        happen(&app, owner, Kind::Charger).await;
        assert_eq!(stream.next().await, None);
        let row = diesel::update(users::table.find(keeper));
        let fine = (users::enabled.eq(true), users::must_change_password.eq(false));
        row.set(fine).execute(&mut app.conn().await).await.unwrap();
    }

    // A session may also simply be over; nobody tells that.
    let mut over = Stream::open(&tenant.keeper, "/api/v1/events").await;
    let of_keeper = diesel::update(schema::sessions::table.filter(schema::sessions::user_id.eq(keeper)));
    of_keeper.set(schema::sessions::expires_at.eq(Utc::now())).execute(&mut app.conn().await).await.unwrap();
    assert_eq!(over.next().await, None);
}

#[tokio::test]
async fn a_drivers_stream_ends_with_their_session() {
    let world = World::new().await;
    let app = &world.app;
    listening(app).await;
    let order = world.order(5000).await.order;
    let path = format!("/api/app/v1/orders/{order}/events");
    let able = async |able: bool| {
        diesel::update(drivers::table).set(drivers::enabled.eq(able)).execute(&mut app.conn().await).await.unwrap();
    };
    let mut stream = Stream::open(&world.driver, &path).await;
    assert_eq!(stream.next().await.unwrap()["id"], json!(order));
    able(false).await;
    let owner = owner(&world.tenant, &world.site);
    let happening = Happening { kind: Kind::CarOrder, id: order, owner, driver_id: None };
    events::tell(&mut *app.conn().await, &happening).await.unwrap();
    assert_eq!(stream.next().await, None);
    able(true).await;

    // Without anything that happens it ends too.
    let mut quiet = Stream::open(&world.driver, &path).await;
    assert!(quiet.next().await.is_some());
    world.driver.post("/api/app/v1/auth/logout", json!({})).await;
    assert_eq!(quiet.next().await, None);
}
