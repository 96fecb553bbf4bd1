//! Lists whose parts stay where they are for as long as they are there.

use leptos::prelude::*;

/// Draws a part for each key. It is drawn once and follows its own changes; when keys come, go or move, the other parts
/// keep their elements, and with them focus, open menus and what is half typed.
pub fn keyed(keys: Memo<Vec<String>>, draw: Callback<String, AnyView>) -> AnyView {
    view! { <For each=move || keys.get() key=String::clone children=move |key| draw.run(key)/> }.into_any()
}
