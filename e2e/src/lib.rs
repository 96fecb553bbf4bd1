//! What the browser tests share: a platform of their own with the built console, and a real browser to look at it.

pub mod axe;
pub mod browser;
pub mod platform;

pub use browser::Browser;
pub use platform::Platform;
