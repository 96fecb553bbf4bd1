//! Users of the console, as those see them who manage them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::department;
use super::node::{self, Seat};
use crate::codes::{Code, codes};
use crate::describe::{Action, As, Column, Fact, Field, Input};
use crate::problem::FieldError;
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::station::ENABLED;
use crate::text::{Lang, Text, t};
use crate::user::UserKind;

codes! {
    /// What a user sees of their node (授权类型).
    pub enum Reach {
        Node = "node", Primary, "全部电站", "All stations";
        Stations = "stations", Warning, "指定电站", "Bound stations";
    }
}

/// A user of the console.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UserRow {
    /// Id.
    pub id: Uuid,
    /// What kind of node they sit at.
    pub kind: UserKind,
    /// Their provider, below the platform.
    pub provider_id: Option<Uuid>,
    /// That provider's name.
    pub provider_name: Option<String>,
    /// Their property, below a provider.
    pub property_id: Option<Uuid>,
    /// That property's name.
    pub property_name: Option<String>,
    /// Their collective, below a property.
    pub collective_id: Option<Uuid>,
    /// That collective's name.
    pub collective_name: Option<String>,
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
    /// Their department.
    pub department_id: Option<Uuid>,
    /// That department's name.
    pub department_name: Option<String>,
    /// Their post in that department.
    pub post_id: Option<Uuid>,
    /// That post's name.
    pub post_name: Option<String>,
    /// The roles that they have.
    pub role_ids: Vec<Uuid>,
    /// Those roles' names.
    pub roles: Vec<String>,
    /// What they see of their node.
    pub reach: Reach,
    /// The car stations that they are bound to.
    pub car_station_ids: Vec<Uuid>,
    /// The e-bike stations that they are bound to.
    pub bike_station_ids: Vec<Uuid>,
    /// The names of all stations that they are bound to.
    pub stations: Vec<String>,
    /// Whether they may log in.
    pub enabled: bool,
    /// The password must be changed before anything else.
    pub must_change_password: bool,
    /// Too many wrong passwords: until then nobody can log in from where they came.
    pub locked_until: Option<DateTime<Utc>>,
    /// When they last logged in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// When the password was last set.
    pub password_changed_at: DateTime<Utc>,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// A generated password: only in the answer that set it, and to be changed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_password: Option<String>,
}

impl UserRow {
    /// Where they sit.
    pub fn seat(&self) -> Seat {
        Seat { kind: self.kind, provider: self.provider_id, property: self.property_id, collective: self.collective_id }
    }
}

impl Row for UserRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// What is filled in for a user.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "kind": "property",
    "provider_id": "019a5f3e-7c00-7000-8000-000000000001",
    "property_id": "019a5f3e-7c00-7000-8000-000000000002",
    "username": "chenchen",
    "name": "陈晨",
    "phone": "13800000001",
    "email": "chen@example.com",
    "role_ids": [],
}))]
pub struct UserForm {
    /// What kind of node they sit at. Cannot be changed.
    pub kind: UserKind,
    /// Their provider, below the platform. Cannot be changed.
    pub provider_id: Option<Uuid>,
    /// Their property, below a provider. Cannot be changed.
    pub property_id: Option<Uuid>,
    /// Their collective, below a property. Cannot be changed.
    pub collective_id: Option<Uuid>,
    /// The account's name: 3 to 32 letters, digits and `._-@`. Cannot be changed.
    pub username: String,
    /// The person's name.
    pub name: String,
    /// Their mobile number.
    pub phone: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their department: of the same node, and enabled.
    pub department_id: Option<Uuid>,
    /// Their post: of that department, and enabled.
    pub post_id: Option<Uuid>,
    /// The roles that they have: of the same node, and enabled.
    pub role_ids: Option<Vec<Uuid>>,
    /// A password to be changed at the first login. A new account without one is given one; a changed one keeps its own.
    pub password: Option<String>,
}

impl UserForm {
    /// Where they sit.
    pub fn seat(&self) -> Seat {
        Seat { kind: self.kind, provider: self.provider_id, property: self.property_id, collective: self.collective_id }
    }
}

impl Form for UserForm {
    fn validate(&self, lang: Lang) -> Vec<FieldError> {
        let mut errors = self.seat().errors(lang);
        let mut wrong = |field, code, text: Text| errors.push(FieldError::new(field, code, text.get(lang)));
        let mark = |byte: u8| b"._-@".contains(&byte);
        let plain = self.username.bytes().all(|it| it.is_ascii_alphanumeric() || mark(it));
        let begins = self.username.bytes().next().is_some_and(|it| it.is_ascii_alphanumeric());
        if !plain || !begins || self.username.len() < 3 {
            let text = t(
                "3 到 32 个字母、数字或 ._-@，以字母或数字开头",
                "3 to 32 letters, digits and ._-@, a letter or digit first",
            );
            wrong("username", "format", text);
        }
        // The accounts of providers and properties are named by their mobile numbers: nobody may take another's.
        let mobile = self.username.len() == 11 && self.username.bytes().all(|it| it.is_ascii_digit());
        if mobile && self.phone.as_ref() != Some(&self.username) {
            let text = t("以手机号为账号时，须与手机号码一致", "A mobile number as the name must be one's own");
            wrong("phone", "mismatch", text);
        }
        if self.password.as_ref().is_some_and(|it| it.chars().count() < 8) {
            wrong("password", "too_short", t("至少 8 个字符", "At least 8 characters"));
        }
        if self.post_id.is_some() && self.department_id.is_none() {
            wrong("department_id", "required", t("请先选择岗位所在的部门", "Choose the post's department first"));
        }
        errors
    }
}

/// How users are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct UserFilter {
    /// The provider.
    pub provider_id: Option<Uuid>,
    /// The property.
    pub property_id: Option<Uuid>,
    /// The collective.
    pub collective_id: Option<Uuid>,
    /// Part of the account's name.
    pub username: Option<String>,
    /// Part of the person's name.
    pub name: Option<String>,
    /// What they see of their node.
    pub reach: Option<Reach>,
    /// What kind of node they sit at.
    pub kind: Option<UserKind>,
    /// Their department.
    pub department_id: Option<Uuid>,
    /// Their post.
    pub post_id: Option<Uuid>,
    /// A role that they have.
    pub role_id: Option<Uuid>,
    /// Whether they may log in.
    pub enabled: Option<bool>,
    /// Made on this local day or later.
    pub created_from: Option<NaiveDate>,
    /// Made on this local day or earlier.
    pub created_to: Option<NaiveDate>,
}

/// Users.
pub struct Users;

impl Resource for Users {
    const PATH: &'static str = "system/users";
    const ONE: &'static str = "User";
    const MANY: &'static str = "Users";
    const TITLE: Text = t("用户", "Users");
    const PERMISSION: &'static str = "system.user";
    type Row = UserRow;
    type Detail = UserRow;
    type Filter = UserFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("username", t("登录账号", "Account"), As::Text).sorted(),
        Column::new("name", t("用户名称", "Name"), As::Text).sorted(),
        Column::new("phone", t("手机号码", "Mobile"), As::Text),
        Column::new("email", t("邮箱", "E-mail"), As::Text).detail_only(),
        Column::new("kind", t("用户类型", "Kind"), As::Code(UserKind::CHOICES)),
        Column::new("provider", t("服务商", "Provider"), As::Text).at("provider_name"),
        Column::new("property", t("集团物业", "Property"), As::Text).at("property_name"),
        Column::new("collective", t("集体户", "Collective"), As::Text).at("collective_name").detail_only(),
        Column::new("department", t("归属部门", "Department"), As::Text).at("department_name"),
        Column::new("post", t("岗位", "Post"), As::Text).at("post_name"),
        Column::new("roles", t("角色", "Roles"), As::List),
        Column::new("reach", t("授权类型", "Reach"), As::Code(Reach::CHOICES)),
        Column::new("stations", t("绑定电站", "Bound stations"), As::List).detail_only(),
        Column::new("enabled", t("账号状态", "State"), As::Enabled),
        Column::new("must_change_password", t("须修改密码", "Must change password"), As::Flag).detail_only(),
        Column::new("locked_until", t("锁定至", "Locked until"), As::Time).detail_only(),
        Column::new("last_login_at", t("最近登录", "Last login"), As::Time).sorted(),
        Column::new("password_changed_at", t("密码设置时间", "Password set"), As::Time).detail_only(),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("username", t("登录账号", "Account"), Input::Text(32)),
        Field::new("name", t("用户名称", "Name"), Input::Text(30)),
        Field::new("kind", t("用户类型", "Kind"), Input::Choice(UserKind::CHOICES)),
        ENABLED,
        node::OF_PROVIDER,
        node::OF_PROPERTY,
        node::OF_COLLECTIVE,
        department::AMONG,
        Field::new("reach", t("授权类型", "Reach"), Input::Choice(Reach::CHOICES)),
        Field::new("role_id", t("角色", "Role"), Input::Lookup("system/roles")),
        Field::new("created", t("创建时间", "Created"), Input::Days),
    ];
    const VERBS: &'static [Verb] = &[
        Verb::View,
        Verb::Create,
        Verb::Update,
        Verb::Delete,
        Verb::Enable,
        Verb::Disable,
        Verb::Export,
        Verb::Import,
    ];
    const ACTIONS: &'static [Action] = &[
        Action::new("bind-stations", t("绑定电站", "Bind stations"))
            .done(t("电站已绑定", "Stations bound"))
            .fields(STATIONS)
            .facts(&[
                Fact::new("username", t("登录账号", "Account"), As::Text),
                Fact::new("provider_name", t("服务商", "Provider"), As::Text),
                Fact::new("property_name", t("集团物业", "Property"), As::Text),
                Fact::new("roles", t("角色", "Roles"), As::List),
            ]),
        Action::new("reset-password", t("重置密码", "Reset password"))
            .done(t("密码已重置", "The password was reset"))
            .confirm(t(
                "将生成一次性密码，只显示一次；该用户会退出登录。",
                "A one-time password is made and shown once; the user is logged out.",
            ))
            .danger(),
    ];
}

/// What a user is bound to.
pub const STATIONS: &[Field] = &[
    Field::new("car_station_ids", t("汽车电站", "Car stations"), Input::Lookups("car/stations"))
        .within("provider_id")
        .within("property_id")
        .two_lists()
        .help(t("汽车与单车电站都不选，表示其节点下的全部电站", "None of either line means all stations of the node")),
    Field::new("bike_station_ids", t("单车电站", "E-bike stations"), Input::Lookups("bike/stations"))
        .within("provider_id")
        .within("property_id")
        .two_lists(),
];

impl Editable for Users {
    type Form = UserForm;
    const FIELDS: &'static [Field] = &[
        node::KIND,
        node::PROVIDER,
        node::PROPERTY,
        node::COLLECTIVE,
        Field::new("username", t("登录账号", "Account"), Input::Text(32)).required().fixed(),
        Field::new("name", t("用户名称", "Name"), Input::Text(30)).required(),
        Field::new("phone", t("手机号码", "Mobile"), Input::Mobile),
        Field::new("email", t("邮箱", "E-mail"), Input::Email),
        node::at_node(Field::new("department_id", t("归属部门", "Department"), Input::Lookup("system/departments")))
            .tree(),
        Field::new("post_id", t("岗位", "Post"), Input::Lookup("system/posts")).within("department_id"),
        node::at_node(Field::new("role_ids", t("角色", "Roles"), Input::Lookups("system/roles"))),
        Field::new("password", t("登录密码", "Password"), Input::Password).help(t(
            "新增时不填则生成一次性密码；修改时不填则不变",
            "A new account without one is given one; a changed one keeps its own",
        )),
    ];

    fn form(it: &UserRow) -> UserForm {
        let it = it.clone();
        UserForm {
            kind: it.kind,
            provider_id: it.provider_id,
            property_id: it.property_id,
            collective_id: it.collective_id,
            username: it.username,
            name: it.name,
            phone: it.phone,
            email: it.email,
            department_id: it.department_id,
            post_id: it.post_id,
            role_ids: Some(it.role_ids),
            password: None,
        }
    }

    fn version(it: &UserRow) -> i64 {
        it.version
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(changes: serde_json::Value) -> Vec<(String, String)> {
        let mut form = json!({"kind": "platform", "username": "chen.chen", "name": "陈晨"});
        for (name, value) in changes.as_object().unwrap() {
            form[name] = value.clone();
        }
        let errors = crate::check::read::<UserForm>(Users::FIELDS, form.as_object().unwrap(), Lang::En).err();
        errors.unwrap_or_default().into_iter().map(|it| (it.field, it.code)).collect()
    }

    #[test]
    fn names_follow_their_rules() {
        let one = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
        assert_eq!(wrong(json!({})), []);
        for bad in ["ab", "陈晨陈", "a b c", "-abc", "a/bc"] {
            assert_eq!(wrong(json!({"username": bad})), one("username", "format"), "{bad}");
        }
        assert_eq!(wrong(json!({"username": "a".repeat(33)})), one("username", "too_long"));
        assert_eq!(wrong(json!({"username": "13900000001"})), one("phone", "mismatch"));
        assert_eq!(wrong(json!({"username": "13900000001", "phone": "13900000002"})), one("phone", "mismatch"));
        assert_eq!(wrong(json!({"username": "13900000001", "phone": "13900000001"})), []);
        assert_eq!(wrong(json!({"password": "short"})), one("password", "too_short"));
        assert_eq!(wrong(json!({"post_id": Uuid::nil()})), one("department_id", "required"));
        assert_eq!(wrong(json!({"kind": "provider"})), one("provider_id", "required"));
    }
}
