//! Lets a device in: it must be known, know its password and speak a protocol of ours.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{charger_states, chargers};
use sha2::{Digest, Sha256};
use shared::codes::Code;
use shared::text::t;
use shared::unregistered::Refusal;
use std::sync::Arc;
use uuid::Uuid;

use super::registry::Line;
use super::socket;
use crate::app::App;
use crate::auth::login;
use crate::auth::scope::Owner;
use crate::charging::Device;
use crate::db::lower;
use crate::error::{Error, Result};
use crate::presence::Arrival;

/// The subprotocols that we speak.
const PROTOCOLS: &[&str] = &["ocpp1.6"];
/// The longest identity that a device may have.
const MAX_SERIAL_NO: usize = 48;
/// Strangers that are remembered at most: anybody can knock under any name.
const MOST_STRANGERS: i64 = 5000;

/// `GET /ocpp/{serial_no}`: upgrades to a WebSocket, or says why not.
pub async fn connect(
    app: web::Data<App>,
    serial_no: web::Path<String>,
    req: HttpRequest,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let app = app.get_ref().clone();
    if app.stopping.is_cancelled() {
        return Err(Error::Unavailable("stopping", t("服务即将停止", "The server is stopping")).into());
    }
    // Refuses what is no WebSocket handshake at all. Until the response is sent, nothing is upgraded.
    let (response, session, stream) = actix_ws::handle_with_protocols(&req, body, PROTOCOLS)?;
    let forwarded = req.headers().get("x-forwarded-for").and_then(|it| it.to_str().ok());
    let address = login::peer(req.peer_addr().map(|it| it.ip()), forwarded, &app.config.http.trusted_proxies);
    let caller = Caller { called: serial_no.into_inner(), address, offered: offered(&req), password: password(&req) };
    let (device, admitted_at) = match admit(&app, &caller).await? {
        Admission::Admitted(device, at) => (device, at),
        Admission::Unknown => return Err(Error::NotFound.into()),
        Admission::WrongPassword => return Ok(unauthorized()),
    };
    if !response.headers().contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        let why = format!("Sec-WebSocket-Protocol must offer one of {}", PROTOCOLS.join(", "));
        return Err(Error::Unreadable(why).into());
    }
    let line = Arc::new(Line::new(device.charger_id, admitted_at, app.now()));
    let Ok(replaces) = app.gateway.registry.enter(&line, app.gateway.most) else {
        return Err(Error::Unavailable("full", t("连接数已满", "There are too many connections")).into());
    };
    let arrival = Arrival { connection: line.id, called: caller.called, remote_address: caller.address };
    actix_web::rt::spawn(socket::serve(socket::Opened { app, device, line, replaces, arrival }, session, stream));
    Ok(response)
}

/// Who wants to come in.
struct Caller {
    /// What it calls itself.
    called: String,
    /// Where it is.
    address: String,
    /// The subprotocols that it speaks.
    offered: String,
    /// Name and password of basic authentication, not separated yet.
    password: Option<Vec<u8>>,
}

enum Admission {
    /// This device, at this time by the clock of the database.
    Admitted(Device, DateTime<Utc>),
    Unknown,
    WrongPassword,
}

async fn admit(app: &App, caller: &Caller) -> Result<Admission> {
    // What cannot be an identity is not worth a question, nor a place in the list of strangers.
    if !plausible(&caller.called) {
        return Ok(Admission::Unknown);
    }
    let _turn = app.gateway.turn().await;
    let mut conn = app.conn().await?;
    let Some(Found { device, serial_no, hashes, now }) = find(&mut conn, &caller.called).await? else {
        knock(&mut conn, caller, Refusal::UnknownSerialNo).await?;
        return Ok(Admission::Unknown);
    };
    let given = caller.password.as_deref().and_then(|it| secret(it, &serial_no));
    if hashes.is_empty() || given.is_some_and(|it| matches(it, &hashes)) {
        return Ok(Admission::Admitted(device, now));
    }
    let reason = if caller.password.is_some() { Refusal::WrongPassword } else { Refusal::NoPassword };
    knock(&mut conn, caller, reason).await?;
    Ok(Admission::WrongPassword)
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
    /// The time by the clock of the database.
    now: DateTime<Utc>,
}

/// A charger by its identity in any letter case.
async fn find(conn: &mut AsyncPgConnection, called: &str) -> Result<Option<Found>> {
    diesel::define_sql_function! { fn clock_timestamp() -> diesel::sql_types::Timestamptz; }
    type Row = (Uuid, Uuid, Uuid, Uuid, String, Option<Vec<String>>, DateTime<Utc>);
    let row: Option<Row> = chargers::table
        .left_join(charger_states::table)
        .filter(lower(chargers::serial_no).eq(called.to_lowercase()))
        .select((
            chargers::id,
            chargers::provider_id,
            chargers::property_id,
            chargers::station_id,
            chargers::serial_no,
            charger_states::password_hashes.nullable(),
            clock_timestamp(),
        ))
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|(charger_id, provider_id, property_id, station_id, serial_no, hashes, now)| {
        let owner = Owner { provider_id, property_id, station_id };
        Found { device: Device { charger_id, owner }, serial_no, hashes: hashes.unwrap_or_default(), now }
    }))
}

/// Remembers a device that was not let in, for those who install it.
async fn knock(conn: &mut AsyncPgConnection, caller: &Caller, reason: Refusal) -> Result<()> {
    use diesel::sql_types::{BigInt, Text};
    let Caller { called, address, offered, password: _ } = caller;
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
    Ok(())
}

/// The subprotocols that the device offers, as it says.
fn offered(req: &HttpRequest) -> String {
    let offered = req.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).filter_map(|it| it.to_str().ok());
    offered.collect::<Vec<_>>().join(", ").chars().take(100).collect()
}

/// Name and password of basic authentication. They are bytes, not necessarily text.
fn password(req: &HttpRequest) -> Option<Vec<u8>> {
    let header = req.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    STANDARD.decode(encoded.trim()).ok()
}

/// The password behind `serial_no:`; the identity itself may hold colons.
fn secret<'a>(credentials: &'a [u8], serial_no: &str) -> Option<&'a [u8]> {
    let (name, rest) = credentials.split_at_checked(serial_no.len())?;
    if !name.eq_ignore_ascii_case(serial_no.as_bytes()) {
        return None;
    }
    rest.strip_prefix(b":")
}

/// The hashes under which a charger's password is stored. A key of hexadecimal digits stands for bytes, and chargers
/// send either of them.
pub fn password_hashes(password: &str) -> Vec<String> {
    let mut hashes = vec![digest(&text_form(password.as_bytes()))];
    if let Some(bytes) = from_hex(password.as_bytes()) {
        hashes.push(digest(&bytes));
    }
    hashes
}

/// Compares in the same time whatever differs.
fn matches(given: &[u8], hashes: &[String]) -> bool {
    let forms = [digest(given), digest(&text_form(given))];
    let equal =
        |a: &str, b: &str| a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0;
    let pairs = forms.iter().flat_map(|form| hashes.iter().map(move |hash| (form, hash)));
    pairs.fold(false, |found, (form, hash)| found | equal(form, hash))
}

/// Hexadecimal digits in one letter case; any other password as it is.
fn text_form(password: &[u8]) -> Vec<u8> {
    if from_hex(password).is_some() { password.to_ascii_lowercase() } else { password.to_vec() }
}

/// The bytes that an authorization key of 32 to 40 hexadecimal digits stands for.
fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    if !(32..=40).contains(&text.len()) || !text.len().is_multiple_of(2) {
        return None;
    }
    let digits: Vec<u8> = text.iter().filter_map(|it| char::from(*it).to_digit(16)?.try_into().ok()).collect();
    if digits.len() != text.len() {
        return None;
    }
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

fn digest(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
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

    #[test]
    fn the_identity_is_cut_off_even_with_colons_in_it() {
        assert_eq!(secret(b"CP:1:pass:word", "cp:1"), Some(&b"pass:word"[..]));
        assert_eq!(secret(b"CP1:", "CP1"), Some(&b""[..]));
        for wrong in [&b"CP2:pass"[..], b"CP1", b"CP1pass", b"", b"CP"] {
            assert_eq!(secret(wrong, "CP1"), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_hexadecimal_key_is_right_as_text_and_as_bytes() {
        let key = "00FF10aBcD00112233445566778899aA";
        let hashes = password_hashes(key);
        let bytes = from_hex(key.as_bytes()).unwrap();
        assert_eq!((bytes.len(), &bytes[..4]), (16, &[0x00, 0xff, 0x10, 0xab][..]));
        for right in [key.as_bytes(), key.to_uppercase().as_bytes(), &bytes] {
            assert!(matches(right, &hashes), "{right:?}");
        }
        for wrong in [&b"00FF10aBcD00112233445566778899aB"[..], &bytes[..15], b""] {
            assert!(!matches(wrong, &hashes), "{wrong:?}");
        }
        let plain = password_hashes("Secret-Pass");
        assert_eq!(plain.len(), 1);
        assert!(matches(b"Secret-Pass", &plain) && !matches(b"secret-pass", &plain));
        assert!(!matches(b"anything", &[]));
    }
}
