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
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
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
    /// An answer of the server; where there is one, only changes of what it names concern the listener.
    shown: Option<RwSignal<Option<String>>>,
    /// Told already and not yet run, so that a burst leads to one call.
    due: bool,
    trigger: Trigger,
}

thread_local! {
    static LISTENERS: RefCell<Vec<Listener>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u32> = const { Cell::new(0) };
    static RUNNING: RefCell<Option<AbortController>> = const { RefCell::new(None) };
    /// Somebody is logged in who wants to hear.
    static WANTED: Cell<bool> = const { Cell::new(false) };
}

impl Listener {
    /// Whether it is told of this; an event without kind stands for all that may have been missed.
    fn concerned(&self, event: &Event) -> bool {
        let named = || {
            self.shown.is_none_or(|it| it.try_with_untracked(|it| names(it.as_deref(), &event.id)).unwrap_or_default())
        };
        event.kind.is_empty() || (self.kinds.contains(&event.kind.as_str()) && named())
    }
}

/// Whether an answer names this id.
fn names(text: Option<&str>, id: &str) -> bool {
    text.is_some_and(|it| it.contains(id))
}

/// A trigger that fires, at most once a second, when something of these kinds has changed or may have.
pub fn changed(kinds: &'static [&'static str]) -> Trigger {
    listen(kinds, None)
}

/// The same, only for what an answer of the server names: other orders do not concern the page of one.
pub fn changed_of(kinds: &'static [&'static str], shown: RwSignal<Option<String>>) -> Trigger {
    listen(kinds, Some(shown))
}

fn listen(kinds: &'static [&'static str], shown: Option<RwSignal<Option<String>>>) -> Trigger {
    let id = NEXT.get();
    NEXT.set(id + 1);
    let trigger = Trigger::new();
    LISTENERS.with_borrow_mut(|it| it.push(Listener { id, kinds, shown, due: false, trigger }));
    on_cleanup(move || LISTENERS.with_borrow_mut(|it| it.retain(|it| it.id != id)));
    trigger
}

/// Listens only while the window is seen; called once. A browser has six lines to a server for all its windows together:
/// were each to hold one for good, the seventh would get no answer at all.
pub fn install() {
    // Stays for as long as the console does.
    _ = window_event_listener_untyped("visibilitychange", |_| {
        if document().hidden() {
            hang_up()
        } else if WANTED.get() {
            start()
        }
    });
}

/// Starts listening, if not already.
pub fn start() {
    WANTED.set(true);
    if document().hidden() || RUNNING.with_borrow(Option::is_some) {
        return;
    }
    if let Ok(controller) = AbortController::new() {
        RUNNING.set(Some(controller.clone()));
        spawn_local(keep_reading(controller));
    }
}

/// Stops listening.
pub fn stop() {
    WANTED.set(false);
    hang_up();
}

fn hang_up() {
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
            publish(&Event::default());
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
            publish(&event);
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

/// Tells the listeners whom it concerns, a second later, so that bursts are told once.
fn publish(event: &Event) {
    LISTENERS.with_borrow_mut(|listeners| {
        for listener in listeners.iter_mut().filter(|it| !it.due && it.concerned(event)) {
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
    use super::{Event, Lines, names};

    #[test]
    fn an_answer_names_what_it_shows() {
        assert!(names(Some(r#"{"id":"01a2","refunds":[{"id":"01b3"}]}"#), "01b3"));
        assert!(!names(Some(r#"{"id":"01a2"}"#), "01b3"));
        assert!(!names(None, "01b3"));
    }

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
