//! Users of the console: who they are and where they sit.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::codes;

codes! {
    /// What kind of node a user sits at; a role has one too.
    pub enum UserKind {
        Platform = "platform", Primary, "系统", "Platform";
        Provider = "provider", Success, "服务商", "Provider";
        Property = "property", Info, "物业", "Property";
        Collective = "collective", Warning, "集体户", "Collective";
    }
}

impl UserKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Platform, Self::Provider, Self::Property, Self::Collective];
}

/// The logged-in user, as the console needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// Id.
    pub id: Uuid,
    /// The account's name.
    #[schema(example = "admin")]
    pub username: String,
    /// The person's name.
    pub name: String,
    /// What kind of node they sit at.
    pub kind: UserKind,
    /// The provider they belong to.
    pub provider_id: Option<Uuid>,
    /// The property they belong to.
    pub property_id: Option<Uuid>,
    /// The collective they belong to.
    pub collective_id: Option<Uuid>,
    /// The password must be changed before anything else.
    pub must_change_password: bool,
    /// What they may do, as permission codes; the console's menu follows from it.
    pub permissions: Vec<String>,
}

/// A login, as the account's name and password.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Login {
    /// The account's name, any case.
    #[schema(example = "admin")]
    pub username: String,
    /// The password.
    #[schema(example = "correct horse battery staple")]
    pub password: String,
}

/// What a login or a refresh gives.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
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
    pub user: Me,
}

/// Asks for the next pair of tokens.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Refresh {
    /// The refresh token of the last pair.
    pub refresh_token: String,
}

/// Changes one's own password.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PasswordChange {
    /// The present password.
    pub old_password: String,
    /// The new one: at least 8 characters.
    pub new_password: String,
}
