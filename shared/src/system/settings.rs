//! Settings of the platform that its staff change while it runs; they count at once, in every process.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::codes::{Code, codes};
use crate::describe::{Field, Input};
use crate::problem::FieldError;
use crate::resource::Form;
use crate::text::{Lang, Text, t};

codes! {
    /// A language of the console.
    pub enum Language {
        Zh = "zh", Primary, "中文", "Chinese";
        En = "en", Info, "英文", "English";
    }
}

/// The longest data URL of a logo: 128 KiB of picture.
pub const MAX_LOGO: usize = 180_000;

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// What the platform is called.
    #[schema(example = "Wattyard 智慧充电管理平台")]
    pub name: String,
    /// Its logo as a data URL; null shows the built-in one.
    #[schema(example = json!(null))]
    pub logo: Option<String>,
    /// The console's language for those who have not chosen one.
    pub language: Language,
    /// How long an access token of the console lives, in minutes.
    #[schema(example = 15)]
    pub access_minutes: i32,
    /// How long a login lasts without being used, in days.
    #[schema(example = 14)]
    pub session_days: i32,
    /// Logins that one user can have at a time; one more ends the oldest.
    #[schema(example = 20)]
    pub sessions_per_user: i32,
    /// How long messages of devices are kept, in days.
    #[schema(example = 90)]
    pub frame_days: i32,
    /// How long the record of logins is kept, in days.
    #[schema(example = 365)]
    pub login_days: i32,
    /// How long the audit trail is kept, in days.
    #[schema(example = 1095)]
    pub audit_days: i32,
    /// Version, for changing them.
    #[serde(default)]
    pub version: i64,
}

/// What everybody may know, logged in or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicSettings {
    /// What the platform is called.
    #[schema(example = "Wattyard 智慧充电管理平台")]
    pub name: String,
    /// Its logo as a data URL; null shows the built-in one.
    #[schema(example = json!(null))]
    pub logo: Option<String>,
    /// The console's language for those who have not chosen one.
    pub language: Language,
}

impl Form for Settings {
    fn validate(&self, lang: Lang) -> Vec<FieldError> {
        let Some(logo) = &self.logo else { return Vec::new() };
        let wrong = |code, text: Text| vec![FieldError::new("logo", code, text.get(lang))];
        if logo.len() > MAX_LOGO {
            return wrong("too_long", t("图片不能超过 128 KB", "At most 128 KB"));
        }
        if !["png", "jpeg", "webp"].iter().any(|it| logo.starts_with(&format!("data:image/{it};base64,"))) {
            return wrong("format", t("请上传 PNG、JPEG 或 WebP 图片", "A PNG, JPEG or WebP picture"));
        }
        Vec::new()
    }
}

/// How the settings are filled in.
pub const FIELDS: &[Field] = &[
    Field::new("name", t("平台名称", "Name"), Input::Text(30)).required(),
    Field::new("logo", t("平台标志", "Logo"), Input::Custom("image")),
    Field::new("language", t("默认语言", "Default language"), Input::Choice(Language::CHOICES)).required(),
    days("session_days", t("登录保持(天)", "A login lasts (days)"), 1, 90),
    Field::new(
        "access_minutes",
        t("访问令牌有效期(分钟)", "Access tokens live (minutes)"),
        Input::Int { min: 1, max: 120 },
    )
    .required(),
    Field::new(
        "sessions_per_user",
        t("每个账号同时登录数", "Logins of one user at a time"),
        Input::Int { min: 1, max: 100 },
    )
    .required()
    .help(t("超过时最早的登录失效", "One more ends the oldest")),
    days("frame_days", t("设备报文保留(天)", "Device messages are kept (days)"), 7, 3650),
    days("login_days", t("登录日志保留(天)", "Logins are kept (days)"), 180, 3650),
    days("audit_days", t("操作日志保留(天)", "The audit trail is kept (days)"), 180, 3650),
];

const fn days(name: &'static str, label: Text, min: i64, max: i64) -> Field {
    Field::new(name, label, Input::Int { min, max }).required()
}
