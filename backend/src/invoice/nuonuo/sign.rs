//! Signs what is sent to Nuonuo (`X-Nuonuo-Sign`). The simulated service checks with the same.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;

/// What a request is signed with, besides its body.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The application.
    pub app_key: &'a str,
    /// A text of 32 signs that is used once.
    pub senid: &'a str,
    /// Eight digits.
    pub nonce: &'a str,
    /// Seconds since 1970.
    pub timestamp: &'a str,
}

/// The signature: base64 of an HMAC-SHA1 over path, envelope and the exact body.
pub fn sign(secret: &str, envelope: Envelope<'_>, body: &str) -> String {
    let Envelope { app_key, senid, nonce, timestamp } = envelope;
    let mut mac = keyed(secret.as_bytes());
    // The path /open/v1/services, in the service's own order.
    mac.update(format!("a=services&l=v1&p=open&k={app_key}&i={senid}&n={nonce}&t={timestamp}&f={body}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed(key: &[u8]) -> Hmac<Sha1> {
    Hmac::new_from_slice(key).expect("a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_agreed() {
        let envelope = Envelope {
            app_key: "TESTAPPKEY",
            senid: "0123456789abcdef0123456789abcdef",
            nonce: "12345678",
            timestamp: "1795300000",
        };
        let body = r#"{"orderNos":["F2026112000000000001"]}"#;
        assert_eq!(sign("TESTAPPSECRET", envelope, body), "b1zkVGU56hwkua59v0Ajw8iDx6Q=");
    }
}
