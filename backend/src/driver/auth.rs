//! Drivers log in by telephone with a one-time code (5/1).

use actix_web::HttpResponse;
use actix_web::web::Json;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use rand::Rng;
use schema::drivers;
use shared::driver_app::{CodeRequest, CodeSent, DriverLogin, DriverMe, DriverTokens};
use shared::resource::FormMap;
use shared::text::t;
use shared::user::Refresh;
use uuid::Uuid;

use super::{code, sms};
use crate::api::body::Body;
use crate::app::{App, new_id};
use crate::auth::lockout::network;
use crate::auth::session::{self, Pair, Place, Subject};
use crate::auth::token::Audience;
use crate::crud::{DriverCtx, Guest};
use crate::error::{Error, Result};

/// `POST /auth/code`. The answer is the same whether somebody has this number or not.
pub async fn send_code(guest: Guest, Body(form): Body<FormMap>) -> Result<Json<CodeSent>> {
    let Guest { app, mut conn, lang, place, tries } = guest;
    let CodeRequest { phone } = shared::check::read(CodeRequest::FIELDS, &form, lang).map_err(Error::Invalid)?;
    let network = network(&place.ip);
    tries.allow(&format!("code {network}"), app.config.sms.codes_per_minute)?;
    let code = format!("{:06}", rand::rng().random_range(0..1_000_000));
    let digest = digest(&app, &phone, &code)?;
    let asked = code::Asked { phone: &phone, network: &network, digest: &digest };
    conn.transaction(async |conn| code::issue(conn, &asked, &app.config.sms, app.now()).await).await?;
    // A connection is not held while the gateway takes its time. The code itself is written down nowhere.
    drop(conn);
    let minutes = code::VALID.num_minutes();
    let text = format!("【智慧充电】验证码 {code}，{minutes} 分钟内有效。如非本人操作，请忽略。");
    let sent = sms::send(&app, &sms::Message { phone: &phone, text, code: &code }).await;
    if let Err(err) = sent {
        code::take_back(&mut *app.conn().await?, &asked, app.now()).await?;
        return Err(err);
    }
    Ok(Json(CodeSent { expires_in: code::VALID.num_seconds(), retry_after: code::PAUSE.num_seconds() }))
}

fn digest(app: &App, phone: &str, code: &str) -> Result<String> {
    Ok(app.tokens.keyed_digest(&format!("login code\n{phone}\n{code}"))?)
}

/// `POST /auth/login`. Who logs in first becomes a driver.
pub async fn login(guest: Guest, Body(form): Body<FormMap>) -> Result<Json<DriverTokens>> {
    let Guest { app, mut conn, lang, place, tries } = guest;
    let DriverLogin { phone, code } = shared::check::read(DriverLogin::FIELDS, &form, lang).map_err(Error::Invalid)?;
    tries.allow(&format!("code login {}", network(&place.ip)), app.config.sms.tries_per_minute)?;
    let (digest, now) = (digest(&app, &phone, &code)?, app.now());
    if !conn.transaction(async |conn| code::redeem(conn, &phone, &digest, now).await).await? {
        let text = t("验证码错误或已失效", "The code is wrong or no longer good");
        return Err(Error::Unauthenticated(text));
    }
    let tokens = conn
        .transaction(async |conn| {
            let id = enrol(conn, &phone, now).await?;
            let pair = session::start(conn, &app, Subject::Driver(id), &place).await?;
            answer(conn, pair, id).await
        })
        .await?;
    Ok(Json(tokens))
}

/// The driver with this telephone, new if there is none.
async fn enrol(conn: &mut AsyncPgConnection, phone: &str, now: DateTime<Utc>) -> Result<Uuid> {
    let new = (drivers::id.eq(new_id(now)), drivers::phone.eq(phone), drivers::created_at.eq(now));
    diesel::insert_into(drivers::table).values(new).on_conflict_do_nothing().execute(conn).await?;
    let known = diesel::update(drivers::table.filter(drivers::phone.eq(phone))).set(drivers::last_seen_at.eq(now));
    let (id, enabled): (Uuid, bool) = known.returning((drivers::id, drivers::enabled)).get_result(conn).await?;
    if enabled {
        return Ok(id);
    }
    Err(Error::Unauthenticated(t("账号已被禁用", "The account is disabled")))
}

/// `POST /auth/refresh`.
pub async fn refresh(guest: Guest, Body(form): Body<Refresh>) -> Result<Json<DriverTokens>> {
    let Guest { app, mut conn, place, .. } = guest;
    let tokens = conn.transaction(async |conn| refresh_within(conn, &app, &form.refresh_token, &place).await).await??;
    Ok(Json(tokens))
}

/// The inner error is to be committed: a token that is used twice ends its family.
async fn refresh_within(
    conn: &mut AsyncPgConnection,
    app: &App,
    token: &str,
    place: &Place,
) -> Result<Result<DriverTokens>> {
    match session::refresh(conn, app, token, Audience::Driver, place).await? {
        Ok((pair, subject)) => Ok(answer(conn, pair, subject.id()).await),
        Err(err) => Ok(Err(err)),
    }
}

/// `POST /auth/logout`.
pub async fn logout(mut ctx: DriverCtx) -> Result<HttpResponse> {
    session::revoke(&mut ctx.conn, ctx.family, ctx.app.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /me`.
pub async fn me(mut ctx: DriverCtx) -> Result<Json<DriverMe>> {
    Ok(Json(read_me(&mut ctx.conn, ctx.driver_id).await?))
}

async fn answer(conn: &mut AsyncPgConnection, pair: Pair, id: Uuid) -> Result<DriverTokens> {
    Ok(DriverTokens {
        access_token: pair.access,
        token_type: "Bearer".to_owned(),
        expires_in: pair.expires_in,
        refresh_token: pair.refresh,
        driver: read_me(conn, id).await?,
    })
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = drivers, check_for_backend(diesel::pg::Pg))]
struct Driver {
    id: Uuid,
    phone: String,
    nickname: Option<String>,
    name: Option<String>,
    plate: Option<String>,
    certified: bool,
    created_at: DateTime<Utc>,
}

async fn read_me(conn: &mut AsyncPgConnection, id: Uuid) -> Result<DriverMe> {
    let driver: Driver = drivers::table.find(id).select(Driver::as_select()).first(conn).await?;
    let Driver { id, phone, nickname, name, plate, certified, created_at } = driver;
    Ok(DriverMe { id, phone, nickname, name, plate, certified, created_at })
}
