//! Sheets as accountants use them: numbers add up, times sort, numbers of things stay text.

use std::io::{Cursor, Read};

use calamine::{Data, DataType, Range, Reader, Xlsx};
use chrono::NaiveDateTime;
use serde_json::Value;

use crate::charging::Scene;

const SHEET: &str = "/api/v1/orders/car/export.xlsx";

fn first_sheet(bytes: &[u8]) -> (String, Range<Data>) {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let name = book.sheet_names()[0].clone();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    (name, range)
}

/// What stands below a heading.
fn column<'a>(sheet: &'a Range<Data>, heading: &str) -> Vec<&'a Data> {
    let heads = sheet.rows().next().unwrap();
    let at = heads.iter().position(|it| *it == heading).unwrap_or_else(|| panic!("{heading}: {heads:?}"));
    sheet.rows().skip(1).map(|row| &row[at]).collect()
}

/// The sum of a column as a sheet adds it up, in hundredths; every cell must be a number.
fn sum(sheet: &Range<Data>, heading: &str) -> String {
    let float = |it: &Data| match it {
        Data::Float(it) => *it,
        other => panic!("{heading}: {other:?}"),
    };
    format!("{:.2}", column(sheet, heading).into_iter().map(float).sum::<f64>())
}

/// The XML of a part of the file.
fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_of_orders_adds_up_to_the_fen() {
    let scene = Scene::new().await;
    for (prepaid, wh) in [(5000, 13_130), (10_000, 7_770), (1234, 10)] {
        let order = scene.paid(prepaid).await;
        let transaction = scene.began(&order, 1_000_000).await;
        scene.metered(transaction, 900, 1_000_000 + wh / 2).await;
        scene.stopped(transaction, 1805, 1_000_000 + wh).await;
    }
    let boss = &scene.tenant.boss;
    let listed = boss.get("/api/v1/orders/car").await.ok();
    let listed = listed["items"].as_array().unwrap();
    let fen = |key: &str| {
        let sum: i64 = listed.iter().map(|it| it[key].as_i64().unwrap()).sum();
        shared::fixed::Fen(sum).yuan()
    };
    assert_eq!(listed.len(), 3);
    let bytes = boss.get(SHEET).await.bytes;
    let (name, sheet) = first_sheet(&bytes);
    assert_eq!(name, "汽车订单");
    for (heading, key) in [
        ("费用(元)", "total_fen"),
        ("电费(元)", "elec_fen"),
        ("服务费(元)", "service_fen"),
        ("预付(元)", "prepaid_fen"),
        ("已退(元)", "refunded_fen"),
    ] {
        assert_eq!(sum(&sheet, heading), fen(key), "{heading}");
    }
    assert_ne!(fen("total_fen"), "0.00");
    assert_eq!(sum(&sheet, "电量(kWh)"), "20.91");

    let created = column(&sheet, "创建时间")[0].as_datetime().unwrap();
    let told: chrono::DateTime<chrono::Utc> = listed[0]["created_at"].as_str().unwrap().parse().unwrap();
    let told: NaiveDateTime = shared::time::local(told);
    assert_eq!(created.and_utc().timestamp(), told.and_utc().timestamp(), "local time, to the second");
    for (heading, key) in [("手机号", "phone"), ("订单编号", "order_no"), ("出厂标识", "serial_no")] {
        let told: Vec<Data> = listed.iter().map(|it| Data::String(it[key].as_str().unwrap().to_owned())).collect();
        assert_eq!(column(&sheet, heading), told.iter().collect::<Vec<_>>(), "{heading} is text");
    }

    let xml = part(&bytes, "xl/worksheets/sheet1.xml");
    for told in
        [r#"state="frozen""#, r#"xSplit="1""#, r#"ySplit="1""#, "<autoFilter ref=\"A1:", "numberStoredAsText=\"1\""]
    {
        assert!(xml.contains(told), "{told}: {}", &xml[..1000]);
    }
    assert!(xml.matches("<col ").count() > 5, "columns are as wide as what they hold");
    let styles = part(&bytes, "xl/styles.xml");
    assert!(styles.contains("yyyy-mm-dd hh:mm:ss"), "{styles}");

    let english = boss.send(reqwest::Method::GET, SHEET, None, &[("accept-language", "en")]).await;
    assert_eq!(first_sheet(&english.bytes).0, "Car orders");
}

#[tokio::test]
async fn an_empty_sheet_has_its_headings_and_a_template_offers_choices() {
    let app = crate::app::TestApp::new().await;
    let tenant = app.tenant().await;
    let empty = tenant.boss.get(SHEET).await.bytes;
    let (_, sheet) = first_sheet(&empty);
    assert_eq!((sheet.height(), sheet.get((0, 0)).map(ToString::to_string).as_deref()), (1, Some("订单编号")));

    let template = tenant.boss.get("/api/v1/car/stations/import-template.xlsx").await.bytes;
    let xml = part(&template, "xl/worksheets/sheet1.xml");
    assert!(xml.contains("<dataValidation ") && xml.contains("公共,专用,私人"), "{xml}");
}

#[tokio::test]
async fn a_station_tells_where_it_is() {
    let app = crate::app::TestApp::new().await;
    let tenant = app.tenant().await;
    let form = serde_json::json!({"provider_id": tenant.provider, "property_id": tenant.property, "name": "江边站",
        "nature": "public", "lng": 120.2123456, "lat": 30.25});
    tenant.boss.post("/api/v1/car/stations", form).await.ok();
    let (_, sheet) = first_sheet(&tenant.boss.get("/api/v1/car/stations/export.xlsx").await.bytes);
    assert_eq!(column(&sheet, "经度"), [&Data::Float(120.212_345_6)]);
    assert_eq!(column(&sheet, "纬度"), [&Data::Float(30.25)]);
    let headings: Vec<Value> = sheet.rows().next().unwrap().iter().map(|it| Value::from(it.to_string())).collect();
    assert!(headings.contains(&Value::from("区域")), "{headings:?}");
}
