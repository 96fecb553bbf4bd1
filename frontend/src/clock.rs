//! The browser's clock and timers.

use chrono::{DateTime, NaiveDate, Utc};
use js_sys::Promise;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use crate::kit::calendar;

/// Milliseconds since 1970.
#[expect(clippy::as_conversions, reason = "the browser gives a float that holds whole milliseconds exactly")]
pub fn millis() -> i64 {
    js_sys::Date::now() as i64
}

/// Now.
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis()).unwrap_or_default()
}

/// Today in Shanghai.
pub fn today() -> NaiveDate {
    calendar::local_day(millis())
}

/// Triggers every so many milliseconds, as long as whoever asked for it is there.
pub fn every(millis: u32) -> Trigger {
    let (trigger, here) = (Trigger::new(), StoredValue::new(()));
    spawn_local(async move {
        loop {
            pause(millis).await;
            if here.try_get_value().is_none() {
                return;
            }
            trigger.notify();
        }
    });
    trigger
}

/// Waits so many milliseconds.
pub async fn pause(millis: u32) {
    let promise = Promise::new(&mut |resolve, _| {
        let millis = i32::try_from(millis).unwrap_or(i32::MAX);
        if let Some(window) = web_sys::window() {
            drop(window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis));
        }
    });
    drop(JsFuture::from(promise).await);
}
