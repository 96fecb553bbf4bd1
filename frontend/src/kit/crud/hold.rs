//! Which rows a list shows. It follows the server's answers; but while somebody is about to act on a row, what has come, gone
//! or moved by itself waits, so that no other row gets under the hand. What has changed within rows is shown at once.

use leptos::ev::FocusEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::desk::Desk;
use crate::kit::button::button;
use crate::kit::confirm;
use crate::kit::fetched::Fetched;
use crate::kit::icon::REFRESH_CW;
use crate::lang::tr;
use crate::run::{follow, live, on_change};

/// The rows in sight.
#[derive(Clone, Copy)]
pub struct Hold {
    /// Their ids, in their order.
    pub shown: RwSignal<Vec<String>>,
    /// Those of the latest answer.
    latest: Memo<Vec<String>>,
    /// The pointer is over the rows.
    over: RwSignal<bool>,
    /// A menu of a row has the focus.
    menu: RwSignal<bool>,
    /// The answer that somebody waits for: to the question of this round, or a later one.
    awaited: StoredValue<u32>,
    fetched: Fetched,
}

impl Hold {
    /// Shows the rows of a list with these answers; what is done at the desk is shown as soon as it is answered.
    pub fn new(desk: Desk, fetched: Fetched, latest: Memo<Vec<String>>) -> Self {
        let (over, menu) = (RwSignal::new(false), RwSignal::new(false));
        let it =
            Self { shown: RwSignal::new(Vec::new()), latest, over, menu, awaited: StoredValue::new(u32::MAX), fetched };
        // The address whose rows are in sight.
        let of = StoredValue::new(String::new());
        let held = Memo::new(move |_| {
            !desk.source.live.is_empty() && (over.get() || menu.get() || desk.busy() || confirm::open())
        });
        follow(move || {
            let (address, round) = fetched.answered.get();
            let latest = latest.get();
            let free = !held.get()
                || round >= it.awaited.get_value()
                || it.shown.with_untracked(Vec::is_empty)
                || of.with_value(|of| *of != address);
            if free {
                of.set_value(address);
                it.awaited.set_value(u32::MAX);
                it.show(latest);
            }
        });
        on_change(move || desk.changed.track(), move || it.awaited.set_value(fetched.refresh()));
        it
    }

    /// Somebody asks for the list anew.
    pub fn reload(self) {
        self.awaited.set_value(self.fetched.reload());
    }

    fn show(self, ids: Vec<String>) {
        if self.shown.with_untracked(|it| *it != ids) {
            self.shown.set(ids);
        }
    }

    /// The pointer comes or goes.
    pub fn hover(self, over: bool) {
        self.over.set(over);
    }

    /// The focus comes to a part of a row, or leaves it.
    pub fn focus(self, event: &FocusEvent, came: bool) {
        let target = event.target().and_then(|it| it.dyn_into::<Element>().ok());
        let in_menu = target.is_some_and(|it| it.closest(".el-dropdown").is_ok_and(|it| it.is_some()));
        self.menu.set(came && in_menu);
    }

    /// Says that something waits, above the table, where it takes no room and nothing moves.
    pub fn notice(self) -> AnyView {
        let waiting = Memo::new(move |_| self.latest.with(|latest| self.shown.with(|shown| latest != shown)));
        let draw = move || {
            let act = move || self.show(self.latest.get_untracked());
            let label = tr("列表有更新，点击刷新", "The list has changed: show it");
            button("el-button--primary", "show-latest", Some(REFRESH_CW), label, act)
        };
        view! { <div class="table-news" role="status">{live(move || if waiting.get() { draw() } else { ().into_any() })}</div> }
            .into_any()
    }
}
