//! The wire between server and console: what resources are, how they look, how they are priced.
