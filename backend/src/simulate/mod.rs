//! A simulated world around the platform: chargers over real sockets, drivers with the public API, a payment channel, an
//! invoicing service and a text message inbox over real HTTP. Demo, tests and benchmarks use the same one.

mod account;
pub mod bank;
pub mod charger;
pub mod connector;
pub mod driver;
pub mod fiscal;
mod outbox;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use shared::fixed::Fen;
use tokio_util::sync::CancellationToken;

use self::bank::{Bank, Faults};
use self::charger::{Habits, Handle};
use self::driver::{Driver, Manner};
use self::fiscal::Fiscal;
use crate::config::Config;

/// What is simulated.
#[derive(Args, Clone, Debug)]
pub struct Simulation {
    /// The platform.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Chargers, with the serial numbers PREFIX0001, PREFIX0002, ….
    #[arg(long, default_value_t = crate::demo::CHARGERS)]
    pub chargers: usize,
    /// What the serial numbers begin with.
    #[arg(long, default_value = crate::demo::SERIAL)]
    pub prefix: String,
    /// The password of all chargers; each of the demo data's has one of its own, made of the simulated channel's secret.
    #[arg(long)]
    pub password: Option<String>,
    /// Drivers who charge again and again.
    #[arg(long, default_value_t = 6)]
    pub drivers: usize,
    /// Where the payment channel, the text messages and the invoicing service are served.
    #[arg(long, default_value = crate::demo::SANDBOX)]
    pub bank: SocketAddr,
    /// Seconds between two samples of a meter.
    #[arg(long, default_value_t = 5)]
    pub sample_seconds: u64,
    /// What a connector gives at most, in kW; the demo data's chargers give what is said there.
    #[arg(long)]
    pub power_kw: Option<i64>,
    /// The shortest and longest that a driver charges, in seconds.
    #[arg(long, num_args = 2, default_values_t = [60, 600])]
    pub charge_seconds: Vec<u64>,
    /// The shortest and longest that a driver stays away, in seconds.
    #[arg(long, num_args = 2, default_values_t = [5, 60])]
    pub away_seconds: Vec<u64>,
    /// What a driver prepays, in fen.
    #[arg(long, default_value_t = 5000)]
    pub prepaid_fen: i64,
    /// How often a charger loses its connection, in a thousandth of the samples.
    #[arg(long, default_value_t = 0)]
    pub drops_per_mille: u32,
    /// How often a charger tells a transaction message twice, in percent.
    #[arg(long, default_value_t = 0)]
    pub repeats_percent: u32,
    /// Notices of the payment channel that are never told, in percent.
    #[arg(long, default_value_t = 0)]
    pub lose_percent: u32,
    /// Notices of the payment channel that are told twice, in percent.
    #[arg(long, default_value_t = 0)]
    pub duplicate_percent: u32,
}

impl Default for Simulation {
    /// What the command line gives when nothing is said.
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8080".to_owned(),
            chargers: crate::demo::CHARGERS,
            prefix: crate::demo::SERIAL.to_owned(),
            password: None,
            drivers: 6,
            bank: SocketAddr::from(([127, 0, 0, 1], 8090)),
            sample_seconds: 5,
            power_kw: None,
            charge_seconds: vec![60, 600],
            away_seconds: vec![5, 60],
            prepaid_fen: 5000,
            drops_per_mille: 0,
            repeats_percent: 0,
            lose_percent: 0,
            duplicate_percent: 0,
        }
    }
}

/// A simulated world that is running.
pub struct World {
    /// The payment channel and the text messages.
    pub bank: Bank,
    /// The invoicing service.
    pub fiscal: Fiscal,
    /// The chargers by serial number.
    pub chargers: driver::Chargers,
    /// Cancelling it ends the world.
    pub stopping: CancellationToken,
}

/// Runs a world until SIGTERM or SIGINT.
///
/// # Errors
/// The payment channel's address is taken.
pub async fn run(simulation: Simulation, config: &Config) -> Result<()> {
    let world = start(&simulation, config)?;
    tracing::info!(
        "simulating {} chargers and {} drivers at {}",
        simulation.chargers,
        simulation.drivers,
        simulation.url
    );
    crate::serve::stop_signal().await?;
    world.stopping.cancel();
    Ok(())
}

/// Starts a world.
///
/// # Errors
/// The payment channel's address is taken.
pub fn start(simulation: &Simulation, config: &Config) -> Result<World> {
    let http = crate::app::http_client()?;
    let sandbox = &config.payment.sandbox;
    let fiscal = Fiscal::new(&config.invoice.nuonuo, http.clone());
    let bank = Bank::new(&sandbox.merchant_no, sandbox.secret.clone(), config.sms.secret.clone(), http.clone());
    bank.set_faults(Faults {
        lose: simulation.lose_percent,
        duplicate: simulation.duplicate_percent,
        ..Faults::default()
    });
    bank.serve(simulation.bank, &fiscal)?;
    let stopping = CancellationToken::new();
    let habits = Arc::new(Habits {
        server: simulation.url.replacen("http", "ws", 1),
        connectors: 2,
        sample: Duration::from_secs(simulation.sample_seconds.max(1)),
        drops_per_mille: simulation.drops_per_mille,
        repeats_percent: simulation.repeats_percent,
        reconnect: Duration::from_secs(1),
    });
    let chargers: HashMap<String, Handle> = (1..=simulation.chargers)
        .map(|number| {
            let serial_no = format!("{}{number:04}", simulation.prefix);
            let power =
                simulation.power_kw.map(|it| it * 1000).or_else(|| crate::demo::power(number)).unwrap_or(60_000);
            let own = || crate::demo::password(config, &serial_no);
            let password = simulation.password.clone().unwrap_or_else(own);
            (serial_no.clone(), charger::spawn(serial_no, password, power, habits.clone(), stopping.clone()))
        })
        .collect();
    let chargers = Arc::new(chargers);
    let manner = Arc::new(Manner {
        platform: simulation.url.clone(),
        charge: range(&simulation.charge_seconds),
        away: range(&simulation.away_seconds),
        prepaid: Fen(simulation.prepaid_fen),
        look: Duration::from_secs(1),
        patience: Duration::from_secs(120),
    });
    for number in 1..=simulation.drivers {
        let driver = Driver::new(format!("170{number:08}"), manner.clone(), bank.clone(), http.clone());
        tokio::spawn(driver.live(chargers.clone(), stopping.clone()));
    }
    Ok(World { bank, fiscal, chargers, stopping })
}

fn range(seconds: &[u64]) -> std::ops::Range<Duration> {
    let least = seconds.iter().copied().min().unwrap_or(1);
    let most = seconds.iter().copied().max().unwrap_or(1);
    // A range needs room.
    Duration::from_secs(least)..Duration::from_secs(most) + Duration::from_millis(1)
}
