//! What happened, told to those who may know: `NOTIFY` between processes, a hub within one, server-sent events out.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use diesel::sql_types::{Array, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::auth::scope::Owner;
use crate::crud::Ctx;
use crate::error::Result;

/// Something changed. Clients read the thing itself again; the event only says which.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Happening {
    /// What kind of thing: `car_order`, `charger`, `connector`, `command`, `payment`, `refund`.
    pub kind: String,
    /// Which one.
    pub id: Uuid,
    /// Whose it is.
    pub owner: Owner,
    /// The driver whom it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_id: Option<Uuid>,
}

/// What a client is told.
#[derive(Serialize, utoipa::ToSchema)]
pub struct EventBody<'a> {
    /// What kind of thing.
    #[schema(example = "car_order")]
    kind: &'a str,
    /// Which one.
    id: Uuid,
}

/// The channel of `NOTIFY` that carries happenings.
pub const CHANNEL: &str = "wattyard_events";
/// The channel that wakes gateways for commands; its payload is the device's id.
pub const COMMANDS: &str = "wattyard_commands";
/// The channel that wakes workers for jobs.
pub const JOBS: &str = "wattyard_jobs";

/// Distributes what happened within this process.
pub struct Hub {
    happenings: broadcast::Sender<Happening>,
    commands: broadcast::Sender<Uuid>,
    jobs: tokio::sync::Notify,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            happenings: broadcast::channel(1024).0,
            commands: broadcast::channel(1024).0,
            jobs: tokio::sync::Notify::new(),
        }
    }
}

impl Hub {
    /// Hears of everything from now on. A listener that is too slow loses the oldest.
    pub fn happenings(&self) -> broadcast::Receiver<Happening> {
        self.happenings.subscribe()
    }

    /// Hears of devices with commands to carry out.
    pub fn commands(&self) -> broadcast::Receiver<Uuid> {
        self.commands.subscribe()
    }

    /// Waits until there may be a job.
    pub async fn job(&self) {
        self.jobs.notified().await;
    }

    fn take(&self, channel: &str, payload: &str) {
        // Nobody listening is not an error.
        match channel {
            CHANNEL => {
                if let Ok(it) = serde_json::from_str(payload) {
                    let _ = self.happenings.send(it);
                }
            }
            COMMANDS => {
                if let Ok(id) = payload.parse() {
                    let _ = self.commands.send(id);
                }
            }
            _ => self.jobs.notify_one(),
        }
    }

    /// Listens to the database until told to stop; reconnects when the connection breaks.
    pub async fn listen(&self, url: &str, stopping: tokio_util::sync::CancellationToken) {
        while !stopping.is_cancelled() {
            tokio::select! {
                () = stopping.cancelled() => return,
                ended = self.listen_once(url) => if let Err(err) = ended {
                    tracing::warn!(error = %err, "listening to the database ended: {err}");
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn listen_once(&self, url: &str) -> anyhow::Result<()> {
        let mut conn = crate::db::connect(url).await?;
        for channel in [CHANNEL, COMMANDS, JOBS] {
            diesel::sql_query(format!("listen {channel}")).execute(&mut conn).await?;
        }
        // What was told while nobody listened: let the workers look.
        self.jobs.notify_one();
        let mut told = std::pin::pin!(conn.notifications_stream());
        while let Some(it) = told.next().await {
            let it = it?;
            self.take(&it.channel, &it.payload);
        }
        Ok(())
    }
}

/// Tells everybody, once the transaction is committed.
///
/// # Errors
/// The database's.
pub async fn tell(conn: &mut AsyncPgConnection, happening: &Happening) -> Result<()> {
    let payload = serde_json::to_string(happening).map_err(anyhow::Error::from)?;
    notify(conn, CHANNEL, &payload).await
}

/// Tells everybody of many things at once.
///
/// # Errors
/// The database's.
pub async fn tell_all(conn: &mut AsyncPgConnection, happenings: &[Happening]) -> Result<()> {
    let payloads: Result<Vec<String>, _> = happenings.iter().map(serde_json::to_string).collect();
    diesel::sql_query("select pg_notify($1, payload) from unnest($2) payload")
        .bind::<Text, _>(CHANNEL)
        .bind::<Array<Text>, _>(payloads.map_err(anyhow::Error::from)?)
        .execute(conn)
        .await?;
    Ok(())
}

/// `NOTIFY channel, payload`, delivered on commit.
///
/// # Errors
/// The database's.
pub async fn notify(conn: &mut AsyncPgConnection, channel: &str, payload: &str) -> Result<()> {
    diesel::sql_query("select pg_notify($1, $2)")
        .bind::<Text, _>(channel)
        .bind::<Text, _>(payload)
        .execute(conn)
        .await?;
    Ok(())
}

/// `GET /events`: what the caller may see, as it happens, with a comment every 20 s to keep the line open.
pub async fn stream(ctx: Ctx) -> HttpResponse {
    let Ctx { app, caller, conn, .. } = ctx;
    // A stream lives long; its connection goes back to the pool at once.
    drop(conn);
    let scope = caller.scope;
    sse(app.hub.happenings(), app.stopping.clone(), move |it| scope.sees(&it.owner))
}

/// Happenings that pass as a stream of server-sent events.
pub fn sse(
    receiver: broadcast::Receiver<Happening>,
    stopping: tokio_util::sync::CancellationToken,
    passes: impl Fn(&Happening) -> bool + 'static,
) -> HttpResponse {
    let stream = futures_util::stream::unfold((receiver, passes), move |(mut receiver, passes)| {
        let stopping = stopping.clone();
        async move {
            loop {
                let line = tokio::select! {
                    () = stopping.cancelled() => return None,
                    () = tokio::time::sleep(Duration::from_secs(20)) => ": still here\n\n".to_owned(),
                    it = receiver.recv() => match it {
                        Ok(it) if passes(&it) => {
                            let body = EventBody { kind: &it.kind, id: it.id };
                            format!("data: {}\n\n", serde_json::to_string(&body).ok()?)
                        }
                        Ok(_) => continue,
                        // Too slow to hear everything: have the client read all it shows again.
                        Err(broadcast::error::RecvError::Lagged(_)) => "event: lagged\ndata: {}\n\n".to_owned(),
                        Err(broadcast::error::RecvError::Closed) => return None,
                    },
                };
                return Some((Ok::<_, actix_web::Error>(Bytes::from(line)), (receiver, passes)));
            }
        }
    });
    answer(stream)
}

/// The answer that sends these lines as server-sent events.
pub fn answer(lines: impl futures_util::Stream<Item = actix_web::Result<Bytes>> + 'static) -> HttpResponse {
    let hello = futures_util::stream::once(async { Ok(Bytes::from_static(b": hello\n\n")) });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .insert_header(actix_web::http::header::ContentEncoding::Identity)
        .streaming(hello.chain(lines))
}
