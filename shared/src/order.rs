//! Car orders: what a charge was, how it went, what it cost and where the money is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::codes;
use crate::fixed::{Fen, Kwh};

codes! {
    /// Where a car order stands (订单状态).
    pub enum OrderState {
        Created = "created", Info, "待支付", "Unpaid";
        Starting = "starting", Primary, "启动中", "Starting";
        Charging = "charging", Primary, "充电中", "Charging";
        Stopping = "stopping", Warning, "结束中", "Stopping";
        Suspended = "suspended", Warning, "订单挂起", "Suspended";
        Completed = "completed", Success, "订单完成", "Completed";
        Failed = "failed", Danger, "订单异常", "Failed";
        Cancelled = "cancelled", Info, "已取消", "Cancelled";
    }
    /// What kind of order it is (订单类型).
    pub enum CarOrderKind {
        Plain = "plain", Info, "普通订单", "Plain";
        Reserved = "reserved", Primary, "预约订单", "Reserved";
    }
    /// How a charge was started (启动方式).
    pub enum StartMethod {
        Scan = "scan", Primary, "扫码", "QR code";
        Code = "code", Info, "输入桩编号", "Charger's number";
        Card = "card", Success, "刷卡", "Card";
    }
    /// Why an order ended (结束描述), or is about to.
    pub enum EndReason {
        Driver = "driver", Success, "车主结束充电", "Ended by the driver";
        Staff = "staff", Warning, "平台人工结束", "Ended by staff";
        PrepaidUsed = "prepaid_used", Success, "预付余额不足 1 元，自动结束", "Less than 1 yuan of the prepayment was left";
        NoCurrent = "no_current", Warning, "启动后无充电电流（车辆休眠），自动结束", "No current after the start: the vehicle slept";
        Full = "full", Success, "充满自停", "Fully charged";
        LowCurrent = "low_current", Success, "小电流自停", "The current stayed too low";
        Unplugged = "unplugged", Warning, "充电枪已拔出", "Unplugged";
        Local = "local", Success, "在电桩上结束", "Ended at the charger";
        Remote = "remote", Success, "远程结束", "Ended remotely";
        EmergencyStop = "emergency_stop", Danger, "急停按下", "Emergency stop";
        PowerLoss = "power_loss", Danger, "电桩断电", "The charger lost power";
        Rebooted = "rebooted", Warning, "电桩重启", "The charger restarted";
        Unlocked = "unlocked", Warning, "充电枪被解锁", "The connector was unlocked";
        Deauthorized = "deauthorized", Warning, "电桩终止授权", "The charger withdrew the authorisation";
        Fault = "fault", Danger, "设备故障", "A fault of the charger";
        Other = "other", Info, "设备结束，未说明原因", "Ended by the charger, which gave no reason";
        StartRefused = "start_refused", Danger, "设备拒绝启动", "The charger refused to start";
        StartTimeout = "start_timeout", Danger, "设备未响应启动指令", "The charger did not start in time";
        StartCancelled = "start_cancelled", Info, "车主取消启动", "The driver cancelled the start";
        NoRecord = "no_record", Warning, "设备已结束充电但未上报记录，按最后上报电量结算", "The charger ended without a record: settled with the last report";
        SuspendedTooLong = "suspended_too_long", Warning, "挂起超时，按最后上报电量结算", "Suspended for too long: settled with the last report";
        Unpaid = "unpaid", Info, "超时未支付", "Not paid in time";
        ConnectorTaken = "connector_taken", Info, "支付前充电枪已被他人使用", "Somebody else took the connector before the payment";
    }
    /// What somebody may have to look at.
    pub enum OrderFlag {
        LateStart = "late_start", Warning, "订单结束后设备又启动", "The charger started after the order had ended";
        MeterSuspect = "meter_suspect", Danger, "电表读数异常，未计费", "Impossible meter readings, not billed";
        ClockSuspect = "clock_suspect", Warning, "设备时钟异常", "The charger's clock is wrong";
        Discrepancy = "discrepancy", Danger, "设备记录与结算不一致", "The charger's record differs from the bill";
        TransactionLost = "transaction_lost", Warning, "设备丢失充电记录", "The charger lost the charge";
        NoReports = "no_reports", Warning, "充电中长时间无上报", "No reports for a long time";
        NoRecord = "no_record", Warning, "未收到充电记录即结束", "Ended without a record";
        Uncollected = "uncollected", Warning, "部分电量未收费", "Some energy was not billed";
        UnknownRecord = "unknown_record", Warning, "设备上报了无法匹配的充电记录", "The charger sent a record of an unknown charge";
        GoesOn = "goes_on", Danger, "订单结束后设备仍在充电", "The charger went on after the order had ended";
        Overrun = "overrun", Warning, "费用超出预付", "The fee exceeded the prepayment";
    }
    /// A step in an order's life.
    pub enum OrderStep {
        Created = "created", Info, "创建订单", "Created";
        Paid = "paid", Success, "支付成功，下发启动指令", "Paid; the charger is told to start";
        StartAccepted = "start_accepted", Info, "设备接受启动指令", "The charger accepted the start";
        Started = "started", Primary, "开始充电", "The charge began";
        StartFailed = "start_failed", Danger, "启动失败", "The start failed";
        StopAsked = "stop_asked", Warning, "请求结束充电", "Asked to stop";
        StartCancelled = "start_cancelled", Warning, "取消启动", "The start was cancelled";
        StopRepeated = "stop_repeated", Warning, "设备恢复连接，再次请求结束", "The charger is back: asked to stop again";
        StopRefused = "stop_refused", Danger, "设备拒绝结束指令", "The charger refused to stop";
        Suspended = "suspended", Warning, "失去联系，订单挂起", "Out of contact: suspended";
        Resumed = "resumed", Primary, "恢复上报", "Reporting again";
        Ended = "ended", Success, "设备上报充电结束", "The charger reported the end";
        NoRecord = "no_record", Warning, "未收到充电记录，按最后上报电量结算", "No record came: settled with the last report";
        GivenUp = "given_up", Warning, "挂起超时结算", "Suspended for too long: settled";
        EndedByStaff = "ended_by_staff", Warning, "人工结束", "Ended by staff";
        Cancelled = "cancelled", Info, "订单取消", "Cancelled";
        LateStart = "late_start", Warning, "迟到的启动，已要求停止", "A late start; the charger is told to stop";
        UnknownRecord = "unknown_record", Warning, "设备上报了无法匹配的充电记录，仅留存", "A record of an unknown charge, kept as evidence";
        GoesOn = "goes_on", Danger, "订单已结束但设备仍在充电，已要求停止", "The charger goes on after the end; it is told to stop";
        LateRecord = "late_record", Warning, "迟到的充电记录，仅留存", "A late record, kept as evidence";
    }
}

impl CarOrderKind {
    /// The kind of an order that may have been made under a reservation.
    pub const fn of_reservation(reservation: Option<Uuid>) -> Self {
        match reservation {
            Some(_) => Self::Reserved,
            None => Self::Plain,
        }
    }
}

/// What a line on the timeline says besides its step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepDetail {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<EndReason>,
    /// That in the words of the charger or of staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// The energy that a late record tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kwh: Option<Kwh>,
    /// The energy that was billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_kwh: Option<Kwh>,
    /// What the energy that was not billed would have cost. The rest of the prepayment had gone back, so nobody pays it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncollected_fen: Option<Fen>,
}
