//! Server-sent events for the console: what somebody may see at the moment at which it happens.

use std::time::Duration;

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::{Happening, Kind};
use crate::api::request;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::crud::Ctx;
use crate::error::Result;

/// A quiet line is kept open with a comment this often.
const BEAT: Duration = Duration::from_secs(20);
/// Rights are read anew at least this often: sessions end by themselves, and a call may have been lost.
const REREAD: Duration = Duration::from_secs(5);

/// What a client is told.
#[derive(Serialize)]
struct EventBody {
    /// What kind of thing.
    kind: Kind,
    /// Which one.
    id: Uuid,
}

/// Told when the rights of the reader are no longer those they had: what they may see and do is to be asked anew.
const RIGHTS: &str = "data: {\"kind\":\"rights\"}\n\n";

/// What a stream knows between two lines.
struct Reader {
    app: App,
    /// Who reads, with their rights as they were last read.
    caller: Caller,
    happenings: Receiver<Happening>,
    rights: watch::Receiver<u64>,
    reread_at: Instant,
    beat_at: Instant,
    expires_at: Instant,
}

/// `GET /events`: what the caller may see, as it happens, with a comment every 20 s to keep the line open. It ends with
/// the session, and with the access token: whoever still listens asks again with a new one.
pub async fn stream(ctx: Ctx, req: HttpRequest) -> Result<HttpResponse> {
    let expires_at = request::expiry(&req, &ctx.app)?;
    let Ctx { app, caller, conn, .. } = ctx;
    // A stream lives long; its connection goes back to the pool at once.
    drop(conn);
    let (happenings, mut rights) = (app.hub.happenings(), app.hub.rights());
    // What has changed since the request was let in is not known.
    rights.mark_changed();
    let now = Instant::now();
    let reader = Reader { app, caller, happenings, rights, reread_at: now + REREAD, beat_at: now + BEAT, expires_at };
    Ok(answer(futures_util::stream::unfold(reader, |mut reader| async move {
        let line = reader.next().await?;
        Some((Ok(Bytes::from(line)), reader))
    })))
}

impl Reader {
    /// The next line; nothing when the server stops, the token has ended or the reader is no longer logged in.
    async fn next(&mut self) -> Option<String> {
        loop {
            tokio::select! {
                () = self.app.stopping.cancelled() => return None,
                () = sleep_until(self.expires_at) => return None,
                changed = self.rights.changed() => {
                    changed.ok()?;
                    if self.reread().await? {
                        return Some(RIGHTS.to_owned());
                    }
                }
                () = sleep_until(self.reread_at) => if self.reread().await? {
                    return Some(RIGHTS.to_owned());
                },
                () = sleep_until(self.beat_at) => {
                    self.beat_at = Instant::now() + BEAT;
                    return Some(": still here\n\n".to_owned());
                }
                it = self.happenings.recv() => match it {
                    Ok(it) => {
                        // A change of rights is told before what happened after it.
                        let changed = self.rights.has_changed().ok()? && self.reread().await?;
                        let mut lines = if changed { RIGHTS.to_owned() } else { String::new() };
                        if self.caller.scope.sees(&it.owner) && it.kind.permissions().iter().any(|it| self.caller.may(it)) {
                            let body = EventBody { kind: it.kind, id: it.id };
                            lines += &format!("data: {}\n\n", serde_json::to_string(&body).ok()?);
                        }
                        if !lines.is_empty() {
                            return Some(lines);
                        }
                    }
                    // Too slow to hear everything: have the client read all it shows again.
                    Err(RecvError::Lagged(_)) => return Some("event: lagged\ndata: {}\n\n".to_owned()),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    /// Reads the rights anew and says whether they are others than before; nothing when there are none any more, or
    /// nobody can say.
    async fn reread(&mut self) -> Option<bool> {
        // Seen before it is read: a change in between is read again.
        self.rights.mark_unchanged();
        self.reread_at = Instant::now() + REREAD;
        let mut conn = self.app.conn().await.ok()?;
        let caller = Caller::load(&mut conn, self.caller.user_id, self.caller.family).await.ok()?;
        // Until it is changed, the password opens nothing but the change.
        if caller.must_change_password {
            return None;
        }
        let before = std::mem::replace(&mut self.caller, caller);
        Some(!self.caller.as_able_as(&before))
    }
}

/// The answer that sends these lines as server-sent events.
pub fn answer(lines: impl Stream<Item = actix_web::Result<Bytes>> + 'static) -> HttpResponse {
    let hello = futures_util::stream::once(async { Ok(Bytes::from_static(b": hello\n\n")) });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .insert_header(actix_web::http::header::ContentEncoding::Identity)
        .streaming(hello.chain(lines))
}
