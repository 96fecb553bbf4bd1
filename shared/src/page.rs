//! Pages of a list and how a client asks for them.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Counting stops here; a longer list says `total_capped`.
pub const COUNT_CAP: i64 = 10_000;
/// The most rows a page may have.
pub const MAX_SIZE: i64 = 200;
/// The last page that has a number; further on only a cursor leads.
pub const MAX_PAGE: i64 = 100_000;

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The page's number, from 1.
    pub page: i64,
    /// How many rows a page has at most.
    pub size: i64,
    /// How many rows there are in all, at most 10,000 (see `total_capped`).
    pub total: i64,
    /// There are more rows than `total` says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub total_capped: bool,
    /// Give this as `cursor` to read on after the last row, however deep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Uuid>,
}

impl<T> Page<T> {
    /// The same page of other rows.
    pub fn map<R>(self, other: impl FnMut(T) -> R) -> Page<R> {
        let Self { items, page, size, total, total_capped, next_cursor } = self;
        Page { items: items.into_iter().map(other).collect(), page, size, total, total_capped, next_cursor }
    }
}

/// Which page of a list is wanted, in which order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
pub struct PageQuery {
    /// The page's number, from 1.
    #[param(minimum = 1, maximum = 100_000, default = 1, example = 1)]
    pub page: i64,
    /// Rows a page.
    #[param(minimum = 1, maximum = 200, default = 20, example = 20)]
    pub size: i64,
    /// A column's key, with `-` in front for descending; newest first when absent.
    #[param(required = false, example = "-id")]
    pub sort: String,
    /// Reads on after the row with this id in the default order; `page` is then ignored.
    pub cursor: Option<Uuid>,
    /// Nobody wants to know how many rows there are in all. Clients cannot ask for this.
    #[serde(skip)]
    #[param(ignore)]
    pub uncounted: bool,
}

/// Which page of a list is wanted that knows one order: the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
pub struct NewestQuery {
    /// The page's number, from 1.
    #[param(minimum = 1, maximum = 100_000, default = 1, example = 1)]
    pub page: i64,
    /// Rows a page.
    #[param(minimum = 1, maximum = 200, default = 20, example = 20)]
    pub size: i64,
    /// Reads on after the row with this id; `page` is then ignored.
    pub cursor: Option<Uuid>,
}

impl Default for NewestQuery {
    fn default() -> Self {
        let PageQuery { page, size, cursor, .. } = PageQuery::default();
        Self { page, size, cursor }
    }
}

impl From<NewestQuery> for PageQuery {
    fn from(NewestQuery { page, size, cursor }: NewestQuery) -> Self {
        Self { page, size, cursor, ..Self::default() }
    }
}

impl Default for PageQuery {
    fn default() -> Self {
        Self { page: 1, size: 20, sort: String::new(), cursor: None, uncounted: false }
    }
}

impl PageQuery {
    /// The column to sort by and whether it falls; newest first when nothing is said.
    pub fn order(&self) -> (&str, bool) {
        match self.sort.strip_prefix('-') {
            Some(key) => (key, true),
            None if self.sort.is_empty() => ("id", true),
            None => (&self.sort, false),
        }
    }
}
