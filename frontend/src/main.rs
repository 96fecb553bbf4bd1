//! The Wattyard console.

fn main() {}
