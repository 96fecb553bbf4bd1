//! Tariffs of car areas: each saving is a wording of its own, and the wording in force at a start counts for the order.

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, car_orders, stations, tariff_versions, tariffs, users};
use shared::fixed::Fen;
use shared::page::{Page, PageQuery};
use shared::pricing::{self, Tariff, TariffMode};
use shared::problem::FieldError;
use shared::tariff::{
    CarTariffDetail, CarTariffFilter, CarTariffForm, CarTariffRow, CarTariffs, TariffVersion, Trial, TrialForm,
    UnsavedTrialForm,
};
use shared::text::t;
use uuid::Uuid;

use crate::api::body::Body;
use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::{Owner, Scope};
use crate::auth::token::digest;
use crate::beyond;
use crate::crud::{Browse, Change, Create, Ctx, Impact, Switch, ops, page};
use crate::error::{Error, Result};
use crate::impact;

/// What a charge that starts now is priced by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The wording's id.
    pub version_id: Uuid,
    /// What it says.
    pub tariff: Tariff,
    /// The wording's hash, as [`hash`] makes it.
    pub hash: String,
    /// What drivers are offered to prepay.
    pub presets: Vec<Fen>,
}

/// The wording that prices a charge which starts in an area at an instant: of the area's enabled tariff, the last saved
/// of those that have come into force. Without one no charge may start.
///
/// # Errors
/// The database's.
pub async fn in_force(conn: &mut AsyncPgConnection, area: Uuid, at: DateTime<Utc>) -> Result<Option<InForce>> {
    let of_area = tariffs::table.filter(tariffs::area_id.eq(area)).filter(tariffs::enabled);
    let in_force = tariff_versions::id.nullable().eq(tariff_version_in_force(tariffs::id, at));
    let row: Option<(Uuid, Tariff, String, Vec<Fen>)> = of_area
        .inner_join(tariff_versions::table.on(in_force))
        .select((tariff_versions::id, tariff_versions::body, tariff_versions::body_hash, tariffs::presets))
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|(version_id, tariff, hash, presets)| InForce { version_id, tariff, hash, presets }))
}

/// The hash by which a wording is known again: equal tariffs have equal ones.
///
/// # Errors
/// Never in practice.
pub fn hash(tariff: &Tariff) -> Result<String> {
    // Fields are written in the order of their declaration and prices in that of the periods.
    Ok(digest(&serde_json::to_string(tariff).map_err(anyhow::Error::from)?))
}

#[derive(HasQuery)]
#[diesel(table_name = tariffs, check_for_backend(Pg), base_query = joined())]
struct Stored {
    id: Uuid,
    station_id: Uuid,
    #[diesel(select_expression = stations::name)]
    station_name: String,
    area_id: Uuid,
    #[diesel(select_expression = areas::name)]
    area_name: String,
    name: String,
    mode: TariffMode,
    #[diesel(select_expression = newest().select(tariff_versions::body).single_value().assume_not_null())]
    tariff: Tariff,
    #[diesel(select_expression = newest().select(tariff_versions::number).single_value().assume_not_null())]
    number: i32,
    #[diesel(select_expression = newest().select(tariff_versions::effective_at).single_value().assume_not_null())]
    effective_at: DateTime<Utc>,
    #[diesel(select_expression = now_in_force().select(tariff_versions::number).single_value())]
    number_in_force: Option<i32>,
    presets: Vec<Fen>,
    enabled: bool,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Stored> for CarTariffRow {
    fn from(it: Stored) -> Self {
        Self {
            id: it.id,
            station_id: it.station_id,
            station_name: it.station_name,
            area_id: it.area_id,
            area_name: it.area_name,
            name: it.name,
            mode: it.mode,
            tariff: it.tariff,
            number: it.number,
            effective_at: it.effective_at,
            number_in_force: it.number_in_force,
            presets: it.presets,
            enabled: it.enabled,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    tariffs::table.inner_join(stations::table).inner_join(areas::table)
}

diesel::define_sql_function! {
    /// The time of day, where `now()` would be that of the transaction's start.
    fn clock_timestamp() -> diesel::sql_types::Timestamptz;
}

diesel::define_sql_function! {
    /// The id of the wording of a tariff that prices what starts at an instant: the last saved of those that have come
    /// into force. Every query asks this one function of the database, so that no two can show different prices.
    fn tariff_version_in_force(
        tariff: diesel::sql_types::Uuid,
        at: diesel::sql_types::Timestamptz,
    ) -> diesel::sql_types::Nullable<diesel::sql_types::Uuid>;
}

/// The newest wording of the tariff that a query is about.
#[diesel::dsl::auto_type]
fn newest() -> _ {
    let of_tariff = tariff_versions::table.filter(tariff_versions::tariff_id.eq(tariffs::id));
    of_tariff.order(tariff_versions::number.desc()).limit(1_i64)
}

/// Its wording in force.
#[diesel::dsl::auto_type]
fn now_in_force() -> _ {
    let in_force = tariff_version_in_force(tariffs::id, clock_timestamp());
    tariff_versions::table.filter(tariff_versions::id.nullable().eq(in_force))
}

/// The car tariffs that the caller may see. Every read starts here.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let query = joined().filter(tariffs::line.eq("car")).into_boxed();
    scope.narrow(query, tariffs::provider_id, tariffs::property_id, tariffs::station_id)
}

fn found(scope: &Scope, filter: &CarTariffFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let CarTariffFilter { name, station_name, station_id, area_name, area_id, mode, enabled } = filter;
    let mut query = visible(scope);
    if let Some(name) = name {
        query = query.filter(tariffs::name.ilike(page::containing(name)));
    }
    if let Some(name) = station_name {
        query = query.filter(stations::name.ilike(page::containing(name)));
    }
    if let Some(id) = station_id {
        query = query.filter(tariffs::station_id.eq(*id));
    }
    if let Some(name) = area_name {
        query = query.filter(areas::name.ilike(page::containing(name)));
    }
    if let Some(id) = area_id {
        query = query.filter(tariffs::area_id.eq(*id));
    }
    if let Some(mode) = mode {
        query = query.filter(tariffs::mode.eq(mode.to_string()));
    }
    if let Some(enabled) = enabled {
        query = query.filter(tariffs::enabled.eq(*enabled));
    }
    query
}

impl Browse for CarTariffs {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &CarTariffFilter,
        page: &PageQuery,
    ) -> Result<Page<CarTariffRow>> {
        let (key, falling) = page.order();
        let order: page::OrderBy<_> = match key {
            "name" => page::by(tariffs::name, falling),
            _ => page::by(tariffs::id, falling),
        };
        let rows = beyond!(found(scope, filter), tariffs::id, page).order(order).select(Stored::as_select());
        page::load::<Stored, _, _, _>(conn, page, rows, found(scope, filter).select(tariffs::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<CarTariffDetail> {
        let stored: Stored = visible(scope).filter(tariffs::id.eq(id)).select(Stored::as_select()).first(conn).await?;
        Ok(CarTariffDetail { row: stored.into(), versions: versions(conn, id).await? })
    }
}

/// All wordings of a tariff, newest first.
async fn versions(conn: &mut AsyncPgConnection, tariff: Uuid) -> Result<Vec<TariffVersion>> {
    type Row = (Uuid, i32, Tariff, DateTime<Utc>, DateTime<Utc>, Option<String>);
    let rows: Vec<Row> = tariff_versions::table
        .left_join(users::table.on(users::id.nullable().eq(tariff_versions::saved_by)))
        .filter(tariff_versions::tariff_id.eq(tariff))
        .order(tariff_versions::number.desc())
        .select((
            tariff_versions::id,
            tariff_versions::number,
            tariff_versions::body,
            tariff_versions::saved_at,
            tariff_versions::effective_at,
            users::name.nullable(),
        ))
        .load(conn)
        .await?;
    let version = |(id, number, tariff, saved_at, effective_at, saved_by)| TariffVersion {
        id,
        number,
        tariff,
        saved_at,
        effective_at,
        saved_by,
    };
    Ok(rows.into_iter().map(version).collect())
}

impl Create for CarTariffs {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &CarTariffForm) -> Result<Uuid> {
        create(conn, by, form, Utc::now()).await
    }
}

impl Change for CarTariffs {
    const TABLE: &'static str = "tariffs";

    async fn update(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid, form: &CarTariffForm) -> Result<()> {
        update(conn, by, id, form, Utc::now()).await
    }
}

/// Adds a tariff, switched on, with its first wording.
///
/// # Errors
/// 422 when the area is not the caller's, 409 when it takes nothing new or has an enabled tariff already.
pub async fn create(
    conn: &mut AsyncPgConnection,
    by: &Caller,
    form: &CarTariffForm,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    let CarTariffForm { station_id, area_id, name, tariff, presets, effective_now } = form;
    let Owner { provider_id, property_id, station_id } =
        crate::tenant::area_takes_new(conn, &by.scope, "car", *station_id, *area_id).await?;
    let id = new_id(now);
    diesel::insert_into(tariffs::table)
        .values((
            tariffs::id.eq(id),
            tariffs::line.eq("car"),
            tariffs::provider_id.eq(provider_id),
            tariffs::property_id.eq(property_id),
            tariffs::station_id.eq(station_id),
            tariffs::area_id.eq(area_id),
            tariffs::name.eq(name),
            tariffs::mode.eq(tariff.mode.to_string()),
            tariffs::presets.eq(presets.as_deref().unwrap_or_default()),
        ))
        .execute(conn)
        .await?;
    save(conn, by, id, tariff, effective_now.unwrap_or(false), now).await?;
    Ok(id)
}

/// Changes a tariff. A new wording is saved only if it says something new: presets and names are not priced by.
///
/// # Errors
/// 422 on `effective_now` while a wording is in force.
pub async fn update(
    conn: &mut AsyncPgConnection,
    by: &Caller,
    id: Uuid,
    form: &CarTariffForm,
    now: DateTime<Utc>,
) -> Result<()> {
    let CarTariffForm { station_id: _, area_id: _, name, tariff, presets, effective_now } = form;
    let set = (
        tariffs::name.eq(name),
        tariffs::mode.eq(tariff.mode.to_string()),
        tariffs::presets.eq(presets.as_deref().unwrap_or_default()),
    );
    diesel::update(tariffs::table.find(id)).set(set).execute(conn).await?;
    save(conn, by, id, tariff, effective_now.unwrap_or(false), now).await
}

/// Saves a wording: in force from 24:00 of the day on, or at once if that is wanted and none is in force.
async fn save(
    conn: &mut AsyncPgConnection,
    by: &Caller,
    id: Uuid,
    tariff: &Tariff,
    at_once: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    let of_tariff = || tariff_versions::table.filter(tariff_versions::tariff_id.eq(id));
    if at_once {
        let in_force = of_tariff().filter(tariff_versions::effective_at.le(now)).count();
        if in_force.get_result::<i64>(conn).await? > 0 {
            let text = t("已有生效中的版本，不能立即生效", "A wording is in force, so the next waits for 24:00");
            return Err(Error::field("effective_now", "in_force", text));
        }
    }
    let newest: Option<(i32, String)> = of_tariff()
        .order(tariff_versions::number.desc())
        .select((tariff_versions::number, tariff_versions::body_hash))
        .first(conn)
        .await
        .optional()?;
    let hash = hash(tariff)?;
    if !at_once && newest.as_ref().is_some_and(|(_, known)| *known == hash) {
        return Ok(());
    }
    diesel::insert_into(tariff_versions::table)
        .values((
            tariff_versions::id.eq(new_id(now)),
            tariff_versions::tariff_id.eq(id),
            tariff_versions::number.eq(newest.map_or(0, |(number, _)| number) + 1),
            tariff_versions::body.eq(tariff),
            tariff_versions::body_hash.eq(hash),
            tariff_versions::saved_at.eq(now),
            tariff_versions::effective_at.eq(if at_once { now } else { pricing::effective_from(now) }),
            tariff_versions::saved_by.eq(by.user_id),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

impl Switch for CarTariffs {
    const TABLE: &'static str = "tariffs";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        diesel::update(tariffs::table.find(id)).set(tariffs::enabled.eq(on)).execute(conn).await?;
        Ok(())
    }

    async fn impact(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<Impact> {
        let area: Uuid = tariffs::table.find(id).select(tariffs::area_id).first(conn).await?;
        let running = impact::running(scope).filter(car_orders::area_id.eq(area));
        Ok(Impact { running_orders: running.count().get_result(conn).await?, ..Impact::default() })
    }
}

async fn trial(mut ctx: Ctx, id: Path<Uuid>, Body(form): Body<TrialForm>) -> Result<Json<Trial>> {
    let found = CarTariffs::find(&mut ctx.conn, &ctx.caller.scope, *id).await?;
    form.price(&found.row.tariff, ctx.lang).map(Json).map_err(Error::Invalid)
}

async fn trial_unsaved(ctx: Ctx, Body(form): Body<UnsavedTrialForm>) -> Result<Json<Trial>> {
    let errors: Vec<FieldError> = form.tariff.check(ctx.lang);
    if !errors.is_empty() {
        let within = |it: FieldError| FieldError { field: format!("tariff.{}", it.field), ..it };
        return Err(Error::Invalid(errors.into_iter().map(within).collect()));
    }
    form.charge.price(&form.tariff, ctx.lang).map(Json).map_err(Error::Invalid)
}

/// The operations of car tariffs.
pub fn operations() -> Vec<Op> {
    let view = ops::permission::<CarTariffs>("view");
    let trial_op = Op::post("/api/v1/car/tariffs/{id}/trial", "trialCarTariff", t("计费测试", "Price a charge"))
        .permission(&view)
        .body::<TrialForm>()
        .returns::<Trial>()
        .to(trial);
    let text = t("未保存规则的计费测试", "Price a charge under a tariff that is not saved");
    let unsaved = Op::post("/api/v1/car/tariffs/trial", "trialUnsavedCarTariff", text)
        .permission(&view)
        .body::<UnsavedTrialForm>()
        .returns::<Trial>()
        .to(trial_unsaved);
    let trials = [trial_op, unsaved].into_iter().map(|op| op.tag("car/tariffs")).collect();
    [
        ops::browse::<CarTariffs>(),
        ops::write::<CarTariffs>(),
        ops::switch::<CarTariffs>(),
        ops::history::<CarTariffs>(),
        trials,
    ]
    .into_iter()
    .flatten()
    .collect()
}
