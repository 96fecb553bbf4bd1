//! Devices: what they are doing, what they were told to do and what became of it.

use crate::codes::{Code, codes};
use crate::text::Lang;

codes! {
    /// What a connector, or a whole charger, last said that it is doing.
    pub enum ConnectorStatus {
        Available = "available", Success, "空闲", "Available";
        Preparing = "preparing", Primary, "已插枪", "Plugged in";
        Charging = "charging", Primary, "充电中", "Charging";
        SuspendedEv = "suspended_ev", Warning, "充电中（车辆暂停）", "Paused by the vehicle";
        SuspendedEvse = "suspended_evse", Warning, "充电中（电桩暂停）", "Paused by the charger";
        Finishing = "finishing", Info, "已结束，未拔枪", "Finished, still plugged in";
        Reserved = "reserved", Warning, "已预约", "Reserved";
        Unavailable = "unavailable", Info, "禁用", "Out of service";
        Faulted = "faulted", Danger, "故障", "Faulted";
        Unknown = "unknown", Info, "未知", "Unknown";
    }
    /// What a device can be told.
    pub enum CommandKind {
        Reboot = "reboot", Danger, "重启设备", "Reboot";
        Refresh = "refresh", Info, "刷新状态", "Refresh";
        SyncClock = "sync_clock", Info, "同步时钟", "Synchronise the clock";
        Availability = "availability", Warning, "启用/禁用", "Change availability";
        Start = "start", Primary, "启动充电", "Start a charge";
        Stop = "stop", Warning, "结束充电", "End a charge";
        Unlock = "unlock", Warning, "解锁枪", "Unlock the connector";
        Reserve = "reserve", Primary, "预约充电枪", "Reserve a connector";
        CancelReservation = "cancel_reservation", Info, "取消预约", "Cancel a reservation";
        SetPassword = "set_password", Warning, "下发接入密码", "Set the password";
    }
    /// Where a command stands.
    pub enum CommandState {
        Pending = "pending", Info, "待下发", "Waiting";
        Sent = "sent", Primary, "已下发", "Sent";
        Acknowledged = "acknowledged", Success, "已执行", "Acknowledged";
        Refused = "refused", Danger, "被拒绝", "Refused";
        TimedOut = "timed_out", Warning, "超时", "Timed out";
        Cancelled = "cancelled", Info, "已取消", "Cancelled";
    }
    /// Why a command ended as it did.
    pub enum CommandOutcome {
        Accepted = "accepted", Success, "设备已接受", "The device accepted";
        Scheduled = "scheduled", Success, "充电结束后生效", "Takes effect when the running charge ends";
        NextHeartbeat = "next_heartbeat", Success, "将在下次心跳时生效", "Takes effect with the next heartbeat";
        AfterReboot = "after_reboot", Success, "设备重启后生效", "Takes effect when the device has rebooted";
        Rejected = "rejected", Danger, "设备拒绝", "The device refused";
        UnlockFailed = "unlock_failed", Danger, "解锁失败", "The plug could not be released";
        NotSupported = "not_supported", Danger, "设备不支持", "The device does not support it";
        Failed = "failed", Danger, "设备报错", "The device reported an error";
        Unreadable = "unreadable", Danger, "设备的应答无法读取", "The device's answer cannot be read";
        Unsendable = "unsendable", Danger, "协议不允许的参数", "The protocol forbids the parameters";
        NoAnswer = "no_answer", Warning, "设备未应答", "The device did not answer";
        Disconnected = "disconnected", Warning, "应答前连接断开", "The connection broke before the answer";
        Withdrawn = "withdrawn", Info, "订单已结束，指令已撤回", "The order had ended before it was sent";
        NotDelivered = "not_delivered", Warning, "设备未在期限内上线", "The device was not there in time";
        Superseded = "superseded", Info, "已被后来的指令取代", "A later command took its place";
    }
    /// Why a device came online or went offline.
    pub enum ConnectionReason {
        Connected = "connected", Success, "上线", "Connected";
        Reconnected = "reconnected", Success, "重新连接，旧连接被替换", "Connected again, replacing a connection";
        Renewed = "renewed", Info, "密码已更新，设备重新登录", "Logs in anew with its new password";
        Closed = "closed", Info, "设备断开", "Closed by the device";
        Broken = "broken", Warning, "连接中断", "The connection broke";
        Silent = "silent", Warning, "长时间无通信", "Silent for too long";
        Flawed = "flawed", Danger, "报文错误过多或过大", "Too many or too large faulty messages";
        Failed = "failed", Danger, "平台内部错误", "A failure of the platform";
        Stopping = "stopping", Info, "平台停机维护", "The platform stopped";
        Lost = "lost", Warning, "平台异常退出", "The platform's process was lost";
    }
}

/// What people read for a stored outcome, which is a code, or a code and the device's own words: `failed: …`.
pub fn outcome_text(stored: &str, lang: Lang) -> String {
    let (code, words) = stored.split_once(": ").map_or((stored, None), |(code, words)| (code, Some(words)));
    let Ok(code) = code.parse::<CommandOutcome>() else { return stored.to_owned() };
    let label = code.label().get(lang);
    words.map_or_else(|| label.to_owned(), |words| format!("{label}: {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_readable_in_both_languages() {
        assert_eq!(outcome_text("accepted", Lang::Zh), "设备已接受");
        assert_eq!(
            outcome_text("failed: InternalError: fuse", Lang::En),
            "The device reported an error: InternalError: fuse"
        );
        assert_eq!(outcome_text("something older", Lang::En), "something older");
    }
}
