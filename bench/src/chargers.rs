//! Chargers that stay connected and beat, on one thread, a fixed number of beats in flight.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::future::try_join_all;
use futures_util::{SinkExt, StreamExt, TryStreamExt, stream};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// Connections that are opened at once, and beats that are in flight.
const IN_FLIGHT: usize = 64;

type Socket = WebSocketStream<TcpStream>;

/// Buffers as small as they may be: by default each connection has two of 128 KiB.
pub fn small_buffers() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0)
}

/// Connects, beats and reports.
pub fn run(gateway: SocketAddr, pid: u32, connections: usize, seconds: u64) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(report(gateway, pid, connections, Duration::from_secs(seconds)))
}

async fn report(gateway: SocketAddr, pid: u32, connections: usize, duration: Duration) -> Result<()> {
    let (idle_kib, began) = (memory_kib(pid)?, Instant::now());
    let sockets = stream::iter(1..=connections).map(|number| connect(gateway, number));
    let mut sockets: Vec<Socket> = sockets.buffer_unordered(IN_FLIGHT).try_collect().await?;
    // A charger is answered when its connection is noted everywhere.
    let share = connections.div_ceil(IN_FLIGHT);
    try_join_all(sockets.chunks_mut(share).map(|some| async move {
        for socket in some {
            beat(socket).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    let (connected, held_kib) = (began.elapsed(), memory_kib(pid)?);

    let (ticks, began) = (cpu_ticks(pid)?, Instant::now());
    let times = try_join_all(sockets.chunks_mut(share).map(|some| beat_on(some, began + duration))).await?;
    let (took, ticks) = (began.elapsed(), cpu_ticks(pid)? - ticks);
    let mut times: Vec<Duration> = times.into_iter().flatten().collect();
    times.sort_unstable();
    let (beats, p99) = (times.len(), times.get(times.len() * 99 / 100).context("no beats")?);
    let per = |all: f64, count: usize| all / f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let grown_kib = f64::from(held_kib) - f64::from(idle_kib);
    let mut out = std::io::stdout();
    writeln!(out, "connect_seconds={:.1}", connected.as_secs_f64())?;
    writeln!(out, "kib_per_connection={:.1}", per(grown_kib, connections))?;
    writeln!(out, "beats_per_second={:.0}", 1.0 / per(took.as_secs_f64(), beats))?;
    writeln!(out, "p99_ms={:.2}", p99.as_secs_f64() * 1000.0)?;
    // A tick is a hundredth of a second.
    writeln!(out, "cpu_us_per_beat={:.1}", per(f64::from(ticks) * 10_000.0, beats))?;
    Ok(())
}

async fn connect(gateway: SocketAddr, number: usize) -> Result<Socket> {
    let mut request = format!("ws://{gateway}/ocpp/BENCH{number:06}").into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("ocpp1.6"));
    let stream = TcpStream::connect(gateway).await?;
    stream.set_nodelay(true)?;
    let connected = client_async_with_config(request, stream, Some(small_buffers())).await;
    Ok(connected.with_context(|| format!("charger {number} was not let in"))?.0)
}

/// Has some chargers beat in turn; gives how long each beat took.
async fn beat_on(sockets: &mut [Socket], end: Instant) -> Result<Vec<Duration>> {
    let mut times = vec![];
    loop {
        for socket in &mut *sockets {
            let began = Instant::now();
            if began >= end {
                return Ok(times);
            }
            beat(socket).await?;
            times.push(began.elapsed());
        }
    }
}

/// One heartbeat and its answer. Calls of the server are declined in between, its pings are answered by the library.
async fn beat(socket: &mut Socket) -> Result<()> {
    socket.send(Message::text(r#"[2,"beat","Heartbeat",{}]"#)).await?;
    loop {
        match socket.next().await.context("the server hung up")?? {
            Message::Text(text) if text.starts_with(r#"[3,"beat","#) => return Ok(()),
            Message::Text(text) => {
                let frame: serde_json::Value = serde_json::from_str(&text)?;
                let id = frame.get(1).context("a frame without an id")?;
                socket.send(Message::text(format!(r#"[4,{id},"NotSupported","",{{}}]"#))).await?;
            }
            Message::Ping(_) | Message::Pong(_) => {}
            other => bail!("unexpected: {other:?}"),
        }
    }
}

fn memory_kib(pid: u32) -> Result<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn cpu_ticks(pid: u32) -> Result<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").context("an unknown stat")?;
    // User and system time are the 14th and 15th field; the first two are cut off.
    let times = fields.split(' ').skip(11).take(2).map(str::parse::<u32>);
    Ok(times.collect::<Result<Vec<_>, _>>()?.into_iter().sum())
}
