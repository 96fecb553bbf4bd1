//! The one list of what there is to manage, and so of what a user can be allowed to do.

use crate::codes::{Choice, Tone};
use crate::resource::{Resource, Verb};
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

/// A resource without its types.
pub struct Page {
    /// Its address.
    pub path: &'static str,
    /// What people call it.
    pub title: Text,
    /// The prefix of its permissions.
    pub prefix: &'static str,
    /// The kinds of users that may have its permissions at all.
    pub kinds: &'static [UserKind],
    /// What can be done with it as its description says.
    verbs: fn() -> Vec<(&'static str, Text)>,
    /// What else can be done.
    more: &'static [(&'static str, Text)],
}

impl Page {
    /// What can be done there, viewing first: the permission's last part and its label.
    pub fn verbs(&self) -> impl Iterator<Item = (&'static str, Text)> {
        (self.verbs)().into_iter().chain(self.more.iter().copied())
    }

    /// Allows what is neither among the usual things nor an action of a row.
    const fn and(mut self, more: &'static [(&'static str, Text)]) -> Self {
        self.more = more;
        self
    }
}

const fn of<R: Resource>() -> Page {
    Page { path: R::PATH, title: R::TITLE, prefix: R::PERMISSION, kinds: R::KINDS, verbs: verbs::<R>, more: &[] }
}

fn verbs<R: Resource>() -> Vec<(&'static str, Text)> {
    let usual = R::VERBS.iter().map(|verb| (verb.as_str(), verb.label()));
    usual.chain(R::ACTIONS.iter().map(|action| (action.verb, action.label))).collect()
}

const DASHBOARD: Page = Page {
    path: "dashboard",
    title: t("首页", "Dashboard"),
    prefix: "dashboard",
    kinds: &[UserKind::Platform, UserKind::Provider, UserKind::Property],
    verbs: || vec![(Verb::View.as_str(), Verb::View.label())],
    more: &[],
};

/// All pages in the order of the menu: a resource is listed here, and nowhere else, to be allowed and found in audits.
pub const PAGES: &[Page] = &[
    DASHBOARD,
    of::<crate::station::CarStations>(),
    of::<crate::area::CarAreas>(),
    of::<crate::charger::CarChargers>().and(&[("frames", t("查看报文", "Read messages"))]),
    of::<crate::connector::CarConnectors>(),
    of::<crate::tariff::CarTariffs>(),
    of::<crate::unregistered::UnregisteredDevices>(),
    of::<crate::car_order::CarOrders>(),
    of::<crate::payment::Payments>(),
    of::<crate::payment::Refunds>(),
    of::<crate::member::driver::Drivers>(),
    of::<crate::system::provider::Providers>(),
    of::<crate::system::property::Properties>(),
    of::<crate::system::user::Users>(),
    of::<crate::system::role::Roles>(),
    of::<crate::system::audit::Audits>(),
    of::<crate::system::login::Logins>(),
    of::<crate::system::job::Jobs>(),
];

/// The pages as a select offers them.
pub const PAGE_CHOICES: &[Choice] = &{
    let mut choices = [Choice { value: "", label: DASHBOARD.title, tone: Tone::Info }; PAGES.len()];
    let mut at = 0;
    while at < PAGES.len() {
        #[expect(clippy::indexing_slicing, reason = "the compiler runs this, and both are equally long")]
        {
            choices[at] = Choice { value: PAGES[at].path, label: PAGES[at].title, tone: Tone::Info };
        }
        at += 1;
    }
    choices
};

/// All permissions, page by page.
pub fn groups() -> Vec<Group> {
    let group = |it: &Page| {
        let permission = |(verb, label)| Permission { code: format!("{}.{verb}", it.prefix), label };
        Group { title: it.title, kinds: it.kinds, permissions: it.verbs().map(permission).collect() }
    };
    PAGES.iter().map(group).collect()
}

/// The codes that users of a kind may have.
pub fn codes_for(kind: UserKind) -> Vec<String> {
    let groups = groups().into_iter().filter(|group| group.kinds.contains(&kind));
    groups.flat_map(|group| group.permissions.into_iter().map(|it| it.code)).collect()
}

/// Whether users of a kind may have a permission at all.
pub fn fits(kind: UserKind, code: &str) -> bool {
    let prefix = code.rsplit_once('.').map_or(code, |it| it.0);
    PAGES.iter().any(|it| it.prefix == prefix && it.kinds.contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_there_once_and_fits_its_kinds() {
        let codes = codes_for(UserKind::Platform);
        let mut once = codes.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), codes.len());
        for kind in [UserKind::Platform, UserKind::Provider, UserKind::Property] {
            assert!(codes_for(kind).iter().all(|it| fits(kind, it)));
        }
        assert!(!fits(UserKind::Provider, "system.provider.view"));
        assert!(!fits(UserKind::Platform, "nothing.view"));
        assert!(PAGE_CHOICES.iter().any(|it| it.value == "car/stations"));
    }
}
