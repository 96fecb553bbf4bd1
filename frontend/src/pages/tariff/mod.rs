//! Tariffs: painting the day, naming prices, trying them out.

mod detail;
mod grid;
mod input;
mod presets;
mod trial;

pub use detail::{more, prices};
pub use input::tariff_input;
pub use presets::PRESETS;
