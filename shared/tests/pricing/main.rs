//! The pricing functions under random cases: what must hold of every one, and what a second, naive implementation says.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect has to fail"
)]

mod naive;
mod properties;
mod strategies;
