//! Reservations as staff sees them: who has which connector kept free, whether the car came, and for how long it stood there.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::car_order::CarOrderRow;
use crate::codes::{Code, codes};
use crate::describe::{Action, As, Column, Fact, Field, Input};
use crate::pricing::ReservationState;
use crate::resource::{Form, Resource, Row, Verb};
use crate::text::{Text, t};

codes! {
    /// Why a reservation ended.
    pub enum ReservationEnd {
        Left = "left", Success, "车辆离开", "The car left";
        Staff = "staff", Warning, "平台结束", "Ended by staff";
        Driver = "driver", Info, "用户取消", "Cancelled by the driver";
        Expired = "expired", Danger, "超时未到", "Nobody came in time";
    }
}

/// A reservation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReservationRow {
    /// Id.
    pub id: Uuid,
    /// The reservation's number.
    #[schema(example = "R10000001")]
    pub reservation_no: String,
    /// Where it stands.
    pub state: ReservationState,
    /// The station.
    pub station_id: Uuid,
    /// Its name.
    #[schema(example = "滨江一号充电站")]
    pub station_name: String,
    /// The area's name.
    #[schema(example = "默认区域")]
    pub area_name: String,
    /// The charger.
    pub charger_id: Uuid,
    /// Its code.
    #[schema(example = "C1000001")]
    pub charger_code: String,
    /// The connector that is kept free.
    pub connector_id: Uuid,
    /// Its code.
    #[schema(example = "C1000001-1")]
    pub connector_code: String,
    /// The driver.
    pub driver_id: Uuid,
    /// The driver's telephone.
    #[schema(example = "13800000001")]
    pub phone: String,
    /// The plate of the car that is expected.
    #[schema(example = "浙A12345")]
    pub plate: String,
    /// For how long a car has stood there without charging, in seconds; until now while it stands there.
    #[schema(example = 600)]
    pub occupied_seconds: Option<i64>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when the car has to come.
    pub expires_at: DateTime<Utc>,
    /// When the car came: what keeps others out opens for it.
    pub entered_at: Option<DateTime<Utc>>,
    /// When the car left: what keeps others out closes behind it.
    pub left_at: Option<DateTime<Utc>>,
    /// When the reservation ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it ended.
    pub end_reason: Option<ReservationEnd>,
    /// Who of staff ended it.
    #[schema(example = "陈晨")]
    pub ended_by: Option<String>,
    /// What they wrote.
    pub end_note: Option<String>,
}

impl Row for ReservationRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// A reservation with what was charged under it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReservationDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub row: ReservationRow,
    /// Its charge orders, the newest first.
    pub orders: Vec<CarOrderRow>,
}

impl Row for ReservationDetail {
    fn id(&self) -> Uuid {
        self.row.id
    }
}

/// How reservations are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
pub struct ReservationFilter {
    /// At this station.
    pub station_id: Option<Uuid>,
    /// With this number.
    pub reservation_no: Option<String>,
    /// Of the driver with this telephone.
    pub phone: Option<String>,
    /// For the car with this plate.
    pub plate: Option<String>,
    /// At the charger with this code.
    pub charger_code: Option<String>,
    /// In this state.
    pub state: Option<ReservationState>,
    /// Made on this local day or later.
    #[param(example = "2026-11-16")]
    pub created_from: Option<NaiveDate>,
    /// Made on this local day or earlier.
    #[param(example = "2026-11-22")]
    pub created_to: Option<NaiveDate>,
}

/// Reservations (预约订单).
pub struct Reservations;

impl Resource for Reservations {
    const PATH: &'static str = "orders/reservations";
    const ONE: &'static str = "Reservation";
    const MANY: &'static str = "Reservations";
    const TITLE: Text = t("预约订单", "Reservations");
    const PERMISSION: &'static str = "order.reservation";
    const NAME: &'static str = "reservation_no";
    type Row = ReservationRow;
    type Detail = ReservationDetail;
    type Filter = ReservationFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("reservation_no", t("预约单号", "Reservation"), As::Text),
        Column::new("state", t("订单状态", "State"), As::Code(ReservationState::CHOICES)),
        Column::new("station", t("电站名称", "Station"), As::Text).at("station_name"),
        Column::new("area", t("区域", "Area"), As::Text).at("area_name").detail_only(),
        // The connector's code begins with it.
        Column::new("charger", t("电桩编号", "Charger"), As::Text).at("charger_code").detail_only(),
        Column::new("connector", t("电枪编号", "Connector"), As::Text).at("connector_code"),
        Column::new("phone", t("手机号", "Phone"), As::Text),
        Column::new("plate", t("车牌号", "Plate"), As::Text),
        Column::new("occupied", t("占位时长", "Occupied"), As::Duration).at("occupied_seconds"),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("expires_at", t("预约有效期至", "Kept until"), As::Time).detail_only(),
        Column::new("entered_at", t("进入(开闸)时间", "Came"), As::Time).detail_only(),
        Column::new("left_at", t("离开(关闸)时间", "Left"), As::Time).detail_only(),
        Column::new("ended_at", t("结束时间", "Ended"), As::Time),
        Column::new("end_reason", t("结束原因", "Why it ended"), As::Code(ReservationEnd::CHOICES)).detail_only(),
        Column::new("ended_by", t("结束人", "Ended by"), As::Text).detail_only(),
        Column::new("end_note", t("结束说明", "Staff's note"), As::Text).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("reservation_no", t("预约单号", "Reservation"), Input::Text(32)),
        Field::new("phone", t("手机号", "Phone"), Input::Text(20)),
        Field::new("plate", t("车牌号", "Plate"), Input::Text(12)),
        Field::new("state", t("订单状态", "State"), Input::Choice(ReservationState::CHOICES)),
        Field::new("station_id", t("电站", "Station"), Input::Lookup("car/stations")),
        Field::new("charger_code", t("电桩编号", "Charger"), Input::Text(32)),
        Field::new("created", t("创建时间", "Created"), Input::Days),
    ];
    const ACTIONS: &'static [Action] = &[Action::new("end", t("结束", "End"))
        .done(t("预约已结束", "The reservation has ended"))
        .fields(EndReservationForm::FIELDS)
        .facts(&[
            Fact::new("phone", t("手机号", "Phone"), As::Text),
            Fact::new("plate", t("车牌号", "Plate"), As::Text),
            Fact::new("station_name", t("电站名称", "Station"), As::Text),
            Fact::new("connector_code", t("电枪编号", "Connector"), As::Text),
        ])
        .when(|it| ReservationState::of(&it["state"]).is_some_and(ReservationState::is_live))
        .danger()
        .keyed()];
    const VERBS: &'static [Verb] = &[Verb::View, Verb::Export];
}

/// Why staff ends a reservation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EndReservationForm {
    /// For those who look at the reservation later.
    #[schema(example = "电桩检修")]
    pub note: String,
}

impl Form for EndReservationForm {}

impl EndReservationForm {
    /// How it is filled in.
    pub const FIELDS: &'static [Field] =
        &[Field::new("note", t("结束说明", "Note"), Input::Area(200)).required().help(t(
            "充电枪立即开放给其他车主；正在进行的充电不受影响。",
            "The connector is free for others at once; a charge that runs there goes on.",
        ))];
}

impl ReservationState {
    /// The connector is kept for its driver (3.4.4/3).
    pub const fn is_live(self) -> bool {
        match self {
            Self::Reserved | Self::Occupying => true,
            Self::Completed | Self::Cancelled | Self::TimedOut => false,
        }
    }
}
