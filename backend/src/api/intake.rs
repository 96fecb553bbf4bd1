//! Takes the bodies of requests in, before anything else is taken: into memory, so many at once for an address, so much in
//! all, and none slower than anybody's line is. Only who has sent all of it gets a connection to the database.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::web::{Bytes, BytesMut};
use futures_util::StreamExt;
use shared::text::t;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, Result};

/// The most that is kept of all bodies together.
const MEMORY: usize = 64 << 20;
/// In pieces of this size it is counted.
const PIECE: usize = 1 << 10;
/// Bodies that one address sends at the same time. Whole offices and the drivers of a mobile network share one.
const AT_ONCE: usize = 32;
/// After the first seconds a body comes at least this fast, in bytes a second.
const RATE: usize = 32 << 10;

/// The bodies that a process is taking in.
pub struct Intake {
    /// How many each address is sending.
    senders: Mutex<HashMap<String, usize>>,
    memory: Arc<Semaphore>,
    /// How long a body may take however small it is.
    grace: Duration,
}

/// A body, and its share of the memory that there is for bodies.
#[derive(Default)]
pub struct Received {
    /// All of it.
    pub bytes: Bytes,
    /// Given back when the request has been answered.
    pub memory: Option<OwnedSemaphorePermit>,
}

/// A body on its way from an address.
struct Sender<'a> {
    intake: &'a Intake,
    address: &'a str,
}

impl Intake {
    /// Takes bodies that are there within this time, and longer ones at a minimum rate.
    pub fn new(grace: Duration) -> Self {
        Self { senders: Mutex::default(), memory: Arc::new(Semaphore::new(MEMORY / PIECE)), grace }
    }

    /// Takes a body of at most `limit` bytes in.
    ///
    /// # Errors
    /// 408 when it comes too slowly, 413 when it is too large, 429 when its address sends too many at once or all bodies
    /// together are too much, 400 when it breaks off.
    pub async fn receive(&self, payload: &mut Payload, address: &str, limit: usize) -> Result<Received> {
        let (mut body, mut memory) = (BytesMut::new(), None);
        if matches!(payload, Payload::None) {
            return Ok(Received { bytes: body.freeze(), memory });
        }
        let _sender = self.enter(address)?;
        let started = Instant::now();
        loop {
            let earned = Duration::from_millis(u64::try_from(body.len() * 1000 / RATE).unwrap_or(u64::MAX));
            let chunk = timeout_at(started + self.grace + earned, payload.next()).await.map_err(|_| Error::TooSlow)?;
            let Some(chunk) = chunk else { return Ok(Received { bytes: body.freeze(), memory }) };
            let chunk = chunk.map_err(|err| Error::Unreadable(err.to_string()))?;
            if body.len() + chunk.len() > limit {
                return Err(Error::TooLarge);
            }
            self.reserve(&mut memory, body.len() + chunk.len())?;
            body.extend_from_slice(&chunk);
        }
    }

    fn enter<'a>(&'a self, address: &'a str) -> Result<Sender<'a>> {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let count = senders.entry(address.to_owned()).or_default();
        if *count >= AT_ONCE {
            let text = t("同时上传的请求过多，请稍后再试", "Too many requests are being sent at once; try again later");
            return Err(Error::Limited(5, text));
        }
        *count += 1;
        Ok(Sender { intake: self, address })
    }

    /// Reserves memory for so many bytes in all, as they come: nobody reserves what they only announce.
    fn reserve(&self, memory: &mut Option<OwnedSemaphorePermit>, bytes: usize) -> Result<()> {
        let had = memory.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = bytes.div_ceil(PIECE).saturating_sub(had);
        let permits = u32::try_from(more).map_err(|_| Error::TooLarge)?;
        let Ok(more) = self.memory.clone().try_acquire_many_owned(permits) else {
            let text = t("服务器繁忙，请稍后再试", "Too much is being sent at once; try again later");
            return Err(Error::Limited(5, text));
        };
        match memory {
            Some(memory) => memory.merge(more),
            None => *memory = Some(more),
        }
        Ok(())
    }
}

impl Drop for Sender<'_> {
    fn drop(&mut self) {
        let mut senders = self.intake.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = senders.entry(self.address.to_owned()) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::error::PayloadError;
    use futures_util::Stream;
    use futures_util::stream::{self, BoxStream};

    type Chunk = Result<Bytes, PayloadError>;

    fn payload(chunks: impl Stream<Item = Chunk> + Send + 'static) -> Payload {
        let chunks: BoxStream<'static, Chunk> = chunks.boxed();
        Payload::Stream { payload: Box::pin(chunks) }
    }

    /// A body that comes in pieces of a size, each after a pause.
    fn slowly(size: usize, pause: Duration, pieces: usize) -> Payload {
        payload(stream::iter(0..pieces).then(move |_| async move {
            tokio::time::sleep(pause).await;
            Ok(Bytes::from(vec![b' '; size]))
        }))
    }

    const SECOND: Duration = Duration::from_secs(1);
    const PAUSE: Duration = Duration::from_millis(500);

    #[tokio::test]
    async fn a_body_comes_at_a_minimum_rate_or_not_at_all() {
        let intake = Intake::new(2 * SECOND);
        let receive = async |mut payload: Payload| intake.receive(&mut payload, "a", 4 << 20).await;
        assert_eq!(receive(slowly(1, PAUSE, 1)).await.unwrap().bytes.len(), 1);
        // Both take four seconds.
        let (byte_by_byte, fast) = tokio::join!(receive(slowly(1, PAUSE, 8)), receive(slowly(RATE, PAUSE, 8)));
        assert!(matches!(byte_by_byte, Err(Error::TooSlow)));
        assert_eq!(fast.unwrap().bytes.len(), 8 * RATE);
        assert!(matches!(receive(slowly(5 << 20, PAUSE, 1)).await, Err(Error::TooLarge)));
        let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(PayloadError::Incomplete(None))]);
        assert!(matches!(receive(payload(broken)).await, Err(Error::Unreadable(_))));
        assert_eq!(intake.senders.lock().unwrap().len(), 0);
        assert_eq!(intake.memory.available_permits(), MEMORY / PIECE);
    }

    #[tokio::test]
    async fn an_address_sends_so_many_at_once_and_all_together_so_much() {
        let intake = Intake::new(2 * SECOND);
        let send = async |address: &str, mut payload: Payload| intake.receive(&mut payload, address, 9 << 20).await;
        let pending = || payload(stream::pending());
        let slow = futures_util::future::join_all((0..AT_ONCE).map(|_| send("a", pending())));
        let others = async {
            assert!(matches!(send("a", pending()).await, Err(Error::Limited(5, _))));
            assert!(send("b", slowly(1, PAUSE, 1)).await.is_ok());
        };
        let (slow, ()) = tokio::join!(slow, others);
        assert!(slow.iter().all(|it| matches!(it, Err(Error::TooSlow))));
        let mut kept = vec![];
        while let Ok(received) = send("a", slowly(8 << 20, PAUSE, 1)).await {
            kept.push(received);
        }
        assert_eq!(kept.len(), MEMORY / (8 << 20));
        kept.clear();
        assert!(send("a", slowly(8 << 20, PAUSE, 1)).await.is_ok());
    }
}
