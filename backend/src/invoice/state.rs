//! What becomes of an invoice: pure, and tested as a table.

use chrono::{DateTime, Utc};
use shared::invoice::InvoiceState;

/// What the invoicing service made of an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The invoice's own number.
    pub number: String,
    /// Its code, where it has one.
    pub code: Option<String>,
    /// When it was issued.
    pub at: DateTime<Utc>,
}

/// What the service said for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is issued.
    Issued(Issued),
    /// It was not issued, and will not be: why.
    Failed(String),
    /// It is undone by a red one.
    Voided,
    /// It was not undone, and will not be: why.
    VoidRefused(String),
}

/// The state that a verdict leads to; `None` when it changes nothing: it was known, or it is about something else.
pub const fn next(state: InvoiceState, verdict: &Verdict) -> Option<InvoiceState> {
    match (state, verdict) {
        (InvoiceState::Submitted, Verdict::Issued(_)) | (InvoiceState::Voiding, Verdict::VoidRefused(_)) => {
            Some(InvoiceState::Issued)
        }
        (InvoiceState::Submitted, Verdict::Failed(_)) => Some(InvoiceState::Failed),
        (InvoiceState::Voiding, Verdict::Voided) => Some(InvoiceState::Voided),
        (
            InvoiceState::Submitted
            | InvoiceState::Issued
            | InvoiceState::Failed
            | InvoiceState::Voiding
            | InvoiceState::Voided,
            _,
        ) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_is_issued_once_and_voided_once() {
        use InvoiceState as Is;
        let issued = Issued { number: "1".to_owned(), code: None, at: DateTime::UNIX_EPOCH };
        let said = [
            Verdict::Issued(issued),
            Verdict::Failed(String::new()),
            Verdict::Voided,
            Verdict::VoidRefused(String::new()),
        ];
        let table = [
            (Is::Submitted, [Some(Is::Issued), Some(Is::Failed), None, None]),
            (Is::Issued, [None; 4]),
            (Is::Failed, [None; 4]),
            (Is::Voiding, [None, None, Some(Is::Voided), Some(Is::Issued)]),
            (Is::Voided, [None; 4]),
        ];
        for (state, wanted) in table {
            assert_eq!(said.each_ref().map(|it| next(state, it)), wanted, "{state}");
        }
    }
}
