//! Asks for an invoice over completed orders: what of their fees was kept, less what was given back.

use std::collections::HashMap;

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, invoice_orders, invoices, refunds, stations};
use shared::car_order::{CarOrderDetail, CarOrders};
use shared::fixed::Fen;
use shared::invoice::{Buyer, InvoiceKind, InvoiceRequest, InvoiceState, Seller};
use shared::order::OrderState;
use shared::payment::{OrderKind, RefundKind, RefundState};
use shared::pricing::{InvoiceLines, OrderInvoice, invoice_order, refund_parts};
use shared::resource::FormMap;
use shared::text::{Text, t};
use uuid::Uuid;

use super::{Carry, Invoice};
use crate::api::body::Body;
use crate::app::new_id;
use crate::auth::scope::Owner;
use crate::config::Config;
use crate::crud::{Ctx, routes};
use crate::error::{Error, Result};
use crate::jobs;

/// What a buyer wants.
pub(super) struct Wish {
    /// What it is good for.
    pub kind: InvoiceKind,
    /// Whom it is for.
    pub buyer: Buyer,
    /// The name on it.
    pub title: String,
    /// The buyer's taxpayer number.
    pub tax_id: Option<String>,
    /// Where it is sent.
    pub email: String,
    /// Who asks.
    pub by: String,
}

/// `POST /orders/car/{id}/invoice`: staff has one order invoiced (3.4.1/3).
///
/// # Errors
/// 404 when it is not in scope, 409 when it cannot be invoiced.
pub async fn for_order(ctx: Ctx, id: Path<Uuid>, Body(form): Body<FormMap>) -> Result<Json<CarOrderDetail>> {
    let InvoiceRequest { kind, title, tax_id, email } =
        shared::check::read(InvoiceRequest::FIELDS, &form, ctx.lang).map_err(Error::Invalid)?;
    let app = ctx.app.clone();
    let id = *id;
    routes::act::<CarOrders, _>(ctx, id, "invoice", move |conn, actor, _| {
        let wish = Wish {
            kind: kind.unwrap_or(InvoiceKind::Ordinary),
            buyer: Buyer::Company,
            title,
            tax_id: Some(tax_id),
            email,
            by: actor.caller.name.clone(),
        };
        Box::pin(async move {
            require_service(&app.config)?;
            make(conn, &[id], wish, app.now()).await.map(drop)
        })
    })
    .await
}

/// Refuses while no invoicing service is set up.
pub(super) fn require_service(config: &Config) -> Result<()> {
    if config.invoice.nuonuo.url.is_empty() {
        return refuse("invoicing_unavailable", t("平台尚未开通电子发票", "Invoices are not possible here yet"));
    }
    Ok(())
}

fn refuse<T>(code: &'static str, text: Text) -> Result<T> {
    Err(Error::Conflict(code, text))
}

/// Makes an invoice over these orders of one driver and one station, and has it sent. Gives its id.
///
/// # Errors
/// 409 when one of them cannot be invoiced.
pub(super) async fn make(
    conn: &mut AsyncPgConnection,
    orders: &[Uuid],
    wish: Wish,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    let (owner, Driver { id: driver, phone }, parts) = lock_kept(conn, orders).await?;
    let seller = seller_of(conn, owner.station_id).await?;
    let OrderInvoice { lines, gross_fen, tax_fen } = priced(&parts, &seller)?;
    let id = new_id(now);
    let Wish { kind, buyer, title, tax_id, email, by } = wish;
    let said = (
        invoices::seller.eq(seller),
        invoices::lines.eq(InvoiceLines(lines)),
        invoices::gross_fen.eq(gross_fen),
        invoices::tax_fen.eq(tax_fen),
        // Until it has its own number, which the database gives it.
        invoices::serial_no.eq(id.to_string()),
    );
    let values = (
        invoices::id.eq(id),
        invoices::provider_id.eq(owner.provider_id),
        invoices::property_id.eq(owner.property_id),
        invoices::station_id.eq(owner.station_id),
        invoices::order_kind.eq(OrderKind::Car),
        invoices::driver_id.eq(driver),
        invoices::state.eq(InvoiceState::Submitted),
        invoices::kind.eq(kind),
        invoices::buyer.eq(buyer),
        invoices::title.eq(title),
        invoices::tax_id.eq(tax_id),
        invoices::email.eq(email),
        invoices::phone.eq(phone),
        invoices::requested_by.eq(by),
        invoices::created_at.eq(now),
        said,
    );
    diesel::insert_into(invoices::table).values(values).execute(conn).await?;
    let one = invoices::table.find(id);
    let serial_no = invoices::serial_no.eq(invoices::invoice_no.concat("A1"));
    let made: Invoice = diesel::update(one).set(serial_no).returning(Invoice::as_returning()).get_result(conn).await?;
    write_orders(conn, id, &parts).await?;
    jobs::enqueue(conn, &Carry { invoice_id: id }, now).await?;
    made.tell(conn).await?;
    Ok(id)
}

/// What of an order's fees was kept.
pub(super) struct Kept {
    order: Uuid,
    elec: Fen,
    service: Fen,
}

/// Writes down what an invoice is about.
pub(super) async fn write_orders(conn: &mut AsyncPgConnection, id: Uuid, parts: &[Kept]) -> Result<()> {
    let row = |it: &Kept| {
        Ok((
            invoice_orders::invoice_id.eq(id),
            invoice_orders::order_id.eq(it.order),
            invoice_orders::gross_fen.eq(it.elec.plus(it.service).map_err(anyhow::Error::from)?),
        ))
    };
    let rows: Vec<_> = parts.iter().map(row).collect::<Result<_>>()?;
    diesel::insert_into(invoice_orders::table).values(rows).execute(conn).await?;
    Ok(())
}

/// The lines of an invoice over all of these.
pub(super) fn priced(parts: &[Kept], seller: &Seller) -> Result<OrderInvoice> {
    let elec = Fen::sum(parts.iter().map(|it| it.elec)).map_err(anyhow::Error::from)?;
    let service = Fen::sum(parts.iter().map(|it| it.service)).map_err(anyhow::Error::from)?;
    let (elec_rate, service_rate) = (seller.elec_rate.rate(), seller.service_rate.rate());
    Ok(invoice_order(elec, service, Fen::ZERO, elec_rate, service_rate).map_err(anyhow::Error::from)?)
}

/// In whose name a station sells.
pub(super) async fn seller_of(conn: &mut AsyncPgConnection, station: Uuid) -> Result<Seller> {
    let seller: Option<Seller> = stations::table.find(station).select(stations::seller).first(conn).await?;
    seller.ok_or(Error::Conflict(
        "seller_unset",
        t("电站未配置开票信息，无法开发票", "The station has no particulars for invoices yet"),
    ))
}

/// Who charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Driver {
    id: Uuid,
    phone: String,
}

/// An order that is to be invoiced.
#[derive(Queryable, Selectable)]
#[diesel(table_name = car_orders, check_for_backend(Pg))]
struct Order {
    id: Uuid,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    driver_id: Uuid,
    phone: String,
    state: OrderState,
    elec_fen: Fen,
    service_fen: Fen,
    charged_fen: Fen,
}

/// Locks orders of one driver at one station, so that none is invoiced twice, nor refunded meanwhile; gives whose they are
/// and what of each can be invoiced.
///
/// # Errors
/// 409 when one of them cannot be invoiced.
pub(super) async fn lock_kept(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> Result<(Owner, Driver, Vec<Kept>)> {
    let orders = car_orders::table.filter(car_orders::id.eq_any(ids)).order(car_orders::id);
    let orders: Vec<Order> = orders.select(Order::as_select()).for_no_key_update().load(conn).await?;
    let [first, ..] = orders.as_slice() else { return Err(Error::NotFound) };
    let Order { provider_id, property_id, station_id, driver_id, .. } = *first;
    if orders.iter().any(|it| (it.station_id, it.driver_id) != (station_id, driver_id)) {
        return Err(Error::field("order_ids", "choice", t("请选择同一电站的订单", "Orders of one station only")));
    }
    let driver = Driver { id: driver_id, phone: first.phone.clone() };
    let given = given_back(conn, ids).await?;
    let mut parts = Vec::with_capacity(orders.len());
    for order in &orders {
        let given = given.get(&order.id).copied().unwrap_or_default();
        parts.push(kept(conn, order, given).await?);
    }
    Ok((Owner { provider_id, property_id, station_id }, driver, parts))
}

async fn kept(conn: &mut AsyncPgConnection, it: &Order, given: Given) -> Result<Kept> {
    if it.state != OrderState::Completed {
        let text = t("只有已完成且有费用的订单可以开票", "Only a completed order that cost something can be invoiced");
        return refuse("not_invoiceable", text);
    }
    if is_live(conn, it.id).await? {
        return refuse("invoiced", t("订单已开票或正在开票", "The order is invoiced, or being invoiced"));
    }
    if given.on_its_way {
        return refuse("refunding", t("订单有退款正在处理，请稍后开票", "A refund of the order is on its way"));
    }
    // What the fee exceeded the prepayment by was written off; it is given up first as refunds are.
    let total = it.elec_fen.plus(it.service_fen).map_err(anyhow::Error::from)?;
    let less = total.minus(it.charged_fen).and_then(|it| it.plus(given.amount)).map_err(anyhow::Error::from)?;
    let kept = refund_parts(it.elec_fen, it.service_fen, less).map_err(anyhow::Error::from)?;
    if (kept.net_elec_fen, kept.net_service_fen) == (Fen::ZERO, Fen::ZERO) {
        let text = t("订单没有可开票的金额", "Nothing of the order is left to be invoiced");
        return refuse("nothing_to_invoice", text);
    }
    Ok(Kept { order: it.id, elec: kept.net_elec_fen, service: kept.net_service_fen })
}

/// What staff has given back of an order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Given {
    /// All of it, on its way or there.
    pub amount: Fen,
    /// Some of it is on its way.
    pub on_its_way: bool,
}

/// What staff has given back of these orders.
pub(super) async fn given_back(conn: &mut AsyncPgConnection, orders: &[Uuid]) -> Result<HashMap<Uuid, Given>> {
    let given = refunds::table.filter(refunds::order_id.eq_any(orders)).filter(refunds::kind.eq(RefundKind::Manual));
    let given: Vec<(Uuid, Fen, RefundState)> =
        given.select((refunds::order_id, refunds::amount_fen, refunds::state)).load(conn).await?;
    let mut sums: HashMap<Uuid, Given> = HashMap::new();
    for (order, amount, state) in given.into_iter().filter(|it| !it.2.is_given_up()) {
        let sum = sums.entry(order).or_default();
        sum.amount = sum.amount.plus(amount).map_err(anyhow::Error::from)?;
        sum.on_its_way |= state != RefundState::Succeeded;
    }
    Ok(sums)
}

/// Whether an order is in an invoice that counts.
///
/// # Errors
/// The database's.
pub async fn is_live(conn: &mut AsyncPgConnection, order: Uuid) -> Result<bool> {
    let live = invoice_orders::table.filter(invoice_orders::order_id.eq(order)).filter(invoice_orders::live);
    Ok(diesel::select(exists(live)).get_result(conn).await?)
}
