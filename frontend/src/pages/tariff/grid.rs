//! The day in half hours, painted with periods by mouse and by keyboard.

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html::Div;
use leptos::prelude::*;
use shared::codes::Code;
use shared::pricing::{Period, Range};
use shared::time::{Clock, SLOTS};
use wasm_bindgen::JsCast;
use web_sys::{Element, EventTarget};

use crate::kit::popper::whole;
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
    /// While the hand paints: the half hour where it was put down, and the day as it was before.
    stroke: StoredValue<Option<(usize, Day)>>,
    root: NodeRef<Div>,
}

/// Where a row of half hours is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Strip {
    left: i32,
    width: i32,
    bottom: i32,
}

/// The half hour under the hand, or the nearest one when it has left the board.
fn slot_at(strips: &[Strip], x: i32, y: i32) -> Option<usize> {
    let row = strips.iter().position(|it| y < it.bottom).or(strips.len().checked_sub(1))?;
    let strip = strips.get(row)?;
    let cells = i32::try_from(ROW).ok()?;
    let cell = (x - strip.left).max(0).checked_mul(cells)?.checked_div(strip.width)?.min(cells - 1);
    Some(row * ROW + usize::try_from(cell).ok()?)
}

/// A day with all half hours between two, both included, painted: as a selection of text goes, over the end of a row too.
fn stroked(mut day: Day, from: usize, to: usize, brush: Option<Period>) -> Day {
    let (first, last) = (from.min(to), from.max(to));
    day.iter_mut().take(last + 1).skip(first).for_each(|it| *it = brush);
    day
}

impl Board {
    /// Paints all between two half hours over what was there.
    fn paint(self, before: Day, from: usize, to: usize) {
        let day = stroked(before, from, to, self.brush.get_untracked());
        if self.day.with_untracked(|it| *it != day) {
            self.day.set(day);
        }
    }

    /// The hand is put down on a half hour.
    fn press(self, event: &PointerEvent) {
        let on_cell = |it: EventTarget| it.dyn_into::<Element>().ok()?.closest("[data-slot]").ok()?;
        if event.target().and_then(on_cell).is_none() {
            return;
        }
        let Some(slot) = self.under(event) else { return };
        event.prevent_default();
        // All that the hand does until it is lifted is heard here, wherever it goes and however fast.
        if let Some(root) = self.root.get_untracked() {
            drop(root.set_pointer_capture(event.pointer_id()));
        }
        let before = self.day.get_untracked();
        self.stroke.set_value(Some((slot, before.clone())));
        self.paint(before, slot, slot);
        self.go(slot);
    }

    /// The hand moves.
    fn draw(self, event: &PointerEvent) {
        if let (Some((from, before)), Some(slot)) = (self.stroke.get_value(), self.under(event)) {
            self.paint(before, from, slot);
            // The keyboard goes on from here. Focus would scroll, and the hand with it.
            self.at.set(slot);
        }
    }

    fn under(self, event: &PointerEvent) -> Option<usize> {
        let rows = self.root.get_untracked()?.query_selector_all(".day-row").ok()?;
        let strip = |row: Element| {
            let rect = row.get_bounding_client_rect();
            Strip { left: whole(rect.left()), width: whole(rect.width()), bottom: whole(rect.bottom()) }
        };
        let strips: Vec<Strip> =
            (0..rows.length()).filter_map(|it| rows.item(it)?.dyn_into().ok()).map(strip).collect();
        slot_at(&strips, event.client_x(), event.client_y())
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
            self.paint(self.day.get_untracked(), at, to);
        } else if to == at {
            self.paint(self.day.get_untracked(), at, at);
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
        stroke: StoredValue::new(None),
        root: NodeRef::new(),
    };
    let lift = move |_: PointerEvent| board.stroke.set_value(None);
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
                on:keydown=boxed(move |event| board.key(&event)) on:pointerdown=boxed(move |event| board.press(&event))
                on:pointermove=boxed(move |event| board.draw(&event)) on:pointerup=boxed(lift) on:lostpointercapture=boxed(lift)>
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
    view! {
        <div class=move || format!("day-cell {}", period.get().map_or("period-none", colour)) role="gridcell" data-slot=slot.to_string()
            tabindex=move || if board.at.get() == slot { "0" } else { "-1" } title=format!("{from}–{to}")
            aria-label=move || format!("{from}–{to} {}", name())
            on:focus=boxed(move |_| board.at.set(slot))>{move || text()}</div>
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hand_is_over_a_half_hour_or_near_one() {
        let strip = |bottom| Strip { left: 100, width: 480, bottom };
        let board = [strip(50), strip(110)];
        let at = |x, y| slot_at(&board, x, y);
        assert_eq!((at(100, 40), at(119, 40), at(120, 40), at(579, 49)), (Some(0), Some(0), Some(1), Some(23)));
        assert_eq!((at(100, 100), at(579, 100)), (Some(24), Some(47)));
        // Beside, above and below it.
        assert_eq!((at(-900, 40), at(9000, 40), at(110, -70), at(570, 900)), (Some(0), Some(23), Some(0), Some(47)));
        // The hours between the rows belong to the row below them.
        assert_eq!(at(130, 60), Some(25));
        assert_eq!((slot_at(&[], 1, 1), slot_at(&[Strip { width: 0, ..strip(50) }], 1, 1)), (None, None));
    }

    #[test]
    fn a_stroke_has_no_holes_and_goes_over_the_end_of_a_row() {
        let (peak, flat) = (Some(Period::Peak), Some(Period::Flat));
        let painted =
            |day: &Day, of| day.iter().enumerate().filter(|it| *it.1 == of).map(|it| it.0).collect::<Vec<_>>();
        let empty = vec![None; SLOTS];
        assert_eq!(painted(&stroked(empty.clone(), 3, 7, peak), peak), [3, 4, 5, 6, 7]);
        assert_eq!(painted(&stroked(empty.clone(), 26, 22, peak), peak), [22, 23, 24, 25, 26]);
        assert_eq!(painted(&stroked(empty.clone(), 0, SLOTS - 1, peak), peak).len(), SLOTS);
        // It is drawn anew over what was there before, so that going back gives it free.
        let before = stroked(empty, 0, 9, flat);
        assert_eq!(painted(&stroked(before, 5, 6, peak), flat), [0, 1, 2, 3, 4, 7, 8, 9]);
    }
}
