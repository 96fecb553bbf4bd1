//! The private PostgreSQL cluster that the program keeps for itself when no `DATABASE_URL` is given.
//!
//! Several processes may use one, and they come and go as they like: who comes first starts it, who leaves last stops it,
//! and nobody starts or stops it while somebody else does. Locks on two files say so; a process that dies lets go of them.
//! Whoever uses it also looks after it: one that ended by itself is started again.

use std::fs::{File, TryLockError};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A running cluster of our own; stopped when the last process that uses it drops it.
pub struct Cluster {
    server: Arc<Server>,
    /// Locked, together with others, as long as it is used.
    users: File,
    /// Looks after the server until the sender is dropped.
    keeper: Option<(Sender<()>, JoinHandle<()>)>,
    /// Where to connect.
    pub url: String,
}

const DATABASE: &str = "wattyard";
/// Somebody else may take this long to start or stop it. A server that stops writes down all that it has in memory.
const PATIENCE: Duration = Duration::from_secs(60);
/// Whether it still runs is looked at this often.
const LOOK: Duration = Duration::from_millis(500);
/// One that ends all the time is started again this seldom.
const LONGEST_REST: Duration = Duration::from_secs(30);

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
        let host = socket.to_string_lossy().replace('/', "%2F");
        let server = Arc::new(Server { bin, home, socket });
        let users = lock_file(&server.home, "users")?;
        let _turn = turn(&server.home)?;
        server.create()?;
        server.start()?;
        users.lock_shared()?;
        let (leave, left) = channel();
        let keeper = std::thread::Builder::new().name("cluster".to_owned()).spawn({
            let server = server.clone();
            move || server.keep_running(&left)
        })?;
        let keeper = Some((leave, keeper));
        Ok(Self { server, users, keeper, url: format!("postgres://wattyard@{host}/{DATABASE}") })
    }

    /// Stops the server, unless somebody else uses it.
    fn leave(&mut self) -> Result<()> {
        if let Some((leave, keeper)) = self.keeper.take() {
            drop(leave);
            let _ = keeper.join();
        }
        let _turn = turn(&self.server.home)?;
        self.users.unlock()?;
        match self.users.try_lock() {
            Ok(()) => self.server.stop(),
            Err(TryLockError::WouldBlock) => Ok(()),
            Err(TryLockError::Error(err)) => Err(err.into()),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(err) = self.leave() {
            tracing::error!(error = %err, "the private cluster did not stop: {err:#}");
        }
    }
}

/// A PostgreSQL server and where its files are.
struct Server {
    bin: PathBuf,
    home: PathBuf,
    socket: PathBuf,
}

impl Server {
    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn log(&self) -> PathBuf {
        self.home.join("log")
    }

    /// Makes the folder of the cluster, if it is not there.
    fn create(&self) -> Result<()> {
        if self.data().exists() {
            return Ok(());
        }
        // It gets its name when it is complete, so that nothing is taken for a cluster that is only half of one.
        let new = self.home.join("data.new");
        if new.exists() {
            std::fs::remove_dir_all(&new)?;
        }
        let settings = ["--auth-local=trust", "--auth-host=reject", "-E", "UTF8", "--locale=C.UTF-8"];
        run(as_server(&self.bin.join("initdb")).arg("-D").arg(&new).args(["-U", "wattyard"]).args(settings))?;
        Ok(std::fs::rename(new, self.data())?)
    }

    /// Sees to it that the server runs and has our database. One that is stopping, because it was told to, is waited for.
    fn start(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.is_running() {
            if self.is_ready()? {
                return self.create_database();
            }
            if Instant::now() > deadline {
                bail!("PostgreSQL neither serves nor ends; see {}", self.log().display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let socket = self.socket.display();
        let options = format!("-c listen_addresses='' -c unix_socket_directories='{socket}' -c max_connections=200");
        run(self.pg_ctl().args(["-w", "-s", "-o", &options, "-l"]).arg(self.log()).arg("start"))
            .with_context(|| format!("PostgreSQL did not start; see {}", self.log().display()))?;
        self.create_database()
    }

    /// Starts the server again whenever it has ended, until the other end of the channel is dropped: at once when it ran for
    /// long, and later each time, up to [`LONGEST_REST`], when it ends again and again.
    fn keep_running(&self, left: &Receiver<()>) {
        let waited = |time| left.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
        let (mut rest, mut started) = (Duration::ZERO, Instant::now());
        while waited(LOOK) {
            if self.is_running() {
                continue;
            }
            if !waited(rest) {
                return;
            }
            // Another process may be starting it, or have done so.
            match turn(&self.home).and_then(|_turn| self.start()) {
                Ok(()) => tracing::warn!("PostgreSQL had ended and was started again; see {}", self.log().display()),
                Err(err) => tracing::error!(error = %err, "PostgreSQL has ended and does not start: {err:#}"),
            }
            let ran = std::mem::replace(&mut started, Instant::now()).elapsed();
            rest = if ran > 2 * LONGEST_REST { LOOK } else { (2 * rest).clamp(LOOK, LONGEST_REST) };
        }
    }

    fn stop(&self) -> Result<()> {
        run(self.pg_ctl().args(["-w", "-s", "-m", "fast", "stop"]))
    }

    fn pg_ctl(&self) -> Command {
        let mut command = as_server(&self.bin.join("pg_ctl"));
        command.arg("-D").arg(self.data());
        command
    }

    /// The process of the server is there, whatever it does; a number that a killed one left behind may be another's.
    fn is_running(&self) -> bool {
        let noted = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let Some(pid) = noted.lines().next().and_then(|it| it.trim().parse::<u32>().ok()) else { return false };
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.split(|it| *it == 0).any(|it| it == self.data().as_os_str().as_bytes())
    }

    /// The server takes connections.
    fn is_ready(&self) -> Result<bool> {
        let mut ready = Command::new(self.bin.join("pg_isready"));
        Ok(ready.arg("-q").arg("-h").arg(&self.socket).status()?.success())
    }

    fn create_database(&self) -> Result<()> {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.arg("-h").arg(&self.socket).args(["-U", "wattyard", "-d", "postgres", "-Atqc"]);
        psql.arg(format!("select 1 from pg_database where datname = '{DATABASE}'"));
        if psql.output()?.stdout.starts_with(b"1") {
            return Ok(());
        }
        run(Command::new(self.bin.join("createdb")).arg("-h").arg(&self.socket).args(["-U", "wattyard", DATABASE]))
    }
}

fn lock_file(home: &Path, name: &str) -> Result<File> {
    let path = home.join(name);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    file.with_context(|| format!("cannot open {}", path.display()))
}

/// The right to start or stop the server, until it is dropped.
fn turn(home: &Path) -> Result<File> {
    let file = lock_file(home, "turn")?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(err)) => return Err(err.into()),
            Err(TryLockError::WouldBlock) if Instant::now() > deadline => {
                bail!("another process has been starting or stopping the private cluster for too long")
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
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

/// PostgreSQL refuses to run as root: then it runs in a user namespace, or as the user `postgres`, who may pass through
/// folders that are closed to others, for this one may be below them.
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
        command.args(["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]);
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
pub fn tempfile() -> Result<File> {
    let path = std::env::temp_dir().join(format!("wattyard-{}-{}", std::process::id(), uuid::Uuid::new_v4()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
