//! What staff can have a charger do, and the password that it logs in with.

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{charger_states, chargers, connectors};
use serde::Deserialize;
use shared::charger::{CarChargerDetail, CarChargers, password_error};
use shared::text::t;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Parent;
use crate::api::body::Body;
use crate::api::idempotency::Used;
use crate::api::op::Op;
use crate::command::{self, Command};
use crate::config::Secret;
use crate::crud::{Ctx, ops, routes};
use crate::error::{Error, Result};
use crate::gateway::credentials::{password_hashes, random_password};

/// How to reboot.
#[derive(Deserialize, ToSchema)]
struct Reboot {
    /// At once; charges that are running are cut off.
    #[serde(default)]
    hard: Option<bool>,
}

/// What to unlock.
#[derive(Deserialize, ToSchema)]
struct Unlock {
    /// The connector's number.
    #[schema(example = 1)]
    connector: i32,
}

/// What to log in with.
#[derive(Deserialize, ToSchema)]
struct Password {
    /// 8 to 40 characters; without one, one is made up and told in the answer.
    #[serde(default)]
    #[schema(example = "0011223344556677889900112233445566")]
    password: Option<String>,
    /// Lets the charger in without a password. A risk: whoever knows the serial number can pass for it.
    #[serde(default)]
    #[schema(example = false)]
    open: Option<bool>,
}

async fn reboot(ctx: Ctx, id: Path<Uuid>, Body(form): Body<Reboot>) -> Result<Json<CarChargerDetail>> {
    tell(ctx, *id, "reboot", Command::Reboot { hard: form.hard.unwrap_or(false) }).await
}

async fn sync_clock(ctx: Ctx, id: Path<Uuid>) -> Result<Json<CarChargerDetail>> {
    tell(ctx, *id, "sync-clock", Command::SyncClock).await
}

async fn refresh(ctx: Ctx, id: Path<Uuid>) -> Result<Json<CarChargerDetail>> {
    tell(ctx, *id, "refresh", Command::Refresh).await
}

async fn unlock(ctx: Ctx, id: Path<Uuid>, Body(form): Body<Unlock>) -> Result<Json<CarChargerDetail>> {
    tell(ctx, *id, "unlock", Command::Unlock { connector: form.connector }).await
}

/// Has a charger in scope do something. What becomes of it is told by its row in the list of commands.
async fn tell(ctx: Ctx, id: Uuid, verb: &'static str, command: Command) -> Result<Json<CarChargerDetail>> {
    let now = ctx.app.now();
    routes::act::<CarChargers, _>(ctx, id, verb, move |conn, actor, _| {
        Box::pin(async move {
            if let Command::Unlock { connector } = command {
                let one =
                    connectors::table.filter(connectors::charger_id.eq(id)).filter(connectors::number.eq(connector));
                if one.count().get_result::<i64>(conn).await? == 0 {
                    let text = t("没有这个充电枪", "There is no such connector");
                    return Err(Error::field("connector", "choice", text));
                }
            }
            let parent: Parent = chargers::table.find(id).select(Parent::as_select()).first(conn).await?;
            command::to_charger(conn, id, parent.owner(), command, &actor.caller.name, now).await?;
            Ok(())
        })
    })
    .await
}

async fn set_password(ctx: Ctx, id: Path<Uuid>, Body(form): Body<Password>) -> Result<Json<CarChargerDetail>> {
    let given = form.password.filter(|it| !it.is_empty());
    let open = form.open.unwrap_or_default();
    if let Some(wrong) = given.as_ref().and_then(|it| password_error(it, ctx.lang)) {
        return Err(Error::Invalid(vec![wrong]));
    }
    if open && given.is_some() {
        let text = t("免密码接入时不能填写密码", "Either a password, or none");
        return Err(Error::field("open", "choice", text));
    }
    let made_up = (!open && given.is_none()).then(random_password);
    let password = given.or_else(|| made_up.clone()).map(Secret::new);
    let (now, key) = (ctx.app.now(), ctx.conn.key().cloned());
    let Json(mut row) = routes::act::<CarChargers, _>(ctx, *id, "set-password", move |conn, actor, before| {
        Box::pin(async move { log_in_with(conn, before, password, &actor.caller.name, now).await })
    })
    .await?;
    // A repeat has set nothing, and what was made up the first time is not known any more.
    row.initial_password = made_up.filter(|_| key.is_none_or(|it| it.used() == Some(Used::Done)));
    Ok(Json(row))
}

/// Lets a charger in with this password alone, or without any. One that is online is told it, and logs in anew.
async fn log_in_with(
    conn: &mut AsyncPgConnection,
    before: &CarChargerDetail,
    password: Option<Secret>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let (id, hashes) = (before.row.id, password.as_ref().map(|it| password_hashes(it.expose())).unwrap_or_default());
    routes::stamp(conn, "chargers", id, None).await?;
    diesel::insert_into(charger_states::table)
        .values((charger_states::charger_id.eq(id), charger_states::password_hashes.eq(&hashes)))
        .on_conflict(charger_states::charger_id)
        .do_update()
        .set(charger_states::password_hashes.eq(&hashes))
        .execute(conn)
        .await?;
    let Some(password) = password.filter(|_| before.row.online) else { return Ok(()) };
    let parent: Parent = chargers::table.find(id).select(Parent::as_select()).first(conn).await?;
    command::to_charger(conn, id, parent.owner(), Command::SetPassword { password }, by, now).await.map(drop)
}

pub fn operations() -> Vec<Op> {
    let action = |verb| ops::action::<CarChargers>(verb).returns::<CarChargerDetail>();
    vec![
        action("reboot").body::<Reboot>().to(reboot),
        action("sync-clock").to(sync_clock),
        action("refresh").to(refresh),
        action("unlock").body::<Unlock>().to(unlock),
        action("set-password").body::<Password>().to(set_password),
    ]
}
