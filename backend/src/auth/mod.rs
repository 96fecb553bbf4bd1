//! Who asks, and what they may: passwords, tokens, scopes, rights.

pub mod caller;
mod hs256;
pub mod lockout;
pub mod login;
pub mod new_password;
pub mod password;
pub mod scope;
pub mod secret;
pub mod session;
pub mod token;
