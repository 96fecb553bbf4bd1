//! A form that is filled in and sent: read first where what it changes is there already, checked here as on the server,
//! and kind about conflicts.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::check::clean;
use shared::describe::{Field, Input};
use shared::resource::{FormMap, draft_of};
use uuid::Uuid;

use super::confirm::{Question, confirm};
use super::entry::{entries, wire};
use super::fetched::{Fetched, fetched, trouble, veil};
use super::form::{Errs, FormState, form_view, put};
use super::toast;
use crate::answer;
use crate::api::{Ask, Failure};
use crate::lang::{lang, tr};
use crate::run::{boxed, follow, live, submitted};

/// A form that is being filled in.
#[derive(Clone, Copy)]
pub struct Filling {
    fields: &'static [Field],
    form: FormState,
    errs: Errs,
    /// What was read of it before it is filled in.
    pub loaded: Fetched,
    ready: RwSignal<bool>,
    /// It is on its way, or what it begins with is: neither can be sent.
    pub busy: RwSignal<bool>,
    /// The key of this attempt: sending it again after a lost answer does nothing twice.
    key: Option<Uuid>,
    /// The version of what is changed; null where nothing is.
    version: RwSignal<Value>,
    new: bool,
    /// Something was typed.
    touched: RwSignal<bool>,
}

/// Where a form goes, and what is said when it has arrived.
#[derive(Clone)]
pub struct Sending {
    /// Below `/api/v1/`.
    pub path: String,
    /// What people are told.
    pub told: String,
    /// Given the answer.
    pub done: Callback<String>,
}

impl Filling {
    /// A form for something new, with what is filled in already. Switches are off until switched on. With a key, it is added
    /// once however often it is sent.
    pub fn of_new(fields: &'static [Field], mut draft: FormMap, key: Option<Uuid>) -> Self {
        for field in fields {
            let value = if field.input == Input::Switch { Value::Bool(false) } else { Value::Null };
            draft.entry(field.name).or_insert(value);
        }
        Self { key, ..Self::begin(fields, None, draft) }
    }

    /// A form that changes what is at an address below `/api/v1/`.
    pub fn of(fields: &'static [Field], address: String) -> Self {
        let it = Self::begin(fields, Some(address), FormMap::new());
        it.read(|it, row| it.version.set(row.get("version").cloned().unwrap_or_default()));
        it
    }

    /// A form of something to be done to the row at an address; it begins with what the row has, and its selects offer
    /// what fits to the row. With a key, it is done once however often it is sent.
    pub fn about(fields: &'static [Field], address: String, key: Option<Uuid>) -> Self {
        let it = Self { key, ..Self::begin(fields, Some(address), FormMap::new()) };
        it.read(|it, row| {
            let own = |name: &str| it.fields.iter().any(|it| it.name == name);
            for name in it.fields.iter().flat_map(|it| it.parents().chain(it.most)).filter(|it| !own(it)) {
                // What a row does not name is the row itself: `role_id` of a role.
                put(it.form, name, row.get(name).or(row.get("id")).cloned().unwrap_or_default());
            }
        });
        it
    }

    fn begin(fields: &'static [Field], address: Option<String>, form: FormMap) -> Self {
        let new = address.is_none();
        Self {
            fields,
            form: RwSignal::new(form),
            errs: RwSignal::new(Vec::new()),
            loaded: fetched(move || address.clone()),
            ready: RwSignal::new(new),
            busy: RwSignal::new(!new),
            key: None,
            version: RwSignal::new(Value::Null),
            new,
            touched: RwSignal::new(false),
        }
    }

    /// Fills in what is read, whenever it is.
    fn read(self, more: fn(Self, &Value)) {
        follow(move || {
            if let Some(Ok(row)) = self.loaded.text.with(|it| it.as_deref().map(answer::parse)) {
                self.form.set(entries(self.fields, &draft_of(self.fields, &row)));
                more(self, &row);
                self.errs.set(Vec::new());
                self.ready.set(true);
                self.busy.set(false);
            }
        });
    }

    /// Draws it; Enter in an input saves.
    pub fn view(self, save: impl Fn() + 'static) -> AnyView {
        let body = move || {
            if self.ready.get() {
                form_view(self.fields, self.form, self.errs, self.new)
            } else if let Some(failure) = self.loaded.failure.get() {
                trouble(&failure, move || {
                    self.loaded.reload();
                })
            } else {
                view! { <div class="form-wait"></div> }.into_any()
            }
        };
        view! {
            <form class="el-loading-parent--relative" on:submit=submitted(save) on:input=boxed(move |_| self.touched.set(true))>
                {live(body)}
                {veil(self.loaded.busy)}
                // Without a submit button of its own, Enter in an input would not send the form.
                <input type="submit" hidden=true/>
            </form>
        }
        .into_any()
    }

    /// Closes what it is in, after asking where something was typed: Escape is pressed by mistake.
    pub fn leave(self, close: Callback<()>) {
        if !self.touched.get_untracked() {
            return close.run(());
        }
        spawn_local(async move {
            let lines = vec![tr("已填写的内容不会保存。", "What you typed is not saved.").to_owned()];
            let (title, yes) = (tr("放弃填写", "Discard the form"), tr("放弃", "Discard"));
            if confirm(Question { title: title.to_owned(), lines, yes: yes.to_owned(), danger: true }).await {
                close.run(());
            }
        });
    }

    /// Sends it, if all is well with it.
    pub fn send(self, to: Sending) {
        if self.busy.get_untracked() {
            return;
        }
        let checked =
            wire(self.fields, &self.form.get_untracked(), lang()).and_then(|it| clean(self.fields, &it, lang()));
        let mut body = match checked {
            Ok(body) => body,
            Err(wrong) => return self.errs.set(wrong),
        };
        self.errs.set(Vec::new());
        self.busy.set(true);
        spawn_local(async move {
            let version = self.version.get_untracked();
            let ask = if version.is_null() { Ask::post } else { Ask::put };
            if !version.is_null() {
                body.insert("version".to_owned(), version);
            }
            let outcome = ask(&to.path, &Value::Object(body)).keyed(self.key).text().await;
            _ = self.busy.try_set(false);
            match outcome {
                Ok(answer) => {
                    toast::done(&to.told);
                    to.done.run(answer);
                }
                Err(failure) => self.refused(&failure).await,
            }
        });
    }

    /// Puts errors at their fields, and tells those that belong to none, such as that of a key; what somebody else has changed meanwhile can be read anew.
    async fn refused(self, failure: &Failure) {
        let here = failure.errors.iter().any(|it| self.fields.iter().any(|field| it.field.starts_with(field.name)));
        if failure.status == 422 && here {
            drop(self.errs.try_set(failure.errors.clone()));
        } else if failure.status == 409 && failure.code == "stale" {
            let lines = vec![
                tr("您打开表单以后，别人已修改了这条数据。", "Somebody else has changed this since you opened it.")
                    .to_owned(),
                tr(
                    "重新加载会显示最新的内容，您刚才填写的内容不会保留。",
                    "Loading it anew shows the newest content; what you typed is lost.",
                )
                .to_owned(),
            ];
            let yes = tr("重新加载", "Load anew").to_owned();
            let title = tr("数据已被修改", "Changed meanwhile").to_owned();
            if confirm(Question { title, lines, yes, danger: false }).await {
                self.loaded.reload();
            }
        } else {
            toast::failed(failure);
        }
    }
}
