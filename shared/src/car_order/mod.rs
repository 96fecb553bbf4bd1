//! Car orders as staff sees them: the list, and all that is known of one.

mod filter;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::filter::{CarOrderFilter, RECENT};
use crate::codes::Code;
use crate::describe::{Action, As, Column, Fact, Field, Input};
use crate::fixed::{Fen, Kwh};
use crate::invoice::{InvoiceRequest, InvoiceRow, InvoiceState};
use crate::member::driver::PART;
use crate::order::{CarOrderKind, EndReason, OrderFlag, OrderState, OrderStep, StartMethod, StepDetail};
use crate::payment::{PaymentRow, RefundRow};
use crate::pricing::{Bill, Segment, Tariff};
use crate::resource::{Form, Resource, Row, Verb};
use crate::text::{Text, t};

/// A car order in the list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarOrderRow {
    /// Id.
    pub id: Uuid,
    /// The order's number.
    #[schema(example = "C26112210000001")]
    pub order_no: String,
    /// Where it stands.
    pub state: OrderState,
    /// Whether it was made under a reservation.
    pub order_kind: CarOrderKind,
    /// The reservation.
    pub reservation_id: Option<Uuid>,
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
    /// The identity that its hardware presents.
    #[schema(example = "SN000001")]
    pub serial_no: String,
    /// The connector's code.
    #[schema(example = "C1000001-1")]
    pub connector_code: String,
    /// The driver.
    pub driver_id: Uuid,
    /// The driver's telephone.
    #[schema(example = "13800000001")]
    pub phone: String,
    /// How it was started.
    pub start_method: StartMethod,
    /// The card that it was started with.
    pub card_no: Option<String>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// What staff wrote when they ended it.
    pub end_note: Option<String>,
    /// What was paid beforehand, in fen.
    #[schema(example = 5000)]
    pub prepaid_fen: Fen,
    /// The energy fee so far, in fen.
    #[schema(example = 2290)]
    pub elec_fen: Fen,
    /// The service fee so far, in fen.
    #[schema(example = 1055)]
    pub service_fen: Fen,
    /// Both, in fen.
    #[schema(example = 3345)]
    pub total_fen: Fen,
    /// What was given back, in fen.
    #[schema(example = 1655)]
    pub refunded_fen: Fen,
    /// The energy so far.
    pub kwh: Kwh,
    /// The power that was last reported, in W; while it charges.
    #[schema(example = 57_300)]
    pub power_w: Option<i64>,
    /// The average power of the whole charge, in W; once it is settled.
    #[schema(example = 45_800)]
    pub avg_power_w: Option<i64>,
    /// The highest power that was reported, in W; once it is settled.
    #[schema(example = 58_100)]
    pub peak_power_w: Option<i64>,
    /// The battery's state that was last reported, in percent.
    #[schema(example = 54)]
    pub soc: Option<i32>,
    /// Where its newest invoice stands.
    pub invoice: Option<InvoiceState>,
    /// What somebody may have to look at.
    pub flags: Vec<OrderFlag>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When the charge began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl CarOrderRow {
    /// How long it charged, in seconds; until now while it runs.
    pub fn charge_seconds(&self, now: DateTime<Utc>) -> Option<i64> {
        let started = self.started_at?;
        Some((self.ended_at.unwrap_or(now) - started).num_seconds().max(0))
    }
}

impl Row for CarOrderRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// One step of the timeline.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OrderEventRow {
    /// What happened.
    pub kind: OrderStep,
    /// The state before.
    pub from_state: Option<OrderState>,
    /// The state after.
    pub to_state: Option<OrderState>,
    /// Who or what made it happen.
    #[schema(example = "admin")]
    pub actor: String,
    /// More about it.
    pub detail: Option<StepDetail>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// One point of the meter's curve.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct CurvePoint {
    /// When it was read.
    pub at: DateTime<Utc>,
    /// The register in Wh.
    #[schema(example = 1_234_900)]
    pub wh: i64,
    /// Power in W.
    #[schema(example = 57_300)]
    pub power_w: Option<i64>,
    /// Current in mA.
    #[schema(example = 143_000)]
    pub current_ma: Option<i64>,
    /// Voltage in mV.
    #[schema(example = 400_000)]
    pub voltage_mv: Option<i64>,
    /// The battery's state in percent.
    #[schema(example = 54)]
    pub soc: Option<i32>,
}

/// One line of the ledger that is about the order.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LedgerLine {
    /// When it was posted.
    pub created_at: DateTime<Utc>,
    /// What for.
    #[schema(example = "settle")]
    pub kind: String,
    /// The account.
    #[schema(example = "prepaid:C26112210000001")]
    pub account: String,
    /// The amount in fen; debits are positive.
    #[schema(example = 5000)]
    pub amount_fen: Fen,
}

/// All that is known of a car order.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarOrderDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub order: CarOrderRow,
    /// The driver's plate.
    #[schema(example = "浙A12345")]
    pub plate: Option<String>,
    /// The number of the reservation that it was made under.
    #[schema(example = "R10000001")]
    pub reservation_no: Option<String>,
    /// What the tariff is called that it is priced by.
    #[schema(example = "峰平谷电价")]
    pub tariff_name: String,
    /// What was charged of the prepayment, in fen.
    #[schema(example = 3345)]
    pub charged_fen: Fen,
    /// What the fee exceeded the prepayment by, in fen; written off.
    #[schema(example = 0)]
    pub overrun_fen: Fen,
    /// What staff can still refund, in fen: what was charged less what staff refunded, refunds on their way included.
    #[schema(example = 3345)]
    pub refundable_fen: Fen,
    /// When it was settled.
    pub settled_at: Option<DateTime<Utc>>,
    /// How long it charged, in seconds.
    #[schema(example = 3600)]
    pub charge_seconds: Option<i64>,
    /// The tariff as it was agreed at the start.
    pub tariff: Tariff,
    /// That tariff's hash.
    pub tariff_hash: String,
    /// The bill by the readings and that tariff: what was, or would be, settled.
    pub bill: Option<Bill>,
    /// The bill stretch by stretch.
    pub segments: Vec<Segment>,
    /// The bill, computed anew, is what was settled.
    pub proved: Option<bool>,
    /// What the charger calls the charge.
    #[schema(example = 1001)]
    pub transaction_id: Option<i32>,
    /// The voltage that was last reported, in mV.
    #[schema(example = 400_000)]
    pub voltage_mv: Option<i64>,
    /// The current that was last reported, in mA.
    #[schema(example = 143_000)]
    pub current_ma: Option<i64>,
    /// When the charger last reported.
    pub last_report_at: Option<DateTime<Utc>>,
    /// What happened, in order.
    pub timeline: Vec<OrderEventRow>,
    /// The meter's curve, at most 500 points.
    pub curve: Vec<CurvePoint>,
    /// Its payments.
    pub payments: Vec<PaymentRow>,
    /// Its refunds.
    pub refunds: Vec<RefundRow>,
    /// Its invoices, the newest first.
    pub invoices: Vec<InvoiceRow>,
    /// Its lines in the ledger.
    pub ledger: Vec<LedgerLine>,
}

impl Row for CarOrderDetail {
    fn id(&self) -> Uuid {
        self.order.id
    }
}

const PHONE: Fact = Fact::new("phone", t("手机号", "Phone"), As::Text);
const PREPAID: Fact = Fact::new("prepaid_fen", t("预付(元)", "Prepaid (yuan)"), As::Fen);
const TOTAL: Fact = Fact::new("total_fen", t("费用(元)", "Fee (yuan)"), As::Fen);
const REFUNDED: Fact = Fact::new("refunded_fen", t("已退(元)", "Refunded (yuan)"), As::Fen);
const REFUNDABLE: Fact = Fact::new("refundable_fen", t("可退(元)", "Refundable (yuan)"), As::Fen);
/// The same amount, to whoever invoices it.
const KEPT: Fact = Fact::new("refundable_fen", t("开票金额(元)", "To be invoiced (yuan)"), As::Fen);

/// Car orders (汽车订单).
pub struct CarOrders;

impl Resource for CarOrders {
    const PATH: &'static str = "orders/car";
    const ONE: &'static str = "CarOrder";
    const MANY: &'static str = "CarOrders";
    const TITLE: Text = t("汽车订单", "Car orders");
    const PERMISSION: &'static str = "order.car";
    const NAME: &'static str = "order_no";
    type Row = CarOrderRow;
    type Detail = CarOrderDetail;
    type Filter = CarOrderFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("order_no", t("订单编号", "Order"), As::Link("orders/car", "id")),
        Column::new("state", t("订单状态", "State"), As::Code(OrderState::CHOICES)),
        Column::new("kind", t("订单类型", "Kind"), As::Code(CarOrderKind::CHOICES)).at("order_kind").detail_only(),
        Column::new("station", t("电站", "Station"), As::Text).at("station_name"),
        Column::new("area", t("区域", "Area"), As::Text).at("area_name").detail_only(),
        // The connector's code begins with it.
        Column::new("charger", t("电桩编号", "Charger"), As::Text).at("charger_code").detail_only(),
        Column::new("serial_no", t("出厂标识", "Serial no."), As::Text).detail_only(),
        Column::new("connector", t("电枪编号", "Connector"), As::Text).at("connector_code"),
        Column::new("phone", t("手机号", "Phone"), As::Text),
        Column::new("start_method", t("启动方式", "Started by"), As::Code(StartMethod::CHOICES)).detail_only(),
        Column::new("card_no", t("充电卡号", "Card"), As::Text).detail_only(),
        Column::new("kwh", t("电量(kWh)", "Energy (kWh)"), As::Number),
        Column::new("power", t("实时功率(kW)", "Power now (kW)"), As::Watts).at("power_w"),
        Column::new("avg_power", t("平均功率(kW)", "Average power (kW)"), As::Watts).at("avg_power_w"),
        Column::new("peak_power", t("峰值功率(kW)", "Peak power (kW)"), As::Watts).at("peak_power_w").detail_only(),
        Column::new("soc", t("SOC(%)", "SoC (%)"), As::Number).detail_only(),
        Column::new("prepaid", t("预付(元)", "Prepaid (yuan)"), As::Fen).at("prepaid_fen"),
        Column::new("elec", t("电费(元)", "Energy fee (yuan)"), As::Fen).at("elec_fen").detail_only(),
        Column::new("service", t("服务费(元)", "Service fee (yuan)"), As::Fen).at("service_fen").detail_only(),
        Column::new("total", t("费用(元)", "Fee (yuan)"), As::Fen).at("total_fen"),
        Column::new("refunded", t("已退(元)", "Refunded (yuan)"), As::Fen).at("refunded_fen"),
        Column::new("invoice", t("发票", "Invoice"), As::Code(InvoiceState::CHOICES)),
        Column::new("end_reason", t("结束描述", "Why it ended"), As::Code(EndReason::CHOICES)).detail_only(),
        Column::new("end_note", t("结束说明", "Staff's note"), As::Text).detail_only(),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("started_at", t("开始时间", "Started"), As::Time).detail_only(),
        Column::new("ended_at", t("结束时间", "Ended"), As::Time),
        Column::new("flags", t("异常提示", "To look at"), As::Code(OrderFlag::CHOICES)),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("order_no", t("订单编号", "Order"), Input::Text(32))
            .help(t("完整编号或前几位", "All of it, or how it begins")),
        Field::new("phone", t("手机号", "Phone"), Input::Text(20)).help(PART),
        Field::new("created", t("创建时间", "Created"), Input::Days).recent(RECENT),
        Field::new("state", t("订单状态", "State"), Input::Choice(OrderState::CHOICES)),
        Field::new("station_id", t("电站", "Station"), Input::Lookup("car/stations")),
        Field::new("charger_code", t("电桩编号", "Charger"), Input::Text(32)),
        Field::new("serial_no", t("电桩SN", "Serial no."), Input::Text(64)),
        Field::new("connector_code", t("电枪编号", "Connector"), Input::Text(32)),
        Field::new("card_no", t("充电卡号", "Card"), Input::Text(32)),
        Field::new("start_method", t("启动方式", "Started by"), Input::Choice(StartMethod::CHOICES)),
        Field::new("kind", t("订单类型", "Kind"), Input::Choice(CarOrderKind::CHOICES)),
        Field::new("reservation_no", t("预约订单", "Reservation"), Input::Text(32)),
    ];
    const ACTIONS: &'static [Action] = &[
        Action::new("end", t("结束", "End"))
            .done(t("订单已结束", "The order has ended"))
            .fields(EndForm::FIELDS)
            .facts(&[
                PHONE,
                Fact::new("connector_code", t("电枪编号", "Connector"), As::Text),
                Fact::new("kwh", t("电量(kWh)", "Energy (kWh)"), As::Number),
                PREPAID,
            ])
            .when(|it| OrderState::of(&it["state"]).is_some_and(OrderState::can_be_ended))
            .danger()
            .keyed(),
        Action::new("refund", t("退费", "Refund"))
            .done(t("退费申请已提交", "The refund is under way"))
            .fields(RefundForm::FIELDS)
            .facts(&[PHONE, TOTAL, REFUNDED, REFUNDABLE])
            .when(|it| OrderState::of(&it["state"]) == Some(OrderState::Completed) && it["total_fen"] != 0)
            .danger()
            .keyed(),
        Action::new("invoice", t("开票", "Invoice"))
            .done(t("开票申请已提交", "The invoice is under way"))
            .fields(InvoiceRequest::FIELDS)
            .facts(&[PHONE, Fact::new("station_name", t("电站", "Station"), As::Text), TOTAL, KEPT])
            .when(|it| {
                let invoiced = InvoiceState::of(&it["invoice"]).is_some_and(InvoiceState::is_live);
                OrderState::of(&it["state"]) == Some(OrderState::Completed) && it["total_fen"] != 0 && !invoiced
            })
            .keyed(),
    ];
    const VERBS: &'static [Verb] = &[Verb::View, Verb::Export];
}

/// Why staff ends an order.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EndForm {
    /// For those who look at the order later.
    #[schema(example = "车主来电，电桩断网")]
    pub note: String,
}

impl Form for EndForm {}

impl EndForm {
    /// How it is filled in.
    pub const FIELDS: &'static [Field] =
        &[Field::new("note", t("结束说明", "Note"), Input::Area(200)).required().help(t(
            "在线电桩会先收到停止指令，订单变为结束中，按其充电记录结算；电桩离线或未及时上报记录时，按最后一次上报的电量结算。余额原路退回。",
            "A charger that is online is told to stop, and its record settles the order; without one, the last report does. The rest goes back.",
        ))];
}

/// What staff gives back of an order's fee, and why.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RefundForm {
    /// How much, in fen.
    #[schema(example = 500)]
    pub amount_fen: Fen,
    /// What the driver and those who look at the order later read.
    #[schema(example = "充电中途断电，补偿")]
    pub reason: String,
}

impl Form for RefundForm {}

impl RefundForm {
    /// How it is filled in.
    pub const FIELDS: &'static [Field] = &[
        Field::new("amount_fen", t("退费金额(元)", "Amount (yuan)"), Input::Fen { min: 1, max: 100_000 })
            .required()
            .most("refundable_fen")
            .help(t(
                "不超过预付金额减去已退金额（含退款中）。原路退回，先退服务费，再退电费。",
                "At most the prepayment less what went back or is on its way. The service fee is given up first.",
            )),
        Field::new("reason", t("退款原因", "Reason"), Input::Text(80)).required(),
    ];
}

impl OrderState {
    /// Staff may end an order in this state (3.4.1/5).
    pub const fn can_be_ended(self) -> bool {
        match self {
            Self::Starting | Self::Charging | Self::Stopping | Self::Suspended | Self::Failed => true,
            Self::Created | Self::Completed | Self::Cancelled => false,
        }
    }
}
