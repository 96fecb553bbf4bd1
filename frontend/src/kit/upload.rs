//! A place to drop a file, or to choose one: its type and size are looked at first, and its way to the server is shown.

use leptos::ev::{DragEvent, Event};
use leptos::html::Input;
use leptos::prelude::*;
use serde_json::Value;
use web_sys::{File, FileList};

use super::icon::{CIRCLE_CHECK, CIRCLE_X, FILE_TEXT, UPLOAD, icon};
use crate::api::{self, Failure};
use crate::lang::{Lang, lang, t, tr};
use crate::run::{boxed, live};

/// How far a file has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// There is none.
    #[default]
    Empty,
    /// This one waits.
    Chosen(String),
    /// So many hundredths of this one have left.
    Sending(String, u8),
    /// This one has arrived.
    Sent(String),
    /// Why this one was not taken.
    Refused(String, String),
}

/// A place for a file.
pub struct Upload {
    /// How tests find it.
    pub name: &'static str,
    /// The endings of the names of files that are taken, with their dots.
    pub accept: &'static [&'static str],
    /// The largest size that is taken, in KB.
    pub most_kb: u16,
    /// How far it has come.
    pub stage: RwSignal<Stage>,
    /// Given the file.
    pub take: Box<dyn Fn(File)>,
}

/// Sends a file and shows how far it has come.
///
/// # Errors
/// Whatever went wrong; it is shown as well.
pub async fn send(path: &str, file: &File, stage: RwSignal<Stage>) -> Result<Value, Failure> {
    let name = file.name();
    drop(stage.try_set(Stage::Sending(name.clone(), 0)));
    let told = {
        let name = name.clone();
        move |hundredths| drop(stage.try_set(Stage::Sending(name.clone(), hundredths)))
    };
    let answer = api::upload(path, file, told).await;
    drop(stage.try_set(match &answer {
        Ok(_) => Stage::Sent(name),
        Err(failure) => Stage::Refused(name, why(failure)),
    }));
    answer
}

/// Why a file was refused, in one line: what is wrong within it is told by whoever sent it.
fn why(failure: &Failure) -> String {
    match failure.errors.as_slice() {
        [] => failure.message.clone(),
        [only] => only.message.clone(),
        many => match lang() {
            Lang::Zh => format!("有 {} 处错误", many.len()),
            Lang::En => format!("{} errors", many.len()),
        },
    }
}

/// Why a file is not taken, if it is not.
fn refused(name: &str, bytes: f64, accept: &[&str], most_kb: u16, lang: Lang) -> Option<String> {
    let name = name.to_ascii_lowercase();
    if !accept.is_empty() && !accept.iter().any(|it| name.ends_with(it)) {
        let list = accept.join(" ");
        return Some(match lang {
            Lang::Zh => format!("只支持 {list} 文件"),
            Lang::En => format!("Only {list} files"),
        });
    }
    if bytes > f64::from(most_kb) * 1024.0 {
        let most = size_text(most_kb);
        return Some(match lang {
            Lang::Zh => format!("文件不能超过 {most}"),
            Lang::En => format!("At most {most}"),
        });
    }
    (bytes == 0.0).then(|| t("文件是空的", "The file is empty").get(lang).to_owned())
}

fn size_text(kb: u16) -> String {
    if kb.is_multiple_of(1024) { format!("{} MB", kb / 1024) } else { format!("{kb} KB") }
}

/// Draws the place.
pub fn upload(it: Upload) -> AnyView {
    let Upload { name, accept, most_kb, stage, take } = it;
    let over = RwSignal::new(false);
    let input = NodeRef::<Input>::new();
    let take = StoredValue::new_local(take);
    let taken = move |files: Option<FileList>| {
        let Some(file) = files.and_then(|it| it.get(0)) else { return };
        match refused(&file.name(), file.size(), accept, most_kb, lang()) {
            Some(why) => stage.set(Stage::Refused(file.name(), why)),
            None => {
                stage.set(Stage::Chosen(file.name()));
                take.with_value(|take| take(file));
            }
        }
    };
    let chosen = move |_: Event| {
        if let Some(input) = input.get_untracked() {
            taken(input.files());
            // The same file can be chosen again, after it was changed.
            input.set_value("");
        }
    };
    let hover = move |event: DragEvent| {
        event.prevent_default();
        over.set(true);
    };
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        over.set(false);
        taken(event.data_transfer().and_then(|it| it.files()));
    };
    let (list, most) = (accept.join(" "), size_text(most_kb));
    let tip = match lang() {
        Lang::Zh => format!("{list} 文件，不超过 {most}"),
        Lang::En => format!("{list}, at most {most}"),
    };
    view! {
        <div class="upload" data-test=name>
            <label class="el-upload-dragger upload-place" class:is-dragover=over on:dragover=boxed(hover)
                on:dragleave=boxed(move |_| over.set(false)) on:drop=boxed(dropped)>
                <span class="upload-icon">{icon(UPLOAD)}</span>
                <span class="el-upload__text">{tr("将文件拖到此处，或", "Drop a file here, or ")}<em>{tr("点击选择", "choose one")}</em></span>
                <input node_ref=input class="file-input" type="file" name=name accept=accept.join(",") on:change=boxed(chosen)/>
            </label>
            <p class="el-upload__tip">{tip}</p>
            <div aria-live="polite">{live(move || line(stage.get()))}</div>
        </div>
    }
    .into_any()
}

fn line(stage: Stage) -> AnyView {
    let (face, class, name, more) = match stage {
        Stage::Empty => return ().into_any(),
        Stage::Chosen(name) => (FILE_TEXT, "upload-file", name, ().into_any()),
        Stage::Sending(name, hundredths) => (FILE_TEXT, "upload-file", name, progress(hundredths)),
        Stage::Sent(name) => (CIRCLE_CHECK, "upload-file is-success", name, ().into_any()),
        Stage::Refused(name, why) => (
            CIRCLE_X,
            "upload-file is-error",
            name,
            view! { <span class="upload-why" role="alert">{why}</span> }.into_any(),
        ),
    };
    view! { <div class=class data-test="upload-file">{icon(face)}<span class="upload-name">{name}</span>{more}</div> }
        .into_any()
}

/// How much of something is done.
pub fn progress(hundredths: u8) -> AnyView {
    view! {
        <div class="el-progress el-progress--line" role="progressbar" aria-label=tr("进度", "Progress") aria-valuemin="0" aria-valuemax="100"
            aria-valuenow=hundredths.to_string()>
            <div class="el-progress-bar"><div class="el-progress-bar__outer">
                <div class="el-progress-bar__inner" style:width=format!("{hundredths}%")></div>
            </div></div>
            <div class="el-progress__text"><span class="num">{format!("{hundredths}%")}</span></div>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_is_taken() {
        let why = |name: &str, bytes: f64| refused(name, bytes, &[".xlsx", ".csv"], 2048, Lang::En);
        assert_eq!(why("A.XLSX", 2_097_152.0), None);
        assert_eq!(why("a.xls", 10.0).as_deref(), Some("Only .xlsx .csv files"));
        assert_eq!(why("a.csv", 2_097_153.0).as_deref(), Some("At most 2 MB"));
        assert_eq!(why("a.csv", 0.0).as_deref(), Some("The file is empty"));
        assert_eq!(refused("anything", 1.0, &[], 1, Lang::Zh), None);
    }
}
