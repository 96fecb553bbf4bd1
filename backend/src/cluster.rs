//! The private PostgreSQL cluster that the program keeps for itself when no `DATABASE_URL` is given.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A running cluster of our own; stopped when dropped.
pub struct Cluster {
    bin: PathBuf,
    data: PathBuf,
    ours: bool,
    /// Where to connect.
    pub url: String,
}

const DATABASE: &str = "wattyard";

impl Cluster {
    /// Starts the cluster in `folder/pg`, creating it first if it is not there.
    ///
    /// # Errors
    /// No PostgreSQL server is installed, or it does not start; the message says where its log is.
    pub fn start(folder: &Path) -> Result<Self> {
        let bin = binaries()?;
        std::fs::create_dir_all(folder)?;
        let home = folder.canonicalize()?.join("pg");
        let socket = socket_folder(&home);
        for dir in [&home, &socket] {
            std::fs::create_dir_all(dir)?;
            std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
            own(dir)?;
        }
        let data = home.join("data");
        if !data.join("PG_VERSION").exists() {
            run(as_server(&bin.join("initdb")).arg("-D").arg(&data).args([
                "-U",
                "wattyard",
                "--auth-local=trust",
                "--auth-host=reject",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ]))?;
        }
        let running =
            as_server(&bin.join("pg_ctl")).arg("-D").arg(&data).arg("status").stdout(Stdio::null()).status()?;
        let ours = !running.success();
        if ours {
            let options = format!(
                "-c listen_addresses='' -c unix_socket_directories='{}' -c max_connections=200",
                socket.display()
            );
            run(as_server(&bin.join("pg_ctl"))
                .args(["-w", "-s", "-o", &options, "-l"])
                .arg(home.join("log"))
                .arg("-D")
                .arg(&data)
                .arg("start"))
            .with_context(|| format!("PostgreSQL did not start; see {}", home.join("log").display()))?;
        }
        let host = socket.to_string_lossy().replace('/', "%2F");
        let cluster = Self { bin, data, ours, url: format!("postgres://wattyard@{host}/{DATABASE}") };
        cluster.create_database(&socket)?;
        Ok(cluster)
    }

    fn create_database(&self, socket: &Path) -> Result<()> {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.arg("-h").arg(socket).args(["-U", "wattyard", "-d", "postgres", "-Atqc"]);
        psql.arg(format!("select 1 from pg_database where datname = '{DATABASE}'"));
        if psql.output()?.stdout.starts_with(b"1") {
            return Ok(());
        }
        run(Command::new(self.bin.join("createdb")).arg("-h").arg(socket).args(["-U", "wattyard", DATABASE]))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.ours {
            let stopped = run(as_server(&self.bin.join("pg_ctl"))
                .args(["-w", "-s", "-m", "fast", "-D"])
                .arg(&self.data)
                .arg("stop"));
            if let Err(err) = stopped {
                tracing::error!(error = %err, "the private cluster did not stop: {err}");
            }
        }
    }
}

/// The folder of the newest installed server.
fn binaries() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|it| Some((it.file_name().to_str()?.parse().ok()?, it.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    found.sort();
    if let Some((_, bin)) = found.pop() {
        return Ok(bin);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|it| it.join("initdb").exists() && it.join("pg_ctl").exists());
    on_path.context("no PostgreSQL server is installed; install it or set DATABASE_URL")
}

/// A socket's path may have 107 bytes; deep folders get one below the temporary folder.
fn socket_folder(home: &Path) -> PathBuf {
    let socket = home.join("socket");
    if socket.as_os_str().len() <= 85 {
        return socket;
    }
    let mut hasher = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(&home, &mut hasher);
    std::env::temp_dir().join(format!("wattyard-{:x}", std::hash::Hasher::finish(&hasher)))
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").map(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0).unwrap_or(false)
}

fn user_namespaces() -> bool {
    static ALLOWED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *ALLOWED.get_or_init(|| {
        let mut probe = Command::new("unshare");
        probe.args(["-U", "--map-user=65534", "--map-group=65534", "true"]).stderr(Stdio::null());
        probe.status().is_ok_and(|it| it.success())
    })
}

/// PostgreSQL refuses to run as root: then it runs in a user namespace, or as the user `postgres`.
fn as_server(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command;
    if user_namespaces() {
        command = Command::new("unshare");
        command.args(["-U", "--map-user=65534", "--map-group=65534"]);
    } else {
        command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg(program);
    command
}

fn own(dir: &Path) -> Result<()> {
    if is_root() && !user_namespaces() {
        run(Command::new("chown").arg("postgres").arg(dir))?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    // The postmaster inherits these, so a pipe would never close.
    let log = tempfile()?;
    let status = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?).status();
    let status = status.with_context(|| format!("cannot run {:?}", command.get_program()))?;
    if status.success() {
        return Ok(());
    }
    use std::io::{Read, Seek};
    let mut log = log;
    let mut text = String::new();
    log.rewind()?;
    log.read_to_string(&mut text)?;
    bail!("{:?} failed: {}", command.get_args().collect::<Vec<_>>(), text.trim())
}

/// An unnamed file for what a command prints.
pub fn tempfile() -> Result<std::fs::File> {
    let path = std::env::temp_dir().join(format!("wattyard-{}-{}", std::process::id(), uuid::Uuid::new_v4()));
    let file = std::fs::File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
