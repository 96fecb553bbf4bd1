//! Paging: pages by number, keyset by id, and counts that stop in time.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::expression::expression_types::NotSelectable;
use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::expression_methods::ExpressionMethods;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{AppearsOnTable, BoxableExpression, Expression, QueryResult};
use diesel_async::AsyncPgConnection;
use diesel_async::methods::LoadQuery;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryStreamExt};
use shared::codes::Code;
use shared::page::{COUNT_CAP, MAX_PAGE, MAX_SIZE, NewestQuery, Page, PageQuery};
use shared::problem::FieldError;
use shared::resource::Row;
use shared::text::{Lang, t};
use shared::time::midnight;
use uuid::Uuid;

use crate::app::first_id;
use crate::error::{Error, Result};

/// An `ORDER BY` of any column.
pub type OrderBy<QS> = Box<dyn BoxableExpression<QS, Pg, SqlType = NotSelectable> + Send>;

/// Orders by a column, falling or rising.
pub fn by<QS, C>(column: C, falling: bool) -> OrderBy<QS>
where
    C: Expression + ExpressionMethods + Send + 'static,
    diesel::dsl::Asc<C>: BoxableExpression<QS, Pg, SqlType = NotSelectable> + Send,
    diesel::dsl::Desc<C>: BoxableExpression<QS, Pg, SqlType = NotSelectable> + Send,
{
    if falling { Box::new(column.desc()) } else { Box::new(column.asc()) }
}

/// Narrows a boxed query to what lies beyond the cursor, if there is one. Ids are the default order, and unique.
#[macro_export]
macro_rules! beyond {
    ($query:expr, $id:expr, $page:expr) => {{
        let (key, falling) = $page.order();
        match $page.cursor {
            Some(cursor) if key == "id" && falling => $query.filter($id.lt(cursor)),
            Some(cursor) if key == "id" => $query.filter($id.gt(cursor)),
            _ => $query,
        }
    }};
}

/// Refuses a page that no list has, and an order that this one does not know.
///
/// # Errors
/// 422 with all that is wrong.
pub fn check(page: &PageQuery, sorted: &[&str], lang: Lang) -> Result<()> {
    let range = t("超出范围", "Out of range").get(lang);
    let mut errors = vec![];
    // Beyond this the cursor must be used.
    if !(1..=MAX_PAGE).contains(&page.page) {
        errors.push(FieldError::new("page", "range", range));
    }
    if !(1..=MAX_SIZE).contains(&page.size) {
        errors.push(FieldError::new("size", "range", range));
    }
    let (key, _) = page.order();
    if key != "id" && !sorted.contains(&key) {
        errors.push(FieldError::new("sort", "unknown", t("不能按此列排序", "Cannot be sorted by this").get(lang)));
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// The page that is wanted of a list that knows one order.
///
/// # Errors
/// 422 with all that is wrong.
pub fn newest_first(query: NewestQuery, lang: Lang) -> Result<PageQuery> {
    let page = PageQuery::from(query);
    check(&page, &[], lang)?;
    Ok(page)
}

/// The `ILIKE` pattern of texts that contain this one, whatever signs it holds.
pub fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for sign in text.chars() {
        if matches!(sign, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern.push('%');
    pattern
}

/// The ids that were made on a range of local days: from the first, below the second.
pub fn made_on(from: Option<NaiveDate>, to: Option<NaiveDate>) -> (Uuid, Uuid) {
    let from = from.map_or(Uuid::nil(), |day| first_id(midnight(day)));
    let to = to.and_then(|day| day.succ_opt()).map_or(Uuid::max(), |day| first_id(midnight(day)));
    (from, to)
}

/// The first instant after a local day.
pub fn after(day: NaiveDate) -> DateTime<Utc> {
    day.succ_opt().map_or(DateTime::<Utc>::MAX_UTC, midnight)
}

/// A code that is written into the statement, so that it is planned for this very value: rare ones have indexes of their own.
pub fn written(code: impl Code) -> Written {
    Written(code.as_str())
}

/// Only the rows that `ids` finds for this page. They are found in one table and its indexes alone, however many tables
/// the rows are put together from; those are then read for a page and no more, at any depth.
pub fn among<C, Q>(id: C, ids: Q, page: &PageQuery) -> Among<C, Q> {
    Among { id, ids: Limited::to(page, ids) }
}

/// Loads a page: the rows with a literal `LIMIT`, which keeps the plan cached, and a count that stops at the cap.
///
/// `counted` is the same query again without order and cursor: Diesel's boxed queries cannot be copied.
pub fn load<'a, T, R, Q, C>(
    conn: &'a mut AsyncPgConnection,
    page: &'a PageQuery,
    rows: Q,
    counted: C,
) -> BoxFuture<'a, Result<Page<R>>>
where
    Limited<Q>: for<'c> LoadQuery<'c, AsyncPgConnection, T>,
    Capped<C>: for<'c> LoadQuery<'c, AsyncPgConnection, i64>,
    T: Into<R> + Send + 'static,
    Q: Send + 'static,
    C: Send + 'static,
    R: Row,
{
    load_among(conn, page, Limited::to(page, rows), counted)
}

/// Loads a page of rows that [`among`] has chosen already. The future is boxed because the compiler cannot prove the
/// lifetimes of an `async fn` over these types.
pub fn load_among<'a, T, R, Q, C>(
    conn: &'a mut AsyncPgConnection,
    page: &'a PageQuery,
    rows: Q,
    counted: C,
) -> BoxFuture<'a, Result<Page<R>>>
where
    Q: for<'c> LoadQuery<'c, AsyncPgConnection, T>,
    Capped<C>: for<'c> LoadQuery<'c, AsyncPgConnection, i64>,
    T: Into<R> + Send + 'static,
    Q: Send + 'static,
    C: Send + 'static,
    R: Row,
{
    async move {
        let items: Vec<T> = all(rows, conn).await?;
        let items: Vec<R> = items.into_iter().map(Into::into).collect();
        let got = i64::try_from(items.len()).map_err(|err| Error::internal(err.to_string()))?;
        // A page that is not full tells the count by itself.
        let known = page.cursor.is_none() && got < page.size && (got > 0 || page.page == 1);
        let total = if known || page.uncounted {
            offset(page).saturating_add(got)
        } else {
            all(Capped { query: counted, limit: COUNT_CAP + 1 }, conn).await?.into_iter().sum()
        };
        let next_cursor = (page.order().0 == "id" && got == page.size).then(|| items.last().map(Row::id)).flatten();
        let (total, total_capped) = (total.min(COUNT_CAP), total > COUNT_CAP);
        Ok(Page { items, page: page.page, size: page.size, total, total_capped, next_cursor })
    }
    .boxed()
}

fn all<'c, Q, T>(query: Q, conn: &'c mut AsyncPgConnection) -> BoxFuture<'c, QueryResult<Vec<T>>>
where
    Q: LoadQuery<'c, AsyncPgConnection, T>,
    Q: Send + 'c,
    T: Send + 'c,
{
    let rows = query.internal_load(conn);
    async move { rows.await?.try_collect().await }.boxed()
}

/// How many rows come before a page.
pub const fn offset(page: &PageQuery) -> i64 {
    if page.cursor.is_some() { 0 } else { page.page.saturating_sub(1).saturating_mul(page.size) }
}

/// A query with its limit and offset written out.
pub struct Limited<Q> {
    query: Q,
    limit: i64,
    offset: i64,
}

impl<Q> Limited<Q> {
    fn to(page: &PageQuery, query: Q) -> Self {
        Self { query, limit: page.size, offset: offset(page) }
    }
}

impl<Q> QueryId for Limited<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Limited<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Limited<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(&format!(" LIMIT {}", self.limit));
        // There are too many offsets for each to stay prepared.
        if self.offset > 0 {
            out.unsafe_to_cache_prepared();
            out.push_sql(&format!(" OFFSET {}", self.offset));
        }
        Ok(())
    }
}

/// See [`among`].
pub struct Among<C, Q> {
    id: C,
    ids: Limited<Q>,
}

impl<C, Q> QueryId for Among<C, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, Q> Expression for Among<C, Q> {
    type SqlType = Bool;
}

impl<C, Q> ValidGrouping<()> for Among<C, Q> {
    type IsAggregate = is_aggregate::Never;
}

impl<C: AppearsOnTable<QS>, Q, QS> AppearsOnTable<QS> for Among<C, Q> {}

impl<C: QueryFragment<Pg>, Q: QueryFragment<Pg>> QueryFragment<Pg> for Among<C, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.id.walk_ast(out.reborrow())?;
        out.push_sql(" IN (");
        self.ids.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

/// See [`written`].
#[derive(Clone, Copy, Debug)]
pub struct Written(&'static str);

impl QueryId for Written {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Expression for Written {
    type SqlType = Text;
}

impl ValidGrouping<()> for Written {
    type IsAggregate = is_aggregate::Never;
}

impl<QS> AppearsOnTable<QS> for Written {}

impl QueryFragment<Pg> for Written {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // A code is a word of ours, without quotes in it.
        out.push_sql("'");
        out.push_sql(self.0);
        out.push_sql("'");
        Ok(())
    }
}

/// A count of a query's rows that stops at a limit.
pub struct Capped<Q> {
    query: Q,
    limit: i64,
}

impl<Q> QueryId for Capped<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Capped<Q> {
    type SqlType = BigInt;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Capped<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) FROM (");
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(&format!(" LIMIT {}) counted", self.limit));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns_take_every_sign_as_it_is() {
        assert_eq!(super::containing(r"50%_a\b"), r"%50\%\_a\\b%");
    }
}
