//! Logins to the console, those that failed included.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::agent::program;
use crate::codes::{Code, codes};
use crate::describe::{As, Column, Field, Input};
use crate::resource::{Resource, Row};
use crate::text::{Text, t};

codes! {
    /// How a login went.
    pub enum LoginOutcome {
        Succeeded = "succeeded", Success, "成功", "Succeeded";
        Wrong = "wrong", Danger, "账号或密码错误", "Wrong name or password";
        Disabled = "disabled", Warning, "账号已禁用", "Account disabled";
        Locked = "locked", Warning, "账号已锁定", "Account locked";
    }
}

/// One try to log in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LoginRow {
    /// Id.
    pub id: Uuid,
    /// When.
    pub created_at: DateTime<Utc>,
    /// The account's name as it was typed.
    #[schema(example = "chenchen")]
    pub username: String,
    /// The user, if there was one of that name.
    pub user_id: Option<Uuid>,
    /// What they were called then.
    #[schema(example = "陈晨")]
    pub user_name: Option<String>,
    /// How it went.
    pub outcome: LoginOutcome,
    /// From where.
    #[schema(example = "203.0.113.7")]
    pub ip: String,
    /// With which program.
    pub agent: String,
}

impl Row for LoginRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// How logins are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct LoginFilter {
    /// The account's name.
    pub username: Option<String>,
    /// One user.
    pub user_id: Option<Uuid>,
    /// How it went.
    pub outcome: Option<LoginOutcome>,
    /// From where.
    pub ip: Option<String>,
    /// On this local day or later.
    pub created_from: Option<NaiveDate>,
    /// On this local day or earlier.
    pub created_to: Option<NaiveDate>,
}

/// Logins.
pub struct Logins;

impl Resource for Logins {
    const PATH: &'static str = "system/logins";
    const ONE: &'static str = "LoginRecord";
    const MANY: &'static str = "LoginRecords";
    const TITLE: Text = t("登录日志", "Logins");
    const PERMISSION: &'static str = "system.login";
    const NAME: &'static str = "username";
    type Row = LoginRow;
    type Detail = LoginRow;
    type Filter = LoginFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("id", t("时间", "Time"), As::Time).at("created_at").sorted(),
        Column::new("username", t("登录账号", "Account"), As::Text),
        Column::new("user", t("用户名称", "Name"), As::Text).at("user_name"),
        Column::new("outcome", t("结果", "Outcome"), As::Code(LoginOutcome::CHOICES)),
        Column::new("ip", t("地址", "Address"), As::Text),
        Column::new("agent", t("客户端", "Program"), As::Words(|it, _| program(it))),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("username", t("登录账号", "Account"), Input::Text(32)),
        Field::new("outcome", t("结果", "Outcome"), Input::Choice(LoginOutcome::CHOICES)),
        Field::new("ip", t("地址", "Address"), Input::Text(45)),
        Field::new("created", t("时间", "Time"), Input::Days),
    ];
}
