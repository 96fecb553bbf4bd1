//! Settings of the platform, read where they count: in the database, so that a change counts at once in every process.

use actix_web::HttpRequest;
use actix_web::web::Json;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::settings;
use shared::resource::FormMap;
use shared::system::settings::{FIELDS, Language, PublicSettings, Settings};
use shared::text::t;
use uuid::Uuid;

use super::rights;
use crate::api::body::Body;
use crate::api::op::Op;
use crate::auth::token::digest;
use crate::crud::audit::{Deed, record};
use crate::crud::{Ctx, Guest, json, routes};
use crate::error::{Error, Result};

#[derive(Queryable, Selectable, AsChangeset)]
#[diesel(table_name = settings, check_for_backend(Pg), treat_none_as_null = true)]
struct Stored {
    name: String,
    logo: Option<String>,
    language: Language,
    access_minutes: i32,
    session_days: i32,
    sessions_per_user: i32,
    frame_days: i32,
    login_days: i32,
    audit_days: i32,
    version: i64,
}

impl From<Stored> for Settings {
    fn from(it: Stored) -> Self {
        Self {
            name: it.name,
            logo: it.logo,
            language: it.language,
            access_minutes: it.access_minutes,
            session_days: it.session_days,
            sessions_per_user: it.sessions_per_user,
            frame_days: it.frame_days,
            login_days: it.login_days,
            audit_days: it.audit_days,
            version: it.version,
        }
    }
}

impl From<Settings> for Stored {
    fn from(it: Settings) -> Self {
        Self {
            name: it.name,
            logo: it.logo,
            language: it.language,
            access_minutes: it.access_minutes,
            session_days: it.session_days,
            sessions_per_user: it.sessions_per_user,
            frame_days: it.frame_days,
            login_days: it.login_days,
            audit_days: it.audit_days,
            version: it.version,
        }
    }
}

/// The settings in force.
///
/// # Errors
/// The database's.
pub async fn read(conn: &mut AsyncPgConnection) -> Result<Settings> {
    Ok(settings::table.select(Stored::as_select()).first(conn).await?.into())
}

/// `GET /system/settings`.
async fn find(mut ctx: Ctx) -> Result<Json<Settings>> {
    Ok(Json(read(&mut ctx.conn).await?))
}

/// `GET /system/settings/public`: for the page on which one logs in.
async fn find_public(mut guest: Guest) -> Result<Json<PublicSettings>> {
    let Settings { name, logo, language, .. } = read(&mut guest.conn).await?;
    Ok(Json(PublicSettings { name, logo, language }))
}

/// `PUT /system/settings`.
async fn update(ctx: Ctx, req: HttpRequest, Body(mut form): Body<FormMap>) -> Result<Json<Settings>> {
    let version = routes::asked_version(&req, &mut form)?;
    let form: Settings = shared::check::read(FIELDS, &form, ctx.lang).map_err(Error::Invalid)?;
    if let Some(logo) = &form.logo {
        require_picture(logo)?;
    }
    rights::require_unbound(&ctx.caller)?;
    let actor = ctx.actor();
    let mut conn = ctx.conn;
    let after = conn
        .transaction(async |conn| {
            let before: Settings =
                settings::table.select(Stored::as_select()).for_update().first::<Stored>(conn).await?.into();
            if before.version != version {
                let text = t("数据已被他人修改，请刷新后重试", "Somebody changed it in the meantime; read it again");
                return Err(Error::Conflict("stale", text));
            }
            let after = Settings { version: before.version + 1, ..form };
            diesel::update(settings::table)
                .set((Stored::from(after.clone()), settings::updated_at.eq(diesel::dsl::now)))
                .execute(conn)
                .await?;
            let deed = Deed { resource: "system/settings", action: "update", id: Uuid::nil(), name: &after.name };
            record(conn, &actor, deed, Some(&json(&told(&before))?), Some(&json(&told(&after))?)).await?;
            Ok(after)
        })
        .await?;
    Ok(Json(after))
}

/// As the audit trail tells them: which logo, not all of it.
fn told(it: &Settings) -> Settings {
    Settings { logo: it.logo.as_deref().map(|it| format!("sha256 {}", digest(it))), ..it.clone() }
}

/// Refuses a data URL whose bytes are not the picture that it says they are.
fn require_picture(logo: &str) -> Result<()> {
    let broken = || Error::field("logo", "format", t("不是有效的图片", "Not a picture"));
    let (head, body) = logo.split_once(',').ok_or_else(broken)?;
    let bytes = STANDARD.decode(body).map_err(|_| broken())?;
    let right = match head {
        "data:image/png;base64" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "data:image/jpeg;base64" => bytes.starts_with(b"\xff\xd8\xff"),
        "data:image/webp;base64" => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        _ => false,
    };
    if right { Ok(()) } else { Err(broken()) }
}

/// The operations of settings.
pub fn operations() -> Vec<Op> {
    let path = "/api/v1/system/settings";
    let ops = [
        Op::get(path, "getSettings", t("平台设置", "The settings"))
            .permission("system.settings.view")
            .returns::<Settings>()
            .to(find),
        Op::put(path, "updateSettings", t("修改平台设置", "Change the settings"))
            .permission("system.settings.update")
            .form::<Settings>(FIELDS)
            .returns::<Settings>()
            .to(update),
        Op::get(
            format!("{path}/public"),
            "getPublicSettings",
            t("公开设置", "What everybody may know of the settings"),
        )
        .public()
        .returns::<PublicSettings>()
        .to(find_public),
    ];
    ops.into_iter().map(|op| op.tag("system/settings")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_what_they_say() {
        let url = |media: &str, bytes: &[u8]| format!("data:image/{media};base64,{}", STANDARD.encode(bytes));
        let png = b"\x89PNG\r\n\x1a\n rest";
        assert!(require_picture(&url("png", png)).is_ok());
        assert!(require_picture(&url("jpeg", b"\xff\xd8\xff\xe0")).is_ok());
        assert!(require_picture(&url("webp", b"RIFF\0\0\0\0WEBPVP8 ")).is_ok());
        for wrong in [&url("jpeg", png), &url("svg+xml", b"<svg>"), &url("png", b"<script>"), "data:image/png;base64,!"]
        {
            assert!(require_picture(wrong).is_err(), "{wrong}");
        }
    }
}
