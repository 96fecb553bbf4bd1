//! The least gateway there can be: reads a heartbeat and answers it, without state, database or log. Ours is measured by it.

use std::borrow::Cow;
use std::net::SocketAddr;

use anyhow::Result;
use futures_util::{SinkExt, StreamExt};
use serde_json::value::RawValue;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::chargers::small_buffers;

/// Serves until the process ends.
pub fn run(listen: SocketAddr) -> Result<()> {
    // As many threads as there are cores, like the server's workers.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            // A charger that leaves ends its task.
            tokio::spawn(serve(stream));
        }
    })
}

async fn serve(stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut socket = accept_hdr_async_with_config(stream, subprotocol, Some(small_buffers())).await?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let (_, id, _, _): (u8, Cow<'_, str>, Cow<'_, str>, &RawValue) = serde_json::from_str(&text)?;
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        socket.send(Message::text(format!(r#"[3,"{id}",{{"currentTime":"{now}"}}]"#))).await?;
    }
    Ok(())
}

#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the library's callback has this type")]
fn subprotocol(_: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("ocpp1.6"));
    Ok(response)
}
