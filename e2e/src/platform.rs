//! A platform of a test's own: a fresh database, the real server with the built console, the simulated world around it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use backend::app::{App, Core, new_id};
use backend::auth::scope::Node;
use backend::config::{Config, Secret};
use backend::simulate::{self, Simulation, World};
use backend::system::node;
use backend::{db, serve, setup};
use chrono::Utc;
use diesel::ExpressionMethods;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

/// The administrator's password.
pub const PASSWORD: &str = "correct horse battery";

/// A running platform.
pub struct Platform {
    /// Where it is.
    pub url: String,
    /// The application behind it.
    pub app: App,
    /// Its settings.
    pub config: Config,
    bank: SocketAddr,
}

/// The folder of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Platform {
    /// Starts one with an administrator and nothing else.
    ///
    /// # Errors
    /// There is no cluster (`TEST_DATABASE_URL`), or the server does not start.
    pub async fn start() -> Result<Self> {
        Self::start_with(|_| {}).await
    }

    /// The same, with other settings.
    ///
    /// # Errors
    /// As [`Platform::start`].
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Result<Self> {
        let console = root().join("frontend/dist");
        anyhow::ensure!(console.join("index.html").exists(), "the console is not built: run `scripts/console`");
        let bank = free_address()?;
        let mut config = Config::default();
        config.http.address = free_address()?;
        config.http.public_url = format!("http://{}", config.http.address);
        config.http.console = console;
        config.http.workers = 2;
        config.database.folder = std::env::temp_dir().join(format!("wattyard-e2e-{}", Uuid::new_v4()));
        config.auth.jwt_secret = Secret::new("a secret for the browser tests");
        config.payment.sandbox.url = format!("http://{bank}");
        config.payment.sandbox.secret = Secret::new("a secret of the sandbox");
        config.sms.url = format!("http://{bank}");
        config.sms.secret = Secret::new("a secret of the text messages");
        config.invoice.nuonuo.url = format!("http://{bank}/open/v1/services");
        config.invoice.nuonuo.app_secret = Secret::new("a secret of the invoicing service");
        change(&mut config);
        let core: Arc<Core> = Core::new(config.clone(), fresh_database().await?)?;
        let app = App::new(core.clone())?;
        setup::first_run_with(&app, PASSWORD).await?;
        let running = serve::start(core)?;
        tokio::spawn(running.server);
        let core = app.core.clone();
        tokio::spawn(async move { core.hub.listen(&core.database_url, core.stopping.clone()).await });
        serve::spawn_background(&app);
        Ok(Self { url: format!("http://{}", running.address), app, config, bank })
    }

    /// An approved provider with a property: what the platform's staff needs before anything else.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn tenant(&self, provider: &str, property: &str) -> Result<()> {
        use schema::{properties, providers};
        let mut conn = self.app.conn().await?;
        let id = new_id(Utc::now());
        let values = (
            providers::id.eq(id),
            providers::name.eq(provider),
            providers::contact.eq("陈晨"),
            providers::phone.eq("13900000001"),
            providers::review.eq("approved"),
        );
        diesel::insert_into(providers::table).values(values).execute(&mut conn).await?;
        node::furnish(&mut conn, Node::Provider(id), provider).await?;
        let below = new_id(Utc::now());
        let values = (
            properties::id.eq(below),
            properties::provider_id.eq(id),
            properties::name.eq(property),
            properties::contact.eq("李蕾"),
            properties::phone.eq("13900000002"),
        );
        diesel::insert_into(properties::table).values(values).execute(&mut conn).await?;
        node::furnish(&mut conn, Node::Property { provider: id, property: below }, property).await?;
        Ok(())
    }

    /// Chargers with these serial numbers, and a payment channel.
    ///
    /// # Errors
    /// The channel cannot be served.
    pub fn world(&self, prefix: &str, chargers: usize, power_kw: i64) -> Result<World> {
        let simulation = Simulation {
            url: self.url.clone(),
            chargers,
            prefix: prefix.to_owned(),
            drivers: 0,
            bank: self.bank,
            sample_seconds: 1,
            power_kw: Some(power_kw),
            ..Simulation::default()
        };
        simulate::start(&simulation, &self.config)
    }
}

/// An address that was free a moment ago.
fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// A database of one's own in the cluster of the tests.
async fn fresh_database() -> Result<String> {
    let cluster = std::env::var("TEST_DATABASE_URL").context("TEST_DATABASE_URL: run `make test`")?;
    let (server, _) = cluster.rsplit_once('/').context("TEST_DATABASE_URL names no database")?;
    let name = format!("e2e_{}", Uuid::now_v7().simple());
    let mut conn = db::connect(&cluster).await?;
    diesel::sql_query(format!("create database {name}")).execute(&mut conn).await?;
    let url = format!("{server}/{name}");
    db::migrate(&url).await?;
    Ok(url)
}
