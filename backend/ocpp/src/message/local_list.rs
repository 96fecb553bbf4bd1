//! The list of tags that a charger may decide on by itself.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{IdTagInfo, Message, Outcome};
use crate::IdTag;
use crate::limit::{self, Refused};
use crate::word::words;

/// Replace or change the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendLocalList {
    /// The list's version after the change, above zero.
    pub list_version: i32,
    /// The whole list, or the entries to add, change and remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub local_authorization_list: Vec<AuthorizationData>,
    /// Whether the list is replaced or changed.
    pub update_type: UpdateType,
}

impl Message for SendLocalList {
    const ACTION: &'static str = "SendLocalList";
    type Confirmation = Outcome<UpdateStatus>;

    fn check(&self) -> Result<(), Refused> {
        limit::positive("listVersion", self.list_version)?;
        let mut tags = HashSet::new();
        for AuthorizationData { id_tag, id_tag_info } in &self.local_authorization_list {
            limit::id_tag("idTag", id_tag)?;
            limit::rule("idTag", tags.insert(id_tag), "a tag is listed once")?;
            let removal_makes_sense = self.update_type == UpdateType::Differential;
            limit::rule("idTagInfo", id_tag_info.is_some() || removal_makes_sense, "a full list removes nothing")?;
            if let Some(parent) = id_tag_info.as_ref().and_then(|it| it.parent_id_tag.as_ref()) {
                limit::id_tag("parentIdTag", parent)?;
            }
        }
        Ok(())
    }
}

words! {
    /// Whether the list is replaced or changed.
    UpdateType { Differential, Full }
}

words! {
    /// Whether the charger took the list.
    UpdateStatus { Accepted, Failed, NotSupported, VersionMismatch }
}

/// One tag of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationData {
    /// The tag.
    pub id_tag: IdTag,
    /// What is known of it; absent removes it from the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_tag_info: Option<IdTagInfo>,
}

/// Which version of the list is there?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetLocalListVersion {}

impl Message for GetLocalListVersion {
    const ACTION: &'static str = "GetLocalListVersion";
    type Confirmation = GetLocalListVersionConfirmation;
}

/// The version of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetLocalListVersionConfirmation {
    /// 0 is an empty list, -1 a charger without lists.
    pub list_version: i32,
}
