//! Code that runs when something has happened, boxed: what is around it is compiled once, not once for each closure.

use std::cell::Cell;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

/// Runs soon, and again whenever a signal that it has read changes.
pub fn follow(act: impl Fn() + 'static) {
    effect(Box::new(act));
}

/// Runs whenever something that `watched` has read changes, but not before.
pub fn on_change(watched: impl Fn() + 'static, act: impl Fn() + 'static) {
    let first = Cell::new(true);
    follow(move || {
        watched();
        if !first.replace(false) {
            untrack(&act);
        }
    });
}

fn effect(act: Box<dyn Fn()>) {
    Effect::new(act);
}

/// A handler of a form that is sent; the browser would load the page anew.
pub fn submitted(act: impl Fn() + 'static) -> Box<dyn FnMut(SubmitEvent)> {
    boxed(move |event: SubmitEvent| {
        event.prevent_default();
        act();
    })
}

/// A part of a page that is drawn anew whenever what it has read changes.
pub fn live(draw: impl FnMut() -> AnyView + Send + 'static) -> AnyView {
    let draw: Box<dyn FnMut() -> AnyView + Send> = Box::new(draw);
    draw.into_any()
}

/// A handler of events: `on:click=boxed(move |_| …)`.
pub fn boxed<E>(act: impl FnMut(E) + 'static) -> Box<dyn FnMut(E)> {
    Box::new(act)
}
