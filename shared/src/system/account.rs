//! One's own account: who one is, and where one is logged in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::describe::{Field, Input};
use crate::resource::Form;
use crate::text::t;
use crate::user::UserKind;

/// One's own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Id.
    pub id: Uuid,
    /// The account's name.
    #[schema(example = "chenchen")]
    pub username: String,
    /// The person's name.
    #[schema(example = "陈晨")]
    pub name: String,
    /// Their mobile number.
    pub phone: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// What kind of node they sit at.
    pub kind: UserKind,
    /// Their provider's name.
    pub provider_name: Option<String>,
    /// Their property's name.
    pub property_name: Option<String>,
    /// Their collective's name.
    pub collective_name: Option<String>,
    /// Their department's name.
    pub department_name: Option<String>,
    /// Their post's name.
    pub post_name: Option<String>,
    /// The names of their roles.
    pub roles: Vec<String>,
    /// The names of the stations that they are bound to; none when they see all of their node.
    pub stations: Vec<String>,
    /// When they last logged in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// When the password was last set.
    pub password_changed_at: DateTime<Utc>,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What people may change of their own account.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AccountForm {
    /// The person's name.
    #[schema(example = "陈晨")]
    pub name: String,
    /// Their mobile number.
    pub phone: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
}

impl Form for AccountForm {}

/// How one's own account is filled in.
pub const FIELDS: &[Field] = &[
    Field::new("name", t("用户名称", "Name"), Input::Text(30)).required(),
    Field::new("phone", t("手机号码", "Mobile"), Input::Mobile),
    Field::new("email", t("邮箱", "E-mail"), Input::Email),
];

/// One of one's own logins that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnSession {
    /// Id.
    pub id: Uuid,
    /// The one that asks.
    pub current: bool,
    /// From where one was last seen.
    #[schema(example = "203.0.113.7")]
    pub ip: String,
    /// With which program.
    pub agent: String,
    /// When one logged in.
    pub started_at: DateTime<Utc>,
    /// When one was last given a token.
    pub seen_at: DateTime<Utc>,
    /// When it ends unless one comes back.
    pub expires_at: DateTime<Utc>,
}
