//! What is broken at a charger: protocol codes and the bits on its screen, in words that people understand.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::codes::{Code, codes};
use crate::describe::Cell;
use crate::text::{Lang, t};

codes! {
    /// Something that can be broken.
    pub enum Fault {
        Ungrounded = "ungrounded", Danger, "未接地", "Not earthed";
        RelayStuck = "relay_stuck", Danger, "继电器粘连", "Relay stuck";
        OverCurrent = "over_current", Danger, "过流", "Overcurrent";
        OverVoltage = "over_voltage", Danger, "输入过压", "Input overvoltage";
        UnderVoltage = "under_voltage", Danger, "输入欠压", "Input undervoltage";
        Meter = "meter", Danger, "电表故障", "Meter failure";
        EmergencyStop = "emergency_stop", Danger, "急停", "Emergency stop pressed";
        ControlPilot = "control_pilot", Danger, "CP 错误", "Control pilot error";
        OverTemperature = "over_temperature", Danger, "过温", "Too hot";
        Leakage = "leakage", Danger, "漏电", "Leakage";
        LeakageSelfTest = "leakage_self_test", Danger, "漏电自检失败", "Leakage self-test failed";
        GroundFault = "ground_fault", Danger, "接地故障，漏电保护动作", "Ground fault, the breaker tripped";
        PowerSwitch = "power_switch", Danger, "功率开关故障", "Power switch failure";
        ConnectorLock = "connector_lock", Danger, "电子锁故障", "Connector lock failure";
        VehicleCommunication = "vehicle_communication", Warning, "与车辆通信失败", "No communication with the vehicle";
        Internal = "internal", Danger, "设备内部错误", "Internal error";
        LocalList = "local_list", Warning, "本地名单冲突", "Local list conflict";
        Reader = "reader", Warning, "读卡器故障", "Card reader failure";
        Reset = "reset", Warning, "复位失败", "Reset failed";
        WeakSignal = "weak_signal", Warning, "信号弱", "Weak signal";
        Other = "other", Danger, "其他故障", "Another failure";
    }
}

/// The faults behind the bits of a screen's code, from bit 0 on; the bits above are reserved.
const BITS: [Fault; 11] = [
    Fault::Ungrounded,
    Fault::RelayStuck,
    Fault::OverCurrent,
    Fault::OverVoltage,
    Fault::UnderVoltage,
    Fault::Meter,
    Fault::EmergencyStop,
    Fault::ControlPilot,
    Fault::OverTemperature,
    Fault::Leakage,
    Fault::LeakageSelfTest,
];

/// How a charger's fault lamp shows a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lamp {
    /// Always on.
    Steady,
    /// Flashing slowly.
    Slow,
    /// So many flashes every three seconds.
    Flashes(u8),
}

impl Lamp {
    /// What people see.
    pub fn text(self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Steady, Lang::Zh) => "常亮".to_owned(),
            (Self::Steady, Lang::En) => "steady".to_owned(),
            (Self::Slow, Lang::Zh) => "慢闪".to_owned(),
            (Self::Slow, Lang::En) => "slow flashing".to_owned(),
            (Self::Flashes(times), Lang::Zh) => format!("每 3 秒闪 {times} 次"),
            (Self::Flashes(times), Lang::En) => format!("{times}× every 3 s"),
        }
    }
}

impl Fault {
    /// The fault that an OCPP 1.6 `errorCode` names; none for `NoError`.
    pub fn of_error_code(code: &str) -> Option<Self> {
        Some(match code {
            "NoError" | "" => return None,
            "ConnectorLockFailure" => Self::ConnectorLock,
            "EVCommunicationError" => Self::VehicleCommunication,
            "GroundFailure" => Self::GroundFault,
            "HighTemperature" => Self::OverTemperature,
            "InternalError" => Self::Internal,
            "LocalListConflict" => Self::LocalList,
            "OverCurrentFailure" => Self::OverCurrent,
            "OverVoltage" => Self::OverVoltage,
            "PowerMeterFailure" => Self::Meter,
            "PowerSwitchFailure" => Self::PowerSwitch,
            "ReaderFailure" => Self::Reader,
            "ResetFailure" => Self::Reset,
            "UnderVoltage" => Self::UnderVoltage,
            "WeakSignal" => Self::WeakSignal,
            _ => Self::Other,
        })
    }

    /// The faults of a screen's code, lowest bit first.
    pub fn of_bits(bits: u16) -> Vec<Self> {
        BITS.into_iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, fault)| fault).collect()
    }

    /// How the fault lamp shows it, for those faults that it can show.
    pub const fn lamp(self) -> Option<Lamp> {
        match self {
            Self::EmergencyStop => Some(Lamp::Steady),
            Self::Meter => Some(Lamp::Slow),
            Self::OverVoltage => Some(Lamp::Flashes(1)),
            Self::UnderVoltage => Some(Lamp::Flashes(2)),
            Self::OverCurrent => Some(Lamp::Flashes(3)),
            Self::OverTemperature => Some(Lamp::Flashes(4)),
            Self::Leakage | Self::LeakageSelfTest => Some(Lamp::Flashes(5)),
            Self::Ungrounded => Some(Lamp::Flashes(6)),
            Self::ControlPilot => Some(Lamp::Flashes(7)),
            Self::RelayStuck => Some(Lamp::Flashes(8)),
            Self::GroundFault
            | Self::PowerSwitch
            | Self::ConnectorLock
            | Self::VehicleCommunication
            | Self::Internal
            | Self::LocalList
            | Self::Reader
            | Self::Reset
            | Self::WeakSignal
            | Self::Other => None,
        }
    }

    /// The fault in words, with what its lamp does.
    pub fn text(self, lang: Lang) -> String {
        let label = self.label().get(lang);
        match (self.lamp().map(|it| it.text(lang)), lang) {
            (None, _) => label.to_owned(),
            (Some(lamp), Lang::Zh) => format!("{label}（故障灯{lamp}）"),
            (Some(lamp), Lang::En) => format!("{label} (fault lamp: {lamp})"),
        }
    }
}

/// All faults that a report tells: its error code, and the bits of a screen's code among the words beside it, such as
/// `door / 0x0041`. Without an error code nothing is broken, whatever the words are.
pub fn faults(error_code: Option<&str>, words: Option<&str>) -> Vec<Fault> {
    let Some(named) = error_code.and_then(Fault::of_error_code) else { return Vec::new() };
    let mut found: Vec<Fault> =
        words.unwrap_or_default().split('/').filter_map(bits).flat_map(Fault::of_bits).collect();
    // The bits say it more exactly than “another failure”.
    if (found.is_empty() || named != Fault::Other) && !found.contains(&named) {
        found.insert(0, named);
    }
    found
}

/// A word that is a screen's code: decimal, or hexadecimal after `0x`.
fn bits(word: &str) -> Option<u16> {
    let word = word.trim();
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => u16::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

/// A fault of a charger, explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FaultNote {
    /// The connector's number; 0 is the whole charger.
    #[schema(example = 1)]
    pub connector: i32,
    /// What is broken.
    pub fault: Fault,
    /// The explanation in Chinese.
    #[schema(example = "过流（故障灯每 3 秒闪 3 次）")]
    pub zh: String,
    /// The explanation in English.
    #[schema(example = "Overcurrent (fault lamp: 3× every 3 s)")]
    pub en: String,
}

impl FaultNote {
    /// Explains all faults that a report tells.
    pub fn explain(connector: i32, error_code: Option<&str>, words: Option<&str>) -> Vec<Self> {
        let note = |fault: Fault| Self { connector, fault, zh: fault.text(Lang::Zh), en: fault.text(Lang::En) };
        faults(error_code, words).into_iter().map(note).collect()
    }

    /// The explanation.
    pub fn text(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }

    /// What is broken of a row that is given as JSON, in one line.
    pub(crate) fn all(row: &Value) -> Cell {
        let notes = row["faults"].as_array().map(Vec::as_slice).unwrap_or_default();
        Cell::words(|lang| {
            let name = if lang == Lang::Zh { "zh" } else { "en" };
            notes.iter().filter_map(|it| it[name].as_str()).collect::<Vec<_>>().join(t("；", "; ").get(lang))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_the_screen_has_its_fault() {
        let labels: Vec<_> = (0..16).map(|bit| Fault::of_bits(1 << bit)).collect();
        for (bit, found) in labels.iter().enumerate() {
            assert_eq!(found.as_slice(), BITS.get(bit).map_or(&[][..], std::slice::from_ref), "bit {bit}");
        }
        assert_eq!(Fault::of_bits(0b100_0001), [Fault::Ungrounded, Fault::EmergencyStop]);
        assert_eq!(Fault::of_bits(0b100_0000)[0].label().zh, "急停");
    }

    #[test]
    fn reports_are_explained_once_each() {
        assert_eq!(faults(None, Some("64")), []);
        assert_eq!(faults(Some("NoError"), Some("64")), []);
        assert_eq!(faults(Some("OtherError"), None), [Fault::Other]);
        assert_eq!(faults(Some("OtherError"), Some("door / 0x0041")), [Fault::Ungrounded, Fault::EmergencyStop]);
        assert_eq!(faults(Some("OverCurrentFailure"), Some("4")), [Fault::OverCurrent]);
        assert_eq!(faults(Some("GroundFailure"), Some("1")), [Fault::GroundFault, Fault::Ungrounded]);
        assert_eq!(faults(Some("SomethingNew"), Some("70000")), [Fault::Other]);
    }

    #[test]
    fn explanations_tell_the_lamp_in_both_languages() {
        assert_eq!(Fault::OverCurrent.text(Lang::Zh), "过流（故障灯每 3 秒闪 3 次）");
        assert_eq!(Fault::EmergencyStop.text(Lang::En), "Emergency stop pressed (fault lamp: steady)");
        assert_eq!(Fault::Meter.text(Lang::Zh), "电表故障（故障灯慢闪）");
        assert_eq!(Fault::WeakSignal.text(Lang::En), "Weak signal");
        let note = FaultNote::explain(2, Some("HighTemperature"), None).remove(0);
        assert_eq!((note.connector, note.fault), (2, Fault::OverTemperature));
        let notes = FaultNote::explain(1, Some("ReaderFailure"), Some("64"));
        let told = |notes: &[FaultNote]| FaultNote::all(&serde_json::json!({"faults": notes})).plain(Lang::Zh);
        assert_eq!(told(&notes), "读卡器故障；急停（故障灯常亮）");
        assert_eq!(told(&[]), "");
    }
}
