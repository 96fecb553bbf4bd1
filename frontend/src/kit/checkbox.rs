//! Check boxes: on, off, or half on for what stands for several.

use leptos::ev::Event;
use leptos::prelude::*;

use super::forest::Mark;
use crate::run::boxed;

/// A check box with its label; `name` is how tests find it.
pub fn checkbox(name: String, label: String, mark: Signal<Mark>, locked: bool, turn: Callback<bool>) -> AnyView {
    let on = move || mark.get() == Mark::On;
    view! {
        <label class="el-checkbox" class:is-checked=on class:is-disabled=locked>
            <span class="el-checkbox__input" class:is-checked=on class:is-indeterminate=move || mark.get() == Mark::Half class:is-disabled=locked>
                <input type="checkbox" class="el-checkbox__original" name=name disabled=locked prop:checked=on
                    prop:indeterminate=move || mark.get() == Mark::Half
                    on:change=boxed(move |event: Event| turn.run(event_target_checked(&event)))/>
                <span class="el-checkbox__inner"></span>
            </span>
            <span class="el-checkbox__label">{label}</span>
        </label>
    }
    .into_any()
}

/// The picture of a check box, where something else is pressed.
pub fn checkmark(mark: Signal<Mark>) -> AnyView {
    view! {
        <span class="el-checkbox" aria-hidden="true">
            <span class="el-checkbox__input" class:is-checked=move || mark.get() == Mark::On
                class:is-indeterminate=move || mark.get() == Mark::Half>
                <span class="el-checkbox__inner"></span>
            </span>
        </span>
    }
    .into_any()
}
