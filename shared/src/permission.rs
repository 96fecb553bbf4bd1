//! The one list of what a user can be allowed to do.

use crate::resource::Resource;
use crate::text::{Text, t};
use crate::user::UserKind;

/// One thing that can be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// `car.charger.reboot`.
    pub code: String,
    /// What people read.
    pub label: Text,
}

/// The permissions of one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The page.
    pub title: Text,
    /// The kinds of users that may have them at all.
    pub kinds: &'static [UserKind],
    /// What can be allowed there, viewing first.
    pub permissions: Vec<Permission>,
}

impl Group {
    /// One more thing, which is neither among the usual ones nor an action of a row.
    fn and(mut self, code: &str, label: Text) -> Self {
        self.permissions.push(Permission { code: code.to_owned(), label });
        self
    }
}

fn of<R: Resource>() -> Group {
    let usual = R::VERBS.iter().map(|verb| (verb.as_str(), verb.label()));
    let special = R::ACTIONS.iter().map(|action| (action.verb, action.label));
    let permission = |(verb, label)| Permission { code: format!("{}.{verb}", R::PERMISSION), label };
    Group { title: R::TITLE, kinds: R::KINDS, permissions: usual.chain(special).map(permission).collect() }
}

/// All permissions, page by page in the order of the menu.
pub fn groups() -> Vec<Group> {
    let dashboard = Group {
        title: t("首页", "Dashboard"),
        kinds: &[UserKind::Platform, UserKind::Provider, UserKind::Property],
        permissions: vec![Permission { code: "dashboard.view".to_owned(), label: t("查看", "View") }],
    };
    vec![
        dashboard,
        of::<crate::station::CarStations>(),
        of::<crate::area::CarAreas>(),
        of::<crate::charger::CarChargers>().and("car.charger.frames", t("查看报文", "Read messages")),
        of::<crate::connector::CarConnectors>(),
        of::<crate::tariff::CarTariffs>(),
        of::<crate::car_order::CarOrders>(),
        of::<crate::payment::Payments>(),
        of::<crate::payment::Refunds>(),
    ]
}

/// The codes that users of a kind may have.
pub fn codes_for(kind: UserKind) -> Vec<String> {
    let groups = groups().into_iter().filter(|group| group.kinds.contains(&kind));
    groups.flat_map(|group| group.permissions.into_iter().map(|it| it.code)).collect()
}
