//! Rows from a sheet: all or none, and every error with its row and column.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::problem::FieldError;
use shared::text::Lang;
use web_sys::File;

use super::desk::Desk;
use crate::api;
use crate::kit::button::{busy_button, button};
use crate::kit::icon::DOWNLOAD;
use crate::kit::modal::dialog;
use crate::kit::toast;
use crate::kit::upload::{self, Stage, Upload};
use crate::lang::{lang, say, tr};

/// The dialog that takes a sheet.
pub fn import_dialog(desk: Desk, open: RwSignal<bool>) -> AnyView {
    let chosen = StoredValue::new_local(None::<File>);
    let stage = RwSignal::new(Stage::Empty);
    let errors = RwSignal::new(Vec::<FieldError>::new());
    let busy = RwSignal::new(false);
    let close = Callback::new(move |()| open.set(false));
    let take = move |file: File| {
        chosen.set_value(Some(file));
        errors.set(Vec::new());
    };
    let send = move || {
        let Some(file) = chosen.get_value() else {
            return stage.set(Stage::Refused(String::new(), tr("请先选择文件", "Choose a file first").to_owned()));
        };
        errors.set(Vec::new());
        busy.set(true);
        spawn_local(async move {
            let outcome = upload::send(&format!("{}/import", desk.source.path), &file, stage).await;
            _ = busy.try_set(false);
            match outcome {
                Ok(answer) => {
                    toast::done(&imported(&answer));
                    desk.changed.notify();
                    open.set(false);
                }
                Err(failure) => drop(errors.try_set(failure.errors)),
            }
        });
    };
    let template = move || {
        spawn_local(async move {
            let name = format!("{}-{}.xlsx", say(desk.source.title), tr("导入模板", "template"));
            if let Err(failure) = api::download(&format!("{}/import-template.xlsx", desk.source.path), &name).await {
                toast::failed(&failure);
            }
        });
    };
    let body = view! {
        <p class="form-lead">{tr(
            "请按模板填写后上传 .xlsx 文件。只要有一行有错误，就不会导入任何数据。",
            "Fill in the template and choose the .xlsx file. If any row is wrong, nothing is imported.",
        )}</p>
        <div class="import-row">
            {button("", "template", Some(DOWNLOAD), tr("下载模板", "Template"), template)}
        </div>
        {upload::upload(Upload { name: "file", accept: &[".xlsx"], most_kb: 10_240, stage, take: Box::new(take) })}
        {move || Some(errors.get()).filter(|it| !it.is_empty()).map(error_table)}
    };
    let foot = view! {
        {button("", "cancel", None, tr("取消", "Cancel"), move || close.run(()))}
        {busy_button("el-button--primary", "ok", tr("开始导入", "Import"), busy, send)}
    };
    let title = format!("{} · {}", tr("导入", "Import"), say(desk.source.title));
    dialog(title, 640, close, body.into_any(), foot.into_any())
}

fn imported(answer: &Value) -> String {
    let count = answer.get("imported").and_then(Value::as_i64).unwrap_or_default();
    match lang() {
        Lang::Zh => format!("已导入 {count} 行"),
        Lang::En => format!("{count} rows imported"),
    }
}

/// What is wrong in which cell; what concerns the file as a whole is told beside its name already.
fn error_table(mut errors: Vec<FieldError>) -> AnyView {
    errors.retain(|it| it.field != "file");
    if errors.is_empty() {
        return ().into_any();
    }
    let row = |it: FieldError| view! { <tr><td>{it.field}</td><td>{it.message}</td></tr> }.into_any();
    view! {
        <div class="import-errors" data-test="import-errors">
            <table class="plain-table">
                <thead><tr><th>{tr("位置", "Where")}</th><th>{tr("问题", "What is wrong")}</th></tr></thead>
                <tbody>{errors.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
