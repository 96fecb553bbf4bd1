//! Invoices: the tax within an amount, and the lines of an order.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PricingError, fen, half_up, not_negative, refund_parts};
use crate::codes::codes;
use crate::fixed::{Fen, TaxRate};

codes! {
    /// What a line of an invoice is for.
    pub enum InvoiceLineKind {
        Electricity = "electricity", Primary, "电费", "Energy fee";
        Service = "service", Info, "服务费", "Service fee";
    }
}

/// An amount and the tax within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaxedAmount {
    /// The amount with tax.
    pub gross_fen: Fen,
    /// The amount without tax.
    pub net_fen: Fen,
    /// The tax.
    pub tax_fen: Fen,
}

/// Splits an amount that includes tax.
///
/// # Errors
/// The amount is negative.
pub fn split_tax(gross: Fen, rate: TaxRate) -> Result<TaxedAmount, PricingError> {
    const ONE: i128 = 10_000;
    not_negative([gross])?;
    let net_fen = fen(half_up(i128::from(gross.0) * ONE, ONE + i128::from(rate.units())))?;
    Ok(TaxedAmount { gross_fen: gross, net_fen, tax_fen: gross.minus(net_fen)? })
}

/// One line of an order's invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceLine {
    /// What it is for.
    pub line: InvoiceLineKind,
    /// The tax rate.
    pub rate: TaxRate,
    /// The amount and its tax.
    #[serde(flatten)]
    pub amount: TaxedAmount,
}

/// The lines of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow), diesel(sql_type = diesel::sql_types::Jsonb))]
#[serde(transparent)]
pub struct InvoiceLines(pub Vec<InvoiceLine>);

/// What is to be invoiced of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderInvoice {
    /// One line for each fee of which something is left.
    pub lines: Vec<InvoiceLine>,
    /// The sum with tax.
    pub gross_fen: Fen,
    /// The tax within it.
    pub tax_fen: Fen,
}

/// The lines of an order's invoice, its fees less what was refunded.
///
/// # Errors
/// An amount is negative, or more was refunded than the fees.
pub fn invoice_order(
    elec: Fen,
    service: Fen,
    refunded: Fen,
    elec_rate: TaxRate,
    service_rate: TaxRate,
) -> Result<OrderInvoice, PricingError> {
    let net = refund_parts(elec, service, refunded)?;
    let mut lines = Vec::new();
    for (line, gross, rate) in [
        (InvoiceLineKind::Electricity, net.net_elec_fen, elec_rate),
        (InvoiceLineKind::Service, net.net_service_fen, service_rate),
    ] {
        if gross > Fen::ZERO {
            lines.push(InvoiceLine { line, rate, amount: split_tax(gross, rate)? });
        }
    }
    let gross_fen = Fen::sum(lines.iter().map(|it| it.amount.gross_fen))?;
    let tax_fen = Fen::sum(lines.iter().map(|it| it.amount.tax_fen))?;
    Ok(OrderInvoice { lines, gross_fen, tax_fen })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_fen_of_net_rounds_up() {
        let one = TaxRate::from_units(10_000).unwrap();
        let split = split_tax(Fen(5), one).unwrap();
        assert_eq!((split.net_fen, split.tax_fen), (Fen(3), Fen(2)));
        assert_eq!(split_tax(Fen(5), TaxRate::ZERO).unwrap().tax_fen, Fen(0));
    }

    #[test]
    fn impossible_amounts_are_refused() {
        assert_eq!(split_tax(Fen(-1), TaxRate::ZERO), Err(PricingError::Negative));
        let refused = invoice_order(Fen(5), Fen(5), Fen(11), TaxRate::ZERO, TaxRate::ZERO);
        assert_eq!(refused, Err(PricingError::RefundTooLarge));
    }

    #[test]
    fn a_fully_refunded_order_has_no_lines() {
        let invoice = invoice_order(Fen(5), Fen(6), Fen(11), TaxRate::ZERO, TaxRate::ZERO).unwrap();
        assert_eq!(invoice, OrderInvoice { lines: vec![], gross_fen: Fen(0), tax_fen: Fen(0) });
    }
}
