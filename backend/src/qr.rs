//! QR codes on connectors: the address that they hold, the page behind it, and the picture that staff prints (5/2).

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use shared::connector::CarConnectors;
use shared::resource::Resource;
use shared::text::{Lang, t};
use uuid::Uuid;

use crate::api::op::Op;
use crate::config::Config;
use crate::crud::lookup::squeezed;
use crate::crud::{Browse, Ctx};
use crate::error::{Error, Result};

/// What comes before the code in an address.
const PATH: &str = "/q/";
/// Codes are shorter than this.
const MOST_SIGNS: usize = 64;
/// How large the picture is at least, in pixels.
const SIZE: u32 = 256;

/// The address that the QR code of a connector holds.
pub fn address(config: &Config, code: &str) -> String {
    format!("{}{PATH}{code}", config.http.public_url.trim_end_matches('/'))
}

/// The code in what was scanned or typed: the last part of an address, or all of it.
pub fn code_in(scanned: &str) -> &str {
    let path = scanned.split(['?', '#']).next().unwrap_or_default().trim().trim_end_matches('/');
    path.rsplit('/').next().unwrap_or_default()
}

/// `GET /car/connectors/{id}/qr.svg`.
async fn picture(mut ctx: Ctx, id: Path<Uuid>) -> Result<HttpResponse> {
    let connector = CarConnectors::find(&mut ctx.conn, &ctx.caller.scope, *id).await?;
    let address = address(&ctx.app.config, &connector.code);
    // Stickers get scratched: a quarter of it may be lost.
    let code = QrCode::with_error_correction_level(address, EcLevel::Q).map_err(anyhow::Error::from)?;
    let svg = code.render::<svg::Color<'_>>().min_dimensions(SIZE, SIZE).build();
    Ok(HttpResponse::Ok().content_type("image/svg+xml").body(svg))
}

/// `GET /q/{code}`: what a camera opens that is not the mini-program's. It looks nothing up, for strangers may ask it.
async fn page(req: HttpRequest, code: Path<String>) -> Result<HttpResponse> {
    let code = code.into_inner();
    let plain = |it: char| it.is_ascii_alphanumeric() || it == '-';
    if squeezed(&code).is_empty() || code.len() > MOST_SIGNS || !code.chars().all(plain) {
        return Err(Error::NotFound);
    }
    let accepted = req.headers().get("accept-language").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let lang = Lang::from_accept_language(accepted);
    let title = t("扫码充电", "Charge here").get(lang);
    let how = t(
        "请打开微信小程序，用其中的“扫码充电”扫描此二维码，或输入电枪编号：",
        "Open the mini-program in WeChat and scan this code with it, or enter the connector's number:",
    );
    let page = format!(
        "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><body><h1>{title}</h1><p>{}</p><p><strong>{code}</strong></p>",
        lang.tag(),
        how.get(lang),
    );
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page))
}

/// The operations of QR codes.
pub fn operations() -> Vec<Op> {
    let svg = format!("/api/v1/{}/{{id}}/qr.svg", CarConnectors::PATH);
    let of_connector = t("电枪二维码", "The QR code of a connector: it holds `{public_url}/q/{code}`, as SVG");
    let behind = t("二维码落地页", "The page behind a QR code: it tells to open the mini-program");
    vec![
        Op::get(svg, "qrOfCarConnector", of_connector)
            .tag(CarConnectors::PATH)
            .permission(format!("{}.view", CarConnectors::PERMISSION))
            .returns_media("image/svg+xml")
            .to(picture),
        Op::get(format!("{PATH}{{code}}"), "openQrCode", behind).tag("qr").public().returns_media("text/html").to(page),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_found_in_what_was_scanned() {
        for scanned in
            ["https://charge.example.com/q/C1000001-1", " http://x/a/q/C1000001-1/?from=wx#top", "C1000001-1 "]
        {
            assert_eq!(code_in(scanned), "C1000001-1", "{scanned}");
        }
        assert_eq!(code_in("https://"), "https:");
        assert_eq!(code_in(""), "");
    }

    #[test]
    fn an_address_leads_back_to_its_code() {
        let mut config = Config::default();
        config.http.public_url = "https://charge.example.com/".to_owned();
        let address = address(&config, "C1000001-2");
        assert_eq!(address, "https://charge.example.com/q/C1000001-2");
        assert_eq!(code_in(&address), "C1000001-2");
    }
}
