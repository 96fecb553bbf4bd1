//! What happened to an order, step by step, in words.

use leptos::prelude::*;
use serde_json::Value;
use shared::codes::{Choice, Code};
use shared::describe::{As, Fact};
use shared::fixed::Fen;
use shared::order::{EndReason, OrderState, OrderStep};
use shared::text::{Lang, t};

use crate::kit::button::tone_class;
use crate::kit::cell::{cell, tag};
use crate::kit::facts::items;
use crate::lang::{lang, say};

const AT: Fact = Fact::new("created_at", t("时间", "Time"), As::Time);
const ACTOR: Fact = Fact::new("actor", t("操作者", "By"), As::Actor);

/// Draws the steps, the newest first.
pub fn timeline(answer: &Value) -> AnyView {
    let steps = items(answer, "timeline").iter().rev();
    view! { <ol class="el-timeline steps" data-test="timeline">{steps.map(item).collect_view()}</ol> }.into_any()
}

/// The value of a code that a step names.
fn named(choices: &'static [Choice], it: &Value, name: &str) -> Option<&'static Choice> {
    let value = it.get(name)?.as_str()?;
    choices.iter().find(|it| it.value == value)
}

fn item(it: &Value) -> AnyView {
    let kind = named(OrderStep::CHOICES, it, "kind");
    let node = format!(
        "el-timeline-item__node el-timeline-item__node--normal el-timeline-item__node--{}",
        kind.map(|it| tone_class(it.tone)).unwrap_or_default()
    );
    let became = named(OrderState::CHOICES, it, "to_state").filter(|_| it.get("from_state") != it.get("to_state"));
    let line = |text: String| view! { <p>{text}</p> }.into_any();
    view! {
        <li class="el-timeline-item">
            <div class="el-timeline-item__tail"></div>
            <div class=node></div>
            <div class="el-timeline-item__wrapper">
                <div class="el-timeline-item__content">
                    <b>{kind.map(|it| say(it.label))}</b>
                    {became.map(|it| tag(it.label, it.tone))}
                    {it.get("detail").map(|it| words(it, lang()).into_iter().map(line).collect_view())}
                </div>
                <div class="el-timeline-item__timestamp is-bottom">{cell(&AT.cell(it))}" · "{cell(&ACTOR.cell(it))}</div>
            </div>
        </li>
    }
    .into_any()
}

/// What a step says besides its name, a line each.
fn words(detail: &Value, lang: Lang) -> Vec<String> {
    let text = |name: &str| detail.get(name).and_then(Value::as_str);
    let mut lines = Vec::new();
    lines.extend(named(EndReason::CHOICES, detail, "reason").map(|it| it.label.get(lang).to_owned()));
    lines.extend(text("words").map(|it| match lang {
        Lang::Zh => format!("说明：{it}"),
        Lang::En => format!("In their words: {it}"),
    }));
    lines.extend(text("kwh").map(|it| format!("{} {it} kWh", t("设备记录电量", "The charger's record:").get(lang))));
    lines.extend(text("billed_kwh").map(|it| format!("{} {it} kWh", t("已计费电量", "Billed:").get(lang))));
    let uncollected = detail.get("uncollected_fen").and_then(Value::as_i64).map(|it| Fen(it).yuan());
    lines.extend(uncollected.map(|it| format!("{} {it}", t("未收取(元)", "Not collected (yuan):").get(lang))));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::facts::tests::undocumented;

    #[test]
    fn steps_are_told_in_words() {
        let order = super::super::tests::order();
        let told: Vec<_> = items(&order, "timeline").iter().map(|it| words(&it["detail"], Lang::Zh)).collect();
        let expected: [Vec<String>; 2] =
            [vec![], vec!["充满自停".into(), "说明：EVDisconnected".into(), "设备记录电量 5.1000 kWh".into()]];
        assert_eq!(told, expected);
        let step = |name| Fact::new(name, t("", ""), As::Text);
        let names = ["kind", "from_state", "to_state", "detail/reason", "detail/words", "actor"].map(step);
        assert!(undocumented("OrderEventRow", &names).is_empty());
        assert!(undocumented("StepDetail", &["kwh", "billed_kwh"].map(step)).is_empty());
    }
}
