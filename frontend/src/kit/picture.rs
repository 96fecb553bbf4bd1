//! A small picture that is kept within a form, as a data URL.

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::File;

use super::button::button;
use super::form::Slot;
use super::upload::{Stage, Upload, upload};
use crate::api;
use crate::lang::{say, tr};
use crate::run::live;

/// Draws its place: the picture that is there, and where another is dropped.
pub fn picture(slot: Slot) -> AnyView {
    let stage = RwSignal::new(Stage::Empty);
    let take = move |file: File| {
        spawn_local(async move {
            match api::data_url(&file).await {
                Ok(url) => slot.put(url),
                Err(failure) => stage.set(Stage::Refused(file.name(), failure.message)),
            }
        });
    };
    let clear = move || {
        slot.put("");
        stage.set(Stage::Empty);
    };
    let now = move || match slot.text() {
        url if url.is_empty() => ().into_any(),
        url => view! {
            <div class="picture-now">
                <img src=url alt=say(slot.field.label)/>
                {button("is-link el-button--danger", "clear", None, tr("移除", "Remove"), clear)}
            </div>
        }
        .into_any(),
    };
    let place = Upload {
        name: slot.field.name,
        accept: &[".png", ".jpg", ".jpeg", ".webp"],
        most_kb: 128,
        stage,
        take: Box::new(take),
    };
    view! { <div class="picture">{live(now)}{upload(place)}</div> }.into_any()
}
