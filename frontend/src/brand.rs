//! What the platform is called and how it is marked: as its staff has set it, kept from visit to visit.

use std::sync::LazyLock;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use crate::api::Ask;
use crate::kit::icon::{ZAP, icon};
use crate::lang::{self, Lang};
use crate::run::live;
use crate::{answer, store};

const KEY: &str = "brand";

static BRAND: LazyLock<ArcRwSignal<Value>> =
    LazyLock::new(|| ArcRwSignal::new(answer::parse(&store::get(KEY).unwrap_or_default()).unwrap_or_default()));

/// Asks the server, which answers everybody.
pub fn load() {
    spawn_local(async {
        let Ok(text) = Ask::get("system/settings/public").text().await else { return };
        let Ok(told) = answer::parse(&text) else { return };
        store::set(KEY, &text);
        lang::propose(Lang::from_accept_language(told.get("language").and_then(Value::as_str).unwrap_or_default()));
        BRAND.set(told);
    });
}

/// The platform's name, followed.
pub fn name() -> String {
    BRAND.with(|it| it.get("name").and_then(Value::as_str).unwrap_or("Wattyard").to_owned())
}

/// Its logo, or a flash of lightning; followed.
pub fn mark() -> AnyView {
    live(|| match BRAND.with(|it| it.get("logo").and_then(Value::as_str).map(str::to_owned)) {
        Some(logo) => view! { <img class="brand-logo" src=logo alt=""/> }.into_any(),
        None => icon(ZAP),
    })
}
