//! Going from page to page by links, by the way back, and not where the browser has to do it.

use frontend::clock::pause;
use frontend::nav;
use leptos::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::bench::{script, show};

/// Clicks with a key held or not, and says whether the console took it; the browser is kept from following.
fn taken(element: &web_sys::HtmlElement, held: &str) -> bool {
    let body = format!(
        "let taken; const look = (event) => {{ taken = event.defaultPrevented; event.preventDefault(); }};\
         window.addEventListener('click', look, {{ once: true }});\
         it.dispatchEvent(new MouseEvent('click', {{ bubbles: true, cancelable: true, {held} }}));\
         return taken;"
    );
    script(&body, element).is_truthy()
}

#[wasm_bindgen_test]
async fn plain_links_are_followed_here_and_the_way_back_leads_back() {
    nav::install();
    let before = nav::here();
    let shown = show(|| {
        view! {
            <a id="plain" href="/car/stations?page=2"><b>"电站"</b></a>
            <a id="away" href="https://example.org/">"外"</a>
            <a id="new" href="/car/areas" target="_blank">"新"</a>
            <a id="file" href="/car/areas" download="x">"存"</a>
            <a id="reload" href="/car/areas" rel="external">"载"</a>
            <p>{move || nav::path()}</p>
        }
    });
    for other in ["#away", "#new", "#file", "#reload"] {
        assert!(!taken(&shown.find(other), ""), "{other}");
    }
    for held in ["ctrlKey: true", "shiftKey: true", "metaKey: true", "button: 1"] {
        assert!(!taken(&shown.find("#plain"), held), "{held}");
    }
    assert_eq!(nav::here(), before);
    assert!(taken(&shown.find("#plain b"), ""));
    assert_eq!((nav::here(), nav::place()), ("/car/stations?page=2".into(), "/car/stations?page=2".into()));
    assert_eq!(untrack(nav::query).get("page"), Some("2"));
    pause(20).await;
    assert_eq!(shown.texts("p"), ["/car/stations"]);
    nav::go("/car/areas");
    nav::replace("/car/chargers");
    window().history().unwrap().back().unwrap();
    pause(200).await;
    assert_eq!(untrack(nav::place), "/car/stations?page=2", "what was replaced is skipped");
    window().history().unwrap().back().unwrap();
    pause(200).await;
    assert_eq!(untrack(nav::place), before);
}
