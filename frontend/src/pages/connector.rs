//! What the detail of a connector shows below its columns: the QR code that is stuck on it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use super::payment::section;
use crate::api;
use crate::kit::toast::failed;
use crate::lang::tr;
use crate::run::live;

/// The edge of the picture, in pixels.
const EDGE: &str = "200";

/// Draws it from the server's answer.
pub fn more(answer: &Value) -> AnyView {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (code, path) = (text("code"), format!("car/connectors/{}/qr.svg", text("id")));
    let fetched = RwSignal::new(String::new());
    spawn_local(async move {
        match api::picture(&path).await {
            Ok(picture) => fetched.set(picture),
            Err(failure) => failed(&failure),
        }
    });
    section(tr("二维码", "QR code"), live(move || picture(&fetched.get(), &code)))
}

fn picture(address: &str, code: &str) -> AnyView {
    if address.is_empty() {
        return ().into_any();
    }
    let (address, name) = (address.to_owned(), format!("{code}.svg"));
    view! {
        <figure data-test="qr">
            <img src=address.clone() alt=code.to_owned() width=EDGE height=EDGE/>
            <figcaption><a class="el-link el-link--primary" href=address download=name>{tr("下载", "Download")}</a></figcaption>
        </figure>
    }
    .into_any()
}
