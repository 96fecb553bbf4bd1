//! The day in half hours, painted with periods by mouse and by keyboard.

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html::Div;
use leptos::prelude::*;
use shared::codes::Code;
use shared::pricing::{Period, Range};
use shared::time::{Clock, SLOTS};
use wasm_bindgen::JsCast;

use crate::lang::{say, tr};
use crate::run::boxed;

/// The periods that can be painted.
pub const PERIODS: [Period; 4] = [Period::Sharp, Period::Peak, Period::Flat, Period::Valley];
/// Half hours in a row.
const ROW: usize = 24;

/// The period of each half hour, where one is painted.
pub type Day = Vec<Option<Period>>;

/// The class that gives a period its colour.
pub const fn colour(period: Period) -> &'static str {
    match period {
        Period::Sharp => "period-sharp",
        Period::Peak => "period-peak",
        Period::Flat => "period-flat",
        Period::Valley => "period-valley",
        Period::Uniform => "period-uniform",
    }
}

#[derive(Clone, Copy)]
struct Board {
    day: RwSignal<Day>,
    brush: RwSignal<Option<Period>>,
    /// The half hour that has the focus.
    at: RwSignal<usize>,
    painting: RwSignal<bool>,
    root: NodeRef<Div>,
}

impl Board {
    fn paint(self, slot: usize) {
        let brush = self.brush.get_untracked();
        if self.day.with_untracked(|it| it.get(slot).is_some_and(|it| *it != brush)) {
            self.day.update(|it| it.iter_mut().skip(slot).take(1).for_each(|it| *it = brush));
        }
    }

    fn go(self, slot: usize) {
        self.at.set(slot);
        let cell = self
            .root
            .get_untracked()
            .and_then(|it| it.query_selector(&format!("[data-slot=\"{slot}\"]")).ok().flatten());
        if let Some(cell) = cell.and_then(|it| it.dyn_into::<web_sys::HtmlElement>().ok()) {
            drop(cell.focus());
        }
    }

    /// Arrows move, with Shift they paint on the way; space and Enter paint; digits choose the brush and paint.
    fn key(self, event: &KeyboardEvent) {
        let at = self.at.get_untracked();
        let to = match event.key().as_str() {
            "ArrowRight" => (at + 1).min(SLOTS - 1),
            "ArrowLeft" => at.saturating_sub(1),
            "ArrowDown" => (at + ROW).min(SLOTS - 1),
            "ArrowUp" => at.checked_sub(ROW).unwrap_or(at),
            "Home" => 0,
            "End" => SLOTS - 1,
            " " | "Enter" => at,
            "Delete" | "Backspace" | "0" => {
                self.brush.set(None);
                at
            }
            key => match key.parse::<usize>().ok().and_then(|it| PERIODS.get(it.checked_sub(1)?)) {
                Some(period) => {
                    self.brush.set(Some(*period));
                    at
                }
                None => return,
            },
        };
        event.prevent_default();
        if event.shift_key() && to != at {
            for slot in at.min(to)..=at.max(to) {
                self.paint(slot);
            }
        } else if to == at {
            self.paint(at);
        }
        self.go(to);
    }
}

/// Draws the day; what is painted goes into `day`.
pub fn grid(day: RwSignal<Day>) -> AnyView {
    let board = Board {
        day,
        brush: RwSignal::new(Some(Period::Peak)),
        at: RwSignal::new(0),
        painting: RwSignal::new(false),
        root: NodeRef::new(),
    };
    // The button may be let go anywhere.
    let released = window_event_listener(leptos::ev::pointerup, move |_| board.painting.set(false));
    on_cleanup(move || released.remove());
    let all = move |_| day.set(vec![board.brush.get_untracked(); SLOTS]);
    view! {
        <div class="day" data-test="day">
            <div class="day-tools">
                <div class="day-brushes" role="radiogroup" aria-label=tr("画笔", "Brush")>
                    {PERIODS.iter().enumerate().map(|(index, period)| brush(board, Some(*period), index + 1)).collect_view()}
                    {brush(board, None, 0)}
                </div>
                <button type="button" class="el-button el-button--small" data-test="paint-all" on:click=boxed(all)><span>{tr("涂满全天", "Paint all")}</span></button>
            </div>
            <div node_ref=board.root class="day-board" role="grid" aria-label=tr("一天的 48 个半小时", "The 48 half hours of a day")
                on:keydown=boxed(move |event| board.key(&event))>
                {(0..SLOTS / ROW).map(|row| line(board, row)).collect_view()}
            </div>
            <p class="form-help">{tr(
                "按住鼠标拖动涂色；键盘：方向键移动，Shift+方向键涂色，数字 1–4 选尖峰平谷，0 擦除。",
                "Drag to paint. Keyboard: arrows move, Shift+arrows paint, 1–4 choose sharp, peak, flat, valley, 0 clears.",
            )}</p>
            {move || summary(&day.get())}
        </div>
    }
    .into_any()
}

fn brush(board: Board, period: Option<Period>, digit: usize) -> AnyView {
    let label = period.map_or(tr("擦除", "Clear"), |it| say(it.label()));
    let on = move || board.brush.get() == period;
    let name = period.map_or("clear", Code::as_str);
    view! {
        <button type="button" class=format!("day-brush {}", period.map_or("period-none", colour)) class:on=on role="radio"
            aria-checked=move || on().to_string() data-test=format!("brush-{name}") title=digit.to_string()
            on:click=boxed(move |_| board.brush.set(period))>
            <i></i>{label}
        </button>
    }
    .into_any()
}

fn line(board: Board, row: usize) -> AnyView {
    let hour = |index: usize| view! { <span>{(row * ROW + index * 2) / 2}</span> }.into_any();
    view! {
        <div class="day-hours" aria-hidden="true">{(0..ROW / 2).map(hour).collect_view()}<span>{(row + 1) * ROW / 2}</span></div>
        <div class="day-row" role="row">{(0..ROW).map(|index| cell(board, row * ROW + index)).collect_view()}</div>
    }
    .into_any()
}

fn cell(board: Board, slot: usize) -> AnyView {
    let (from, to) = (Clock::of_slot(slot), Clock::of_slot(slot + 1));
    let period = Memo::new(move |_| board.day.with(|it| it.get(slot).copied().flatten()));
    let name = move || period.get().map_or(tr("未设置", "not set"), |it| say(it.label()));
    let text = move || period.get().map_or("", |it| say(it.label()));
    let press = move |event: PointerEvent| {
        event.prevent_default();
        // A finger would otherwise keep all further events for the cell it touched first.
        if let Some(target) = event.target().and_then(|it| it.dyn_into::<web_sys::Element>().ok()) {
            drop(target.release_pointer_capture(event.pointer_id()));
        }
        board.painting.set(true);
        board.paint(slot);
        board.go(slot);
    };
    let over = move |_: PointerEvent| {
        if board.painting.get_untracked() {
            board.paint(slot);
            // The keyboard goes on from here. Focus would scroll, and the hand with it.
            board.at.set(slot);
        }
    };
    view! {
        <div class=move || format!("day-cell {}", period.get().map_or("period-none", colour)) role="gridcell" data-slot=slot.to_string()
            tabindex=move || if board.at.get() == slot { "0" } else { "-1" } title=format!("{from}–{to}")
            aria-label=move || format!("{from}–{to} {}", name())
            on:pointerdown=boxed(press) on:pointerenter=boxed(over) on:focus=boxed(move |_| board.at.set(slot))>{move || text()}</div>
    }
    .into_any()
}

/// What is painted in words, and whether it covers the day.
fn summary(day: &Day) -> AnyView {
    let ranges = Range::join(day);
    let open = day.iter().filter(|it| it.is_none()).count();
    let chip = |it: Range| {
        view! { <span class=format!("day-range {}", colour(it.period))><i></i>{format!("{}–{}", it.from, it.to)}" "{say(it.period.label())}</span> }.into_any()
    };
    let covered = if open == 0 {
        view! { <span class="day-covered" data-test="covered">{tr("已完整覆盖 24 小时", "All 24 hours are covered")}</span> }.into_any()
    } else {
        let hours = format!("{}.{}", open / 2, if open % 2 == 1 { 5 } else { 0 });
        view! {
            <span class="day-open" role="status" data-test="open">
                {tr("尚有 ", "Still open: ")}<b class="num">{hours}</b>{tr(" 小时未设置", " hours")}
            </span>
        }
        .into_any()
    };
    view! { <div class="day-summary">{covered}{ranges.into_iter().map(chip).collect_view()}</div> }.into_any()
}
