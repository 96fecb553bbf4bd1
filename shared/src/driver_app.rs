//! What the drivers' mini-program sends and gets.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::codes::Code;
use crate::describe::{Field, Input};
use crate::device::ConnectorStatus;
use crate::fixed::{Fen, Kwh, Price};
use crate::order::{OrderState, StartMethod};
use crate::payment::{PaymentState, RefundKind, RefundState};
use crate::pricing::{Line, Period, ReservationState, Segment, Tariff, UnitPrice};
use crate::resource::{Form, Row};
use crate::text::t;

/// Asks for a one-time code by text message.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CodeRequest {
    /// A mainland mobile number.
    #[schema(example = "13800000001")]
    pub phone: String,
}

impl Form for CodeRequest {}

impl CodeRequest {
    /// How it is filled in.
    pub const FIELDS: &'static [Field] = &[PHONE];
}

const PHONE: Field = Field::new("phone", t("手机号", "Mobile"), Input::Mobile).required();

/// A code is on its way.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CodeSent {
    /// How long it can be used.
    #[schema(example = 300)]
    pub expires_in: i64,
    /// How long to wait before another one can be asked for.
    #[schema(example = 60)]
    pub retry_after: i64,
}

/// A login with a one-time code. Who logs in first becomes a driver.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverLogin {
    /// The number that the code was sent to.
    #[schema(example = "13800000001")]
    pub phone: String,
    /// The code.
    #[schema(example = "123456")]
    pub code: String,
}

impl Form for DriverLogin {}

impl DriverLogin {
    /// How it is filled in.
    pub const FIELDS: &'static [Field] = &[PHONE, Field::new("code", t("验证码", "Code"), Input::Text(6)).required()];
}

/// What a login or a refresh gives a driver.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverTokens {
    /// Goes into `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: String,
    /// Seconds until the access token ends.
    #[schema(example = 900)]
    pub expires_in: i64,
    /// Gives the next pair, once.
    pub refresh_token: String,
    /// Who logged in.
    pub driver: DriverMe,
}

/// The logged-in driver.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverMe {
    /// Id.
    pub id: Uuid,
    /// Their mobile number.
    #[schema(example = "13800000001")]
    pub phone: String,
    /// What they call themselves.
    pub nickname: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their car's plate.
    #[schema(example = "浙A12345")]
    pub plate: Option<String>,
    /// Their particulars were checked.
    pub certified: bool,
    /// When they logged in first.
    pub created_at: DateTime<Utc>,
}

/// Where to look for stations.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
pub struct NearbyQuery {
    /// Longitude in degrees, GCJ-02.
    #[param(example = 120.2)]
    pub lng: f64,
    /// Latitude in degrees, GCJ-02.
    #[param(example = 30.25)]
    pub lat: f64,
    /// How far away they may be, at most 100 km.
    #[param(minimum = 1, maximum = 100_000, default = 10_000, example = 10_000)]
    pub radius_m: Option<i64>,
    /// Part of the name or the address.
    pub q: Option<String>,
}

/// What a kWh costs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceNow {
    /// The period of the day.
    pub period: Period,
    /// The energy fee, yuan per kWh.
    pub elec: Price,
    /// The service fee, yuan per kWh.
    pub service: Price,
    /// Both together.
    pub total: Price,
}

impl PriceNow {
    /// A tariff's price at an instant, if it has one.
    pub fn of(tariff: &Tariff, at: DateTime<Utc>) -> Option<Self> {
        let (period, UnitPrice { elec, service }) = tariff.price_at(at).ok()?;
        let total = elec.units().checked_add(service.units())?;
        Some(Self { period, elec, service, total: Price::from_units(total).ok()? })
    }
}

/// A station near the driver.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NearbyStation {
    /// Id.
    pub id: Uuid,
    /// Name.
    #[schema(example = "滨江一号充电站")]
    pub name: String,
    /// City.
    #[schema(example = "杭州市")]
    pub city: Option<String>,
    /// Street and number.
    pub address: Option<String>,
    /// Longitude in degrees, GCJ-02.
    #[schema(example = 120.2)]
    pub lng: f64,
    /// Latitude in degrees, GCJ-02.
    #[schema(example = 30.25)]
    pub lat: f64,
    /// How far away it is, as the crow flies.
    #[schema(example = 850)]
    pub distance_m: i64,
    /// Opening hours.
    pub business_hours: Option<String>,
    /// The number that drivers may call.
    pub hotline: Option<String>,
    /// Connectors in service.
    #[schema(example = 8)]
    pub connectors: i64,
    /// Those of them at which one can start now.
    #[schema(example = 3)]
    pub free: i64,
    /// The lowest price of its areas now; none while no tariff is in force.
    pub price: Option<PriceNow>,
}

/// A station with all that is in it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StationView {
    /// Id.
    pub id: Uuid,
    /// Name.
    #[schema(example = "滨江一号充电站")]
    pub name: String,
    /// What drivers should know of it.
    pub intro: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Street and number.
    pub address: Option<String>,
    /// Longitude in degrees, GCJ-02.
    pub lng: Option<f64>,
    /// Latitude in degrees, GCJ-02.
    pub lat: Option<f64>,
    /// Opening hours.
    pub business_hours: Option<String>,
    /// The number that drivers may call.
    pub hotline: Option<String>,
    /// Its parts.
    pub areas: Vec<AreaView>,
}

/// A part of a station: one price, some chargers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AreaView {
    /// Id.
    pub id: Uuid,
    /// Name.
    #[schema(example = "默认区域")]
    pub name: String,
    /// The tariff in force; without one nobody can start.
    pub tariff: Option<TariffView>,
    /// Its chargers.
    pub chargers: Vec<ChargerView>,
}

/// What charging costs, by period of the day.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TariffView {
    /// Name.
    #[schema(example = "峰平谷电价")]
    pub name: String,
    /// The prices and the ranges of the day.
    pub tariff: Tariff,
    /// The price now.
    pub now: Option<PriceNow>,
    /// The amounts that drivers are offered to prepay, in fen.
    #[schema(example = json!([3000, 5000, 10000]))]
    pub presets: Vec<Fen>,
}

/// A charger as a driver sees it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChargerView {
    /// Id.
    pub id: Uuid,
    /// The platform's own number.
    #[schema(example = "C1000001")]
    pub code: String,
    /// Name.
    #[schema(example = "1号桩")]
    pub name: String,
    /// The most power that it gives, in W.
    #[schema(example = 60_000)]
    pub output_power_w: i64,
    /// It is connected to the platform.
    pub online: bool,
    /// Its connectors can be reserved.
    pub reservable: bool,
    /// Its connectors.
    pub connectors: Vec<ConnectorView>,
}

/// A connector as a driver sees it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConnectorView {
    /// Id.
    pub id: Uuid,
    /// The platform's own number.
    #[schema(example = "C100000101")]
    pub code: String,
    /// Its place on the charger, from 1.
    #[schema(example = 1)]
    pub number: i32,
    /// Name.
    #[schema(example = "1号枪")]
    pub name: String,
    /// What it is doing.
    pub status: ConnectorStatus,
    /// Why one cannot start there now; absent when one can.
    pub obstacle: Option<Obstacle>,
}

/// Why one cannot start, in the words that a refused order would give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Obstacle {
    /// The stable code: `charger_offline`, `connector_faulted`, `connector_not_plugged`, `connector_busy`, ….
    #[schema(example = "charger_offline")]
    pub code: String,
    /// For people.
    #[schema(example = "设备离线，请换一个充电桩")]
    pub message: String,
}

/// What a scanned or typed code leads to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChargerFound {
    /// The station.
    pub station_id: Uuid,
    /// That station's name.
    #[schema(example = "滨江一号充电站")]
    pub station_name: String,
    /// The area's name.
    pub area_name: String,
    /// The tariff in force.
    pub tariff: Option<TariffView>,
    /// The charger.
    pub charger: ChargerView,
    /// The connector that the code names; none when it names the charger.
    pub connector_id: Option<Uuid>,
}

/// How much a driver thinks of prepaying.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams)]
pub struct QuoteQuery {
    /// The amount in fen; without one the price is told alone.
    #[param(minimum = 1, maximum = 100_000, example = 5000)]
    pub prepaid_fen: Option<i64>,
}

/// What a prepayment would buy.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Quote {
    /// The connector.
    pub connector: ConnectorView,
    /// The tariff that the order would run under.
    pub tariff: TariffView,
    /// The amount.
    #[schema(example = 5000)]
    pub prepaid_fen: Option<Fen>,
    /// How far it goes at the charger's full power from now on, until less than a yuan is left; none when energy is free.
    pub reach: Option<ReachView>,
}

/// How far money goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReachView {
    /// So much energy.
    pub kwh: Kwh,
    /// For so long.
    #[schema(example = 2400)]
    pub seconds: i64,
}

/// Begins an order: it is created unpaid, and charging starts once it is paid.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewOrder {
    /// Where to charge.
    pub connector_id: Uuid,
    /// How much to prepay.
    #[schema(example = 5000)]
    pub prepaid_fen: Fen,
    /// How the driver came to the connector.
    pub start_method: StartMethod,
}

impl Form for NewOrder {}

impl NewOrder {
    /// The least that can be prepaid: with less than a yuan left a charge is ended.
    pub const LEAST: Fen = Fen(100);
    /// The most that can be prepaid.
    pub const MOST: Fen = Fen(100_000);
    /// How it is filled in.
    pub const FIELDS: &'static [Field] = &[
        Field::new("connector_id", t("充电枪", "Connector"), Input::Lookup("car/connectors")).required(),
        Field::new(
            "prepaid_fen",
            t("预付金额(元)", "Prepaid (yuan)"),
            Input::Fen { min: Self::LEAST.0, max: Self::MOST.0 },
        )
        .required(),
        Field::new("start_method", t("启动方式", "Start method"), Input::Choice(StartMethod::CHOICES)).required(),
    ];
}

/// How one's orders are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct DriverOrderQuery {
    /// In this state.
    pub state: Option<OrderState>,
}

/// An order as its driver sees it in the list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverOrder {
    /// Id.
    pub id: Uuid,
    /// Its number.
    #[schema(example = "C26112210000001")]
    pub order_no: String,
    /// Where it stands.
    pub state: OrderState,
    /// The station.
    pub station_id: Uuid,
    /// That station's name.
    #[schema(example = "滨江一号充电站")]
    pub station_name: String,
    /// The charger's number.
    #[schema(example = "C1000001")]
    pub charger_code: String,
    /// The charger's name.
    #[schema(example = "1号桩")]
    pub charger_name: String,
    /// The connector.
    pub connector_id: Uuid,
    /// The connector's name.
    #[schema(example = "1号枪")]
    pub connector_name: String,
    /// What was paid in advance.
    #[schema(example = 5000)]
    pub prepaid_fen: Fen,
    /// What it costs, so far or for good.
    #[schema(example = 3345)]
    pub total_fen: Fen,
    /// What has come back.
    #[schema(example = 1655)]
    pub refunded_fen: Fen,
    /// The energy, so far or for good.
    pub kwh: Kwh,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When the charge began.
    pub started_at: Option<DateTime<Utc>>,
    /// When the charge ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Row for DriverOrder {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// A payment as its driver sees it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverPayment {
    /// Its number.
    #[schema(example = "P20261122093005483920175")]
    pub payment_no: String,
    /// How much.
    #[schema(example = 5000)]
    pub amount_fen: Fen,
    /// Where it stands.
    pub state: PaymentState,
    /// Where to pay; absent until the channel has answered.
    pub pay_url: Option<String>,
    /// When it is closed if nobody pays.
    pub expires_at: DateTime<Utc>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
}

/// A refund as its driver sees it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverRefund {
    /// Its number.
    #[schema(example = "RP202611220930054839201750")]
    pub refund_no: String,
    /// How much.
    #[schema(example = 1655)]
    pub amount_fen: Fen,
    /// Why it goes back.
    pub kind: RefundKind,
    /// Where it stands.
    pub state: RefundState,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// An order that was just made, or paid for once more.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OrderToPay {
    /// The order.
    pub order: DriverOrder,
    /// Its payment.
    pub payment: DriverPayment,
}

/// An order with its bill explained.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverOrderDetail {
    /// The order.
    pub order: DriverOrder,
    /// Why the charge ended, for people.
    pub end_text: Option<String>,
    /// The energy fee.
    #[schema(example = 2290)]
    pub elec_fen: Fen,
    /// The service fee.
    #[schema(example = 1055)]
    pub service_fen: Fen,
    /// What was kept of the prepayment.
    #[schema(example = 3345)]
    pub charged_fen: Fen,
    /// The tariff that was agreed on when the order was made.
    pub tariff: Tariff,
    /// The bill by period of the day.
    pub lines: Vec<Line>,
    /// The bill stretch by stretch, as the meter was read.
    pub segments: Vec<Segment>,
    /// What was paid.
    pub payments: Vec<DriverPayment>,
    /// What went back.
    pub refunds: Vec<DriverRefund>,
}

/// A running order at this moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LiveOrder {
    /// Id.
    pub id: Uuid,
    /// Where it stands.
    pub state: OrderState,
    /// The energy so far.
    pub kwh: Kwh,
    /// The power now, in W; none after the end.
    #[schema(example = 57_300)]
    pub power_w: Option<i64>,
    /// The current now, in mA; none after the end.
    #[schema(example = 143_000)]
    pub current_ma: Option<i64>,
    /// The voltage now, in mV; none after the end.
    #[schema(example = 400_000)]
    pub voltage_mv: Option<i64>,
    /// The battery's state in percent.
    #[schema(example = 54)]
    pub soc: Option<i32>,
    /// What it costs so far.
    #[schema(example = 1290)]
    pub accrued_fen: Fen,
    /// What is left of the prepayment; with less than a yuan left the charge is ended.
    #[schema(example = 3710)]
    pub left_fen: Fen,
    /// How long it has been charging.
    #[schema(example = 1260)]
    pub charge_seconds: i64,
    /// When the charger reported last.
    pub reported_at: Option<DateTime<Utc>>,
    /// The charger is connected. While it is not, a start that it was told is waited for, and so is the end of a charge.
    pub charger_online: bool,
    /// Until when the start is waited for; afterwards all of the money goes back. Whoever does not want to wait can stop the
    /// order. Absent when it does not wait to start.
    pub start_until: Option<DateTime<Utc>>,
}

/// Has a connector kept free.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewReservation {
    /// Which one.
    pub connector_id: Uuid,
}

impl Form for NewReservation {}

impl NewReservation {
    /// How it is filled in.
    pub const FIELDS: &'static [Field] =
        &[Field::new("connector_id", t("充电枪", "Connector"), Input::Lookup("car/connectors")).required()];
}

/// A reservation as its driver sees it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverReservation {
    /// Id.
    pub id: Uuid,
    /// Its number.
    #[schema(example = "R10000001")]
    pub reservation_no: String,
    /// Where it stands.
    pub state: ReservationState,
    /// The station.
    pub station_id: Uuid,
    /// That station's name.
    #[schema(example = "滨江一号充电站")]
    pub station_name: String,
    /// The charger's number.
    #[schema(example = "C1000001")]
    pub charger_code: String,
    /// The charger's name.
    #[schema(example = "1号桩")]
    pub charger_name: String,
    /// The connector that is kept free.
    pub connector_id: Uuid,
    /// The connector's name.
    #[schema(example = "1号枪")]
    pub connector_name: String,
    /// The plate of the car that is expected.
    #[schema(example = "浙A12345")]
    pub plate: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when the car has to come.
    pub expires_at: DateTime<Utc>,
    /// When the car came.
    pub entered_at: Option<DateTime<Utc>>,
    /// When the car left.
    pub left_at: Option<DateTime<Utc>>,
    /// When the reservation ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Row for DriverReservation {
    fn id(&self) -> Uuid {
        self.id
    }
}
