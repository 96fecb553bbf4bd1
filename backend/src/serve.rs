//! Runs the server until told to stop: API, console, gateway and workers in one process, or some of them.

use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::{App as Actix, HttpResponse, HttpServer, web};
use anyhow::{Context, Result};
use diesel_async::AsyncPgConnection;
use tokio::sync::{Mutex, MutexGuard};
use utoipa_swagger_ui::SwaggerUi;

use crate::api::peers::Peers;
use crate::api::{op, openapi, request};
use crate::app::{App, Core};
use crate::auth::login::Tries;
use crate::config::{Part, Process};
use crate::error::Error;
use crate::{db, gateway, jobs, metrics, retention, router};

/// The largest body of any request; what takes less says so itself.
const MAX_BODY: usize = 10 << 20;

/// A server that is running.
pub struct Running {
    /// Where it listens.
    pub address: std::net::SocketAddr,
    /// Ends when the server has stopped.
    pub server: actix_web::dev::Server,
}

/// Binds and starts; the returned server must be awaited.
///
/// # Errors
/// The address is taken, or the OpenAPI document cannot be written.
pub fn start(core: std::sync::Arc<Core>) -> Result<Running> {
    metrics::install()?;
    let document = web::Data::new(openapi::json(&router::operations())?);
    let tries = web::Data::new(Tries::default());
    let probe = web::Data::new(Probe::default());
    let workers = core.config.http.worker_count();
    let address = core.config.http.address;
    let max_connections = core.config.gateway.max_connections + 1000;
    let process = core.config.process.clone();
    let peers = Peers::new(&core.config.http);
    let server = HttpServer::new(move || {
        // Each worker has its own connections: a connection is driven by the runtime that opened it.
        let app = App::answering(core.clone()).map(web::Data::new);
        let (document, tries, probe) = (document.clone(), tries.clone(), probe.clone());
        let process = process.clone();
        Actix::new()
            .configure(move |config| {
                if let Ok(app) = app {
                    config.app_data(app);
                }
                config.app_data(document).app_data(tries).app_data(probe).app_data(web::PayloadConfig::new(MAX_BODY));
            })
            .app_data(web::PathConfig::default().error_handler(|_, _| Error::NotFound.into()))
            .wrap(Compress::default())
            .wrap(from_fn(request::frame))
            .wrap(from_fn(harden))
            .service(web::resource("/livez").to(async || "ok"))
            .service(web::resource("/readyz").to(ready))
            .service(web::resource("/metrics").to(metrics::with_token))
            .configure(move |config| mount(&process, config))
    })
    .on_connect(move |connection, data| peers.enter(connection, data))
    .workers(workers)
    .max_connections(max_connections)
    .backlog(4096)
    .shutdown_timeout(8)
    .disable_signals()
    .bind(address)
    .with_context(|| format!("cannot listen on {address}"))?;
    let address = server.addrs().as_slice().first().copied().unwrap_or(address);
    Ok(Running { address, server: server.run() })
}

/// Mounts the parts that this process serves.
fn mount(process: &Process, config: &mut web::ServiceConfig) {
    if process.serves(Part::Gateway) {
        gateway::mount(config);
    }
    if process.serves(Part::Api) {
        mount_api(config);
    } else {
        config.default_service(web::to(async || HttpResponse::from_error(Error::NotFound)));
    }
}

fn mount_api(config: &mut web::ServiceConfig) {
    let reader = utoipa_swagger_ui::Config::from("/api/openapi.json");
    config
        .service(web::resource("/api/openapi.json").to(openapi_json))
        .service(web::redirect("/api/docs", "/api/docs/"))
        .service(SwaggerUi::new("/api/docs/{_:.*}").config(reader));
    op::mount(router::operations(), config);
    config.default_service(web::to(crate::console::serve));
}

async fn openapi_json(document: web::Data<String>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document.get_ref().clone())
}

/// What the reader of the document may load: its own files, and the styles and pictures that its scripts make.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// Nobody takes an answer for another kind of file, and nobody keeps it, unless it says so itself.
async fn harden(
    req: ServiceRequest,
    next: Next<impl MessageBody>,
) -> actix_web::Result<ServiceResponse<impl MessageBody>> {
    let docs = req.path().starts_with("/api/docs");
    let mut response = next.call(req).await?;
    let headers = response.headers_mut();
    let mut unless_said = |name, value| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    unless_said(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    unless_said(header::CACHE_CONTROL, "no-store");
    if docs {
        unless_said(header::CONTENT_SECURITY_POLICY, DOCS_POLICY);
        unless_said(header::X_FRAME_OPTIONS, "DENY");
    }
    Ok(response)
}

/// When it was last seen whether the database can be written, and what came of it.
#[derive(Default)]
struct Probe(Mutex<Option<(Instant, bool)>>);

impl Probe {
    /// Whoever asks sooner is told the same again.
    const REST: Duration = Duration::from_secs(3);

    /// What was seen a moment ago, or else the right to look again. Whoever waits for somebody who looks, for a disk may
    /// hang, does so before they have a connection.
    async fn seen(&self) -> std::result::Result<bool, MutexGuard<'_, Option<(Instant, bool)>>> {
        let last = self.0.lock().await;
        match *last {
            Some((at, told)) if at.elapsed() < Self::REST => Ok(told),
            _ => Err(last),
        }
    }

    async fn look(mut last: MutexGuard<'_, Option<(Instant, bool)>>, conn: &mut AsyncPgConnection) -> bool {
        let tried = db::try_writing(conn).await;
        if let Err(err) = &tried {
            tracing::error!(error = %err, "the database cannot be written: {err}");
        }
        *last = Some((Instant::now(), tried.is_ok()));
        tried.is_ok()
    }
}

/// `GET /readyz`: the database can be reached and written, and its schema is the newest.
async fn ready(app: web::Data<App>, probe: web::Data<Probe>) -> Result<&'static str, Error> {
    let text = shared::text::t("尚未就绪", "Not ready");
    let not_ready = || Error::Unavailable("not_ready", text);
    if app.stopping.is_cancelled() {
        return Err(not_ready());
    }
    let seen = probe.seen().await;
    let mut conn = app.conn().await?;
    let current = db::pending(&mut conn).await.is_ok_and(|it| it.is_empty());
    let writable = match seen {
        Ok(seen) => seen,
        Err(last) => Probe::look(last, &mut conn).await,
    };
    if current && writable { Ok("ready") } else { Err(not_ready()) }
}

/// Runs until SIGTERM or SIGINT, then drains: no new requests, running ones finish, sockets close.
///
/// # Errors
/// The server cannot start.
pub async fn run(core: std::sync::Arc<Core>) -> Result<()> {
    let running = start(core.clone())?;
    let (address, parts) = (running.address, &core.config.process.parts);
    tracing::info!(%address, ?parts, "serving on http://{address}: {parts:?}");
    let handle = running.server.handle();
    let metrics = metrics::listen(&core.config.metrics).map(|it| (it.handle(), tokio::spawn(it)));
    let listener = tokio::spawn({
        let core = core.clone();
        async move { core.hub.listen(&core.database_url, core.stopping.clone()).await }
    });
    let worker = spawn_background(&App::new(core.clone())?);
    let server = tokio::spawn(running.server);
    stop_signal().await?;
    tracing::info!("stopping");
    core.stopping.cancel();
    handle.stop(true).await;
    server.await??;
    if let Some((handle, server)) = metrics {
        handle.stop(false).await;
        server.await??;
    }
    // What is left undone stays in the database and is done after the next start.
    let _ = tokio::time::timeout(Duration::from_secs(2), futures_util::future::join(listener, worker)).await;
    Ok(())
}

/// Starts what works beside the requests.
pub fn spawn_background(app: &App) -> tokio::task::JoinHandle<()> {
    let app = app.clone();
    tokio::spawn(async move {
        let worker = async {
            if app.config.process.serves(Part::Worker) {
                retention::begin(&app).await;
                jobs::worker::work(app.clone(), router::JOBS).await;
            }
        };
        let gateway = async {
            if app.config.process.serves(Part::Gateway) {
                gateway::run(app.clone()).await;
            }
        };
        tokio::join!(worker, gateway);
    })
}

/// Waits for SIGTERM or SIGINT.
///
/// # Errors
/// Signals cannot be caught here.
pub async fn stop_signal() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
