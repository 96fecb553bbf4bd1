//! What goes over the wire between us and the sandbox channel.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared::fixed::Fen;
use utoipa::ToSchema;

/// `POST /v1/payments`: asks for a payment. The same number again gives the same payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPayment {
    /// Our number.
    pub payment_no: String,
    /// How much.
    pub amount_fen: Fen,
    /// What the payer reads.
    pub subject: String,
    /// Where to tell what became of it.
    pub notify_url: String,
    /// After this nobody can pay it any more.
    pub expires_at: DateTime<Utc>,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// The payer has not decided.
    Paying,
    /// The money is there.
    Paid,
    /// Nobody can pay it any more.
    Closed,
}

/// A payment as the channel sees it: the answer to creating, asking (`GET /v1/payments/{payment_no}`) and closing
/// (`POST /v1/payments/{payment_no}/close`). One that is paid cannot be closed and says so in its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Our number.
    pub payment_no: String,
    /// The channel's number.
    pub channel_no: String,
    /// How much.
    pub amount_fen: Fen,
    /// Where it stands.
    pub state: PaymentState,
    /// Where the payer pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_url: Option<String>,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<DateTime<Utc>>,
}

/// `POST /v1/refunds`: sends money back. The same number again is the same refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRefund {
    /// Our number.
    pub refund_no: String,
    /// The payment whose money it is.
    pub payment_no: String,
    /// How much of it.
    pub amount_fen: Fen,
    /// What the payer reads.
    pub reason: String,
    /// Where to tell what became of it.
    pub notify_url: String,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// It is being carried out.
    Processing,
    /// The payer has the money.
    Succeeded,
    /// It cannot be carried out; the money stayed.
    Failed,
    /// It was given up; the money stayed.
    Closed,
}

/// A refund as the channel sees it: the answer to creating and asking (`GET /v1/refunds/{refund_no}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Our number.
    pub refund_no: String,
    /// The channel's number.
    pub channel_refund_no: String,
    /// How much.
    pub amount_fen: Fen,
    /// Where it stands.
    pub state: RefundState,
}

/// A refusal: any status of 400 and more, with 404 `not_found` for numbers that the channel has never heard of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For programs.
    pub code: String,
    /// For people.
    #[serde(default)]
    pub message: String,
}

/// What the channel tells by itself. It is told again until it is answered with 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Notice {
    /// What became of a payment.
    Payment {
        /// Names this notice, however often it is told.
        id: String,
        /// Our number.
        payment_no: String,
        /// The channel's number.
        channel_no: String,
        /// How much.
        amount_fen: Fen,
        /// Where it stands.
        state: PaymentState,
        /// Since when.
        at: DateTime<Utc>,
    },
    /// What became of a refund.
    Refund {
        /// Names this notice, however often it is told.
        id: String,
        /// Our number.
        refund_no: String,
        /// The channel's number of the refund.
        channel_no: String,
        /// How much.
        amount_fen: Fen,
        /// Where it stands.
        state: RefundState,
        /// Since when.
        at: DateTime<Utc>,
    },
}

/// What we answer a notice with once it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stored {
    /// Always `ok`.
    #[schema(example = "ok")]
    pub code: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn notices_read_as_agreed() {
        let notice: Notice = serde_json::from_value(json!({
            "event": "payment", "id": "N1", "payment_no": "P1", "channel_no": "S1", "amount_fen": 5000,
            "state": "paid", "at": "2026-11-22T01:30:05Z",
        }))
        .unwrap();
        assert!(matches!(notice, Notice::Payment { state: PaymentState::Paid, amount_fen: Fen(5000), .. }));
        let notice: Notice = serde_json::from_value(json!({
            "event": "refund", "id": "N2", "refund_no": "R1", "channel_no": "S2", "amount_fen": 1655,
            "state": "succeeded", "at": "2026-11-22T01:30:05Z",
        }))
        .unwrap();
        assert!(matches!(notice, Notice::Refund { state: RefundState::Succeeded, .. }));
    }
}
