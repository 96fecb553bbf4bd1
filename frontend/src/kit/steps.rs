//! Steps on the way to something: what is done, what is going on, what failed.

use leptos::prelude::*;

use super::icon::{CHECK, X, icon};
use crate::lang::tr;

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has not begun.
    Ahead,
    /// It is going on.
    Now,
    /// It is done.
    Done,
    /// It failed.
    Failed,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is done in it.
    pub title: String,
    /// Said in grey below it: when, by whom, why.
    pub note: String,
    /// How far it is.
    pub progress: Progress,
}

/// Draws steps from left to right.
pub fn steps(steps: &[Step]) -> AnyView {
    let count = steps.len();
    let one = |(place, it): (usize, &Step)| step(place, place + 1 == count, it);
    view! { <ol class="el-steps el-steps--horizontal steps">{steps.iter().enumerate().map(one).collect_view()}</ol> }
        .into_any()
}

fn step(place: usize, last: bool, it: &Step) -> AnyView {
    let (class, said) = match it.progress {
        Progress::Ahead => ("is-wait", tr("未开始", "ahead")),
        Progress::Now => ("is-process", tr("进行中", "now")),
        Progress::Done => ("is-success", tr("已完成", "done")),
        Progress::Failed => ("is-error", tr("失败", "failed")),
    };
    let face = match it.progress {
        Progress::Done => icon(CHECK),
        Progress::Failed => icon(X),
        Progress::Ahead | Progress::Now => view! { <div class="el-step__icon-inner">{place + 1}</div> }.into_any(),
    };
    let current = (it.progress == Progress::Now).then_some("step");
    view! {
        <li class="el-step is-horizontal" class:is-last=last aria-current=current>
            <div class=format!("el-step__head {class}")>
                <div class="el-step__line"></div>
                <div class="el-step__icon is-text">{face}</div>
            </div>
            <div class="el-step__main">
                <div class=format!("el-step__title {class}")>{it.title.clone()}<span class="visually-hidden">{said}</span></div>
                <div class=format!("el-step__description {class}")>{it.note.clone()}</div>
            </div>
        </li>
    }
    .into_any()
}
