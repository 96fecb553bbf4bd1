//! What a charger proves who it is with: a password by HTTP basic authentication (security profile 1 of OCPP), of which
//! hashes are kept.

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// A new password: 16 random bytes as hexadecimal digits, which chargers take as text or as bytes.
pub fn random_password() -> String {
    let mut bytes = [0; 16];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut bytes);
    hex(&bytes)
}

/// The password that belongs to a serial number where both sides know a secret: simulated chargers and the demo data.
pub fn derived_password(secret: &str, serial_no: &str) -> String {
    let digest = Sha256::digest(format!("{secret}\n{serial_no}"));
    hex(digest.get(..16).unwrap_or_default())
}

/// The hashes under which a charger's password is stored. A key of hexadecimal digits stands for bytes, and chargers
/// send either of them.
pub fn password_hashes(password: &str) -> Vec<String> {
    let mut hashes = vec![digest(&text_form(password.as_bytes()))];
    if let Some(bytes) = from_hex(password.as_bytes()) {
        hashes.push(digest(&bytes));
    }
    hashes
}

/// Name and password of basic authentication. They are bytes, not necessarily text.
pub fn given(req: &HttpRequest) -> Option<Vec<u8>> {
    let header = req.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    STANDARD.decode(encoded.trim()).ok()
}

/// Whether these credentials prove that the charger with this serial number sent them.
pub fn prove(credentials: &[u8], serial_no: &str, hashes: &[String]) -> bool {
    secret(credentials, serial_no).is_some_and(|it| matches(it, hashes))
}

/// The password behind `serial_no:`; the identity itself may hold colons.
fn secret<'a>(credentials: &'a [u8], serial_no: &str) -> Option<&'a [u8]> {
    let (name, rest) = credentials.split_at_checked(serial_no.len())?;
    if !name.eq_ignore_ascii_case(serial_no.as_bytes()) {
        return None;
    }
    rest.strip_prefix(b":")
}

/// Compares in the same time whatever differs.
fn matches(given: &[u8], hashes: &[String]) -> bool {
    let forms = [digest(given), digest(&text_form(given))];
    let equal =
        |a: &str, b: &str| a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0;
    let pairs = forms.iter().flat_map(|form| hashes.iter().map(move |hash| (form, hash)));
    pairs.fold(false, |found, (form, hash)| found | equal(form, hash))
}

/// Hexadecimal digits in one letter case; any other password as it is.
fn text_form(password: &[u8]) -> Vec<u8> {
    if from_hex(password).is_some() { password.to_ascii_lowercase() } else { password.to_vec() }
}

/// The bytes that an authorization key of 32 to 40 hexadecimal digits stands for.
fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    if !(32..=40).contains(&text.len()) || !text.len().is_multiple_of(2) {
        return None;
    }
    let digits: Vec<u8> = text.iter().filter_map(|it| char::from(*it).to_digit(16)?.try_into().ok()).collect();
    if digits.len() != text.len() {
        return None;
    }
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

fn digest(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_is_cut_off_even_with_colons_in_it() {
        assert_eq!(secret(b"CP:1:pass:word", "cp:1"), Some(&b"pass:word"[..]));
        assert_eq!(secret(b"CP1:", "CP1"), Some(&b""[..]));
        for wrong in [&b"CP2:pass"[..], b"CP1", b"CP1pass", b"", b"CP"] {
            assert_eq!(secret(wrong, "CP1"), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_hexadecimal_key_is_right_as_text_and_as_bytes() {
        let key = "00FF10aBcD00112233445566778899aA";
        let hashes = password_hashes(key);
        let bytes = from_hex(key.as_bytes()).unwrap();
        assert_eq!((bytes.len(), &bytes[..4]), (16, &[0x00, 0xff, 0x10, 0xab][..]));
        for right in [key.as_bytes(), key.to_uppercase().as_bytes(), &bytes] {
            assert!(matches(right, &hashes), "{right:?}");
        }
        for wrong in [&b"00FF10aBcD00112233445566778899aB"[..], &bytes[..15], b""] {
            assert!(!matches(wrong, &hashes), "{wrong:?}");
        }
        let plain = password_hashes("Secret-Pass");
        assert_eq!(plain.len(), 1);
        assert!(matches(b"Secret-Pass", &plain) && !matches(b"secret-pass", &plain));
        assert!(!matches(b"anything", &[]));
    }

    #[test]
    fn passwords_that_are_made_up_differ_and_are_keys() {
        let (one, other) = (random_password(), random_password());
        assert_ne!(one, other);
        assert!(from_hex(one.as_bytes()).is_some() && one.len() == 32, "{one}");
        let derived = derived_password("secret", "DEMO0001");
        assert!(from_hex(derived.as_bytes()).is_some());
        assert_ne!(derived, derived_password("secret", "DEMO0002"));
        assert_ne!(derived, derived_password("other", "DEMO0001"));
    }
}
