//! The one list of what there is to manage, and so of what a user can be allowed to do.

use crate::codes::{Choice, Tone};
use crate::describe::{Action, Column, Field, Input};
use crate::resource::{Editable, Resource, Verb};
use crate::system::settings;
use crate::text::{Lang, Text, t};
use crate::user::UserKind;

/// One thing that can be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// `car.charger.reboot`.
    pub code: String,
    /// What people read.
    pub label: Text,
    /// The kinds of users that may have it at all.
    pub kinds: &'static [UserKind],
}

/// The permissions of one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The page.
    pub title: Text,
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
    kinds: &'static [UserKind],
    /// What its rows are made of. A function, for one of the pages has all of them among its search conditions.
    parts: fn() -> Parts,
    /// Which of the usual things can be done with it.
    usual: &'static [Verb],
    /// What can be done to its rows besides.
    actions: &'static [Action],
    /// What else can be done.
    more: &'static [(&'static str, Text)],
    /// What other kinds of users may have than the page's.
    apart: &'static [(&'static str, &'static [UserKind])],
}

/// What the rows of a page are made of.
struct Parts {
    /// What is filled in, and what is searched by.
    entered: [&'static [Field]; 2],
    /// What is shown.
    columns: &'static [Column],
}

/// What people read of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its label.
    pub label: Text,
    /// How it is entered, where it can be.
    pub input: Option<Input>,
}

impl Described {
    fn of(field: &Field) -> Self {
        Self { label: field.label, input: Some(field.input) }
    }
}

impl Page {
    /// The page at an address.
    pub fn at(path: &str) -> Option<&'static Self> {
        PAGES.iter().find(|it| it.path == path)
    }

    /// What can be done there, viewing first: the permission's last part and its label.
    pub fn verbs(&self) -> impl Iterator<Item = (&'static str, Text)> {
        let usual = self.usual.iter().map(|it| (it.as_str(), it.label()));
        usual.chain(self.actions.iter().map(|it| (it.verb, it.label))).chain(self.more.iter().copied())
    }

    /// The kinds of users that may do this there.
    pub fn kinds(&self, verb: &str) -> &'static [UserKind] {
        self.apart.iter().find(|it| it.0 == verb).map_or(self.kinds, |it| it.1)
    }

    /// What a field of its rows is called. `provider_id` and `provider_name` are what the column `provider` shows.
    pub fn described(&self, field: &str) -> Option<Described> {
        let stem = field.strip_suffix("_id").or_else(|| field.strip_suffix("_name"));
        self.says(field).or_else(|| self.says(stem?))
    }

    fn says(&self, name: &str) -> Option<Described> {
        let Parts { entered, columns } = (self.parts)();
        let entered = entered.into_iter().flatten().find(|it| it.name == name);
        let shown = || columns.iter().find(|it| it.key == name);
        entered.map(Described::of).or_else(|| shown().map(|it| Described { label: it.fact.label, input: None }))
    }

    /// Allows what is neither among the usual things nor an action of a row.
    const fn and(mut self, more: &'static [(&'static str, Text)]) -> Self {
        self.more = more;
        self
    }

    /// Allows some things to other kinds of users than the rest.
    const fn apart(mut self, apart: &'static [(&'static str, &'static [UserKind])]) -> Self {
        self.apart = apart;
        self
    }
}

/// The page of a resource that is looked at.
const fn browse<R: Resource>() -> Page {
    Page {
        path: R::PATH,
        title: R::TITLE,
        prefix: R::PERMISSION,
        kinds: R::KINDS,
        parts: || Parts { entered: [&[], R::FILTERS], columns: R::COLUMNS },
        usual: R::VERBS,
        actions: R::ACTIONS,
        more: &[],
        apart: &[],
    }
}

/// The page of a resource whose rows people write.
const fn edit<R: Editable>() -> Page {
    Page { parts: || Parts { entered: [R::FIELDS, R::FILTERS], columns: R::COLUMNS }, ..browse::<R>() }
}

const PLATFORM: &[UserKind] = &[UserKind::Platform];
const TENANTS: &[UserKind] = &[UserKind::Platform, UserKind::Provider, UserKind::Property];

const DASHBOARD: Page = Page {
    path: "dashboard",
    title: t("首页", "Dashboard"),
    prefix: "dashboard",
    kinds: TENANTS,
    parts: || Parts { entered: [&[], &[]], columns: &[] },
    usual: &[Verb::View],
    actions: &[],
    more: &[],
    apart: &[],
};

const SETTINGS: Page = Page {
    path: "system/settings",
    title: t("平台设置", "Settings"),
    prefix: "system.settings",
    kinds: PLATFORM,
    parts: || Parts { entered: [settings::FIELDS, &[]], columns: &[] },
    usual: &[Verb::View, Verb::Update],
    ..DASHBOARD
};

/// All pages in the order of the menu: a resource is listed here, and nowhere else, to be allowed and found in audits.
pub const PAGES: &[Page] = &[
    DASHBOARD,
    edit::<crate::station::car::CarStations>(),
    edit::<crate::area::CarAreas>(),
    edit::<crate::charger::CarChargers>().and(&[("frames", t("查看报文", "Read messages"))]),
    edit::<crate::connector::CarConnectors>(),
    edit::<crate::tariff::CarTariffs>(),
    browse::<crate::unregistered::UnregisteredDevices>(),
    edit::<crate::station::bike::BikeStations>(),
    browse::<crate::car_order::CarOrders>(),
    browse::<crate::reservation::Reservations>(),
    browse::<crate::payment::Payments>(),
    browse::<crate::payment::Refunds>(),
    browse::<crate::invoice::Invoices>(),
    // A driver is nobody's, and charges everywhere: what one tenant changed, all others would have.
    edit::<crate::member::driver::Drivers>().apart(&[
        ("create", PLATFORM),
        ("update", PLATFORM),
        ("enable", PLATFORM),
        ("disable", PLATFORM),
        ("certify", PLATFORM),
    ]),
    // Its own people may look at it; it is kept by those above it.
    edit::<crate::member::collective::Collectives>().apart(&[("view", &UserKind::ALL)]),
    edit::<crate::member::card_product::CardProducts>(),
    // Properties alone issue cards.
    edit::<crate::member::card::Cards>().apart(&[("create", &[UserKind::Property])]),
    edit::<crate::system::provider::Providers>(),
    edit::<crate::system::property::Properties>(),
    edit::<crate::system::user::Users>(),
    edit::<crate::system::role::Roles>(),
    edit::<crate::system::department::Departments>(),
    edit::<crate::system::post::Posts>(),
    browse::<crate::system::session::Sessions>(),
    browse::<crate::system::audit::Audits>(),
    browse::<crate::system::login::Logins>(),
    browse::<crate::system::job::Jobs>(),
    SETTINGS,
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
    let group = |page: &Page| {
        let permission =
            |(verb, label)| Permission { code: format!("{}.{verb}", page.prefix), label, kinds: page.kinds(verb) };
        Group { title: page.title, permissions: page.verbs().map(permission).collect() }
    };
    PAGES.iter().map(group).collect()
}

/// A permission as people read it: its page and what can be done there.
pub fn said(code: &str, lang: Lang) -> String {
    let of_page = |page: &Page| {
        let verb = code.strip_prefix(page.prefix)?.strip_prefix('.')?;
        let label = page.verbs().find(|it| it.0 == verb)?.1;
        Some(format!("{}{}{}", page.title.get(lang), t("：", ": ").get(lang), label.get(lang)))
    };
    PAGES.iter().find_map(of_page).unwrap_or_else(|| code.to_owned())
}

/// The codes that users of a kind may have.
pub fn codes_for(kind: UserKind) -> Vec<String> {
    let permissions = groups().into_iter().flat_map(|it| it.permissions);
    permissions.filter(|it| it.kinds.contains(&kind)).map(|it| it.code).collect()
}

/// Whether users of a kind may have a permission at all.
pub fn fits(kind: UserKind, code: &str) -> bool {
    let Some((prefix, verb)) = code.rsplit_once('.') else { return false };
    PAGES.iter().any(|it| it.prefix == prefix && it.kinds(verb).contains(&kind))
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
        for kind in UserKind::ALL {
            assert!(codes_for(kind).iter().all(|it| fits(kind, it)));
        }
        assert!(!fits(UserKind::Provider, "system.provider.view"));
        assert!(!fits(UserKind::Platform, "nothing.view"));
        assert_eq!(codes_for(UserKind::Collective), ["member.collective.view"]);
        assert!(!fits(UserKind::Collective, "member.collective.update"));
        let said = |path, field| Page::at(path).and_then(|it| it.described(field)).map(|it| it.label.zh);
        assert_eq!(said("system/users", "username"), Some("登录账号"));
        assert_eq!(said("system/users", "provider_name"), Some("服务商"));
        assert_eq!(said("system/users", "nothing"), None);
        assert!(PAGE_CHOICES.iter().any(|it| it.value == "car/stations"));
    }
}
