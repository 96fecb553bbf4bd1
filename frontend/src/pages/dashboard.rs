//! The first page: the platform in numbers.

use leptos::prelude::*;

/// The dashboard.
pub fn dashboard() -> AnyView {
    ().into_any()
}
