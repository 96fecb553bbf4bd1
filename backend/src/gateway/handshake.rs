//! Lets a device in: it must be known, prove who it is and speak a protocol of ours.

use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{charger_states, chargers};
use shared::codes::Code;
use shared::text::t;
use shared::unregistered::Refusal;
use std::sync::Arc;
use uuid::Uuid;

use super::registry::Line;
use super::{claim, credentials, limit, socket};
use crate::app::App;
use crate::auth::login;
use crate::auth::scope::Owner;
use crate::charging::Device;
use crate::db::lower;
use crate::error::{Error, Result};
use crate::presence::{Arrival, Claim, Holder};

/// The subprotocols that we speak.
const PROTOCOLS: &[&str] = &["ocpp1.6"];
/// The longest identity that a device may have.
const MAX_SERIAL_NO: usize = 48;
/// Strangers that are remembered at most: anybody can knock under any name.
const MOST_STRANGERS: i64 = 5000;
/// The parts of a wrong address in which a serial number is looked for.
const MOST_PARTS: usize = 4;

/// `GET /ocpp/{serial_no}`: upgrades to a WebSocket, or says why not.
pub async fn connect(
    app: web::Data<App>,
    path: web::Path<String>,
    req: HttpRequest,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let app = app.get_ref().clone();
    if app.stopping.is_cancelled() {
        return Err(Error::Unavailable("stopping", t("服务即将停止", "The server is stopping")).into());
    }
    let mut bounded = limit::bounded(body, app.config.gateway.max_message_bytes);
    let body = web::Payload::from_request(&req, &mut bounded).await?;
    // Refuses what is no WebSocket handshake at all. Until the response is sent, nothing is upgraded.
    let (response, session, stream) = actix_ws::handle_with_protocols(&req, body, PROTOCOLS)?;
    let forwarded = req.headers().get("x-forwarded-for").and_then(|it| it.to_str().ok());
    let caller = Caller {
        path: path.into_inner(),
        address: login::peer(req.peer_addr().map(|it| it.ip()), forwarded, &app.config.http.trusted_proxies),
        offered: offered(&req),
        speaks: response.headers().contains_key(header::SEC_WEBSOCKET_PROTOCOL),
        credentials: credentials::given(&req),
    };
    let Admitted { device, at, called, claim } = match admit(&app, &caller).await? {
        Admission::Admitted(it) => it,
        Admission::Refused(reason) => return refusal(reason),
        Admission::Ignored => return Err(Error::NotFound.into()),
    };
    let line = Arc::new(Line::new(device.charger_id, at, app.now()));
    if app.gateway.registry.enter(&line, app.gateway.most).is_err() {
        return Err(Error::Unavailable("full", t("连接数已满", "There are too many connections")).into());
    }
    let arrival = Arrival { connection: line.id, called, remote_address: caller.address, claim };
    actix_web::rt::spawn(socket::serve(socket::Opened { app, device, line, arrival }, session, stream));
    Ok(response)
}

/// Who wants to come in.
struct Caller {
    /// The address that it asks for, behind `/ocpp/`.
    path: String,
    /// Where it is.
    address: String,
    /// The subprotocols that it offers.
    offered: String,
    /// We speak one of them.
    speaks: bool,
    /// Name and password of basic authentication, not separated yet.
    credentials: Option<Vec<u8>>,
}

enum Admission {
    Admitted(Admitted),
    /// Turned away for this reason, which is remembered.
    Refused(Refusal),
    /// Turned away, and not worth remembering.
    Ignored,
}

/// A device that was let in.
struct Admitted {
    device: Device,
    /// When, by the clock of the database.
    at: DateTime<Utc>,
    /// What it calls itself.
    called: String,
    /// Whose place it may take.
    claim: Claim,
}

async fn admit(app: &App, caller: &Caller) -> Result<Admission> {
    // A slash too many is a usual slip in the form of a charger.
    let parts: Vec<&str> = caller.path.split('/').filter(|it| !it.is_empty()).collect();
    let called = match parts.as_slice() {
        [called] if plausible(called) => *called,
        // What cannot be an identity is not worth a question, nor a place in the list of strangers.
        [] | [_] => return Ok(Admission::Ignored),
        several => return lost(app, caller, several).await,
    };
    let found = {
        let _turn = app.gateway.turn().await;
        let mut conn = app.conn().await?;
        match examine(caller, find(&mut conn, called).await?) {
            Ok(found) => found,
            Err(reason) => return knock(&mut conn, caller, called, reason).await,
        }
    };
    let Found { device, serial_no: _, hashes, holder, now } = found;
    let claim = match hashes.is_empty() {
        true => claim::unproved(app, device.charger_id, holder).await?,
        false => Some(Claim::Proved),
    };
    match claim {
        Some(claim) => Ok(Admission::Admitted(Admitted { device, at: now, called: called.to_owned(), claim })),
        None => {
            let _turn = app.gateway.turn().await;
            knock(&mut *app.conn().await?, caller, called, Refusal::Occupied).await
        }
    }
}

/// Whether a device may come in, as far as it can be said by looking at it alone.
fn examine(caller: &Caller, found: Option<Found>) -> std::result::Result<Found, Refusal> {
    let found = found.ok_or(Refusal::UnknownSerialNo)?;
    if !found.hashes.is_empty() {
        let credentials = caller.credentials.as_deref().ok_or(Refusal::NoPassword)?;
        if !credentials::prove(credentials, &found.serial_no, &found.hashes) {
            return Err(Refusal::WrongPassword);
        }
    }
    if caller.speaks { Ok(found) } else { Err(Refusal::UnsupportedProtocol) }
}

/// A device at an address that is none of ours, with its serial number somewhere in it: that of a known device, or else the
/// last part.
async fn lost(app: &App, caller: &Caller, parts: &[&str]) -> Result<Admission> {
    let names: Vec<&str> = parts.iter().rev().copied().filter(|it| plausible(it)).take(MOST_PARTS).collect();
    let Some(mut called) = names.iter().copied().next() else { return Ok(Admission::Ignored) };
    let _turn = app.gateway.turn().await;
    let mut conn = app.conn().await?;
    for name in names {
        if find(&mut conn, name).await?.is_some() {
            called = name;
            break;
        }
    }
    knock(&mut conn, caller, called, Refusal::WrongPath).await
}

fn plausible(serial_no: &str) -> bool {
    let fits = |it: char| it.is_ascii_alphanumeric() || "_-.:*+|@= ".contains(it);
    (1..=MAX_SERIAL_NO).contains(&serial_no.len()) && serial_no.chars().all(fits)
}

/// A device that we know.
struct Found {
    device: Device,
    /// Its own spelling of its identity.
    serial_no: String,
    hashes: Vec<String>,
    /// The connection that it has.
    holder: Option<Holder>,
    /// The time by the clock of the database.
    now: DateTime<Utc>,
}

/// A charger by its identity in any letter case.
async fn find(conn: &mut AsyncPgConnection, called: &str) -> Result<Option<Found>> {
    diesel::define_sql_function! { fn clock_timestamp() -> diesel::sql_types::Timestamptz; }
    type State = (Option<Vec<String>>, Option<Uuid>, Option<DateTime<Utc>>);
    type Row = (Uuid, Uuid, Uuid, Uuid, String, State, DateTime<Utc>);
    let row: Option<Row> = chargers::table
        .left_join(charger_states::table)
        .filter(lower(chargers::serial_no).eq(called.to_lowercase()))
        .select((
            chargers::id,
            chargers::provider_id,
            chargers::property_id,
            chargers::station_id,
            chargers::serial_no,
            (
                charger_states::password_hashes.nullable(),
                charger_states::connection.nullable(),
                charger_states::last_seen_at.nullable(),
            ),
            clock_timestamp(),
        ))
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|(charger_id, provider_id, property_id, station_id, serial_no, state, now)| {
        let (hashes, connection, seen_at) = state;
        let owner = Owner { provider_id, property_id, station_id };
        Found {
            device: Device { charger_id, owner },
            serial_no,
            hashes: hashes.unwrap_or_default(),
            holder: connection.map(|connection| Holder { connection, seen_at }),
            now,
        }
    }))
}

/// Turns a device away and remembers it, for those who install it.
async fn knock(conn: &mut AsyncPgConnection, caller: &Caller, called: &str, reason: Refusal) -> Result<Admission> {
    use diesel::sql_types::{BigInt, Text};
    let Caller { address, offered, .. } = caller;
    tracing::info!(serial_no = %called, %address, %reason, "the device {called} at {address} was not let in: {reason}");
    metrics::counter!("wattyard_gateway_refused_total", "reason" => reason.as_str()).increment(1);
    diesel::sql_query(
        "insert into unknown_devices (serial_no, protocol, remote_address, reason) select $1, $2, $3, $4 \
         where (select count(*) from unknown_devices) < $5 or exists (select from unknown_devices where serial_no = $1) \
         on conflict (serial_no) do update set protocol = excluded.protocol, \
           remote_address = excluded.remote_address, reason = excluded.reason, \
           knocks = unknown_devices.knocks + 1, last_at = now()",
    )
    .bind::<Text, _>(called)
    .bind::<Text, _>(offered)
    .bind::<Text, _>(address)
    .bind::<Text, _>(reason.as_str())
    .bind::<BigInt, _>(MOST_STRANGERS)
    .execute(conn)
    .await?;
    Ok(Admission::Refused(reason))
}

/// What a device that is turned away is told.
fn refusal(reason: Refusal) -> actix_web::Result<HttpResponse> {
    let connected = t("该设备已有在线连接", "The device is connected already");
    let protocols = format!("Sec-WebSocket-Protocol must offer one of {}", PROTOCOLS.join(", "));
    match reason {
        Refusal::UnknownSerialNo | Refusal::WrongPath => Err(Error::NotFound.into()),
        Refusal::NoPassword | Refusal::WrongPassword => Ok(unauthorized()),
        Refusal::Occupied => Err(Error::Conflict("device_connected", connected).into()),
        Refusal::UnsupportedProtocol => Err(Error::Unreadable(protocols).into()),
    }
}

/// The subprotocols that the device offers, as it says.
fn offered(req: &HttpRequest) -> String {
    let offered = req.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).filter_map(|it| it.to_str().ok());
    offered.collect::<Vec<_>>().join(", ").chars().take(100).collect()
}

fn unauthorized() -> HttpResponse {
    HttpResponse::build(StatusCode::UNAUTHORIZED)
        .insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"ocpp\", charset=\"UTF-8\""))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_plausible_or_not() {
        for good in ["CP001", "a-b_c.d:e*f+g|h@i=j k", "7"] {
            assert!(plausible(good), "{good}");
        }
        for bad in ["", "桩1", "a/b", "<script>", &"x".repeat(49), "a\nb"] {
            assert!(!plausible(bad), "{bad:?}");
        }
    }
}
