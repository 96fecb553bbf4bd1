//! Connectors of chargers for cars. They are made with their charger.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, car_orders, charger_states, chargers, connectors, reservations, stations};
use shared::connector::{CarConnectorFilter, CarConnectorForm, CarConnectorRow, CarConnectors};
use shared::device::{CommandKind, ConnectorStatus};
use shared::fault::FaultNote;
use shared::page::{Page, PageQuery};
use uuid::Uuid;

use crate::api::op::Op;
use crate::auth::caller::Caller;
use crate::auth::scope::{Owner, Scope};
use crate::beyond;
use crate::crud::page::{self, containing};
use crate::crud::{Browse, Change, Impact, Switch, ops};
use crate::error::Result;
use crate::impact;

#[derive(HasQuery)]
#[diesel(table_name = connectors, check_for_backend(Pg), base_query = joined())]
struct Connector {
    id: Uuid,
    code: String,
    number: i32,
    name: String,
    charger_id: Uuid,
    #[diesel(select_expression = (chargers::code, chargers::name, chargers::serial_no))]
    charger: (String, String, String),
    station_id: Uuid,
    #[diesel(select_expression = stations::name)]
    station_name: String,
    area_id: Uuid,
    #[diesel(select_expression = areas::name)]
    area_name: String,
    enabled: bool,
    #[diesel(select_expression = charger_states::table.filter(charger_states::charger_id.eq(connectors::charger_id)).select(charger_states::online).single_value())]
    online: Option<bool>,
    status: ConnectorStatus,
    error_code: Option<String>,
    status_info: Option<String>,
    status_at: Option<DateTime<Utc>>,
    #[diesel(select_expression = running().select(car_orders::id).single_value())]
    order_id: Option<Uuid>,
    #[diesel(select_expression = running().select(car_orders::order_no).single_value())]
    order_no: Option<String>,
    #[diesel(select_expression = pending(), select_expression_type = SqlLiteral<Array<Text>>)]
    pending: Vec<CommandKind>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Connector> for CarConnectorRow {
    fn from(it: Connector) -> Self {
        let (charger_code, charger_name, serial_no) = it.charger;
        Self {
            id: it.id,
            code: it.code,
            number: it.number,
            name: it.name,
            charger_id: it.charger_id,
            charger_code,
            charger_name,
            serial_no,
            station_id: it.station_id,
            station_name: it.station_name,
            area_id: it.area_id,
            area_name: it.area_name,
            enabled: it.enabled,
            online: it.online.unwrap_or(false),
            status: it.status,
            status_at: it.status_at,
            faults: FaultNote::explain(it.number, it.error_code.as_deref(), it.status_info.as_deref()),
            order_id: it.order_id,
            order_no: it.order_no,
            pending: it.pending,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    connectors::table.inner_join(chargers::table).inner_join(stations::table).inner_join(areas::table)
}

/// The order that runs on the connector that a query is about.
#[diesel::dsl::auto_type]
fn running() -> _ {
    let is_running: SqlLiteral<Bool> = is_running();
    car_orders::table.filter(car_orders::connector_id.eq(connectors::id)).filter(is_running)
}

/// The states of `order::RUNNING` written out: with parameters PostgreSQL would not know that its partial index fits.
fn is_running() -> SqlLiteral<Bool> {
    sql("car_orders.state in ('starting', 'charging', 'stopping', 'suspended')")
}

/// What the charger is still to be told of the connector that a query is about.
fn pending() -> SqlLiteral<Array<Text>> {
    sql("array(select distinct it.kind from device_commands it where it.device_id = connectors.charger_id \
         and it.state = 'pending' and it.payload ->> 'connector' = connectors.number::text)")
}

/// The connectors that the caller may see. Every read starts here.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    scope.narrow(joined().into_boxed(), connectors::provider_id, connectors::property_id, connectors::station_id)
}

fn found(scope: &Scope, filter: &CarConnectorFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let CarConnectorFilter {
        name,
        code,
        station_id,
        station_name,
        area_id,
        area_name,
        charger_id,
        charger_code,
        serial_no,
        status,
        enabled,
    } = filter;
    let mut query = visible(scope);
    if let Some(name) = name {
        query = query.filter(connectors::name.ilike(containing(name)));
    }
    if let Some(code) = code {
        query = query.filter(connectors::code.ilike(containing(code)));
    }
    if let Some(id) = station_id {
        query = query.filter(connectors::station_id.eq(*id));
    }
    if let Some(name) = station_name {
        query = query.filter(stations::name.ilike(containing(name)));
    }
    if let Some(id) = area_id {
        query = query.filter(connectors::area_id.eq(*id));
    }
    if let Some(name) = area_name {
        query = query.filter(areas::name.ilike(containing(name)));
    }
    if let Some(id) = charger_id {
        query = query.filter(connectors::charger_id.eq(*id));
    }
    if let Some(code) = charger_code {
        query = query.filter(chargers::code.ilike(containing(code)));
    }
    if let Some(serial_no) = serial_no {
        query = query.filter(chargers::serial_no.ilike(containing(serial_no)));
    }
    if let Some(status) = status {
        query = query.filter(connectors::status.eq(*status));
    }
    if let Some(enabled) = enabled {
        query = query.filter(connectors::enabled.eq(*enabled));
    }
    query
}

impl Browse for CarConnectors {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &CarConnectorFilter,
        page: &PageQuery,
    ) -> Result<Page<CarConnectorRow>> {
        let (key, falling) = page.order();
        let order: page::OrderBy<_> = match key {
            "code" => page::by(connectors::code, falling),
            _ => page::by(connectors::id, falling),
        };
        let rows = beyond!(found(scope, filter), connectors::id, page).order(order).select(Connector::as_select());
        page::load::<Connector, _, _, _>(conn, page, rows, found(scope, filter).select(connectors::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<CarConnectorRow> {
        let connector: Connector =
            visible(scope).filter(connectors::id.eq(id)).select(Connector::as_select()).first(conn).await?;
        Ok(connector.into())
    }
}

impl Change for CarConnectors {
    const TABLE: &'static str = "connectors";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &CarConnectorForm) -> Result<()> {
        let CarConnectorForm { name } = form;
        diesel::update(connectors::table.find(id)).set(connectors::name.eq(name)).execute(conn).await?;
        Ok(())
    }
}

impl Switch for CarConnectors {
    const TABLE: &'static str = "connectors";
    const TELLS: bool = true;

    async fn switch(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid, on: bool) -> Result<()> {
        type Row = (Uuid, i32, Uuid, Uuid, Uuid);
        let (charger, number, provider_id, property_id, station_id): Row = diesel::update(connectors::table.find(id))
            .set(connectors::enabled.eq(on))
            .returning((
                connectors::charger_id,
                connectors::number,
                connectors::provider_id,
                connectors::property_id,
                connectors::station_id,
            ))
            .get_result(conn)
            .await?;
        let owner = Owner { provider_id, property_id, station_id };
        crate::charger::service::make_available(conn, charger, owner, number, on, &by.name).await
    }

    async fn impact(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<Impact> {
        let running = impact::running(scope).filter(car_orders::connector_id.eq(id));
        let kept = impact::reserved(scope).filter(reservations::connector_id.eq(id));
        Ok(Impact {
            running_orders: running.count().get_result(conn).await?,
            reservations: kept.count().get_result(conn).await?,
            ..Impact::default()
        })
    }
}

/// The operations of connectors.
pub fn operations() -> Vec<Op> {
    [
        ops::browse::<CarConnectors>(),
        ops::change::<CarConnectors>(),
        ops::switch::<CarConnectors>(),
        ops::history::<CarConnectors>(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
