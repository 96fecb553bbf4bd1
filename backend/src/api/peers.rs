//! Counts the connections of each address, so that none takes all that there are.

use std::any::Any;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::rt::net::TcpStream;

use crate::config::Http;

/// The connections that a process has.
pub struct Peers {
    open: Mutex<HashMap<IpAddr, usize>>,
    /// How many an address may have; 0 is any number.
    most: usize,
    /// Behind these are many.
    trusted: Vec<IpAddr>,
}

/// A connection, as long as it is open.
struct Counted {
    peers: Arc<Peers>,
    address: IpAddr,
    /// Its address had enough of them before.
    crowded: bool,
}

impl Peers {
    /// Counts by these settings.
    pub fn new(config: &Http) -> Arc<Self> {
        let (most, trusted) = (config.connections_per_address, config.trusted_proxies.clone());
        Arc::new(Self { open: Mutex::default(), most, trusted })
    }

    /// Counts a connection that was made.
    pub fn enter(self: &Arc<Self>, connection: &dyn Any, data: &mut Extensions) {
        let Some(peer) = connection.downcast_ref::<TcpStream>().and_then(|it| it.peer_addr().ok()) else { return };
        let address = peer.ip();
        if self.most == 0 || self.trusted.contains(&address) {
            return;
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        *count += 1;
        let crowded = *count > self.most;
        data.insert(Counted { peers: self.clone(), address, crowded });
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = open.entry(self.address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// Whether a request comes over a connection that is too many. One over which nothing comes is closed after some seconds.
pub fn crowded(req: &ServiceRequest) -> bool {
    req.conn_data::<Counted>().is_some_and(|it| it.crowded)
}
