//! A charger's settings: named texts that the server reads and changes.

use serde::{Deserialize, Serialize};

use super::{Message, Outcome};
use crate::lenient;
use crate::limit::{self, Refused};
use crate::word::words;

/// Change one setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeConfiguration {
    /// Its name; at most 50 characters.
    pub key: String,
    /// Its new value, always as text; at most 500 characters.
    pub value: String,
}

impl Message for ChangeConfiguration {
    const ACTION: &'static str = "ChangeConfiguration";
    type Confirmation = Outcome<ConfigurationStatus>;

    fn check(&self) -> Result<(), Refused> {
        limit::text("key", &self.key, 50)?;
        limit::at_most("value", &self.value, 500)
    }
}

words! {
    /// Whether the setting was changed.
    ConfigurationStatus { Accepted, Rejected, RebootRequired, NotSupported }
}

/// Tell the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetConfiguration {
    /// Which ones; none means all. Each name has at most 50 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
}

impl Message for GetConfiguration {
    const ACTION: &'static str = "GetConfiguration";
    type Confirmation = GetConfigurationConfirmation;

    fn check(&self) -> Result<(), Refused> {
        self.key.iter().try_for_each(|it| limit::text("key", it, 50))
    }
}

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetConfigurationConfirmation {
    /// The settings that the charger knows.
    #[serde(default, deserialize_with = "lenient::readable_items", skip_serializing_if = "Vec::is_empty")]
    pub configuration_key: Vec<ConfigurationKey>,
    /// The names that it does not know.
    #[serde(default, deserialize_with = "lenient::readable_items", skip_serializing_if = "Vec::is_empty")]
    pub unknown_key: Vec<String>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigurationKey {
    /// Its name.
    pub key: String,
    /// Whether the server cannot change it; a charger that does not say lets it be tried.
    #[serde(default)]
    pub readonly: bool,
    /// Its value; secrets have none.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}
