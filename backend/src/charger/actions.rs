//! What staff can have a charger do, and the password that it logs in with.

use actix_web::web::{Json, Path};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{charger_states, chargers, connectors};
use serde::Deserialize;
use shared::charger::{CarChargerDetail, CarChargers};
use shared::text::t;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Parent;
use crate::api::body::Body;
use crate::api::op::Op;
use crate::command::{self, Command};
use crate::crud::{Ctx, ops, routes};
use crate::error::{Error, Result};
use crate::gateway::handshake::password_hashes;

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

/// A password to log in with.
#[derive(Deserialize, ToSchema)]
struct Password {
    /// 8 to 40 characters; empty lets the charger in without one.
    #[serde(default)]
    #[schema(example = "0011223344556677889900112233445566")]
    password: Option<String>,
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
    let password = form.password.unwrap_or_default();
    if !password.is_empty() && !(8..=40).contains(&password.chars().count()) {
        return Err(Error::field("password", "range", t("应为 8 到 40 个字符", "8 to 40 characters")));
    }
    let hashes = if password.is_empty() { vec![] } else { password_hashes(&password) };
    routes::act::<CarChargers, _>(ctx, *id, "set-password", move |conn, _, before| {
        Box::pin(async move {
            routes::stamp(conn, "chargers", before.row.id, None).await?;
            diesel::insert_into(charger_states::table)
                .values((charger_states::charger_id.eq(before.row.id), charger_states::password_hashes.eq(&hashes)))
                .on_conflict(charger_states::charger_id)
                .do_update()
                .set(charger_states::password_hashes.eq(&hashes))
                .execute(conn)
                .await?;
            Ok(())
        })
    })
    .await
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
