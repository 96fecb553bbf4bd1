//! The Wattyard server binary.

fn main() {}
