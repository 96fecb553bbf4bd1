//! Who asks, and what they may: passwords, tokens, scopes, rights.

pub mod caller;
pub mod login;
pub mod new_password;
pub mod password;
pub mod scope;
pub mod session;
pub mod token;
