//! What the browser tests share: a platform of their own with the built console, and a real browser to look at it.

pub mod axe;
pub mod browser;
pub mod charge;
pub mod gestures;
pub mod platform;
pub mod reserve;
pub mod sheet;
pub mod site;
pub mod walk;

pub use browser::{Browser, in_browser};
pub use charge::Charging;
pub use gestures::until;
pub use platform::Platform;
pub use reserve::Reserved;
pub use sheet::Saved;
pub use walk::{Walk, walk, walk_on};
