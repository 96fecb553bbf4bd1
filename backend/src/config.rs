//! Typed settings: defaults, a TOML file, then environment variables `WATTYARD__SECTION__KEY`.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// All that can be set before the start. Unknown keys are an error.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What this process does.
    pub process: Process,
    /// HTTP and sockets.
    pub http: Http,
    /// The database.
    pub database: Database,
    /// Logging in.
    pub auth: Auth,
    /// Devices.
    pub gateway: Gateway,
    /// Charging.
    pub charging: Charging,
    /// Payment channels.
    pub payment: Payment,
    /// Electronic invoices.
    pub invoice: Invoice,
    /// One-time codes by text message.
    pub sms: Sms,
    /// Work that is done beside the requests.
    pub jobs: Jobs,
    /// How long things are kept.
    pub retention: Retention,
    /// What Prometheus reads.
    pub metrics: Metrics,
}

/// A part of the server. Each can be a process of its own, and there can be several of each: what they tell one another
/// goes through the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The API and the console.
    Api,
    /// The sockets of devices.
    Gateway,
    /// The jobs.
    Worker,
}

/// What this process does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Process {
    /// The parts that it serves.
    pub parts: Vec<Part>,
}

impl Default for Process {
    fn default() -> Self {
        Self { parts: vec![Part::Api, Part::Gateway, Part::Worker] }
    }
}

impl Process {
    /// Whether it serves a part.
    pub fn serves(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }
}

/// HTTP and sockets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where to listen.
    pub address: SocketAddr,
    /// The address that outsiders use, for QR codes and callbacks.
    pub public_url: String,
    /// How many workers; 0 takes one a core.
    pub workers: usize,
    /// The folder of the built console.
    pub console: PathBuf,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// A small body that is not there after this is given up.
    pub body_seconds: u64,
    /// How many connections an address may have, a trusted proxy excepted; 0 is any number. Drivers of one mobile network
    /// and the chargers of one site share an address.
    pub connections_per_address: usize,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: "http://127.0.0.1:8080".into(),
            workers: 0,
            console: "frontend/dist".into(),
            trusted_proxies: vec![],
            body_seconds: 10,
            connections_per_address: 1000,
        }
    }
}

impl Http {
    /// How many workers there are.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            workers => workers,
        }
    }
}

/// The database.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// Where it is; empty starts a private cluster below `folder`.
    pub url: Secret,
    /// Connections for each worker.
    pub connections: usize,
    /// The folder of what the program keeps itself: private cluster, generated secrets.
    pub folder: PathBuf,
}

impl Default for Database {
    fn default() -> Self {
        Self { url: Secret::default(), connections: 8, folder: "var".into() }
    }
}

/// Logging in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// The key that signs access tokens; empty generates one and keeps it in the database.
    pub jwt_secret: Secret,
    /// How long an access token of a driver lives; the console's are a setting of the platform's staff.
    pub access_seconds: i64,
    /// How long a refresh token of a driver lives.
    pub refresh_seconds: i64,
    /// A refresh token that is sent again within this after its use gets the same answer again; later it ends the session.
    pub repeat_seconds: i64,
    /// Wrong passwords for a name from one address before that address is shut out.
    pub lock_after: i32,
    /// Wrong passwords for a name from all addresses together before all are shut out but those from which somebody logged in
    /// under that name before.
    pub lock_after_everywhere: i32,
    /// For how long.
    pub lock_seconds: i64,
    /// Logins that one address may try in a minute.
    pub logins_per_minute: u32,
    /// Logins that may wait for the password check before more are turned away.
    pub hash_queue: usize,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            jwt_secret: Secret::default(),
            access_seconds: 900,
            refresh_seconds: 14 * 86_400,
            repeat_seconds: 10,
            lock_after: 5,
            lock_after_everywhere: 50,
            lock_seconds: 900,
            logins_per_minute: 30,
            hash_queue: 48,
        }
    }
}

/// Devices.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gateway {
    /// The heartbeat interval that chargers are told.
    pub heartbeat_seconds: u32,
    /// We ping this often.
    pub ping_seconds: u64,
    /// A silent connection is dropped after this.
    pub idle_seconds: u64,
    /// A connection of a device without a password has this long to show that it is alive when another one wants its
    /// place.
    pub probe_seconds: u64,
    /// A call that a charger does not answer is given up after this.
    pub call_seconds: u64,
    /// A charger that has not told its state after this is asked for it.
    pub report_seconds: u64,
    /// Sockets that one process holds at most.
    pub max_connections: usize,
    /// The largest message that is taken at all.
    pub max_message_bytes: usize,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            heartbeat_seconds: 60,
            ping_seconds: 30,
            idle_seconds: 150,
            probe_seconds: 5,
            call_seconds: 30,
            report_seconds: 30,
            max_connections: 15_000,
            max_message_bytes: 2 << 20,
        }
    }
}

/// Charging.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Charging {
    /// A start that is not confirmed within this has failed.
    pub start_seconds: i64,
    /// While the charger that was told to start is away, the start is waited for this long.
    pub start_away_seconds: i64,
    /// A started charge without current for this long is stopped (a sleeping car).
    pub idle_stop_seconds: i64,
    /// A charge that was asked to end waits this long for the charger's record before it is settled without.
    pub stop_seconds: i64,
    /// A charger that behaves as if it had no such charge has this long, from its last word on, to bring the record.
    pub lost_seconds: i64,
    /// An order whose charger is silent for this long is suspended.
    pub silent_seconds: i64,
    /// A suspended order is settled with the last report after this.
    pub suspended_settle_seconds: i64,
    /// An unpaid order is closed after this.
    pub pay_seconds: i64,
}

impl Default for Charging {
    fn default() -> Self {
        Self {
            start_seconds: 60,
            start_away_seconds: 600,
            idle_stop_seconds: 90,
            stop_seconds: 15,
            lost_seconds: 60,
            silent_seconds: 180,
            suspended_settle_seconds: 72 * 3600,
            pay_seconds: 300,
        }
    }
}

/// Payment channels.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payment {
    /// The simulated channel; absent in production.
    pub sandbox: Sandbox,
    /// The shortest time between two questions about one payment.
    pub poll_seconds: i64,
    /// A channel that does not know a refund is believed when it says so again after this.
    pub not_found_seconds: i64,
}

impl Default for Payment {
    fn default() -> Self {
        Self { sandbox: Sandbox::default(), poll_seconds: 3, not_found_seconds: 60 }
    }
}

/// The simulated channel, spoken to over real HTTP.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// Where `backend simulate` serves it; empty switches the channel off.
    pub url: String,
    /// Our merchant number there.
    pub merchant_no: String,
    /// The key that signs both ways.
    pub secret: Secret,
    /// A call that is not answered within this has an unknown outcome.
    pub timeout_seconds: u64,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self { url: String::new(), merchant_no: "M1000".into(), secret: Secret::default(), timeout_seconds: 10 }
    }
}

/// Electronic invoices.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Invoice {
    /// The service that issues them.
    pub nuonuo: Nuonuo,
    /// That it does not know an invoice is believed when it says so again after this.
    pub not_found_seconds: i64,
}

impl Default for Invoice {
    fn default() -> Self {
        Self { nuonuo: Nuonuo::default(), not_found_seconds: 60 }
    }
}

/// Nuonuo's open platform.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nuonuo {
    /// Where it is, such as `https://sdk.nuonuo.com/open/v1/services`; empty switches invoices off.
    pub url: String,
    /// Our application there.
    pub app_key: String,
    /// The key that signs requests.
    pub app_secret: Secret,
    /// The token that the sellers have given our application.
    pub access_token: Secret,
    /// The sellers' terminal, where the service asks for one.
    pub extension_number: String,
    /// A call that is not answered within this has an unknown outcome.
    pub timeout_seconds: u64,
    /// Hosts besides the service's own where the files of invoices may be, with all below them.
    pub file_hosts: Vec<String>,
}

impl Default for Nuonuo {
    fn default() -> Self {
        Self {
            url: String::new(),
            app_key: String::new(),
            app_secret: Secret::default(),
            access_token: Secret::default(),
            extension_number: String::new(),
            timeout_seconds: 15,
            file_hosts: vec!["nuonuo.com".into(), "nuonuocs.cn".into(), "nntest.cn".into()],
        }
    }
}

/// One-time codes by text message.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sms {
    /// Where the gateway takes messages (`POST {url}/messages`); empty switches it off.
    pub url: String,
    /// The key that it knows us by.
    pub secret: Secret,
    /// Codes that one address may ask for in a minute.
    pub codes_per_minute: u32,
    /// Tries to log in with a code from one address in a minute. Many drivers share an address.
    pub tries_per_minute: u32,
    /// Codes that were asked for from one address within an hour and not used. Those that were used count no more, so that
    /// drivers who share an address are not held up.
    pub unused_per_address: i32,
    /// Codes for one telephone within a day.
    pub codes_per_phone: i32,
    /// Codes within a day in all.
    pub codes_per_day: i32,
}

impl Default for Sms {
    fn default() -> Self {
        Self {
            url: String::new(),
            secret: Secret::default(),
            codes_per_minute: 30,
            tries_per_minute: 60,
            unused_per_address: 30,
            codes_per_phone: 10,
            codes_per_day: 10_000,
        }
    }
}

/// Work that is done beside the requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// Jobs that one process runs at once.
    pub parallel: usize,
    /// A job whose process was not heard of for this long is taken to have died with it, and run by another.
    pub lease_seconds: u64,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { parallel: 8, lease_seconds: 120 }
    }
}

/// How long things are kept, in days. What people look things up in is a setting of the platform's staff.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Answers under an idempotency key.
    pub idempotency_days: i64,
    /// Finished jobs. Dead ones stay until somebody looks.
    pub jobs_days: i64,
    /// What channels told us and was put into effect, or was not believed.
    pub inbox_days: i64,
    /// Sessions that have expired.
    pub sessions_days: i64,
    /// One-time codes that have expired.
    pub codes_days: i64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { idempotency_days: 7, jobs_days: 14, inbox_days: 180, sessions_days: 30, codes_days: 1 }
    }
}

/// What Prometheus reads: at an address of its own, or with a token at the main one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Where `/metrics` is served unless there is a token. Each of several processes on a machine needs an address of its own;
    /// port 0 takes a free one, which the log names.
    pub http: SocketAddr,
    /// A token with which `/metrics` is served where everything else is, as `Authorization: Bearer …`, and nowhere else.
    pub token: Secret,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { http: SocketAddr::from(([127, 0, 0, 1], 9464)), token: Secret::default() }
    }
}

/// A value that must not be printed.
#[derive(Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Nothing was set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "unset" } else { "***" })
    }
}

const PREFIX: &str = "WATTYARD__";

impl Config {
    /// Reads `wattyard.toml` (or the file named by `WATTYARD_CONFIG`) and the environment.
    ///
    /// # Errors
    /// A key that does not exist, or a value of the wrong type; the message names it.
    pub fn load() -> Result<Self> {
        let named = std::env::var("WATTYARD_CONFIG").ok();
        let path = PathBuf::from(named.as_deref().unwrap_or("wattyard.toml"));
        let file = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(err) if named.is_none() && err.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(err) => return Err(err).with_context(|| format!("cannot read {}", path.display())),
        };
        Self::from_parts(&file, std::env::vars())
    }

    /// Puts a TOML text and environment variables together.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_parts(file: &str, vars: impl Iterator<Item = (String, String)>) -> Result<Self> {
        let mut table: toml::Table = file.parse().context("the configuration file is not TOML")?;
        for (name, value) in vars {
            match name.as_str() {
                "DATABASE_URL" => set(&mut table, "database", "url", toml::Value::String(value))?,
                "WATTYARD_HTTP" => set(&mut table, "http", "address", toml::Value::String(value))?,
                _ => {
                    let Some(path) = name.strip_prefix(PREFIX) else { continue };
                    let path = path.to_lowercase();
                    let Some((section, key)) = path.split_once("__") else {
                        bail!("{name}: expected {PREFIX}SECTION__KEY")
                    };
                    set(&mut table, section, key, scalar(&value))?;
                }
            }
        }
        table.try_into().context("the configuration is wrong")
    }

    /// What is in force as TOML, secrets masked.
    ///
    /// # Errors
    /// Never in practice: the settings are plain values.
    pub fn masked(&self) -> Result<String> {
        let mut masked = self.clone();
        let secrets = [
            &mut masked.database.url,
            &mut masked.auth.jwt_secret,
            &mut masked.payment.sandbox.secret,
            &mut masked.sms.secret,
            &mut masked.invoice.nuonuo.app_secret,
            &mut masked.invoice.nuonuo.access_token,
            &mut masked.metrics.token,
        ];
        for secret in secrets {
            if !secret.is_empty() {
                *secret = Secret::new("***");
            }
        }
        Ok(toml::to_string_pretty(&masked)?)
    }
}

/// A variable's value as TOML would read it; what is not TOML is text.
fn scalar(value: &str) -> toml::Value {
    let line = format!("it = {value}");
    let read = line.parse::<toml::Table>().ok().and_then(|mut it| it.remove("it"));
    read.unwrap_or_else(|| toml::Value::String(value.to_owned()))
}

fn set(table: &mut toml::Table, section: &str, key: &str, value: toml::Value) -> Result<()> {
    let entry = table.entry(section.to_owned()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let toml::Value::Table(entry) = entry else { bail!("{section} is not a section") };
    match key.split_once("__") {
        Some((section, key)) => set(entry, section, key, value),
        None => {
            entry.insert(key.to_owned(), value);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> std::vec::IntoIter<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn environment_overrides_the_file() {
        let file = "[auth]\naccess_seconds = 60\nlock_after = 3";
        let env = [
            ("WATTYARD__AUTH__ACCESS_SECONDS", "30"),
            ("WATTYARD__PAYMENT__SANDBOX__URL", "http://127.0.0.1:9"),
            ("WATTYARD_HTTP", "127.0.0.1:1"),
        ];
        let config = Config::from_parts(file, vars(&env)).unwrap();
        assert_eq!((config.auth.access_seconds, config.auth.lock_after), (30, 3));
        assert_eq!(config.payment.sandbox.url, "http://127.0.0.1:9");
        assert_eq!(config.http.address.port(), 1);
    }

    #[test]
    fn unknown_keys_are_errors_and_secrets_are_masked() {
        assert!(Config::from_parts("[auth]\nacces_seconds = 1", vars(&[])).is_err());
        assert!(Config::from_parts("", vars(&[("WATTYARD__AUTH__NOPE", "1")])).is_err());
        let config = Config::from_parts("", vars(&[("DATABASE_URL", "postgres://u:pw@h/d")])).unwrap();
        let text = config.masked().unwrap();
        assert!(text.contains("***") && !text.contains("pw@h"), "{text}");
        assert!(!format!("{config:?}").contains("pw@h"));
    }
}
