//! Housekeeping after a boot: read the charger's settings, change those that we need otherwise, ask for what it did not
//! tell.

use chrono::{DateTime, Utc};
use ocpp::message::{
    ChangeConfiguration, ConfigurationKey, ConfigurationStatus, GetConfiguration, GetConfigurationConfirmation,
    MessageTrigger, Outcome,
};
use ocpp::{CallError, Frame, Payload, Refused};
use serde_json::{Map, Value, json};

use super::{Conversation, command};
use crate::gateway::secret::is_secret;
use crate::presence::Presence;

/// The setting whose entries a charger may refuse one by one.
const SAMPLED: &str = "MeterValuesSampledData";
/// What running charges are followed by, the most important first.
const WANTED_SAMPLES: [&str; 5] =
    ["Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage", "SoC"];

/// One call of the housekeeping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Read all settings.
    Configuration,
    /// Change a setting.
    Change {
        /// Its name.
        key: &'static str,
        /// Its new value.
        value: String,
    },
    /// Ask for the states of all connectors.
    Status,
    /// Ask for meter values.
    Meter,
}

impl Task {
    /// The call itself.
    pub fn frame(&self, id: String) -> Result<Frame, Refused> {
        match self {
            Self::Configuration => Frame::call(id, &GetConfiguration::default()),
            Self::Change { key, value } => {
                Frame::call(id, &ChangeConfiguration { key: (*key).to_owned(), value: value.clone() })
            }
            Self::Status => Frame::call(id, &command::trigger(MessageTrigger::StatusNotification)),
            Self::Meter => Frame::call(id, &command::trigger(MessageTrigger::MeterValues)),
        }
    }
}

/// Takes the answer to a task; gives what is to be done next.
pub async fn done(conversation: &Conversation, task: Task, answer: Result<Payload, CallError>) -> Vec<Task> {
    let charger = conversation.device.charger_id;
    let payload = match answer {
        Ok(payload) => payload,
        Err(err) => {
            tracing::debug!(%charger, error = %err, "{charger} cannot do {task:?}: {err}");
            return vec![];
        }
    };
    match task {
        Task::Configuration => {
            let Ok(GetConfigurationConfirmation { configuration_key, unknown_key: _ }) = ocpp::read(payload) else {
                return vec![];
            };
            let now = conversation.app.now();
            if let Err(err) = conversation.note(Presence::Configured(stored(&configuration_key, now)), now).await {
                tracing::warn!(%charger, error = %err, "the settings of {charger} could not be stored: {err}");
            }
            changes(&configuration_key, conversation.app.config.gateway.heartbeat_seconds)
        }
        Task::Change { key, value } => {
            let status = ocpp::read::<Outcome<ConfigurationStatus>>(payload).map(|it| it.status);
            let fewer = value.rsplit_once(',').map(|(fewer, _)| fewer.to_owned());
            match (status, key, fewer) {
                (Ok(ConfigurationStatus::Rejected), SAMPLED, Some(value)) => vec![Task::Change { key, value }],
                (status, _, _) => {
                    tracing::debug!(%charger, key, value, ?status, "{charger} answered a change of {key}: {status:?}");
                    vec![]
                }
            }
        }
        Task::Status | Task::Meter => vec![],
    }
}

/// The settings as they are stored and shown.
fn stored(known: &[ConfigurationKey], now: DateTime<Utc>) -> Value {
    let entry = |it: &ConfigurationKey| (it.key.clone(), json!({ "value": it.value, "readonly": it.readonly }));
    let keys: Map<String, Value> = known.iter().filter(|it| !is_secret(&it.key)).map(entry).collect();
    json!({ "read_at": now, "keys": keys })
}

/// What has to be changed of the settings that the charger has and lets us change.
fn changes(known: &[ConfigurationKey], heartbeat_seconds: u32) -> Vec<Task> {
    let number = |text: &str| text.trim().parse::<u32>().ok();
    let is = |wanted: bool| move |text: &str| text.trim().to_lowercase().parse() == Ok(wanted);
    let samples = |text: &str| {
        let there: Vec<&str> = text.split(',').map(str::trim).collect();
        WANTED_SAMPLES.iter().all(|it| there.contains(it))
    };
    let empty = |text: &str| text.trim().is_empty();
    type Rule<'a> = (&'static str, &'a dyn Fn(&str) -> bool, String);
    let rules: [Rule<'_>; 11] = [
        ("HeartbeatInterval", &|it| number(it) == Some(heartbeat_seconds), heartbeat_seconds.to_string()),
        ("WebSocketPingInterval", &|it| number(it).is_some_and(|it| (1..=60).contains(&it)), "30".to_owned()),
        ("MeterValueSampleInterval", &|it| number(it).is_some_and(|it| (1..=30).contains(&it)), "15".to_owned()),
        // Samples on the half hours, where prices change.
        ("ClockAlignedDataInterval", &|it| matches!(number(it), Some(900 | 1800)), "1800".to_owned()),
        (SAMPLED, &samples, WANTED_SAMPLES.join(",")),
        // A stop that carries all samples of a long charge again may be too large to get through.
        ("StopTxnSampledData", &empty, String::new()),
        ("StopTxnAlignedData", &empty, String::new()),
        ("StopTransactionOnInvalidId", &is(true), "true".to_owned()),
        // Charges are paid in advance, so nothing starts without us.
        ("LocalAuthorizeOffline", &is(false), "false".to_owned()),
        ("AllowOfflineTxForUnknownId", &is(false), "false".to_owned()),
        ("TransactionMessageAttempts", &|it| number(it).is_some_and(|it| it >= 5), "5".to_owned()),
    ];
    let differs = |(key, fits, value): Rule<'_>| {
        let found = known.iter().find(|it| it.key.eq_ignore_ascii_case(key))?;
        let fits = fits(found.value.as_deref().unwrap_or_default());
        (!found.readonly && !fits).then_some(Task::Change { key, value })
    };
    rules.into_iter().filter_map(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str, value: &str) -> ConfigurationKey {
        ConfigurationKey { key: key.to_owned(), readonly: false, value: Some(value.to_owned()) }
    }

    #[test]
    fn only_what_differs_and_can_be_changed_is_changed() {
        let known = [
            key("HeartbeatInterval", "86400"),
            key("WebSocketPingInterval", "0"),
            key("MeterValueSampleInterval", "20"),
            ConfigurationKey { readonly: true, ..key("ClockAlignedDataInterval", "0") },
            key(
                "MeterValuesSampledData",
                "Voltage, SoC,Current.Import,Power.Active.Import,Energy.Active.Import.Register",
            ),
            key("StopTxnSampledData", "Voltage"),
            key("StopTransactionOnInvalidId", "True"),
            key("LocalAuthorizeOffline", "true"),
            key("TransactionMessageAttempts", "3"),
            key("SomethingElse", "1"),
        ];
        let change = |key, value: &str| Task::Change { key, value: value.to_owned() };
        assert_eq!(
            changes(&known, 60),
            [
                change("HeartbeatInterval", "60"),
                change("WebSocketPingInterval", "30"),
                change("StopTxnSampledData", ""),
                change("LocalAuthorizeOffline", "false"),
                change("TransactionMessageAttempts", "5"),
            ]
        );
        assert_eq!(changes(&[], 60), []);
    }

    #[test]
    fn the_password_is_not_stored() {
        let text = stored(&[key("AuthorizationKey", "hush"), key("Vendor", "x")], DateTime::UNIX_EPOCH).to_string();
        assert!(!text.contains("hush") && text.contains("Vendor"), "{text}");
    }
}
