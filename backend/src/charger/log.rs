//! What is kept of a charger: commands with their outcome, messages, connections.

use actix_web::HttpRequest;
use actix_web::web::{Json, Path};
use diesel::prelude::*;
use schema::{connection_records as records, device_commands as commands, device_frames as frames};
use shared::charger::CarChargers;
use shared::device_log::{ConnectionRecordRow, DeviceCommandRow, DeviceFrameFilter, DeviceFrameRow};
use shared::page::Page;
use shared::text::t;
use uuid::Uuid;

use crate::api::op::Op;
use crate::app::first_id;
use crate::beyond;
use crate::crud::page::{self, containing};
use crate::crud::routes::{self, NoFilter};
use crate::crud::{Browse, Ctx, ops};
use crate::error::Result;

/// `GET …/{id}/commands`.
async fn list_commands(mut ctx: Ctx, id: Path<Uuid>, req: HttpRequest) -> Result<Json<Page<DeviceCommandRow>>> {
    let (NoFilter {}, page) = routes::read_search(req.query_string(), &[], ctx.lang)?;
    CarChargers::find(&mut ctx.conn, &ctx.caller.scope, *id).await?;
    let of_charger = || commands::table.filter(commands::device_id.eq(*id)).into_boxed();
    let rows = beyond!(of_charger(), commands::id, page).order(page::by(commands::id, page.order().1)).select((
        commands::id,
        commands::kind,
        commands::payload,
        commands::state,
        commands::outcome,
        commands::order_id,
        commands::requested_by,
        commands::created_at,
        commands::sent_at,
        commands::finished_at,
    ));
    let counted = of_charger().select(commands::id);
    Ok(Json(page::load::<DeviceCommandRow, _, _, _>(&mut ctx.conn, &page, rows, counted).await?))
}

/// `GET …/{id}/frames`: evidence in a dispute.
async fn list_frames(mut ctx: Ctx, id: Path<Uuid>, req: HttpRequest) -> Result<Json<Page<DeviceFrameRow>>> {
    let (filter, page) = routes::read_search::<DeviceFrameFilter>(req.query_string(), &[], ctx.lang)?;
    CarChargers::find(&mut ctx.conn, &ctx.caller.scope, *id).await?;
    let found = || {
        let DeviceFrameFilter { inbound, text, from, to } = &filter;
        let mut query = frames::table.filter(frames::device_id.eq(*id)).into_boxed();
        if let Some(inbound) = inbound {
            query = query.filter(frames::inbound.eq(*inbound));
        }
        if let Some(text) = text {
            query = query.filter(frames::body.ilike(containing(text)));
        }
        // Ids grow with time.
        if let Some(from) = from {
            query = query.filter(frames::id.ge(first_id(*from)));
        }
        if let Some(to) = to {
            query = query.filter(frames::id.lt(first_id(*to)));
        }
        query
    };
    let columns = (frames::id, frames::inbound, frames::body, frames::created_at);
    let rows = beyond!(found(), frames::id, page).order(page::by(frames::id, page.order().1)).select(columns);
    Ok(Json(page::load::<DeviceFrameRow, _, _, _>(&mut ctx.conn, &page, rows, found().select(frames::id)).await?))
}

/// `GET …/{id}/connections`.
async fn list_connections(mut ctx: Ctx, id: Path<Uuid>, req: HttpRequest) -> Result<Json<Page<ConnectionRecordRow>>> {
    let (NoFilter {}, page) = routes::read_search(req.query_string(), &[], ctx.lang)?;
    CarChargers::find(&mut ctx.conn, &ctx.caller.scope, *id).await?;
    let of_charger = || records::table.filter(records::device_id.eq(*id)).into_boxed();
    let columns = (records::id, records::online, records::reason, records::remote_address, records::created_at);
    let rows = beyond!(of_charger(), records::id, page).order(page::by(records::id, page.order().1)).select(columns);
    let counted = of_charger().select(records::id);
    Ok(Json(page::load::<ConnectionRecordRow, _, _, _>(&mut ctx.conn, &page, rows, counted).await?))
}

pub fn operations() -> Vec<Op> {
    let get =
        |rest: &str, id: &str, title| Op::get(format!("/api/v1/car/chargers/{{id}}/{rest}"), id, title).paged(&[]);
    let (view, frames) = (ops::permission::<CarChargers>("view"), ops::permission::<CarChargers>("frames"));
    let ops = [
        get("commands", "listCarChargerCommands", t("指令记录", "What it was told to do"))
            .permission(&view)
            .returns_page::<DeviceCommandRow>()
            .to(list_commands),
        get("frames", "listCarChargerFrames", t("报文记录", "What was said"))
            .query::<DeviceFrameFilter>()
            .permission(frames)
            .returns_page::<DeviceFrameRow>()
            .to(list_frames),
        get("connections", "listCarChargerConnections", t("上下线记录", "When it was there"))
            .permission(view)
            .returns_page::<ConnectionRecordRow>()
            .to(list_connections),
    ];
    ops.into_iter().map(|op| op.tag("car/chargers")).collect()
}
