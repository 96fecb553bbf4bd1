//! What the invoicing service tells by itself. Nothing signs it, so it proves nothing: it only says that it is time to ask.

use actix_web::web::{Bytes, Json};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use schema::invoices;
use serde::{Deserialize, Serialize};
use shared::invoice::InvoiceState;
use shared::text::t;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Carry;
use super::nuonuo::{CALLBACK, wire};
use crate::api::body::params;
use crate::api::op::Op;
use crate::crud::Guest;
use crate::error::{Error, Result};
use crate::jobs;

/// The largest notice that is taken.
const MAX_BYTES: usize = 64 << 10;
/// So many notices a minute are acted upon, whoever sends them; the rest is asked for when its time comes.
const A_MINUTE: u32 = 600;
/// The media type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// What a notice is answered with.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Heard {
    /// Always `0000`: it was heard.
    #[schema(example = "0000")]
    status: String,
    /// For people.
    #[schema(example = "同步成功")]
    message: String,
}

/// `POST /api/callbacks/nuonuo`.
async fn callback_of(guest: Guest, body: Bytes) -> Result<Json<Heard>> {
    let Guest { app, mut conn, tries, .. } = guest;
    if body.len() > MAX_BYTES {
        return Err(Error::TooLarge);
    }
    let text = std::str::from_utf8(&body).map_err(|err| Error::Unreadable(err.to_string()))?;
    let wire::Notice { operater: _, orderno, content: _ } = params(text)?;
    if tries.allow("invoice notices", A_MINUTE).is_ok() {
        let now = app.now();
        conn.transaction(async |conn| {
            let about = invoices::serial_no.eq(&orderno).or(invoices::void_no.eq(&orderno).assume_not_null());
            let open = invoices::table.filter(about);
            let open = open.filter(invoices::state.eq_any([InvoiceState::Submitted, InvoiceState::Voiding]));
            match open.select(invoices::id).first::<Uuid>(conn).await.optional()? {
                Some(invoice_id) => jobs::enqueue(conn, &Carry { invoice_id }, now).await,
                None => Ok(()),
            }
        })
        .await?;
    }
    Ok(Json(Heard { status: "0000".to_owned(), message: "同步成功".to_owned() }))
}

pub(super) fn operations() -> Vec<Op> {
    let callback = Op::post(CALLBACK, "nuonuoCallback", t("开票结果回调", "What the invoicing service tells"));
    vec![callback.tag("callbacks").public().body_of(FORM).returns::<Heard>().to(callback_of)]
}
