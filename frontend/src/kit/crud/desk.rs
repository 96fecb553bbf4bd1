//! What is being done to the rows of a resource, wherever they are shown: which dialog is open, and what was changed.

use leptos::prelude::*;
use shared::describe::Action;
use shared::resource::{FormMap, Verb};
use uuid::Uuid;

use super::edit::{deed_dialog, form_dialog};
use super::source::Source;
use crate::run::live;
use crate::session;

/// What the parts of a page that do something to rows have in common.
#[derive(Clone, Copy)]
pub struct Desk {
    /// Of which resource.
    pub source: Source,
    /// The form that is open.
    pub editing: RwSignal<Option<Editing>>,
    /// The action whose form is open, and on which row.
    pub asked: RwSignal<Option<Asked>>,
    /// Fires when something was changed from here.
    pub changed: Trigger,
    /// The address of the list as it stands.
    pub list: Memo<String>,
}

/// An open form.
#[derive(Clone)]
pub struct Editing {
    /// Of which resource.
    pub source: Source,
    /// The row that is changed, and what people call it; none for a new one.
    pub row: Option<(Uuid, String)>,
    /// What is filled in already.
    pub draft: FormMap,
}

/// The open form of an action.
#[derive(Clone)]
pub struct Asked {
    /// What is to be done.
    pub deed: &'static Action,
    /// To which row.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
}

impl Desk {
    /// A desk with nothing on it.
    pub fn new(source: Source, list: Memo<String>) -> Self {
        let (editing, asked) = (RwSignal::new(None), RwSignal::new(None));
        Self { source, editing, asked, changed: Trigger::new(), list }
    }

    /// Whether the person at the screen may do this here.
    pub fn may(self, verb: &str) -> bool {
        session::may(&format!("{}.{verb}", self.source.permission))
    }

    /// Whether this usual thing can be done here, and by this person.
    pub fn can(self, verb: Verb) -> bool {
        self.source.verbs.contains(&verb) && self.may(verb.as_str())
    }

    /// Opens the form of a new row.
    pub fn add(self) {
        self.editing.set(Some(Editing { source: self.source, row: None, draft: FormMap::new() }));
    }

    /// Opens the form of a row with what people call it.
    pub fn edit(self, id: Uuid, name: String) {
        self.editing.set(Some(Editing { source: self.source, row: Some((id, name)), draft: FormMap::new() }));
    }

    /// Whether a dialog is open; followed.
    pub fn busy(self) -> bool {
        self.editing.with(Option::is_some) || self.asked.with(Option::is_some)
    }

    /// The dialogs that are open.
    pub fn dialogs(self) -> AnyView {
        view! {
            {live(move || self.editing.get().map_or_else(|| ().into_any(), |it| form_dialog(self, it)))}
            {live(move || self.asked.get().map_or_else(|| ().into_any(), |it| deed_dialog(self, it)))}
        }
        .into_any()
    }
}
