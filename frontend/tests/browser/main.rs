//! The parts of the console that only a browser can prove.
//!
//! `cargo test --target wasm32-unknown-unknown -p frontend --test browser`, with `wasm-bindgen-test-runner` as the runner.
#![cfg_attr(target_arch = "wasm32", no_main)]

#[cfg(not(target_arch = "wasm32"))]
fn main() {}

#[cfg(target_arch = "wasm32")]
mod bench;
#[cfg(target_arch = "wasm32")]
mod choosing;
#[cfg(target_arch = "wasm32")]
mod forms;
#[cfg(target_arch = "wasm32")]
mod going;
#[cfg(target_arch = "wasm32")]
mod showing;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
