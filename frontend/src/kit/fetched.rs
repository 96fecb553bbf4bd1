//! Something that is read from the server, again whenever its address changes.

use std::cell::Cell;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::button::button;
use super::icon::{REFRESH_CW, TRIANGLE_ALERT, icon};
use crate::api::{Ask, Failure};
use crate::lang::tr;
use crate::run::{self, live, on_change};

/// What was read, what went wrong, and whether more is on its way.
#[derive(Clone, Copy)]
pub struct Fetched {
    /// The last good answer as it came; it stays while a new one is on its way.
    pub text: RwSignal<Option<String>>,
    /// Why the last attempt gave none.
    pub failure: RwSignal<Option<Failure>>,
    /// An answer is on its way, and somebody waits for it.
    pub busy: RwSignal<bool>,
    /// Of which address the last attempt was, and after how many times that it was asked for anew; also of one that failed.
    pub answered: RwSignal<(String, u32)>,
    /// How often it was asked for anew, and whether the last time was quiet.
    again: RwSignal<(u32, bool)>,
}

impl Fetched {
    /// Reads again; gives the round in which it will be answered, or in a later one.
    pub fn reload(self) -> u32 {
        self.ask(false)
    }

    /// Reads again without a veil over what is shown.
    pub fn refresh(self) -> u32 {
        self.ask(true)
    }

    fn ask(self, quiet: bool) -> u32 {
        let round = self.again.get_untracked().0 + 1;
        self.again.set((round, quiet));
        round
    }

    /// Reads again, quietly, whenever this is triggered.
    pub fn refresh_on(self, trigger: Trigger) {
        on_change(
            move || trigger.track(),
            move || {
                self.refresh();
            },
        );
    }

    fn settle(self, answer: Result<String, Failure>, quiet: bool) {
        self.busy.set(false);
        match answer {
            Ok(text) => {
                if self.failure.with_untracked(Option::is_some) {
                    self.failure.set(None);
                }
                // What is the same needs no drawing.
                if self.text.with_untracked(|it| it.as_ref() != Some(&text)) {
                    self.text.set(Some(text));
                }
            }
            Err(failure) => {
                // What is shown answers another question by now. After a quiet look it is only older than it could be.
                if !quiet {
                    self.text.set(None);
                }
                self.failure.set(Some(failure));
            }
        }
    }
}

/// Reads from an address below `/api/v1/`, anew when the address changes; not at all while there is none.
pub fn fetched(address: impl Fn() -> Option<String> + Send + Sync + 'static) -> Fetched {
    follow(Memo::new(move |_| address()))
}

fn follow(address: Memo<Option<String>>) -> Fetched {
    let it = Fetched {
        text: RwSignal::new(None),
        failure: RwSignal::new(None),
        busy: RwSignal::new(false),
        answered: RwSignal::new((String::new(), 0)),
        again: RwSignal::new((0, false)),
    };
    let latest = StoredValue::new(0_u32);
    let underway = StoredValue::new(NOTHING);
    let before = Cell::new(None);
    run::follow(move || {
        let (now, (round, quiet)) = (address.get(), it.again.get());
        let before = before.replace(Some((now.clone(), round)));
        let asked_again = before.is_some_and(|before| before.0 == now && before.1 != round);
        let quiet = quiet && asked_again;
        // Whoever asks anew before the answer is there may never see one.
        if quiet && underway.get_value() != NOTHING {
            return underway.set_value(OWED);
        }
        latest.update_value(|it| *it += 1);
        match now {
            Some(now) => {
                let turn = latest.get_value();
                underway.set_value(ASKED);
                it.busy.set(!quiet);
                spawn_local(async move {
                    let answer = Ask::get(&now).text().await;
                    // The page is gone, or somebody has asked for something else since.
                    if latest.try_get_value() == Some(turn) {
                        let owed = underway.get_value() == OWED;
                        underway.set_value(NOTHING);
                        it.settle(answer, quiet);
                        it.answered.set((now, round));
                        if owed {
                            it.refresh();
                        }
                    }
                });
            }
            None => {
                underway.set_value(NOTHING);
                it.busy.set(false);
                it.text.set(None);
            }
        }
    });
    it
}

/// No answer is on its way.
const NOTHING: u32 = 0;
/// One is.
const ASKED: u32 = 1;
/// One is, and meanwhile something has changed, so that it will be asked for anew.
const OWED: u32 = 2;

/// Element's veil over what is being read.
pub fn veil(busy: RwSignal<bool>) -> AnyView {
    let mask = || {
        view! {
            <div class="el-loading-mask" aria-hidden="true">
                <div class="el-loading-spinner">
                    <svg class="circular" viewBox="0 0 50 50"><circle class="path" cx="25" cy="25" r="20" fill="none"/></svg>
                </div>
            </div>
        }.into_any()
    };
    live(move || if busy.get() { mask() } else { ().into_any() })
}

/// Says why there is nothing and offers another try.
pub fn trouble(failure: &Failure, retry: impl Fn() + 'static) -> AnyView {
    told(failure.message.clone(), button("", "retry", Some(REFRESH_CW), tr("重试", "Try again"), retry))
}

fn told(message: String, retry: AnyView) -> AnyView {
    view! {
        <div class="trouble" role="alert" data-test="trouble">
            <span class="trouble-icon">{icon(TRIANGLE_ALERT)}</span>
            <p>{message}</p>
            {retry}
        </div>
    }
    .into_any()
}

/// Says that what is shown could not be read anew.
pub fn stale(it: Fetched) -> AnyView {
    live(move || {
        match it.failure.get().filter(|_| it.text.with(Option::is_some)) {
        Some(failure) => view! {
            <div class="el-alert el-alert--warning is-light stale" role="status" data-test="stale">
                <span>{tr("以下内容可能不是最新的：", "This may be out of date: ")}{failure.message}</span>
                {button("is-link el-button--primary", "retry", None, tr("重试", "Try again"), move || { it.refresh(); })}
            </div>
        }
        .into_any(),
        None => ().into_any(),
    }
    })
}

/// Says why a part of an answer makes no sense.
pub fn unreadable(reason: String) -> AnyView {
    view! { <p class="form-error" role="alert">{Failure::unreadable(&reason).message}</p> }.into_any()
}

/// A part of a page that is read by itself: veil, trouble, or what `show` makes of the answer.
pub fn part(it: Fetched, show: impl Fn(&str) -> Result<AnyView, String> + Send + Sync + 'static) -> AnyView {
    let content = move || match it.text.with(|it| it.as_deref().map(&show)) {
        Some(Ok(view)) => view,
        Some(Err(reason)) => absent(it, &reason),
        None => absent(it, ""),
    };
    veiled(it, live(content))
}

/// A part that is drawn once, when it is ready, and follows later answers by itself; `wrong` says why an answer cannot
/// be read.
pub fn steady(
    it: Fetched,
    ready: Memo<bool>,
    wrong: RwSignal<String>,
    show: Box<dyn Fn() -> AnyView + Send + Sync>,
) -> AnyView {
    veiled(it, live(move || if ready.get() { show() } else { absent(it, &wrong.get()) }))
}

/// Why there is nothing to show, if that is known.
pub fn absent(it: Fetched, wrong: &str) -> AnyView {
    match it.failure.get() {
        _ if !wrong.is_empty() => trouble(&Failure::unreadable(wrong), move || {
            it.reload();
        }),
        Some(failure) => trouble(&failure, move || {
            it.reload();
        }),
        None => ().into_any(),
    }
}

/// Content under a veil while something is being read.
fn veiled(it: Fetched, content: AnyView) -> AnyView {
    view! {
        <div class="el-loading-parent--relative part" aria-busy=move || it.busy.get().to_string()>
            {stale(it)}
            {content}
            {veil(it.busy)}
        </div>
    }
    .into_any()
}
