//! Binding users to stations, which narrows what they see to these.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{stations, user_stations};
use shared::text::t;
use uuid::Uuid;

use crate::auth::caller::Caller;
use crate::auth::scope::{Node, Scope};
use crate::error::{Error, Result};
use crate::system::rights;

/// The stations of a node that the caller sees.
fn common(by: &Scope, at: Node) -> stations::BoxedQuery<'static, Pg> {
    let node = Scope { node: at, stations: None };
    let own = node.narrow(stations::table.into_boxed(), stations::provider_id, stations::property_id, stations::id);
    by.narrow(own, stations::provider_id, stations::property_id, stations::id)
}

/// Binds a user to exactly these stations, told by line; none of any line leaves them all of their node.
pub async fn bind(
    conn: &mut AsyncPgConnection,
    by: &Caller,
    user: Uuid,
    at: Node,
    wanted: [(&str, &str, Vec<Uuid>); 2],
) -> Result<()> {
    diesel::delete(user_stations::table.filter(user_stations::user_id.eq(user))).execute(conn).await?;
    for (field, line, wanted) in wanted {
        let known: Vec<Uuid> = common(&by.scope, at)
            .filter(stations::line.eq(line.to_owned()))
            .filter(stations::id.eq_any(wanted.clone()))
            .select(stations::id)
            .load(conn)
            .await?;
        if wanted.iter().any(|it| !known.contains(it)) {
            let text = t("电站不存在，或不属于该用户所在的节点", "No such station at the user's node");
            return Err(Error::field(field, "choice", text));
        }
        insert(conn, user, &known).await?;
    }
    require_narrow(conn, by, user).await?;
    if at == Node::Platform {
        rights::require_administrator(conn).await?;
    }
    Ok(())
}

/// Binds a new user to what its maker is bound to: nobody makes a user who sees more than they.
pub async fn inherit(conn: &mut AsyncPgConnection, by: &Caller, user: Uuid, at: Node) -> Result<()> {
    if by.scope.stations.is_none() {
        return Ok(());
    }
    let inherited: Vec<Uuid> = common(&by.scope, at).select(stations::id).load(conn).await?;
    insert(conn, user, &inherited).await?;
    require_narrow(conn, by, user).await
}

async fn insert(conn: &mut AsyncPgConnection, user: Uuid, ids: &[Uuid]) -> Result<()> {
    let rows: Vec<_> =
        ids.iter().map(|it| (user_stations::user_id.eq(user), user_stations::station_id.eq(*it))).collect();
    diesel::insert_into(user_stations::table).values(rows).execute(conn).await?;
    Ok(())
}

/// No stations means all of them, which whoever is bound themselves cannot give.
async fn require_narrow(conn: &mut AsyncPgConnection, by: &Caller, user: Uuid) -> Result<()> {
    let bound = user_stations::table.filter(user_stations::user_id.eq(user));
    if by.scope.stations.is_none() || diesel::select(diesel::dsl::exists(bound)).get_result(conn).await? {
        return Ok(());
    }
    let text = t("您的账号仅限指定电站，请至少选择其中一个", "Your account is bound to stations: choose at least one");
    Err(Error::field("car_station_ids", "required", text))
}
