//! In whose name a station sells: what an invoice says of the seller (发票配置).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check_tax_id;
use crate::codes::{Code, codes};
use crate::describe::{Field, Input};
use crate::fixed::TaxRate;
use crate::problem::FieldError;
use crate::resource::Form;
use crate::text::{Lang, Text, t};

codes! {
    /// The rates of value added tax that there are.
    pub enum VatRate {
        P13 = "0.13", Info, "13%", "13%";
        P9 = "0.09", Info, "9%", "9%";
        P6 = "0.06", Info, "6%", "6%";
        P5 = "0.05", Info, "5%", "5%";
        P3 = "0.03", Info, "3%", "3%";
        P1 = "0.01", Info, "1%", "1%";
        Zero = "0", Info, "0%", "0%";
    }
}

impl VatRate {
    /// The rate as a fraction.
    pub fn rate(self) -> TaxRate {
        self.as_str().parse().unwrap_or(TaxRate::ZERO)
    }
}

/// The seller's particulars, and how each fee is taxed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow), diesel(sql_type = diesel::sql_types::Jsonb))]
pub struct Seller {
    /// What the invoicing service knows the seller by.
    #[schema(example = "ZS100001")]
    pub merchant_no: String,
    /// The company's name.
    #[schema(example = "杭州滨江新能源有限公司")]
    pub company_name: String,
    /// The taxpayer's number.
    #[schema(example = "91330100MA2XXXXX0A")]
    pub tax_id: String,
    /// The company's address.
    pub address: Option<String>,
    /// The company's telephone.
    pub phone: Option<String>,
    /// Its bank.
    pub bank_name: Option<String>,
    /// Its account there.
    pub bank_account: Option<String>,
    /// Who draws the invoices: a person whom the tax office knows.
    #[schema(example = "李敏")]
    pub drawer: String,
    /// Who takes the money.
    pub payee: Option<String>,
    /// Who checks the invoices.
    pub checker: Option<String>,
    /// The tax on energy fees.
    pub elec_rate: VatRate,
    /// What energy is in the catalogue of goods, 19 digits.
    #[schema(example = "1100101020100000000")]
    pub elec_code: String,
    /// The tax on service fees.
    pub service_rate: VatRate,
    /// What the service is in the catalogue of goods, 19 digits.
    #[schema(example = "1100101020100000000")]
    pub service_code: String,
}

/// So long is a code of the catalogue of goods.
const CODE_DIGITS: usize = 19;
const CODE_HELP: Text =
    t("19 位商品和服务税收分类编码，如电力产品 1100101020100000000。", "19 digits, such as 1100101020100000000.");

impl Form for Seller {
    fn validate(&self, lang: Lang) -> Vec<FieldError> {
        let mut errors: Vec<FieldError> = check_tax_id(&self.tax_id, lang).into_iter().collect();
        for (field, code) in [("elec_code", &self.elec_code), ("service_code", &self.service_code)] {
            if code.len() != CODE_DIGITS || !code.bytes().all(|it| it.is_ascii_digit()) {
                errors.push(FieldError::new(field, "format", t("请填写 19 位数字", "19 digits").get(lang)));
            }
        }
        errors
    }
}

impl Seller {
    /// How it is filled in.
    pub const FIELDS: &'static [Field] = &[
        Field::new("merchant_no", t("商户号", "Merchant no."), Input::Text(50)).required().at("seller/merchant_no"),
        Field::new("company_name", t("公司名称", "Company"), Input::Text(100)).required().at("seller/company_name"),
        Field::new("tax_id", t("纳税人识别号", "Tax id"), Input::Text(20)).required().at("seller/tax_id"),
        Field::new("phone", t("电话", "Telephone"), Input::Phone).at("seller/phone"),
        Field::new("address", t("售方地址", "Address"), Input::Text(100)).at("seller/address"),
        Field::new("bank_name", t("银行名称", "Bank"), Input::Text(100)).at("seller/bank_name"),
        Field::new("bank_account", t("银行账号", "Account"), Input::Text(50)).at("seller/bank_account"),
        Field::new("drawer", t("开票人", "Drawn by"), Input::Text(20))
            .required()
            .help(t("须为电子税务局已登录认证的开票员。", "Must be logged in at the electronic tax office."))
            .at("seller/drawer"),
        Field::new("payee", t("收款人", "Payee"), Input::Text(20)).at("seller/payee"),
        Field::new("checker", t("复核人", "Checked by"), Input::Text(20)).at("seller/checker"),
        Field::new("elec_rate", t("电费费率", "Tax on energy"), Input::Choice(VatRate::CHOICES))
            .required()
            .at("seller/elec_rate"),
        Field::new("elec_code", t("电费费率编码", "Code of energy"), Input::Text(19))
            .required()
            .help(CODE_HELP)
            .at("seller/elec_code"),
        Field::new("service_rate", t("服务费率", "Tax on service"), Input::Choice(VatRate::CHOICES))
            .required()
            .help(t(
                "税务机关答复：充电桩企业连同服务费一并销售电力产品，税率与电费相同；另用税率请先核实。",
                "By the tax office's answer the service is sold as energy and taxed alike; check before using another rate.",
            ))
            .at("seller/service_rate"),
        Field::new("service_code", t("服务费费率编码", "Code of service"), Input::Text(19))
            .required()
            .help(CODE_HELP)
            .at("seller/service_code"),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rate_is_its_own_fraction() {
        let rates = VatRate::CHOICES.iter().filter_map(|it| it.value.parse::<VatRate>().ok());
        let rates: Vec<String> = rates.map(|it| it.rate().to_string()).collect();
        assert_eq!(rates, ["0.1300", "0.0900", "0.0600", "0.0500", "0.0300", "0.0100", "0.0000"]);
    }
}
