//! Invoices as drivers ask for them in the mini-program (5/8).

use actix_web::HttpResponse;
use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, invoice_files, invoice_orders, invoices, stations};
use shared::fixed::Fen;
use shared::invoice::{DriverInvoice, DriverInvoiceRequest, InvoiceKind, InvoiceState, InvoiceableOrder};
use shared::order::OrderState;
use shared::page::{NewestQuery, Page};
use shared::resource::FormMap;
use shared::text::t;
use uuid::Uuid;

use super::{DRIVER, file, request};
use crate::api::body::{Body, Params};
use crate::api::op::Op;
use crate::beyond;
use crate::crud::{DriverCtx, page};
use crate::error::{Error, Result};

#[derive(HasQuery)]
#[diesel(table_name = invoices, check_for_backend(Pg), base_query = at_stations())]
struct Mine {
    id: Uuid,
    invoice_no: String,
    state: InvoiceState,
    kind: InvoiceKind,
    #[diesel(select_expression = stations::name)]
    station_name: String,
    title: String,
    gross_fen: Fen,
    number: Option<String>,
    email: String,
    failure: Option<String>,
    #[diesel(select_expression = exists(invoice_files::table.filter(invoice_files::invoice_id.eq(invoices::id))))]
    file: bool,
    created_at: DateTime<Utc>,
    issued_at: Option<DateTime<Utc>>,
}

impl From<Mine> for DriverInvoice {
    fn from(it: Mine) -> Self {
        Self {
            id: it.id,
            invoice_no: it.invoice_no,
            state: it.state,
            kind: it.kind,
            station_name: it.station_name,
            title: it.title,
            gross_fen: it.gross_fen,
            number: it.number,
            email: it.email,
            // While it is under way staff looks after it; only an end concerns the driver.
            failure: it.failure.filter(|_| it.state == InvoiceState::Failed),
            file: it.file,
            created_at: it.created_at,
            issued_at: it.issued_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn at_stations() -> _ {
    invoices::table.inner_join(stations::table)
}

/// A driver's own invoices. Every read starts here.
fn own(driver_id: Uuid) -> diesel::dsl::IntoBoxed<'static, at_stations, Pg> {
    at_stations().into_boxed().filter(invoices::driver_id.eq(driver_id))
}

async fn find(conn: &mut AsyncPgConnection, driver_id: Uuid, id: Uuid) -> Result<DriverInvoice> {
    let one: Mine = own(driver_id).filter(invoices::id.eq(id)).select(Mine::as_select()).first(conn).await?;
    Ok(one.into())
}

/// `GET /invoices`.
async fn list(mut ctx: DriverCtx, Params(page): Params<NewestQuery>) -> Result<Json<Page<DriverInvoice>>> {
    let page = page::newest_first(page, ctx.lang)?;
    let rows = beyond!(own(ctx.driver_id), invoices::id, page).order(invoices::id.desc()).select(Mine::as_select());
    let counted = own(ctx.driver_id).select(invoices::id);
    Ok(Json(page::load::<Mine, _, _, _>(&mut ctx.conn, &page, rows, counted).await?))
}

/// `GET /invoices/{id}`.
async fn detail(mut ctx: DriverCtx, id: Path<Uuid>) -> Result<Json<DriverInvoice>> {
    Ok(Json(find(&mut ctx.conn, ctx.driver_id, *id).await?))
}

/// `GET /invoices/{id}/download`.
async fn download(mut ctx: DriverCtx, id: Path<Uuid>) -> Result<HttpResponse> {
    let found = find(&mut ctx.conn, ctx.driver_id, *id).await?;
    Ok(file::answer(&found.invoice_no, file::read(&mut ctx.conn, *id).await?))
}

/// `POST /invoices`.
async fn ask(ctx: DriverCtx, Body(form): Body<FormMap>) -> Result<HttpResponse> {
    let DriverCtx { app, driver_id, mut conn, lang, .. } = ctx;
    let form: DriverInvoiceRequest =
        shared::check::read(DriverInvoiceRequest::FIELDS, &form, lang).map_err(Error::Invalid)?;
    request::require_service(&app.config)?;
    let DriverInvoiceRequest { mut order_ids, buyer, kind, title, tax_id, email } = form;
    order_ids.sort_unstable();
    order_ids.dedup();
    let kind = kind.unwrap_or(InvoiceKind::Ordinary);
    let wish = request::Wish { kind, buyer, title, tax_id, email, by: DRIVER.to_owned() };
    let now = app.now();
    let invoice = conn
        .once(async |conn| {
            let own = car_orders::table.filter(car_orders::id.eq_any(&order_ids));
            let own: i64 = own.filter(car_orders::driver_id.eq(driver_id)).count().get_result(conn).await?;
            if usize::try_from(own).ok() != Some(order_ids.len()) {
                return Err(Error::field("order_ids", "unknown", t("没有这个订单", "There is no such order")));
            }
            let id = request::make(conn, &order_ids, wish, now).await?;
            find(conn, driver_id, id).await
        })
        .await?;
    Ok(HttpResponse::Created().json(invoice))
}

#[derive(HasQuery)]
#[diesel(table_name = car_orders, check_for_backend(Pg), base_query = charged_at())]
struct Charged {
    id: Uuid,
    order_no: String,
    station_id: Uuid,
    #[diesel(select_expression = stations::name)]
    station_name: String,
    charged_fen: Fen,
    ended_at: Option<DateTime<Utc>>,
}

impl From<Charged> for InvoiceableOrder {
    fn from(it: Charged) -> Self {
        let Charged { id, order_no, station_id, station_name, charged_fen, ended_at } = it;
        Self { id, order_no, station_id, station_name, gross_fen: charged_fen, ended_at }
    }
}

#[diesel::dsl::auto_type]
fn charged_at() -> _ {
    car_orders::table.inner_join(stations::table)
}

/// One's own orders that cost something, at stations that can invoice, and are in no invoice that counts.
fn invoiceable(driver_id: Uuid) -> diesel::dsl::IntoBoxed<'static, charged_at, Pg> {
    let live = invoice_orders::table.filter(invoice_orders::order_id.eq(car_orders::id)).filter(invoice_orders::live);
    charged_at()
        .into_boxed()
        .filter(car_orders::driver_id.eq(driver_id))
        .filter(car_orders::state.eq(OrderState::Completed))
        .filter(car_orders::charged_fen.gt(0))
        .filter(stations::seller.is_not_null())
        .filter(not(exists(live)))
}

/// `GET /invoices/orders`. What staff gave back is subtracted; an order of which nothing is left says 0.
async fn orders(mut ctx: DriverCtx, Params(page): Params<NewestQuery>) -> Result<Json<Page<InvoiceableOrder>>> {
    let page = page::newest_first(page, ctx.lang)?;
    let found = || invoiceable(ctx.driver_id);
    let rows = beyond!(found(), car_orders::id, page).order(car_orders::id.desc()).select(Charged::as_select());
    let counted = found().select(car_orders::id);
    let mut page: Page<InvoiceableOrder> = page::load::<Charged, _, _, _>(&mut ctx.conn, &page, rows, counted).await?;
    let ids: Vec<Uuid> = page.items.iter().map(|it| it.id).collect();
    let given = request::given_back(&mut ctx.conn, &ids).await?;
    for order in &mut page.items {
        let given = given.get(&order.id).copied().unwrap_or_default();
        order.gross_fen = order.gross_fen.minus(given.amount).map_err(anyhow::Error::from)?;
    }
    Ok(Json(page))
}

pub(super) fn operations() -> Vec<Op> {
    let ops = [
        Op::get(
            "/api/app/v1/invoices/orders",
            "listMyInvoiceableOrders",
            t("待开票订单", "One's own orders that can be invoiced, the newest first"),
        )
        .query::<NewestQuery>()
        .returns_page::<InvoiceableOrder>()
        .driver()
        .to(orders),
        Op::post(
            "/api/app/v1/invoices",
            "requestMyInvoice",
            t("申请发票", "Ask for an invoice over some of one's orders"),
        )
        .keyed()
        .form::<DriverInvoiceRequest>(DriverInvoiceRequest::FIELDS)
        .returns_with::<DriverInvoice>(201)
        .driver()
        .to(ask),
        Op::get("/api/app/v1/invoices", "listMyInvoices", t("我的发票", "One's own invoices, the newest first"))
            .query::<NewestQuery>()
            .returns_page::<DriverInvoice>()
            .driver()
            .to(list),
        Op::get("/api/app/v1/invoices/{id}", "getMyInvoice", t("发票详情", "One of one's own invoices"))
            .returns::<DriverInvoice>()
            .driver()
            .to(detail),
        Op::get("/api/app/v1/invoices/{id}/download", "downloadMyInvoice", t("下载发票", "The file of an invoice"))
            .returns_media(file::PDF)
            .driver()
            .to(download),
    ];
    ops.into_iter().map(|op| op.tag("app/invoices")).collect()
}
