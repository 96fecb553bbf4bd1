//! What the browser tests share: server, driver, pages.
