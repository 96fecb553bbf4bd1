//! Live changes: one stream of server-sent events for the window, handed out by kind.
//!
//! Read over fetch, because the browser's own `EventSource` cannot send the token.

use std::cell::{Cell, RefCell};

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStreamDefaultReader, TextDecodeOptions, TextDecoder};

use crate::api::{self, Ask};
use crate::{answer, clock};

/// Pages are told at most this often.
const QUIET_MS: u32 = 1000;

/// Something changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// What kind of thing: `car_order`, `connector`, …; empty when some were lost and anything may have changed.
    #[serde(default)]
    pub kind: String,
    /// Its id.
    #[serde(default)]
    pub id: String,
}

struct Listener {
    id: u32,
    kinds: &'static [&'static str],
    /// Told already and not yet run, so that a burst leads to one call.
    due: bool,
    trigger: Trigger,
}

thread_local! {
    static LISTENERS: RefCell<Vec<Listener>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u32> = const { Cell::new(0) };
    static RUNNING: RefCell<Option<AbortController>> = const { RefCell::new(None) };
}

/// A trigger that fires, at most once a second, when something of these kinds has changed or may have.
pub fn changed(kinds: &'static [&'static str]) -> Trigger {
    let id = NEXT.get();
    NEXT.set(id + 1);
    let trigger = Trigger::new();
    LISTENERS.with_borrow_mut(|it| it.push(Listener { id, kinds, due: false, trigger }));
    on_cleanup(move || LISTENERS.with_borrow_mut(|it| it.retain(|it| it.id != id)));
    trigger
}

/// Starts listening, if not already.
pub fn start() {
    if RUNNING.with_borrow(Option::is_some) {
        return;
    }
    if let Ok(controller) = AbortController::new() {
        RUNNING.set(Some(controller.clone()));
        spawn_local(keep_reading(controller));
    }
}

/// Stops listening.
pub fn stop() {
    if let Some(controller) = RUNNING.take() {
        controller.abort();
    }
}

/// Reads until stopped; a broken stream is opened again, later each time up to half a minute.
async fn keep_reading(controller: AbortController) {
    let signal = controller.signal();
    let mut wait = 1000;
    while !signal.aborted() && api::logged_in() {
        if let Ok(response) = Ask::get("events").stream(signal.clone()).await {
            wait = 1000;
            // What happened while nobody listened is unknown, so everybody looks.
            publish(|_| true);
            if let Some(body) = response.body() {
                drop(read(body.get_reader().unchecked_into()).await);
            }
        }
        clock::pause(wait + wait / 4).await;
        wait = (wait * 2).min(30_000);
    }
    RUNNING.with_borrow_mut(|it| {
        if it.as_ref() == Some(&controller) {
            *it = None;
        }
    });
}

async fn read(reader: ReadableStreamDefaultReader) -> Result<(), JsValue> {
    let decoder = TextDecoder::new()?;
    let options = TextDecodeOptions::new();
    options.set_stream(true);
    let mut buffer = Lines::default();
    loop {
        let chunk = JsFuture::from(reader.read()).await?;
        if js_sys::Reflect::get(&chunk, &"done".into())?.is_truthy() {
            return Ok(());
        }
        let value: js_sys::Uint8Array = js_sys::Reflect::get(&chunk, &"value".into())?.dyn_into()?;
        for event in buffer.push(&decoder.decode_with_js_u8_array_and_options(&value, &options)?) {
            publish(|kinds| event.kind.is_empty() || kinds.contains(&event.kind.as_str()));
        }
    }
}

/// Cuts a stream of text into events.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn push(&mut self, text: &str) -> Vec<Event> {
        self.0.push_str(text);
        let Some(end) = self.0.rfind('\n') else { return Vec::new() };
        let rest = self.0.split_off(end + 1);
        let lines = std::mem::replace(&mut self.0, rest);
        let data = lines.lines().filter_map(|line| line.strip_prefix("data:"));
        data.filter_map(|it| answer::read(it.trim()).ok()).collect()
    }
}

/// Tells the listeners whose kinds fit, a second later, so that bursts are told once.
fn publish(concerns: impl Fn(&[&str]) -> bool) {
    LISTENERS.with_borrow_mut(|listeners| {
        for listener in listeners.iter_mut().filter(|it| !it.due && concerns(it.kinds)) {
            listener.due = true;
            let id = listener.id;
            spawn_local(async move {
                clock::pause(QUIET_MS).await;
                let told = LISTENERS.with_borrow_mut(|it| {
                    let listener = it.iter_mut().find(|it| it.id == id)?;
                    listener.due = false;
                    Some(listener.trigger)
                });
                if let Some(trigger) = told {
                    trigger.notify();
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::{Event, Lines};

    #[test]
    fn cuts_the_stream_wherever_it_was_torn() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(": hello\n\nevent: change\ndata: {\"kind\":\"car_or"), vec![]);
        let event = |kind: &str, id: &str| Event { kind: kind.to_owned(), id: id.to_owned() };
        assert_eq!(
            lines.push("der\",\"id\":\"7\"}\n\ndata:{\"kind\":\"x\"}\n"),
            vec![event("car_order", "7"), event("x", "")]
        );
        assert_eq!(lines.push("data: nonsense\n"), vec![]);
    }
}
