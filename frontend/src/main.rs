//! The operators' console: starts it in the browser.

fn main() {
    frontend::app::start();
}
