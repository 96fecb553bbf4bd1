//! The table of operations: one line a resource.

use diesel_async::AsyncPgConnection;
use shared::area::CarAreas;
use shared::charger::CarChargers;
use shared::member::collective::Collectives;
use shared::resource::Resource;
use shared::station::car::CarStations;
use shared::system::department::Departments;
use shared::system::post::Posts;
use shared::system::property::Properties;
use shared::system::provider::Providers;
use shared::system::role::Roles;
use shared::text::t;
use shared::user::{Login, Me, PasswordChange, Refresh, Tokens};
use uuid::Uuid;

use crate::api::op::Op;
use crate::auth::login;
use crate::auth::scope::Scope;
use crate::crud::import::{self, Named};
use crate::error::Result;
use crate::jobs::worker::{Kind, kind};
use crate::{
    area, charger, charging, command, connector, dashboard, driver, events, invoice, member, order, payment, presence,
    qr, reservation, retention, station, system, tariff, unregistered,
};

/// All kinds of jobs.
pub const JOBS: &[Kind] = &[
    kind::<charging::watch::Wake>(),
    kind::<charging::watch::Watch>(),
    kind::<command::Sweep>(),
    kind::<invoice::Carry>(),
    kind::<payment::inbox::Process>(),
    kind::<payment::refund::send::SendRefund>(),
    kind::<payment::watch::Watch>(),
    kind::<presence::Watch>(),
    kind::<reservation::Expire>(),
    kind::<retention::Housekeep>(),
];

/// All operations of the API.
pub fn operations() -> Vec<Op> {
    let groups = [
        auth(),
        dashboard::operations(),
        station::operations(),
        area::operations(),
        charger::operations(),
        connector::operations(),
        qr::operations(),
        tariff::operations(),
        order::operations(),
        reservation::operations(),
        unregistered::operations(),
        payment::list::operations(),
        payment::notice::operations(),
        invoice::operations(),
        member::operations(),
        driver::operations(),
        system::operations(),
    ];
    groups.into_iter().flatten().collect()
}

fn auth() -> Vec<Op> {
    let ops = [
        Op::post("/api/v1/auth/login", "login", t("登录", "Log in"))
            .public()
            .fails(&["401"])
            .body::<Login>()
            .returns::<Tokens>()
            .to(login::login),
        Op::post("/api/v1/auth/refresh", "refreshTokens", t("刷新令牌", "The next pair of tokens"))
            .public()
            .fails(&["401"])
            .body::<Refresh>()
            .returns::<Tokens>()
            .to(login::refresh),
        Op::post("/api/v1/auth/logout", "logout", t("退出登录", "Log out")).to(login::logout),
        Op::get("/api/v1/auth/me", "getMe", t("当前用户", "Who is logged in")).returns::<Me>().to(login::me),
        Op::post("/api/v1/auth/password", "changePassword", t("修改密码", "Change one's own password"))
            .body::<PasswordChange>()
            .to(login::change_password),
        Op::get("/api/v1/events", "streamEvents", t("实时事件", "What happens, as server-sent events"))
            .returns_media("text/event-stream")
            .to(events::stream),
    ];
    ops.into_iter().map(|op| op.tag("auth")).collect()
}

/// The row of the resource at `path` that bears this name, in scope: what a cell of a sheet means.
///
/// # Errors
/// The database's.
pub async fn named(conn: &mut AsyncPgConnection, scope: &Scope, path: &str, name: &Named) -> Result<Option<Uuid>> {
    match path {
        CarStations::PATH => import::named::<CarStations>(conn, scope, name).await,
        CarAreas::PATH => import::named::<CarAreas>(conn, scope, name).await,
        CarChargers::PATH => import::named::<CarChargers>(conn, scope, name).await,
        Collectives::PATH => import::named::<Collectives>(conn, scope, name).await,
        Departments::PATH => import::named::<Departments>(conn, scope, name).await,
        Posts::PATH => import::named::<Posts>(conn, scope, name).await,
        Roles::PATH => import::named::<Roles>(conn, scope, name).await,
        Providers::PATH => import::named::<Providers>(conn, scope, name).await,
        Properties::PATH => import::named::<Properties>(conn, scope, name).await,
        _ => Ok(None),
    }
}
