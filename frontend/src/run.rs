//! Code that runs by itself when what it has read changes, compiled once for all of it.

use std::cell::Cell;

use leptos::prelude::*;

/// Runs soon, and again whenever a signal that it has read changes.
pub fn follow(act: impl Fn() + 'static) {
    boxed(Box::new(act));
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

fn boxed(act: Box<dyn Fn()>) {
    Effect::new(act);
}
