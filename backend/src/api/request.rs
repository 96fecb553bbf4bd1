//! What the server knows of a request: its id and language, and who asks.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::{ConnectionType, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use diesel_async::AsyncPgConnection;
use futures_util::FutureExt;
use shared::text::{Lang, t};
use uuid::Uuid;

use super::idempotency::{Key, Used};
use super::intake::Received;
use super::op::Access;
use super::peers;
use super::work::Work;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::auth::login::{self, Tries};
use crate::auth::session::Place;
use crate::auth::token::{Audience, Claims};
use crate::error::{Error, Result};

/// A request of a logged-in user of the console.
pub struct Ctx {
    /// The application.
    pub app: App,
    /// Who asks.
    pub caller: Caller,
    /// The one connection.
    pub conn: Work,
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
    /// The one connection.
    pub conn: Work,
    /// The language to answer in.
    pub lang: Lang,
}

/// A request of somebody who need not be logged in.
pub struct Guest {
    /// The application.
    pub app: App,
    /// The one connection.
    pub conn: Work,
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

/// Who asks.
enum Who {
    Staff(Caller),
    Driver { id: Uuid, family: Uuid },
}

/// What [`admit`] found out, for the extractors to take.
struct Authorized(Who, Work);

/// What the middleware around an operation knows of it.
pub struct Rules {
    /// Its operationId.
    pub id: Arc<str>,
    /// Who may use it.
    pub access: Access,
    /// It is done once under a key.
    pub keyed: bool,
    /// The largest body it takes; `None` is for what only reads.
    pub body: Option<usize>,
    /// The field of the body that names the row it is about, where its path does not.
    pub about: Option<&'static str>,
}

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
    let lang = lang(req.request());
    if peers::crowded(&req) {
        let text = t("同一地址的连接过多，请稍后再试", "Too many connections from this address; try again later");
        let mut refused = reworded(req.error_response(Error::Limited(5, text)), &id);
        refused.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        return Ok(refused);
    }
    let response = match AssertUnwindSafe(next.call(req)).catch_unwind().await {
        Ok(Ok(response)) => response.map_into_boxed_body(),
        Ok(Err(err)) => return Err(err),
        // What the handler held is dropped, its transaction with it. The request went with it too, so that the answer is
        // an error.
        Err(_) => {
            let failure = Error::internal("a handler panicked");
            tracing::error!(request_id = %id, %method, path, "{method} {path} panicked");
            crate::metrics::request(method.as_str(), &pattern, 500, started.elapsed());
            let mut answer = failure.answer(lang, Some(id.to_string()));
            mark(answer.headers_mut(), &id);
            return Err(InternalError::from_response(failure, answer).into());
        }
    };
    let mut response = reworded(response, &id);
    mark(response.headers_mut(), &id);
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    crate::metrics::request(method.as_str(), &pattern, status, elapsed);
    // The query string may hold codes and tokens, so only the path is logged.
    let ms = elapsed.as_millis();
    tracing::info!(request_id = %id, %method, path, status, ms, "{method} {path} {status} in {ms} ms");
    Ok(response)
}

fn mark(headers: &mut header::HeaderMap, id: &str) {
    if let Ok(value) = header::HeaderValue::from_str(id) {
        headers.insert(header::HeaderName::from_static("x-request-id"), value);
    }
}

/// An error answers in the default language until here, where the request's language is known.
fn reworded(response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let lang = lang(response.request());
    let Some(error) = response.response().error() else { return refused_method(response, lang, id) };
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

/// An address that is there, asked by another method than it takes, says so in words too; `Allow` names those it takes.
fn refused_method(response: ServiceResponse<BoxBody>, lang: Lang, id: &str) -> ServiceResponse<BoxBody> {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let (req, refused) = response.into_parts();
    let mut answer = Error::Method.answer(lang, Some(id.to_owned()));
    if let Some(allowed) = refused.headers().get(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allowed.clone());
    }
    ServiceResponse::new(req, answer)
}

/// Lets only those through whom an operation is for. It wraps every route, so that no handler can forget it.
pub async fn authorize(
    rules: Rc<Rules>,
    req: ServiceRequest,
    next: Next<BoxBody>,
) -> actix_web::Result<ServiceResponse> {
    let request = req.request().clone();
    // As an answer to this request, so that it gets its id and language and is logged like all others.
    Ok(admit(rules, req, next).await.unwrap_or_else(|refusal| ServiceResponse::from_err(refusal, request)))
}

/// Checks a request, does it, and answers; a refusal is an error.
///
/// What costs the server most comes last: the signature of the token is checked, which needs no database; then the body is
/// taken in; then a turn to write; and only then a connection, on which the caller is looked up and which the handler gets.
async fn admit(rules: Rc<Rules>, mut req: ServiceRequest, next: Next<BoxBody>) -> actix_web::Result<ServiceResponse> {
    let app = app(req.request())?;
    let claims = claims(&app, &rules.access, req.request())?;
    let Received { bytes, memory } = match rules.body {
        Some(limit) => receive(&app, &mut req, limit).await?,
        None => Received::default(),
    };
    let Some(claims) = claims else {
        let answer = next.call(req).await;
        drop(memory);
        return answer;
    };
    let turn = match rules.body {
        Some(_) => Some(app.turn(Some(claims.sub), row(&req, &rules, &bytes)).await?),
        None => None,
    };
    let mut conn = app.conn().await?;
    let who = identify(&mut conn, &rules.access, &claims, req.path()).await?;
    let key = match rules.keyed {
        true => Some(Key::of(req.request(), claims.sub, &rules.id, &bytes)?),
        false => None,
    };
    req.extensions_mut().insert(Authorized(who, Work::new(conn, turn, key.clone())));
    if rules.body.is_none() {
        return next.call(req).await;
    }
    // What was begun is brought to its end, whether or not the client waits for it.
    let handled = actix_web::rt::spawn(async move {
        let answer = next.call(req).await;
        drop(memory);
        answer
    });
    let mut answer = handled.await.map_err(|err| Error::internal(format!("a handler was broken off: {err}")))??;
    if let Some(key) = key.filter(|_| answer.status().is_success()) {
        match key.used() {
            Some(Used::Done) => {}
            Some(Used::Replayed) => {
                let name = header::HeaderName::from_static("idempotent-replayed");
                answer.headers_mut().insert(name, header::HeaderValue::from_static("true"));
            }
            None => return Err(Error::internal(format!("{} did not use its key", rules.id)).into()),
        }
    }
    Ok(answer)
}

/// Reads the token, without the database; nothing where everybody may come.
fn claims(app: &App, access: &Access, req: &HttpRequest) -> Result<Option<Claims>> {
    let wanted = match access {
        Access::Public => return Ok(None),
        Access::LoggedIn | Access::Permission(_) => Audience::Staff,
        Access::Driver => Audience::Driver,
    };
    let absent = || Error::Unauthenticated(t("请先登录", "Log in first"));
    let token = bearer(req).ok_or_else(absent)?;
    let claims = app.tokens.read(token).filter(|it| it.kind == wanted);
    claims.map(Some).ok_or_else(|| Error::Unauthenticated(t("登录已过期", "The login has expired")))
}

/// Takes the body in, and gives it to the extractors.
async fn receive(app: &App, req: &mut ServiceRequest, limit: usize) -> Result<Received> {
    let header = |name| req.headers().get(name).and_then(|it| it.to_str().ok());
    if header(header::CONTENT_LENGTH).and_then(|it| it.parse().ok()).is_some_and(|it: usize| it > limit) {
        return Err(Error::TooLarge);
    }
    // It would have no size before it is unpacked.
    if header(header::CONTENT_ENCODING).is_some_and(|it| it != "identity") {
        return Err(Error::Unreadable("a body with a Content-Encoding is not taken".to_owned()));
    }
    let address = place(req.request(), app).ip;
    let received = app.intake.receive(&mut req.take_payload(), &address, limit).await?;
    req.set_payload(Payload::from(received.bytes.clone()));
    Ok(received)
}

/// The row that a request is about, as its path or its body says.
fn row(req: &ServiceRequest, rules: &Rules, body: &[u8]) -> Option<Uuid> {
    if let Some(id) = req.match_info().get("id") {
        return id.parse().ok();
    }
    let body: serde_json::Value = serde_json::from_slice(rules.about.map(|_| body)?).ok()?;
    body.get(rules.about?)?.as_str()?.parse().ok()
}

async fn identify(conn: &mut AsyncPgConnection, access: &Access, claims: &Claims, path: &str) -> Result<Who> {
    if *access == Access::Driver {
        crate::driver::session::check(conn, claims.sub, claims.family).await?;
        return Ok(Who::Driver { id: claims.sub, family: claims.family });
    }
    let caller = Caller::load(conn, claims.sub, claims.family).await?;
    let changing = matches!(path, "/api/v1/auth/password" | "/api/v1/auth/me" | "/api/v1/auth/logout");
    if caller.must_change_password && !changing {
        let text = t("请先修改密码", "Change the password first");
        return Err(Error::Conflict("must_change_password", text));
    }
    if let Access::Permission(permission) = access {
        caller.require(permission)?;
    }
    Ok(Who::Staff(caller))
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
            let Some(Authorized(Who::Staff(caller), conn)) = authorized else {
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
            let Some(Authorized(Who::Driver { id: driver_id, family }, conn)) = authorized else {
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
            let turn = if req.method().is_safe() { None } else { Some(app.turn(None, None).await?) };
            let conn = Work::new(app.conn().await?, turn, None);
            let place = place(&req, &app);
            Ok(Self { conn, lang: lang(&req), place, tries, app })
        })
    }
}
