//! What `scripts/bench` needs beside pgbench and wrk: chargers by the thousand, the least gateway there can be, and
//! pgbench scripts of what the server says to its database.

mod chargers;
mod limit;
mod statements;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Connects chargers, has them beat, and prints how that went as NAME=NUMBER.
    Chargers {
        /// Where the gateway listens.
        #[arg(long)]
        gateway: SocketAddr,
        /// Its process, whose memory and processor time are read.
        #[arg(long)]
        pid: u32,
        /// How many chargers.
        #[arg(long)]
        connections: usize,
        /// How long they beat.
        #[arg(long)]
        seconds: u64,
    },
    /// Answers heartbeats and does nothing else, until it is killed.
    Limit {
        /// Where to listen.
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Makes a pgbench script of the one request whose statements PostgreSQL logged.
    Statements {
        /// What PostgreSQL logged, as JSON.
        #[arg(long)]
        log: PathBuf,
        /// What the request was answered, as JSON: numbers in it are new with each request.
        #[arg(long)]
        answer: PathBuf,
        /// The script to write; its variables go beside it, into a file that ends with `.vars`.
        #[arg(long)]
        script: PathBuf,
    },
}

fn main() -> Result<()> {
    match Args::parse().command {
        Command::Chargers { gateway, pid, connections, seconds } => chargers::run(gateway, pid, connections, seconds),
        Command::Limit { listen } => limit::run(listen),
        Command::Statements { log, answer, script } => statements::run(&log, &answer, &script),
    }
}
