//! The messages between a charger and the platform, searched and made readable: evidence in a dispute.

use chrono::NaiveDate;
use leptos::prelude::*;
use serde_json::Value;
use shared::codes::{Choice, Tone};
use shared::describe::{As, Cell, Fact, Field, Input};
use shared::text::{Lang, Text, t};
use shared::time::midnight;

use crate::kit::cell::{cell, nothing};
use crate::kit::crud::records;
use crate::kit::query::Query;
use crate::kit::search::search;
use crate::lang::{lang, tr};

const DIRECTIONS: &[Choice] = &[
    Choice { value: "true", label: t("设备上报", "From the device"), tone: Tone::Success },
    Choice { value: "false", label: t("平台下发", "To the device"), tone: Tone::Primary },
];
const FILTERS: &[Field] = &[
    Field::new("text", t("报文内容", "Contains"), Input::Text(100)),
    Field::new("inbound", t("方向", "Direction"), Input::Choice(DIRECTIONS)),
    Field::new("at", t("时间", "Days"), Input::Days),
];

const CREATED: Fact = Fact::new("created_at", t("时间", "Time"), As::Time);

/// The list at an address below `/api/v1/`.
pub fn frames(address: String) -> AnyView {
    let conditions = RwSignal::new(Query::default());
    let again = Trigger::new();
    let apply = Callback::new(move |wanted: Query| {
        // Asking the same again means looking anew.
        if conditions.with_untracked(|it| *it == wanted) { again.notify() } else { conditions.set(wanted) }
    });
    let reset = Callback::new(move |()| apply.run(Query::default()));
    view! {
        {search(FILTERS, Memo::new(move |_| conditions.get()), apply, reset)}
        {records(address, Memo::new(move |_| asked(&conditions.get())), &[again], Box::new(list))}
    }
    .into_any()
}

/// What the server is asked: whole days become the instants at which they begin and end.
fn asked(conditions: &Query) -> Query {
    let day = |name: &str| conditions.get(name).and_then(|it| it.parse::<NaiveDate>().ok());
    let at = |day: Option<NaiveDate>| day.map(|it| midnight(it).to_rfc3339()).unwrap_or_default();
    let kept = conditions.clone().only(|name| !name.starts_with("at_"));
    kept.with("from", &at(day("at_from"))).with("to", &at(day("at_to").and_then(|it| it.succ_opt())))
}

fn list(rows: &[Value]) -> Result<AnyView, String> {
    if rows.is_empty() {
        return Ok(nothing(tr("没有符合条件的报文", "No messages fit these conditions")));
    }
    let item = |it: &Value| {
        let body = it.get("body").and_then(Value::as_str).unwrap_or_default();
        let inbound = it.get("inbound").and_then(Value::as_bool).unwrap_or_default();
        view! {
            <li>
                <details class="frame">
                    <summary>
                        {cell(&CREATED.cell(it))}
                        {cell(&Cell::label(DIRECTIONS, if inbound { "true" } else { "false" }))}
                        <b>{title(body, lang())}</b>
                        <code class="frame-line">{body.to_owned()}</code>
                    </summary>
                    <pre>{indented(body)}</pre>
                </details>
            </li>
        }
        .into_any()
    };
    Ok(view! { <ol class="frames">{rows.iter().map(item).collect_view()}</ol> }.into_any())
}

/// What a message is, as far as its frame tells: a call by its name, an answer, an error.
fn title(body: &str, lang: Lang) -> String {
    let Ok(Value::Array(parts)) = serde_json::from_str(body) else {
        return t("无法识别", "Unreadable").get(lang).to_owned();
    };
    let text = |place: usize| parts.get(place).and_then(Value::as_str).unwrap_or_default();
    match (parts.first().and_then(Value::as_i64), lang) {
        (Some(2), Lang::Zh) => format!("{} {}", text(2), action(text(2)).map(|it| it.zh).unwrap_or_default()),
        (Some(2), Lang::En) => text(2).to_owned(),
        (Some(3), _) => t("应答", "Answer").get(lang).to_owned(),
        (Some(4), _) => format!("{} {}", t("错误", "Error").get(lang), text(2)),
        _ => t("无法识别", "Unreadable").get(lang).to_owned(),
    }
}

/// The calls of OCPP 1.6 in words.
fn action(name: &str) -> Option<Text> {
    Some(match name {
        "Authorize" => t("刷卡鉴权", "Authorisation"),
        "BootNotification" => t("启动注册", "Start of the device"),
        "ChangeAvailability" => t("启用/禁用", "Availability"),
        "ChangeConfiguration" => t("修改配置", "New setting"),
        "DataTransfer" => t("数据透传", "Data"),
        "GetConfiguration" => t("读取配置", "Settings"),
        "Heartbeat" => t("心跳", "Sign of life"),
        "MeterValues" => t("电量上报", "Meter values"),
        "RemoteStartTransaction" => t("远程启动充电", "Remote start"),
        "RemoteStopTransaction" => t("远程结束充电", "Remote stop"),
        "Reset" => t("重启设备", "Reboot"),
        "StartTransaction" => t("充电开始", "Start of a charge"),
        "StatusNotification" => t("状态上报", "Status"),
        "StopTransaction" => t("充电结束", "End of a charge"),
        "TriggerMessage" => t("请求上报", "Request for a report"),
        "UnlockConnector" => t("解锁枪", "Unlocking"),
        _ => return None,
    })
}

/// JSON with a line for each entry. Only space is added and taken away: texts and numbers stay as they were sent.
fn indented(text: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        if quoted {
            out.push(sign);
            quoted = escaped || sign != '"';
            escaped = !escaped && sign == '\\';
            continue;
        }
        match sign {
            '{' | '[' => {
                out.push(sign);
                while signs.next_if(|it| it.is_whitespace()).is_some() {}
                match signs.next_if(|it| matches!(it, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(sign);
            }
            ',' => {
                out.push(sign);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            sign if sign.is_whitespace() => {}
            sign => {
                quoted = sign == '"';
                out.push(sign);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_laid_out_without_touching_what_they_say() {
        let body = r#"[2,"7","MeterValues",{"value":1.50,"text":"a \"b\", {c}: [\\","none":{},"list":[1, 2]}]"#;
        let expected = r#"[
  2,
  "7",
  "MeterValues",
  {
    "value": 1.50,
    "text": "a \"b\", {c}: [\\",
    "none": {},
    "list": [
      1,
      2
    ]
  }
]"#;
        assert_eq!(indented(body), expected);
        assert_eq!(indented("no JSON ]"), "noJSON\n]");
    }

    #[test]
    fn messages_are_called_by_what_they_are() {
        assert_eq!(title(r#"[2,"1","Heartbeat",{}]"#, Lang::Zh), "Heartbeat 心跳");
        assert_eq!(title(r#"[2,"1","Heartbeat",{}]"#, Lang::En), "Heartbeat");
        assert_eq!(title(r#"[3,"1",{}]"#, Lang::Zh), "应答");
        assert_eq!(title(r#"[4,"1","NotSupported","",{}]"#, Lang::En), "Error NotSupported");
        assert_eq!(title("garbage", Lang::Zh), "无法识别");
    }

    #[test]
    fn days_are_asked_for_as_instants() {
        let query =
            asked(&Query::default().with("text", "Boot").with("at_from", "2026-11-22").with("at_to", "2026-11-22"));
        assert_eq!(query.get("text"), Some("Boot"));
        assert_eq!(query.get("from"), Some("2026-11-21T16:00:00+00:00"));
        assert_eq!(query.get("to"), Some("2026-11-22T16:00:00+00:00"));
        assert!(asked(&Query::default()).is_empty());
    }
}
