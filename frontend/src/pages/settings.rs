//! What the platform's staff can set while it runs.

use leptos::prelude::*;
use shared::system::settings::FIELDS;

use crate::kit::button::busy_button;
use crate::kit::filling::{Filling, Sending};
use crate::lang::tr;
use crate::{brand, session};

/// The page.
pub fn settings() -> AnyView {
    let it = Filling::of(FIELDS, "system/settings".to_owned());
    let done = Callback::new(move |_| {
        it.loaded.refresh();
        brand::load();
    });
    let told = tr("保存成功", "Saved");
    let save = move || it.send(Sending { path: "system/settings".to_owned(), told: told.to_owned(), done });
    let foot = session::may("system.settings.update").then(|| {
        view! { <div class="form-foot">{busy_button("el-button--primary", "ok", tr("保存", "Save"), it.busy, save)}</div> }
            .into_any()
    });
    view! { <section class="el-card is-never-shadow body settings" data-test="settings">{it.view(save)}{foot}</section> }
        .into_any()
}
