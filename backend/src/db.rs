//! The database: pools, migrations, and the advisory locks that make something happen once.

use anyhow::{Context, Result};
use deadpool::managed::QueueMode;
use diesel::{ConnectionError, QueryResult};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

/// The migrations, compiled in.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// Connections to the database; cheap to clone. Each worker has its own, because a connection is driven by the
/// runtime that opened it.
pub type Db = Pool<AsyncPgConnection>;
/// One connection out of a pool.
pub type Connection = Object<AsyncPgConnection>;

diesel::define_sql_function! {
    /// A text in small letters.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// How long somebody is let wait for a lock who is himself waited for.
const LOCK_TIMEOUT: &str = "5s";

/// A pool of at most `size` connections; none is opened before it is needed. Where somebody waits for the answer, a lock is
/// not waited for without end, so that one row that is locked does not hold all connections.
///
/// # Errors
/// Never in practice: the settings are fixed here.
pub fn pool(url: &str, size: usize, awaited: bool) -> Result<Db> {
    let mut config = ManagerConfig::default();
    // `Verified` costs a query for every check-out; a dead connection is noticed by its first query instead.
    config.recycling_method = RecyclingMethod::Fast;
    if awaited {
        config.custom_setup = Box::new(|url| Box::pin(connect_awaited(url)));
    }
    let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(url, config);
    let pool = Pool::builder(manager)
        .max_size(size)
        // What was just used has its statements planned and its memory warm.
        .queue_mode(QueueMode::Lifo)
        .wait_timeout(Some(std::time::Duration::from_secs(10)))
        .runtime(deadpool_runtime())
        .build()?;
    Ok(pool)
}

fn deadpool_runtime() -> deadpool::Runtime {
    deadpool::Runtime::Tokio1
}

/// Brings the database to the newest schema.
///
/// # Errors
/// The database cannot be reached or a migration fails; nothing of a failed migration stays.
pub async fn migrate(url: &str) -> Result<()> {
    let url = url.to_owned();
    // The harness blocks; it gets a thread with a runtime of its own.
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime.block_on(async {
            let mut conn = connect(&url).await?;
            // Processes that start together do it one after the other. The lock ends with the connection.
            diesel::sql_query(format!("select pg_advisory_lock({})", lock_key("migrate"))).execute(&mut conn).await?;
            let mut wrapper: AsyncConnectionWrapper<AsyncPgConnection> = conn.into();
            tokio::task::block_in_place(|| wrapper.run_pending_migrations(MIGRATIONS).map(drop))
                .map_err(|err| anyhow::anyhow!("a migration failed: {err}"))
        })
    })
    .await?
}

/// Waits until nobody else does what bears this name, and keeps everybody else from it until the transaction ends.
///
/// # Errors
/// The database's.
pub async fn alone(conn: &mut AsyncPgConnection, name: &str) -> QueryResult<()> {
    diesel::sql_query(format!("select pg_advisory_xact_lock({})", lock_key(name))).execute(conn).await?;
    Ok(())
}

/// The number by which PostgreSQL knows the lock of this name: FNV-1a.
fn lock_key(name: &str) -> i32 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.cast_signed()
}

/// The migrations of this program that the database does not have yet.
///
/// # Errors
/// The database cannot be reached.
pub async fn pending(conn: &mut AsyncPgConnection) -> Result<Vec<String>> {
    use diesel::migration::{Migration, MigrationSource};
    #[derive(diesel::QueryableByName)]
    struct Version {
        #[diesel(sql_type = diesel::sql_types::Text)]
        version: String,
    }
    let done: Vec<Version> = diesel::sql_query("select version from __diesel_schema_migrations")
        .load(conn)
        .await
        .context("no migrations yet")?;
    let known: Vec<Box<dyn Migration<diesel::pg::Pg>>> =
        MIGRATIONS.migrations().map_err(|err| anyhow::anyhow!("{err}"))?;
    let is_done = |version: &str| done.iter().any(|done| done.version == version);
    Ok(known.iter().map(|it| it.name().version().to_string()).filter(|it| !is_done(it)).collect())
}

/// Writes a row, and a file that is thrown away at once: a row may find room where there is none for a new one.
///
/// # Errors
/// The database cannot be written, for example because its disk is full.
pub async fn try_writing(conn: &mut AsyncPgConnection) -> QueryResult<()> {
    conn.transaction(async |conn| {
        // What does not fit into that little memory goes into a file.
        diesel::sql_query("set local work_mem = '64kB'").execute(conn).await?;
        diesel::sql_query("select count(*) from generate_series(1, 20000)").execute(conn).await?;
        // Whoever else is writing it just now will see as well.
        let row = "select id from write_probe for update skip locked";
        diesel::sql_query(format!("update write_probe set written_at = now() where id = ({row})"))
            .execute(conn)
            .await?;
        Ok(())
    })
    .await
}

async fn connect_awaited(url: &str) -> std::result::Result<AsyncPgConnection, ConnectionError> {
    let mut conn = connect(url).await?;
    let setting = format!("SET lock_timeout = '{LOCK_TIMEOUT}'");
    conn.batch_execute(&setting).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// One connection outside of any pool.
///
/// # Errors
/// The database cannot be reached.
pub async fn connect(url: &str) -> std::result::Result<AsyncPgConnection, ConnectionError> {
    AsyncPgConnection::establish(url).await
}
