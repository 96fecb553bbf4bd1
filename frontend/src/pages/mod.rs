//! The one table of pages: router, menu, guard, breadcrumbs and tabs all read it.

mod account;
mod audit;
mod car_order;
mod card;
mod charger;
mod connector;
mod dashboard;
mod driver;
#[cfg(debug_assertions)]
mod gallery;
mod invoice;
pub mod login;
mod password;
mod payment;
mod reservation;
mod settings;
mod tariff;

use leptos::prelude::*;
use shared::area::CarAreas;
use shared::car_order::CarOrders;
use shared::charger::CarChargers;
use shared::connector::CarConnectors;
use shared::describe::Cell;
use shared::invoice::Invoices;
use shared::member::card::Cards;
use shared::member::card_product::CardProducts;
use shared::member::collective::Collectives;
use shared::member::driver::Drivers;
use shared::payment::{Payments, Refunds};
use shared::reservation::Reservations;
use shared::resource::FormMap;
use shared::station::bike::BikeStations;
use shared::station::car::CarStations;
use shared::system::audit::Audits;
use shared::system::department::Departments;
use shared::system::job::Jobs;
use shared::system::login::Logins;
use shared::system::post::Posts;
use shared::system::property::Properties;
use shared::system::provider::Providers;
use shared::system::role::Roles;
use shared::system::session::Sessions;
use shared::system::user::Users;
use shared::tariff::CarTariffs;
use shared::text::{Text, t};
use shared::unregistered::{Refusal, UnregisteredDevices};
use uuid::Uuid;

use crate::kit::chips::{List, chips};
use crate::kit::crud::{Begin, Entry, Source, browse, crud, edit};
use crate::kit::form::{Slot, form_of};
use crate::kit::icon::{BIKE, CAR, HOUSE, Icon, RECEIPT, SETTINGS, USERS};
use crate::kit::picture::picture;
use crate::run::live;
use crate::session;

/// A part of the menu.
pub struct Group {
    /// Its heading.
    pub title: Text,
    /// Its icon.
    pub icon: Icon,
    /// What it holds; a group of one page is shown as that page.
    pub pages: &'static [Page],
}

/// A page of the console.
pub struct Page {
    /// Where it is.
    pub path: &'static str,
    /// What people call it.
    pub title: Text,
    /// The prefix of its permissions; empty when everybody may see it.
    pub permission: &'static str,
    /// The resource that it administers, if it does.
    pub source: Option<Source>,
    /// What it shows.
    view: View,
    /// A page of its own for one row, instead of the drawer.
    detail: Option<fn(Uuid) -> AnyView>,
}

#[derive(Clone, Copy)]
enum View {
    Crud(Source),
    Own(fn() -> AnyView),
}

impl Page {
    const fn of(source: Source) -> Self {
        Self {
            path: source.path,
            title: source.title,
            permission: source.permission,
            source: Some(source),
            view: View::Crud(source),
            detail: None,
        }
    }

    /// One row has a page of its own.
    const fn detail(mut self, detail: fn(Uuid) -> AnyView) -> Self {
        self.detail = Some(detail);
        self
    }

    const fn own(path: &'static str, title: Text, permission: &'static str, view: fn() -> AnyView) -> Self {
        Self { path, title, permission, source: None, view: View::Own(view), detail: None }
    }

    /// Whether the person at the screen may see it.
    pub fn visible(&self) -> bool {
        self.permission.is_empty() || session::may(&format!("{}.view", self.permission))
    }

    /// Draws it; `open` is the row named in the address.
    pub fn draw(&self, open: Memo<Option<Uuid>>) -> AnyView {
        let list = self.view;
        let list = move || match list {
            View::Crud(source) => crud(source, open),
            View::Own(view) => view(),
        };
        match self.detail {
            Some(detail) => live(move || open.get().map_or_else(list, detail)),
            None => list(),
        }
    }
}

const CHARGERS: Source = edit::<CarChargers>().live(&["charger", "connector"]);
const CAR_ORDERS: Source = browse::<CarOrders>().live(&["car_order"]);

/// A device that is not known yet is entered as a charger.
static ADOPT: Begin = Begin { name: "adopt", label: t("录入", "Enter"), source: CHARGERS, form: adopted };

fn adopted(it: &Entry) -> Option<FormMap> {
    let unknown = it.cells.contains(&Cell::code(Refusal::UnknownSerialNo));
    unknown.then(|| form_of([("serial_no".to_owned(), it.name.clone().into())].into_iter()))
}

/// All pages by their place in the menu.
pub const GROUPS: &[Group] = &[
    Group {
        title: t("首页", "Home"),
        icon: HOUSE,
        pages: &[Page::own("", t("首页", "Home"), "dashboard", dashboard::dashboard)],
    },
    Group {
        title: t("汽车管理", "Car charging"),
        icon: CAR,
        pages: &[
            Page::of(edit::<CarStations>().history()),
            Page::of(edit::<CarAreas>().history()),
            Page::of(CHARGERS).detail(charger::page),
            Page::of(edit::<CarConnectors>().live(&["connector", "charger"]).more(connector::more).history()),
            Page::of(edit::<CarTariffs>().more(tariff::more).history()),
            Page::of(browse::<UnregisteredDevices>().begins(&ADOPT)),
        ],
    },
    Group {
        title: t("单车管理", "E-bike charging"), icon: BIKE, pages: &[Page::of(edit::<BikeStations>().history())]
    },
    Group {
        title: t("订单管理", "Orders"),
        icon: RECEIPT,
        pages: &[
            Page::of(CAR_ORDERS).detail(car_order::page),
            Page::of(browse::<Reservations>().live(&["reservation", "car_order"]).more(reservation::more)),
            Page::of(browse::<Payments>().live(&["payment"]).more(payment::payment)),
            Page::of(browse::<Refunds>().live(&["refund"]).more(payment::refund)),
            Page::of(browse::<Invoices>().live(&["invoice"]).more(invoice::more).history()),
        ],
    },
    Group {
        title: t("会员中心", "Members"),
        icon: USERS,
        pages: &[
            Page::of(edit::<Drivers>().live(&["car_order"]).more(driver::more)),
            Page::of(edit::<Collectives>()),
            Page::of(edit::<CardProducts>().history()),
            Page::of(edit::<Cards>().more(card::movements).history()),
        ],
    },
    Group {
        title: t("系统管理", "System"),
        icon: SETTINGS,
        pages: &[
            Page::of(edit::<Providers>()),
            Page::of(edit::<Properties>()),
            Page::of(edit::<Users>()),
            Page::of(edit::<Roles>()),
            Page::of(edit::<Departments>().tree()),
            Page::of(edit::<Posts>()),
            Page::of(browse::<Sessions>()),
            Page::of(browse::<Audits>().more(audit::audit)),
            Page::of(browse::<Logins>()),
            Page::of(browse::<Jobs>()),
            Page::own("system/settings", t("平台设置", "Settings"), "system.settings", settings::settings),
        ],
    },
];

/// Pages that no menu shows.
const ASIDE: &[Page] = &[
    Page::own("account", t("我的账号", "My account"), "", account::account),
    Page::own("password", t("修改密码", "Change password"), "", password::password),
    #[cfg(debug_assertions)]
    Page::own("kit", t("组件", "Kit"), "", gallery::gallery),
];

/// A page found for an address.
#[derive(Clone, Copy)]
pub struct Found {
    /// The page.
    pub page: &'static Page,
    /// The part of the menu in which it is.
    pub group: Option<&'static Group>,
    /// The row that the address names.
    pub id: Option<Uuid>,
}

/// Finds the page of an address: `/car/stations`, `/car/stations/{id}`.
pub fn find(pathname: &str) -> Option<Found> {
    let path = pathname.trim_matches('/');
    let exact = |path: &str, id| {
        let in_menu = GROUPS.iter().flat_map(|group| group.pages.iter().map(move |page| (page, Some(group))));
        let aside = ASIDE.iter().map(|page| (page, None));
        let (page, group) = in_menu.chain(aside).find(|(page, _)| page.path == path)?;
        Some(Found { page, group, id })
    };
    exact(path, None).or_else(|| {
        let (list, id) = path.rsplit_once('/')?;
        exact(list, Some(Uuid::try_parse(id).ok()?)).filter(|it| it.page.source.is_some())
    })
}

/// Structured fields with a widget of their own.
pub fn custom_input(name: &'static str, slot: Slot) -> AnyView {
    match name {
        "tariff" => tariff::tariff_input(slot),
        "image" => picture(slot),
        name => match list_named(name) {
            Some(list) => chips(slot, list),
            None => view! { <p class="form-error">{name}</p> }.into_any(),
        },
    }
}

/// Structured fields that are lists, entered item by item.
pub fn list_named(name: &str) -> Option<&'static List> {
    match name {
        "presets" => Some(&tariff::PRESETS),
        "tiers" => Some(&card::TIERS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use shared::describe::{As, Fact};

    use super::*;
    use crate::kit::facts::tests::{detail_at, row_at, undocumented};

    #[test]
    fn addresses_find_their_pages() {
        let path = |it: &str| find(it).map(|it| (it.page.path, it.id.is_some()));
        assert_eq!(path("/"), Some(("", false)));
        assert_eq!(path("/car/stations"), Some(("car/stations", false)));
        assert_eq!(path("/car/stations/"), Some(("car/stations", false)));
        assert_eq!(path("/car/stations/01997b6c-57f8-7000-8000-000000000000"), Some(("car/stations", true)));
        assert_eq!(path("/password/01997b6c-57f8-7000-8000-000000000000"), None);
        assert_eq!(path("/car/stations/new"), None);
        assert_eq!(path("/nowhere"), None);
    }

    #[test]
    fn every_column_is_documented() {
        for source in GROUPS.iter().flat_map(|it| it.pages).filter_map(|it| it.source) {
            let shown: Vec<Fact> = source.columns.iter().map(|it| it.fact).collect();
            let name = Fact::new(source.name, source.title, As::Text);
            let wrong = undocumented(&row_at(source.path), &[shown, vec![name]].concat());
            assert!(wrong.is_empty(), "{}: {wrong:?}", source.path);
        }
    }

    #[test]
    fn what_the_form_of_an_action_shows_is_documented() {
        for source in GROUPS.iter().flat_map(|it| it.pages).filter_map(|it| it.source) {
            for deed in source.actions {
                let wrong = undocumented(&detail_at(source.path), deed.facts);
                assert!(wrong.is_empty(), "{} {}: {wrong:?}", source.path, deed.verb);
                assert!(deed.facts.is_empty() || !deed.fields.is_empty(), "{}: no form shows it", deed.verb);
            }
        }
    }

    #[test]
    fn every_page_has_a_place_of_its_own() {
        let mut paths: Vec<_> = GROUPS.iter().flat_map(|it| it.pages).chain(ASIDE).map(|it| it.path).collect();
        let count = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }
}
