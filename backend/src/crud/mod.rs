//! The building blocks of a resource: traits with plain Diesel inside, and everything around them written once.

pub mod audit;
pub mod export;
pub mod history;
pub mod import;
pub mod lookup;
pub mod ops;
pub mod page;
pub mod routes;
pub mod sheet;
pub mod sheet_reader;

use diesel_async::AsyncPgConnection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::page::{Page, PageQuery};
use shared::resource::{Editable, Resource};
use utoipa::ToSchema;
use uuid::Uuid;

pub use crate::api::request::{Ctx, DriverCtx, Guest};
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::error::{Error, Result};

/// A row or form as JSON, by which it is shown, compared and kept.
///
/// # Errors
/// 500: it cannot be written as JSON.
pub fn json(row: &impl Serialize) -> Result<Value> {
    serde_json::to_value(row).map_err(|err| Error::internal(err.to_string()))
}

/// A resource one may list and look at. Implementations hold plain Diesel and nothing else: permissions, paging,
/// export and audit are written once, over this trait.
pub trait Browse: Resource {
    /// One page of what is in scope and fits the search.
    fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &Self::Filter,
        page: &PageQuery,
    ) -> impl Future<Output = Result<Page<Self::Row>>> + Send;

    /// One row in scope; [`Error::NotFound`] otherwise.
    fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid)
    -> impl Future<Output = Result<Self::Detail>> + Send;

    /// Takes out of a row in scope, as it once was, what the caller may not see: other things that it names. The trail
    /// keeps rows as whoever changed them saw them.
    fn redact(_scope: &Scope, _snapshot: &mut Value) {}
}

/// A resource whose rows can be added.
pub trait Create: Browse + Editable {
    /// Adds a row and gives its id. The caller then reads it back through the scope: what one may not see cannot be made.
    fn create(
        conn: &mut AsyncPgConnection,
        by: &Caller,
        form: &Self::Form,
    ) -> impl Future<Output = Result<Uuid>> + Send;
}

/// A resource whose rows can be changed.
pub trait Change: Browse + Editable {
    /// The table that holds `version` and `updated_at` of its rows.
    const TABLE: &'static str;

    /// Changes a row that was found in scope. Fixed fields are compared by the caller and can be left out here.
    fn update(
        conn: &mut AsyncPgConnection,
        by: &Caller,
        id: Uuid,
        form: &Self::Form,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// A resource whose rows can be switched on and off.
pub trait Switch: Browse {
    /// The table that holds `version` and `updated_at` of its rows.
    const TABLE: &'static str;
    /// Switching tells hardware, so that it is done once under a key.
    const TELLS: bool = false;

    /// Switches a row that was found in scope.
    fn switch(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid, on: bool)
    -> impl Future<Output = Result<()>> + Send;

    /// What switching it off would hit, as far as the caller may see it.
    fn impact(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> impl Future<Output = Result<Impact>> + Send;
}

/// A resource whose rows can be removed.
pub trait Delete: Browse {
    /// Removes a row that was found in scope.
    fn delete(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid) -> impl Future<Output = Result<()>> + Send;
}

/// What switching something off would hit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Impact {
    /// Orders that are running below it now; they go on.
    pub running_orders: i64,
    /// Reservations that have not ended.
    pub reservations: i64,
    /// Enabled stations below it.
    pub stations: i64,
    /// Enabled chargers below it.
    pub chargers: i64,
    /// Users who lose something by it.
    pub users: i64,
    /// Enabled cards that it issued, or paid for.
    pub cards: i64,
}
