//! The Wattyard server: REST API, device gateway and workers.
