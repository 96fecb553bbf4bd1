//! Ends a line as soon as the header of a frame claims more than is taken. The WebSocket codec looks at a frame's size when
//! all of it is there, and until then keeps whatever comes.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::{self, Bytes};
use futures_util::{Stream, StreamExt};

/// What a device sends, until a frame claims more than `most` bytes: then [`PayloadError::Overflow`] comes instead of it.
pub fn bounded(payload: web::Payload, most: usize) -> Payload {
    let mut frames = Frames { most: u64::try_from(most).unwrap_or(u64::MAX), at: At::Start };
    let checked = payload.map(move |chunk: Result<Bytes, PayloadError>| {
        let chunk = chunk?;
        if frames.fit(&chunk) { Ok(chunk) } else { Err(PayloadError::Overflow) }
    });
    let boxed: Pin<Box<dyn Stream<Item = _>>> = Box::pin(checked);
    Payload::from(boxed)
}

/// Follows frames by their headers alone (RFC 6455, section 5.2). What else is wrong with them is for the codec to say.
struct Frames {
    /// The largest payload of a frame.
    most: u64,
    at: At,
}

/// Where in a frame the next byte is.
#[derive(Clone, Copy)]
enum At {
    /// Its first byte.
    Start,
    /// The byte with the mask bit and the short length.
    Length,
    /// One of the bytes of a long length.
    LongLength { left: u8, read: u64, masked: bool },
    /// Its mask and payload, of which so much is to come.
    Rest(u64),
}

impl Frames {
    /// Takes the next bytes; gives whether all frames that begin in them are small enough.
    fn fit(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((&byte, after)) = bytes.split_first() {
            let next = match self.at {
                At::Start => Some(At::Length),
                At::Length => {
                    let masked = byte & 0x80 != 0;
                    match byte & 0x7f {
                        126 => Some(At::LongLength { left: 2, read: 0, masked }),
                        127 => Some(At::LongLength { left: 8, read: 0, masked }),
                        length => self.rest(u64::from(length), masked),
                    }
                }
                At::LongLength { left, read, masked } => match (left, read << 8 | u64::from(byte)) {
                    (1, length) => self.rest(length, masked),
                    (left, read) => Some(At::LongLength { left: left - 1, read, masked }),
                },
                At::Rest(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = bytes.get(here..).unwrap_or_default();
                    let left = left - u64::try_from(here).unwrap_or(left);
                    self.at = if left == 0 { At::Start } else { At::Rest(left) };
                    continue;
                }
            };
            let Some(next) = next else { return false };
            self.at = next;
            bytes = after;
        }
        true
    }

    /// What follows a header; nothing when it claims too much.
    fn rest(&self, length: u64, masked: bool) -> Option<At> {
        if length > self.most {
            return None;
        }
        let left = length + if masked { 4 } else { 0 };
        Some(if left == 0 { At::Start } else { At::Rest(left) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether frames fit, in one piece and byte by byte.
    fn fit(most: u64, bytes: &[u8]) -> bool {
        let frames = || Frames { most, at: At::Start };
        let whole = frames().fit(bytes);
        let mut single = frames();
        assert_eq!(bytes.chunks(1).all(|it| single.fit(it)), whole, "{bytes:02x?}");
        whole
    }

    #[test]
    fn a_header_alone_decides() {
        // The lengths 5, 200 and 70000, masked.
        let short = [&[0x81, 0x85][..], &[9; 4 + 5]].concat();
        let long = [&[0x81, 0xfe, 0, 200][..], &[9; 4 + 200]].concat();
        let huge = [0x81, 0xff, 0, 0, 0, 0, 0, 1, 0x11, 0x70];
        assert!(fit(5, &short) && !fit(4, &short));
        assert!(fit(200, &long) && !fit(199, &long));
        assert!(fit(70_000, &huge) && !fit(69_999, &huge));
        assert!(!fit(u64::MAX >> 1, &[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]));
    }

    #[test]
    fn frames_are_found_one_after_the_other() {
        let text = [&[0x81, 0x85][..], &[0xff; 4 + 5]].concat();
        let (ping, bare) = ([0x89, 0x80, 1, 2, 3, 4], [0x8a, 0x00]);
        let many = [&text[..], &ping, &bare, &text, &bare, &ping].concat();
        assert!(fit(5, &many));
        // Only the last of them is too large.
        assert!(!fit(5, &[&many[..], &[0x81, 0x86]].concat()));
    }
}
