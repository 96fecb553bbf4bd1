//! What drops down from a control: placed below it, or above where there is no room, and it follows scrolling.

use leptos::ev::FocusEvent;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{HtmlElement, Node};

use crate::run::live;

/// Listens to the window until the owner is gone; `capture` hears what does not bubble, such as scrolling.
fn on_window(event: &'static str, heard: impl Fn() + 'static) {
    let listener = Closure::<dyn Fn()>::new(heard);
    let function: js_sys::Function = listener.as_ref().unchecked_ref::<js_sys::Function>().clone();
    drop(window().add_event_listener_with_callback_and_bool(event, &function, true));
    let kept = StoredValue::new_local((listener, function));
    on_cleanup(move || {
        if let Some((_, function)) = kept.try_update_value(|it| (it.0.as_ref().clone(), it.1.clone())) {
            drop(window().remove_event_listener_with_callback_and_bool(event, &function, true));
        }
    });
}

/// Whole pixels: the code that writes fractions is large.
#[expect(clippy::as_conversions, reason = "no window is wider than two thousand million pixels")]
pub fn whole(pixels: f64) -> i32 {
    pixels.round() as i32
}

/// Where a box of this size goes: left and top in pixels.
fn place(anchor: &HtmlElement, own: &HtmlElement) -> (i32, i32) {
    const GAP: i32 = 6;
    let rect = anchor.get_bounding_client_rect();
    let (width, height) = (own.offset_width(), own.offset_height());
    let root = document().document_element();
    let (room_x, room_y) = root.map_or((0, 0), |it| (it.client_width(), it.client_height()));
    let below = whole(rect.bottom()) + GAP;
    let above = whole(rect.top()) - GAP - height;
    let top = if below + height > room_y && above >= 0 { above } else { below };
    let left = whole(rect.left()).min(room_x - width - GAP).max(GAP);
    (left, top)
}

/// Shows `body` at the anchor while `open`; `wide` makes it at least as wide as the anchor.
pub fn popper(
    open: RwSignal<bool>,
    anchor: NodeRef<Div>,
    wide: bool,
    class: &'static str,
    body: impl Fn() -> AnyView + Send + Sync + 'static,
) -> AnyView {
    live(move || if open.get() { placed(anchor, wide, class, body()) } else { ().into_any() })
}

fn placed(anchor: NodeRef<Div>, wide: bool, class: &'static str, body: AnyView) -> AnyView {
    let own = NodeRef::<Div>::new();
    let spot = RwSignal::new(None::<(i32, i32, i32)>);
    let put = move || {
        if let (Some(anchor), Some(own)) = (anchor.try_get_untracked().flatten(), own.try_get_untracked().flatten()) {
            let (left, top) = place(&anchor, &own);
            spot.set(Some((left, top, if wide { anchor.offset_width() } else { 0 })));
        }
    };
    own.on_load(move |_| request_animation_frame(put));
    on_window("scroll", put);
    on_window("resize", put);
    let pixels = move |of: fn((i32, i32, i32)) -> i32| format!("{}px", spot.get().map(of).unwrap_or_default());
    view! {
        <div node_ref=own class=format!("el-popper is-light popper {class}")
            style:visibility=move || if spot.get().is_some() { "visible" } else { "hidden" }
            style:left=move || pixels(|it| it.0)
            style:top=move || pixels(|it| it.1)
            style:min-width=move || pixels(|it| it.2)
        >
            {body}
        </div>
    }
    .into_any()
}

/// Whether the focus has left an element with this event.
pub fn left(event: &FocusEvent, root: NodeRef<Div>) -> bool {
    let to: Option<Node> = event.related_target().and_then(|it| it.dyn_into().ok());
    // Removing the element takes the focus away as well; then there is nobody left to tell.
    let Some(root) = root.try_get_untracked().flatten() else { return false };
    !root.contains(to.as_ref()) || to.is_none()
}
