//! What the tests share: a view in the page, keys, clicks and files.

use frontend::clock::pause;
use frontend::lang::{Lang, speak};
use js_sys::Function;
use leptos::mount::{UnmountHandle, mount_to};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlElement, HtmlInputElement, KeyboardEvent, KeyboardEventInit};

/// A view in the page, gone again when dropped.
pub struct Shown<M: Mountable> {
    /// Where it is.
    pub root: HtmlElement,
    _handle: UnmountHandle<M>,
}

/// Shows it.
pub fn show<V: IntoView + 'static>(view: impl FnOnce() -> V + 'static) -> Shown<V::State> {
    speak(Lang::Zh);
    let root: HtmlElement = document().create_element("div").unwrap().unchecked_into();
    document().body().unwrap().append_child(&root).unwrap();
    Shown { root: root.clone(), _handle: mount_to(root, view) }
}

impl<M: Mountable> Drop for Shown<M> {
    fn drop(&mut self) {
        self.root.remove();
    }
}

impl<M: Mountable> Shown<M> {
    /// An element in it.
    pub fn find(&self, selector: &str) -> HtmlElement {
        self.root.query_selector(selector).unwrap().unwrap_or_else(|| panic!("no {selector}")).unchecked_into()
    }

    /// Whether there is one.
    pub fn has(&self, selector: &str) -> bool {
        self.root.query_selector(selector).unwrap().is_some()
    }

    /// The texts of all elements that fit and can be seen.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let found = self.root.query_selector_all(selector).unwrap();
        let elements = (0..found.length()).map(|it| found.item(it).unwrap().unchecked_into::<HtmlElement>());
        elements.filter(|it| it.offset_width() > 0).map(|it| it.text_content().unwrap()).collect()
    }

    /// Clicks on an element.
    pub async fn click(&self, selector: &str) {
        self.find(selector).click();
        pause(30).await;
    }

    /// What an attribute of an element says.
    pub fn says(&self, selector: &str, attribute: &str) -> String {
        self.find(selector).get_attribute(attribute).unwrap_or_default()
    }
}

/// Presses a key.
pub async fn press(element: &HtmlElement, key: &str) {
    let init = KeyboardEventInit::new();
    init.set_key(key);
    init.set_bubbles(true);
    init.set_cancelable(true);
    let event = KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init).unwrap();
    element.dispatch_event(&event).unwrap();
    pause(20).await;
}

/// Types into an input.
pub async fn fill(element: &HtmlElement, text: &str) {
    element.clone().unchecked_into::<HtmlInputElement>().set_value(text);
    element.dispatch_event(&web_sys::Event::new("input").unwrap()).unwrap();
    pause(30).await;
}

/// Does something that only scripts can: `it` is what is handed over.
pub fn script(body: &str, it: &JsValue) -> JsValue {
    Function::new_with_args("it", body).call1(&JsValue::NULL, it).unwrap()
}
