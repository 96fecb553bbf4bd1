//! What the server knows of a request: its id and language, and who asks.

use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use shared::text::{Lang, t};
use uuid::Uuid;

use super::op::Access;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::auth::login::{self, Tries};
use crate::auth::session::Place;
use crate::auth::token::Audience;
use crate::db::Connection;
use crate::error::{Error, Result};

/// A request of a logged-in user of the console.
pub struct Ctx {
    /// The application.
    pub app: App,
    /// Who asks.
    pub caller: Caller,
    /// A connection.
    pub conn: Connection,
    /// The language to answer in.
    pub lang: Lang,
    /// Where the request came from.
    pub place: Place,
    /// The id under which the log knows it.
    pub request_id: String,
}

/// A request of a logged-in driver.
pub struct DriverCtx {
    /// The application.
    pub app: App,
    /// The driver.
    pub driver_id: Uuid,
    /// Their family of sessions.
    pub family: Uuid,
    /// A connection.
    pub conn: Connection,
    /// The language to answer in.
    pub lang: Lang,
}

/// A request of somebody who need not be logged in.
pub struct Guest {
    /// The application.
    pub app: App,
    /// A connection.
    pub conn: Connection,
    /// The language to answer in.
    pub lang: Lang,
    /// Where the request came from.
    pub place: Place,
    /// Counts tries.
    pub tries: web::Data<Tries>,
}

/// The id of a request, told in `X-Request-Id`.
#[derive(Clone)]
struct RequestId(Rc<str>);

/// What [`authorize`] found out, for the extractors to take.
enum Authorized {
    Staff(Caller, Connection),
    Driver(Uuid, Uuid, Connection),
}

/// Who acts: what an idempotency key belongs to.
#[derive(Clone, Copy)]
pub struct Actor(pub Uuid);

/// The request's language.
pub fn lang(req: &HttpRequest) -> Lang {
    let header = req.headers().get(header::ACCEPT_LANGUAGE).and_then(|it| it.to_str().ok());
    header.map_or_else(Lang::default, Lang::from_accept_language)
}

/// The request's id.
pub fn request_id(req: &HttpRequest) -> String {
    req.extensions().get::<RequestId>().map(|it| it.0.to_string()).unwrap_or_default()
}

/// Gives every request an id, logs it, counts it, and words its failure in its language.
pub async fn frame(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> actix_web::Result<ServiceResponse<BoxBody>> {
    let id: Rc<str> = Uuid::now_v7().to_string().into();
    req.extensions_mut().insert(RequestId(id.clone()));
    let started = std::time::Instant::now();
    let (method, path) = (req.method().clone(), req.path().to_owned());
    let pattern = req.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let response = match next.call(req).await {
        Ok(response) => response.map_into_boxed_body(),
        Err(err) => return Err(err),
    };
    let mut response = reworded(response, &id);
    if let Ok(value) = header::HeaderValue::from_str(&id) {
        response.headers_mut().insert(header::HeaderName::from_static("x-request-id"), value);
    }
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    crate::metrics::request(method.as_str(), &pattern, status, elapsed);
    // The query string may hold codes and tokens, so only the path is logged.
    let ms = elapsed.as_millis();
    tracing::info!(request_id = %id, %method, path, status, ms, "{method} {path} {status} in {ms} ms");
    Ok(response)
}

/// An error answers in the default language until here, where the request's language is known.
fn reworded(response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let lang = lang(response.request());
    let Some(error) = response.response().error() else { return response };
    let answer = match error.as_error::<Error>() {
        Some(error) => {
            if let Error::Internal(cause) = error {
                tracing::error!(request_id = %id, error = ?cause, "request {id} failed: {cause:#}");
            }
            error.answer(lang, Some(id.to_owned()))
        }
        None if response.status().as_u16() == 413 => Error::TooLarge.answer(lang, Some(id.to_owned())),
        None if response.status().is_client_error() => {
            Error::Unreadable(error.to_string()).answer(lang, Some(id.to_owned()))
        }
        None => Error::internal(error.to_string()).answer(lang, Some(id.to_owned())),
    };
    let (req, _) = response.into_parts();
    ServiceResponse::new(req, answer)
}

/// Lets only those through whom an operation is for. It wraps every route, so that no handler can forget it.
pub async fn authorize(access: Access, req: ServiceRequest, next: Next<BoxBody>) -> actix_web::Result<ServiceResponse> {
    let wanted = match &access {
        Access::Public => return next.call(req).await,
        Access::LoggedIn | Access::Permission(_) => Audience::Staff,
        Access::Driver => Audience::Driver,
    };
    let authorized = match identify(&access, wanted, req.request()).await {
        Ok(authorized) => authorized,
        // As an answer to this request, so that it gets its id and language and is logged like all others.
        Err(refusal) => return Ok(req.error_response(refusal)),
    };
    let actor = match &authorized {
        Authorized::Staff(caller, _) => caller.user_id,
        Authorized::Driver(id, ..) => *id,
    };
    req.extensions_mut().insert(Actor(actor));
    req.extensions_mut().insert(authorized);
    next.call(req).await
}

async fn identify(access: &Access, wanted: Audience, req: &HttpRequest) -> Result<Authorized> {
    let absent = || Error::Unauthenticated(t("请先登录", "Log in first"));
    let app = app(req)?;
    let token = bearer(req).ok_or_else(absent)?;
    let claims = app.tokens.read(token).filter(|it| it.kind == wanted);
    let claims = claims.ok_or_else(|| Error::Unauthenticated(t("登录已过期", "The login has expired")))?;
    let mut conn = app.conn().await?;
    match wanted {
        Audience::Staff => {
            let caller = Caller::load(&mut conn, claims.sub, claims.family).await?;
            let changing = matches!(req.path(), "/api/v1/auth/password" | "/api/v1/auth/me" | "/api/v1/auth/logout");
            if caller.must_change_password && !changing {
                let text = t("请先修改密码", "Change the password first");
                return Err(Error::Conflict("must_change_password", text));
            }
            if let Access::Permission(permission) = access {
                caller.require(permission)?;
            }
            Ok(Authorized::Staff(caller, conn))
        }
        Audience::Driver => {
            crate::driver::session::check(&mut conn, claims.sub, claims.family).await?;
            Ok(Authorized::Driver(claims.sub, claims.family, conn))
        }
    }
}

/// The token that a request came with. The scheme's name may be written in any case (RFC 9110, 11.1).
pub fn bearer(req: &HttpRequest) -> Option<&str> {
    let header = req.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}

/// When the access token of a request ends; the request has been let in with it.
///
/// # Errors
/// 401 when it has ended already.
pub fn expiry(req: &HttpRequest, app: &App) -> Result<tokio::time::Instant> {
    let claims = bearer(req).and_then(|it| app.tokens.read(it));
    let claims = claims.ok_or_else(|| Error::Unauthenticated(t("登录已过期", "The login has expired")))?;
    let left = claims.exp.saturating_mul(1000).saturating_sub(app.now().timestamp_millis());
    Ok(tokio::time::Instant::now() + std::time::Duration::from_millis(u64::try_from(left).unwrap_or_default()))
}

fn app(req: &HttpRequest) -> Result<App> {
    let app = req.app_data::<web::Data<App>>().ok_or_else(|| Error::internal("no application"))?;
    Ok(app.get_ref().clone())
}

fn place(req: &HttpRequest, app: &App) -> Place {
    let forwarded = req.headers().get("x-forwarded-for").and_then(|it| it.to_str().ok());
    let ip = login::peer(req.peer_addr().map(|it| it.ip()), forwarded, &app.config.http.trusted_proxies);
    let agent = req.headers().get(header::USER_AGENT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    Place { ip, agent: agent.chars().take(200).collect() }
}

impl FromRequest for Ctx {
    type Error = Error;
    type Future = std::future::Ready<Result<Self>>;
    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let authorized = req.extensions_mut().remove::<Authorized>();
        std::future::ready((|| {
            let Some(Authorized::Staff(caller, conn)) = authorized else {
                return Err(Error::internal("a staff handler on an operation that is not for staff"));
            };
            let app = app(req)?;
            let place = place(req, &app);
            Ok(Self { caller, conn, lang: lang(req), place, request_id: request_id(req), app })
        })())
    }
}

impl FromRequest for DriverCtx {
    type Error = Error;
    type Future = std::future::Ready<Result<Self>>;
    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let authorized = req.extensions_mut().remove::<Authorized>();
        std::future::ready((|| {
            let Some(Authorized::Driver(driver_id, family, conn)) = authorized else {
                return Err(Error::internal("a driver's handler on an operation that is not for drivers"));
            };
            Ok(Self { app: app(req)?, driver_id, family, conn, lang: lang(req) })
        })())
    }
}

impl FromRequest for Guest {
    type Error = Error;
    type Future = futures_util::future::LocalBoxFuture<'static, Result<Self>>;
    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let app = app(&req)?;
            let tries = req.app_data::<web::Data<Tries>>().cloned().ok_or_else(|| Error::internal("no tries"))?;
            let conn = app.conn().await?;
            let place = place(&req, &app);
            Ok(Self { conn, lang: lang(&req), place, tries, app })
        })
    }
}
