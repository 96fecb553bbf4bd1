//! The Wattyard server binary.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use backend::app::{App, Core};
use backend::auth::{secret, token};
use backend::cluster::Cluster;
use backend::config::{Config, Part, Secret};
use backend::simulate::Simulation;
use clap::{Parser, Subcommand};

/// 智慧充电管理平台 · the platform from which charging operators run their business.
#[derive(Parser)]
#[command(version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves API, console, gateway and workers until told to stop.
    Serve {
        /// Serves this part alone; may be given more than once. Whatever it serves, it answers `/livez` and `/readyz`, and
        /// `/metrics` at `metrics.http`.
        #[arg(long, value_name = "PART")]
        only: Vec<Part>,
        /// Prints the settings in force, secrets masked, and ends.
        #[arg(long)]
        print_config: bool,
        /// Fills an empty database with demo data first.
        #[arg(long)]
        demo: bool,
    },
    /// Brings the database to the newest schema.
    Migrate,
    /// Recomputes all invariants of money and state; ends with 1 and a list when one is broken. It changes nothing, and wants
    /// the newest schema.
    Verify,
    /// Prints the OpenAPI document.
    Openapi,
    /// Fills an empty database with demo data.
    Demo,
    /// Simulates chargers, drivers, the payment channel and the text messages, over real sockets, until told to stop.
    Simulate(Simulation),
}

#[actix_web::main]
async fn main() -> ExitCode {
    match run(Args::parse().command).await {
        Ok(code) => code,
        Err(err) => {
            let _ = writeln!(std::io::stderr(), "backend: {err:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    let mut out = std::io::stdout();
    if let Command::Openapi = command {
        out.write_all(backend::api::openapi::json(&backend::router::operations())?.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut config = Config::load()?;
    if let Command::Simulate(simulation) = command {
        backend::logs::install();
        backend::demo::settings(&mut config)?;
        backend::simulate::run(simulation, &config).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Demo | Command::Serve { demo: true, .. } = &command {
        backend::demo::settings(&mut config)?;
    }
    if let Command::Serve { only, .. } = &command
        && !only.is_empty()
    {
        config.process.parts.clone_from(only);
    }
    if let Command::Serve { print_config: true, .. } = command {
        out.write_all(config.masked()?.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    backend::logs::install();
    // Kept until the end: dropping it stops a cluster of our own.
    let cluster = if config.database.url.is_empty() { Some(Cluster::start(&config.database.folder)?) } else { None };
    let url = cluster.as_ref().map_or_else(|| config.database.url.expose().to_owned(), |it| it.url.clone());
    if let Command::Verify = command {
        refuse_older_schema(&url).await?;
        // It signs nothing, and so needs no secret that others know.
        config.auth.jwt_secret = Secret::new(token::random());
    } else {
        backend::db::migrate(&url).await.context("the database cannot be brought to the newest schema")?;
        secret::settle(&mut config, &url).await?;
    }
    let core = Core::new(config, url)?;
    let app = App::new(core.clone())?;
    match command {
        Command::Serve { demo, .. } => {
            backend::setup::first_run(&app).await?;
            if demo {
                backend::demo::fill(&app).await?;
            }
            backend::serve::run(core).await?;
        }
        Command::Demo => {
            backend::setup::first_run(&app).await?;
            backend::demo::fill(&app).await?;
        }
        Command::Verify => {
            let broken = backend::verify::run(&app).await?;
            for line in &broken {
                writeln!(out, "{line}")?;
            }
            writeln!(out, "{} broken", broken.len())?;
            return Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Migrate | Command::Openapi | Command::Simulate(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// What is verified is what there is: an older schema is not brought up to date by looking at it.
async fn refuse_older_schema(url: &str) -> Result<()> {
    let mut conn = backend::db::connect(url).await.context("the database cannot be reached")?;
    let hint = "run `backend migrate` first";
    let pending =
        backend::db::pending(&mut conn).await.with_context(|| format!("the database has no schema; {hint}"))?;
    match pending.len() {
        0 => Ok(()),
        1 => bail!("the database has an older schema: 1 migration is pending; {hint}"),
        many => bail!("the database has an older schema: {many} migrations are pending; {hint}"),
    }
}
