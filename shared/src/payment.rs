//! Payments and refunds: what drivers paid through which channel, and what went back.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::codes::{Code, codes};
use crate::describe::{Action, As, Cell, Column, Fact, Field, Input};
use crate::fixed::Fen;
use crate::resource::{Resource, Row};
use crate::text::{Text, t};

codes! {
    /// The way that money takes (支付类型).
    pub enum Channel {
        Sandbox = "sandbox", Info, "模拟支付", "Sandbox";
        Card = "card", Primary, "电卡", "Card";
    }
    /// What kind of order a payment is for (订单类型).
    pub enum OrderKind {
        Car = "car", Primary, "汽车订单", "Car";
        Bike = "bike", Success, "单车订单", "E-bike";
    }
    /// Where a payment stands (支付状态). What is paid stays paid.
    pub enum PaymentState {
        Created = "created", Info, "待支付", "Created";
        Paying = "paying", Warning, "支付中", "Paying";
        Paid = "paid", Success, "已支付", "Paid";
        Closed = "closed", Info, "已关闭", "Closed";
        Failed = "failed", Danger, "支付失败", "Failed";
    }
    /// Why money goes back (退费类型).
    pub enum RefundKind {
        Automatic = "automatic", Primary, "余额退回", "Rest of the prepayment";
        Manual = "manual", Warning, "人工退费", "By staff";
        Orphan = "orphan", Info, "无效支付退回", "Payment without a charge";
    }
    /// Where a refund stands (退费状态).
    pub enum RefundState {
        Created = "created", Info, "待退款", "Created";
        Sent = "sent", Warning, "已提交", "Sent";
        Processing = "processing", Warning, "退款中", "Processing";
        Succeeded = "succeeded", Success, "退款成功", "Succeeded";
        Failed = "failed", Danger, "退款失败", "Failed";
        Abnormal = "abnormal", Danger, "退款异常", "Abnormal";
        Closed = "closed", Danger, "退款关闭", "Closed";
    }
}

impl RefundState {
    /// The money has definitely not gone, and will not: the amount is free again.
    pub const fn is_given_up(self) -> bool {
        match self {
            Self::Failed | Self::Closed => true,
            Self::Created | Self::Sent | Self::Processing | Self::Succeeded | Self::Abnormal => false,
        }
    }
}

/// The number of the order that was paid for, which leads to it.
fn order(payment: &Value) -> Cell {
    let shown = if payment["order_kind"] == "car" { As::Link("orders/car", "order_id") } else { As::Text };
    Fact::new("order_no", t("订单编号", "Order"), shown).cell(payment)
}

/// A payment as the list and the sheet show it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PaymentRow {
    /// Id.
    pub id: Uuid,
    /// Our number, which the channel knows it by.
    #[schema(example = "P20261122093005483920175")]
    pub payment_no: String,
    /// What kind of order it is for.
    pub order_kind: OrderKind,
    /// The order.
    pub order_id: Uuid,
    /// That order's number.
    #[schema(example = "C26112210000001")]
    pub order_no: String,
    /// The provider whose station it is.
    pub provider_id: Uuid,
    /// The property whose station it is.
    pub property_id: Uuid,
    /// The station.
    pub station_id: Uuid,
    /// That station's name.
    #[schema(example = "滨江一号充电站")]
    pub station_name: String,
    /// Who paid.
    #[schema(example = "13800000001")]
    pub phone: String,
    /// The way that the money took.
    pub channel: Channel,
    /// The merchant that received it.
    #[schema(example = "M1000")]
    pub merchant_no: String,
    /// How much.
    #[schema(example = 5000)]
    pub amount_fen: Fen,
    /// How much of it has gone back.
    #[schema(example = 1655)]
    pub refunded_fen: Fen,
    /// Where it stands.
    pub state: PaymentState,
    /// The channel's own number.
    pub channel_no: Option<String>,
    /// What the channel said last, for people.
    pub result: Option<String>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it is closed if nobody pays.
    pub expires_at: DateTime<Utc>,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// When the channel called back; empty when we had to ask.
    pub notified_at: Option<DateTime<Utc>>,
}

impl Row for PaymentRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// All that is known of a payment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PaymentDetail {
    /// The payment itself.
    #[serde(flatten)]
    pub payment: PaymentRow,
    /// The area of the charger.
    pub area_name: Option<String>,
    /// The charger's number.
    #[schema(example = "C1000001")]
    pub charger_code: Option<String>,
    /// The charger's name.
    pub charger_name: Option<String>,
    /// The connector's number.
    #[schema(example = "C100000101")]
    pub connector_code: Option<String>,
    /// How long the charge took.
    #[schema(example = 3600)]
    pub charge_seconds: Option<i64>,
    /// What went back or is on its way.
    pub refunds: Vec<RefundRow>,
}

impl Row for PaymentDetail {
    fn id(&self) -> Uuid {
        self.payment.id
    }
}

/// How payments are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct PaymentFilter {
    /// At this station.
    pub station_id: Option<Uuid>,
    /// For this kind of order.
    pub order_kind: Option<OrderKind>,
    /// Through this channel.
    pub channel: Option<Channel>,
    /// In this state.
    pub state: Option<PaymentState>,
    /// For the order with this number.
    pub order_no: Option<String>,
    /// By this driver.
    pub phone: Option<String>,
    /// Begun on this local day or later.
    pub created_from: Option<NaiveDate>,
    /// Begun on this local day or earlier.
    pub created_to: Option<NaiveDate>,
    /// Paid on this local day or later.
    pub paid_from: Option<NaiveDate>,
    /// Paid on this local day or earlier.
    pub paid_to: Option<NaiveDate>,
}

/// Payments (支付订单).
pub struct Payments;

impl Resource for Payments {
    const PATH: &'static str = "orders/payments";
    const ONE: &'static str = "Payment";
    const MANY: &'static str = "Payments";
    const TITLE: Text = t("支付订单", "Payments");
    const PERMISSION: &'static str = "order.payment";
    const NAME: &'static str = "payment_no";
    type Row = PaymentRow;
    type Detail = PaymentDetail;
    type Filter = PaymentFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("payment_no", t("支付编号", "Payment"), As::Text),
        Column::new("order_no", t("订单编号", "Order"), As::Made(order)),
        Column::new("state", t("支付状态", "State"), As::Code(PaymentState::CHOICES)),
        Column::new("order_kind", t("订单类型", "Order type"), As::Code(OrderKind::CHOICES)),
        Column::new("station", t("电站", "Station"), As::Text).at("station_name"),
        Column::new("channel", t("支付类型", "Channel"), As::Code(Channel::CHOICES)),
        Column::new("amount", t("支付金额", "Amount"), As::Fen).at("amount_fen").sorted(),
        Column::new("refunded", t("已退金额", "Refunded"), As::Fen).at("refunded_fen"),
        Column::new("phone", t("手机号", "Phone"), As::Text),
        Column::new("merchant_no", t("商户号", "Merchant"), As::Text).detail_only(),
        Column::new("channel_no", t("第三方支付单号", "Channel's number"), As::Text).detail_only(),
        Column::new("notified_at", t("第三方回调", "Called back"), As::Time).detail_only(),
        Column::new("result", t("支付结果", "Result"), As::Text).detail_only(),
        Column::new("id", t("发起时间", "Begun"), As::Time).at("created_at").sorted(),
        Column::new("paid_at", t("支付时间", "Paid"), As::Time).sorted(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("station_id", t("电站名称", "Station"), Input::Lookup("car/stations")),
        Field::new("order_kind", t("订单类型", "Order type"), Input::Choice(OrderKind::CHOICES)),
        Field::new("channel", t("支付类型", "Channel"), Input::Choice(Channel::CHOICES)),
        Field::new("state", t("支付状态", "State"), Input::Choice(PaymentState::CHOICES)),
        Field::new("order_no", t("订单编号", "Order"), Input::Text(40)),
        Field::new("phone", t("手机号", "Phone"), Input::Text(20)),
        Field::new("created", t("发起时间", "Begun"), Input::Days),
        Field::new("paid", t("支付时间", "Paid"), Input::Days),
    ];
}

/// A refund as the list and the sheet show it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RefundRow {
    /// Id.
    pub id: Uuid,
    /// Our number, which the channel knows it by.
    #[schema(example = "RP202611220930054839201750")]
    pub refund_no: String,
    /// The payment whose money it is.
    pub payment_id: Uuid,
    /// That payment's number.
    #[schema(example = "P20261122093005483920175")]
    pub payment_no: String,
    /// The order.
    pub order_id: Uuid,
    /// That order's number.
    #[schema(example = "C26112210000001")]
    pub order_no: String,
    /// The provider whose station it is.
    pub provider_id: Uuid,
    /// The property whose station it is.
    pub property_id: Uuid,
    /// The station.
    pub station_id: Uuid,
    /// That station's name.
    #[schema(example = "滨江一号充电站")]
    pub station_name: String,
    /// Who gets it.
    #[schema(example = "13800000001")]
    pub phone: String,
    /// The way that the money takes.
    pub channel: Channel,
    /// Why it goes back.
    pub kind: RefundKind,
    /// What the order cost.
    #[schema(example = 3345)]
    pub order_fen: Option<Fen>,
    /// What was paid.
    #[schema(example = 5000)]
    pub paid_fen: Fen,
    /// What goes back.
    #[schema(example = 1655)]
    pub amount_fen: Fen,
    /// Where it stands.
    pub state: RefundState,
    /// Why, in words.
    pub reason: String,
    /// Who asked for it.
    #[schema(example = "system")]
    pub requested_by: String,
    /// The channel's own number.
    pub channel_refund_no: Option<String>,
    /// What the channel said last, for people.
    pub result: Option<String>,
    /// The number under which it was asked for again, after it had failed.
    #[schema(example = "RP202611220930054839201751")]
    pub retried_as: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Row for RefundRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// All that is known of a refund.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RefundDetail {
    /// The refund itself.
    #[serde(flatten)]
    pub refund: RefundRow,
    /// The area of the charger.
    pub area_name: Option<String>,
    /// The part that lowers the energy fee.
    #[schema(example = 0)]
    pub elec_fen: Fen,
    /// The part that lowers the service fee.
    #[schema(example = 0)]
    pub service_fen: Fen,
    /// When it was sent to the channel first.
    pub sent_at: Option<DateTime<Utc>>,
}

impl Row for RefundDetail {
    fn id(&self) -> Uuid {
        self.refund.id
    }
}

/// How refunds are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct RefundFilter {
    /// At this station.
    pub station_id: Option<Uuid>,
    /// Of this kind.
    pub kind: Option<RefundKind>,
    /// In this state.
    pub state: Option<RefundState>,
    /// To this driver.
    pub phone: Option<String>,
    /// For the order with this number.
    pub order_no: Option<String>,
    /// Asked for on this local day or later.
    pub created_from: Option<NaiveDate>,
    /// Asked for on this local day or earlier.
    pub created_to: Option<NaiveDate>,
    /// Ended on this local day or later.
    pub finished_from: Option<NaiveDate>,
    /// Ended on this local day or earlier.
    pub finished_to: Option<NaiveDate>,
}

/// Refunds (退费管理).
pub struct Refunds;

impl Resource for Refunds {
    const PATH: &'static str = "orders/refunds";
    const ONE: &'static str = "Refund";
    const MANY: &'static str = "Refunds";
    const TITLE: Text = t("退费管理", "Refunds");
    const PERMISSION: &'static str = "order.refund";
    const NAME: &'static str = "refund_no";
    type Row = RefundRow;
    type Detail = RefundDetail;
    type Filter = RefundFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("refund_no", t("退款单号", "Refund"), As::Text),
        Column::new("order_no", t("订单编号", "Order"), As::Link("orders/car", "order_id")),
        Column::new("state", t("退费状态", "State"), As::Code(RefundState::CHOICES)),
        Column::new("payment_no", t("支付编号", "Payment"), As::Link("orders/payments", "payment_id")).detail_only(),
        Column::new("station", t("电站", "Station"), As::Text).at("station_name"),
        Column::new("phone", t("收款人", "To"), As::Text),
        Column::new("kind", t("退费类型", "Kind"), As::Code(RefundKind::CHOICES)),
        Column::new("channel", t("退款渠道", "Channel"), As::Code(Channel::CHOICES)).detail_only(),
        Column::new("order_fen", t("订单费用", "Order's fee"), As::Fen),
        Column::new("paid_fen", t("支付金额", "Paid"), As::Fen),
        Column::new("amount", t("退费金额", "Refunded"), As::Fen).at("amount_fen").sorted(),
        Column::new("requested_by", t("操作者", "By"), As::Actor),
        Column::new("reason", t("退款原因", "Reason"), As::Text).detail_only(),
        Column::new("channel_refund_no", t("第三方退款单号", "Channel's number"), As::Text).detail_only(),
        Column::new("result", t("退款结果", "Result"), As::Text).detail_only(),
        Column::new("retried_as", t("重新退款单号", "Asked for again as"), As::Text).detail_only(),
        Column::new("id", t("申请时间", "Asked for"), As::Time).at("created_at").sorted(),
        Column::new("finished_at", t("退费时间", "Ended"), As::Time).sorted(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("station_id", t("电站名称", "Station"), Input::Lookup("car/stations")),
        Field::new("kind", t("退费类型", "Kind"), Input::Choice(RefundKind::CHOICES)),
        Field::new("state", t("退费状态", "State"), Input::Choice(RefundState::CHOICES)),
        Field::new("phone", t("收款人", "To"), Input::Text(20)),
        Field::new("order_no", t("订单编号", "Order"), Input::Text(40)),
        Field::new("created", t("申请时间", "Asked for"), Input::Days),
        Field::new("finished", t("退款时间", "Ended"), Input::Days),
    ];
    const ACTIONS: &'static [Action] = &[Action::new("retry", t("重新退款", "Refund again"))
        .done(t("退款申请已提交", "The refund is under way"))
        .confirm(t(
            "渠道已明确退款失败，将以新的退款单号重新发起。",
            "The channel has definitely not refunded it. It is asked to under a new number.",
        ))
        .when(|it| RefundState::of(&it["state"]).is_some_and(RefundState::is_given_up) && it["retried_as"].is_null())
        .keyed()];
}
