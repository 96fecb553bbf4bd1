//! Invoices as staff looks through them, issues them again and voids them (3.4.5).

use actix_web::HttpResponse;
use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, invoice_files, invoice_orders, invoices, stations};
use shared::fixed::Fen;
use shared::invoice::{
    Buyer, InvoiceDetail, InvoiceFilter, InvoiceKind, InvoiceRow, InvoiceState, InvoicedOrder, Invoices, Seller,
    VoidForm,
};
use shared::page::{Page, PageQuery};
use shared::payment::OrderKind;
use shared::pricing::{InvoiceLines, OrderInvoice};
use shared::resource::FormMap;
use shared::text::t;
use shared::time::midnight;
use uuid::Uuid;

use super::{Carry, apply, file, request};
use crate::api::body::Body;
use crate::api::op::Op;
use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::audit::{Deed, record};
use crate::crud::{Browse, Ctx, json, ops, page, routes};
use crate::error::{Error, Result};
use crate::jobs;

#[derive(HasQuery)]
#[diesel(table_name = invoices, check_for_backend(Pg), base_query = at_stations())]
struct Listed {
    id: Uuid,
    invoice_no: String,
    state: InvoiceState,
    kind: InvoiceKind,
    order_kind: OrderKind,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    #[diesel(select_expression = stations::name)]
    station_name: String,
    buyer: Buyer,
    title: String,
    tax_id: Option<String>,
    email: String,
    phone: String,
    gross_fen: Fen,
    tax_fen: Fen,
    number: Option<String>,
    code: Option<String>,
    serial_no: String,
    service_no: Option<String>,
    seller: Seller,
    requested_by: String,
    failure: Option<String>,
    void_reason: Option<String>,
    #[diesel(select_expression = exists(invoice_files::table.filter(invoice_files::invoice_id.eq(invoices::id))))]
    file: bool,
    version: i64,
    created_at: DateTime<Utc>,
    issued_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<Listed> for InvoiceRow {
    fn from(it: Listed) -> Self {
        Self {
            id: it.id,
            invoice_no: it.invoice_no,
            state: it.state,
            kind: it.kind,
            order_kind: it.order_kind,
            provider_id: it.provider_id,
            property_id: it.property_id,
            station_id: it.station_id,
            station_name: it.station_name,
            buyer: it.buyer,
            title: it.title,
            tax_id: it.tax_id,
            email: it.email,
            phone: it.phone,
            gross_fen: it.gross_fen,
            tax_fen: it.tax_fen,
            number: it.number,
            code: it.code,
            serial_no: it.serial_no,
            service_no: it.service_no,
            merchant_no: it.seller.merchant_no,
            requested_by: it.requested_by,
            failure: it.failure,
            void_reason: it.void_reason,
            file: it.file,
            version: it.version,
            created_at: it.created_at,
            issued_at: it.issued_at,
            finished_at: it.finished_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn at_stations() -> _ {
    invoices::table.inner_join(stations::table)
}

/// The invoices that the caller may see. Every read starts here.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, at_stations, Pg> {
    let query = at_stations().into_boxed();
    scope.narrow(query, invoices::provider_id, invoices::property_id, invoices::station_id)
}

fn found(scope: &Scope, filter: &InvoiceFilter) -> diesel::dsl::IntoBoxed<'static, at_stations, Pg> {
    let InvoiceFilter {
        station_id,
        kind,
        state,
        invoice_no,
        number,
        title,
        tax_id,
        requested_by,
        created_from,
        created_to,
        finished_from,
        finished_to,
    } = filter;
    let mut query = visible(scope);
    if let Some(id) = station_id {
        query = query.filter(invoices::station_id.eq(*id));
    }
    if let Some(kind) = kind {
        query = query.filter(invoices::kind.eq(*kind));
    }
    if let Some(state) = state {
        query = query.filter(invoices::state.eq(*state));
    }
    if let Some(no) = invoice_no {
        query = query.filter(invoices::invoice_no.eq(no.to_uppercase()));
    }
    if let Some(number) = number {
        query = query.filter(invoices::number.eq(number.clone()));
    }
    if let Some(title) = title {
        query = query.filter(invoices::title.ilike(page::containing(title)));
    }
    if let Some(tax_id) = tax_id {
        query = query.filter(invoices::tax_id.eq(tax_id.to_uppercase()));
    }
    if let Some(by) = requested_by {
        let part = page::containing(by);
        query = query.filter(invoices::requested_by.ilike(part.clone()).or(invoices::phone.ilike(part)));
    }
    if let Some(day) = finished_from {
        query = query.filter(invoices::finished_at.ge(midnight(*day)));
    }
    if let Some(day) = finished_to {
        query = query.filter(invoices::finished_at.lt(page::after(*day)));
    }
    let (from, to) = page::made_on(*created_from, *created_to);
    query.filter(invoices::id.ge(from)).filter(invoices::id.lt(to))
}

impl Browse for Invoices {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &InvoiceFilter,
        page: &PageQuery,
    ) -> Result<Page<InvoiceRow>> {
        let order = page::by(invoices::id, page.order().1);
        let rows = beyond!(found(scope, filter), invoices::id, page).order(order).select(Listed::as_select());
        page::load::<Listed, _, _, _>(conn, page, rows, found(scope, filter).select(invoices::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<InvoiceDetail> {
        let invoice: Listed =
            visible(scope).filter(invoices::id.eq(id)).select(Listed::as_select()).first(conn).await?;
        let said = invoices::table.find(id).select((invoices::seller, invoices::lines));
        let (seller, lines): (Seller, InvoiceLines) = said.first(conn).await?;
        let orders = invoice_orders::table.inner_join(car_orders::table).filter(invoice_orders::invoice_id.eq(id));
        let orders =
            orders.order(car_orders::id).select((car_orders::id, car_orders::order_no, invoice_orders::gross_fen));
        let orders: Vec<(Uuid, String, Fen)> = orders.load(conn).await?;
        let order = |(order_id, order_no, gross_fen)| InvoicedOrder { order_id, order_no, gross_fen };
        Ok(InvoiceDetail {
            invoice: invoice.into(),
            seller,
            lines: lines.0,
            orders: orders.into_iter().map(order).collect(),
        })
    }
}

/// The invoices of an order, the newest first.
///
/// # Errors
/// The database's.
pub async fn of_order(conn: &mut AsyncPgConnection, order: Uuid) -> Result<Vec<InvoiceRow>> {
    let about = invoice_orders::table.filter(invoice_orders::order_id.eq(order)).select(invoice_orders::invoice_id);
    let rows = at_stations().filter(invoices::id.eq_any(about)).order(invoices::id.desc()).select(Listed::as_select());
    let rows: Vec<Listed> = rows.load(conn).await?;
    Ok(rows.into_iter().map(InvoiceRow::from).collect())
}

/// `POST /orders/invoices/{id}/reissue`: what failed is sent again under a new number, in the station's name as it is now.
async fn reissue(ctx: Ctx, id: Path<Uuid>) -> Result<Json<InvoiceDetail>> {
    let app = ctx.app.clone();
    let id = *id;
    routes::act::<Invoices, _>(ctx, id, "reissue", move |conn, _, _| {
        Box::pin(async move {
            request::require_service(&app.config)?;
            send_again(conn, id, app.now()).await
        })
    })
    .await
}

async fn send_again(conn: &mut AsyncPgConnection, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let orders = invoice_orders::table.filter(invoice_orders::invoice_id.eq(id)).select(invoice_orders::order_id);
    let orders: Vec<Uuid> = orders.load(conn).await?;
    let (station, _, parts) = request::lock_kept(conn, &orders).await?;
    let invoice = apply::lock(conn, id).await?;
    if invoice.state != InvoiceState::Failed {
        let text = t("只有开票失败的发票可以重开", "Only an invoice that failed can be issued again");
        return Err(Error::Conflict("invoice_state", text));
    }
    let seller = request::seller_of(conn, station.station_id).await?;
    let OrderInvoice { lines, gross_fen, tax_fen } = request::priced(&parts, &seller)?;
    let set = (
        invoices::seller.eq(seller),
        invoices::lines.eq(InvoiceLines(lines)),
        invoices::gross_fen.eq(gross_fen),
        invoices::tax_fen.eq(tax_fen),
        // What failed has used its number up.
        invoices::serial_no.eq(invoices::invoice_no.concat(format!("A{}", invoice.version + 1))),
        invoices::service_no.eq(None::<String>),
        invoices::failure.eq(None::<String>),
        invoices::sent_at.eq(None::<DateTime<Utc>>),
        invoices::not_found_at.eq(None::<DateTime<Utc>>),
        invoices::finished_at.eq(None::<DateTime<Utc>>),
    );
    diesel::update(invoices::table.find(id)).set(set).execute(conn).await?;
    diesel::delete(invoice_orders::table.filter(invoice_orders::invoice_id.eq(id))).execute(conn).await?;
    request::write_orders(conn, id, &parts).await?;
    apply::become_state(conn, &invoice, InvoiceState::Submitted).await?;
    jobs::enqueue(conn, &Carry { invoice_id: id }, now).await?;
    invoice.tell(conn).await
}

/// `POST /orders/invoices/{id}/void`: asks for the red invoice that undoes it.
async fn void_it(ctx: Ctx, id: Path<Uuid>, Body(form): Body<FormMap>) -> Result<Json<InvoiceDetail>> {
    let VoidForm { reason } = shared::check::read(VoidForm::FIELDS, &form, ctx.lang).map_err(Error::Invalid)?;
    let app = ctx.app.clone();
    let id = *id;
    routes::act::<Invoices, _>(ctx, id, "void", move |conn, _, _| {
        Box::pin(async move {
            request::require_service(&app.config)?;
            ask_to_void(conn, id, reason, app.now()).await
        })
    })
    .await
}

async fn ask_to_void(conn: &mut AsyncPgConnection, id: Uuid, reason: String, now: DateTime<Utc>) -> Result<()> {
    let invoice = apply::lock(conn, id).await?;
    if invoice.state != InvoiceState::Issued {
        let text = t("只有开票成功的发票可以作废", "Only an issued invoice can be voided");
        return Err(Error::Conflict("invoice_state", text));
    }
    let set = (
        // A request that was refused has used its number up.
        invoices::void_no.eq(invoices::invoice_no.concat(format!("V{}", invoice.version + 1)).nullable()),
        invoices::void_reason.eq(reason),
        invoices::failure.eq(None::<String>),
        invoices::sent_at.eq(None::<DateTime<Utc>>),
        invoices::not_found_at.eq(None::<DateTime<Utc>>),
        invoices::finished_at.eq(None::<DateTime<Utc>>),
    );
    diesel::update(invoices::table.find(id)).set(set).execute(conn).await?;
    apply::become_state(conn, &invoice, InvoiceState::Voiding).await?;
    jobs::enqueue(conn, &Carry { invoice_id: id }, now).await?;
    invoice.tell(conn).await
}

/// `GET /orders/invoices/{id}/download`: who took the file is written down.
async fn download(ctx: Ctx, id: Path<Uuid>) -> Result<HttpResponse> {
    let actor = ctx.actor();
    let mut conn = ctx.conn;
    let (invoice_no, pdf) = conn
        .transaction(async |conn| {
            let found = Invoices::find(conn, &actor.caller.scope, *id).await?;
            let pdf = file::read(conn, *id).await?;
            record(conn, &actor, Deed::of::<Invoices>("download", *id, &json(&found)?), None, None).await?;
            Ok::<_, Error>((found.invoice.invoice_no, pdf))
        })
        .await?;
    Ok(file::answer(&invoice_no, pdf))
}

pub(super) fn operations() -> Vec<Op> {
    let download = ops::file::<Invoices>("download").returns_media(file::PDF).to(download);
    let reissue = ops::action::<Invoices>("reissue").returns::<InvoiceDetail>().to(reissue);
    let void = ops::action::<Invoices>("void").form::<VoidForm>(VoidForm::FIELDS);
    let void = void.returns::<InvoiceDetail>().to(void_it);
    [ops::browse::<Invoices>(), ops::history::<Invoices>(), vec![download, reissue, void]]
        .into_iter()
        .flatten()
        .collect()
}
