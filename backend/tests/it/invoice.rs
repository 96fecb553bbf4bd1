//! Invoices: asked for by staff and drivers, issued by a service that does all kinds of things, and undone.

use backend::invoice::Carry;
use backend::jobs::{Job, Outcome};
use backend::simulate::fiscal::Habits;
use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use reqwest::Method;
use schema::{audits, invoice_orders, invoices};
use serde_json::{Value, json};
use shared::invoice::InvoiceState;
use uuid::Uuid;

use backend::payment::sandbox::wire::RefundState as There;

use crate::app::{Answer, Site, Tenant, TestApp};
use crate::payment::{Unpaid, World, eventually};

/// What a station says of its seller.
pub fn seller() -> Value {
    json!({"merchant_no": "ZS100001", "company_name": "杭州绿源充电科技有限公司", "tax_id": "91330100MA2AXXXX0A",
        "address": "江南大道 1 号", "phone": "0571-88880000", "bank_name": "中国银行", "bank_account": "3500001", "drawer": "李敏",
        "payee": "周洁", "checker": "陈晨", "elec_rate": "0.13", "elec_code": "1100101020100000000", "service_rate": "0.06",
        "service_code": "3040000000000000000"})
}

fn buyer() -> Value {
    json!({"title": "杭州滨江物流有限公司", "tax_id": "91330108MA27XXXX1B", "email": "finance@example.com"})
}

/// A failed invoice over an order at this site, written behind the API's back.
pub async fn written(app: &TestApp, tenant: &Tenant, site: &Site) -> Uuid {
    let (order, id) = (app.placed(tenant, site).await.order, Uuid::now_v7());
    let statement = format!(
        "insert into invoices (id, provider_id, property_id, station_id, order_kind, driver_id, state, kind, buyer, title, \
             email, phone, requested_by, seller, lines, gross_fen, tax_fen, serial_no) \
         select '{id}', provider_id, property_id, station_id, 'car', driver_id, 'failed', 'ordinary', 'person', '张三', \
             'z@example.com', phone, 'driver', '{}', '[]', 3345, 0, '{id}' from car_orders where id = '{order}'; \
         insert into invoice_orders (invoice_id, order_id, gross_fen, live) values ('{id}', '{order}', 3345, false)",
        seller()
    );
    app.conn().await.batch_execute(&statement).await.unwrap();
    id
}

impl World {
    pub async fn sells(&self) {
        let path = format!("/api/v1/car/stations/{}/invoicing", self.site.station);
        self.tenant.boss.post(&path, seller()).await.ok();
    }

    pub async fn invoice(&self, order: &Unpaid) -> Answer {
        self.tenant.boss.post(&format!("/api/v1/orders/car/{}/invoice", order.order), buyer()).await
    }

    /// An order of 13.00 of which staff asked for an invoice; gives the invoice.
    async fn invoiced(&self) -> (Unpaid, Uuid) {
        let order = self.charged(5000).await;
        let id = self.invoice(&order).await.ok()["invoices"][0]["id"].as_str().unwrap().parse().unwrap();
        (order, id)
    }

    async fn carried(&self, invoice: Uuid) -> Outcome {
        Carry { invoice_id: invoice }.run(&self.app.app).await.unwrap()
    }

    async fn invoice_state(&self, invoice: Uuid) -> InvoiceState {
        invoices::table.find(invoice).select(invoices::state).first(&mut self.app.conn().await).await.unwrap()
    }

    /// Has it carried on until it stands there with its job done.
    pub async fn until_invoice(&self, invoice: Uuid, wanted: InvoiceState) -> Value {
        eventually(&format!("the invoice is {wanted}"), async || {
            self.carried(invoice).await == Outcome::Done && self.invoice_state(invoice).await == wanted
        })
        .await;
        self.told_of(invoice).await
    }

    pub async fn told_of(&self, invoice: Uuid) -> Value {
        self.tenant.boss.get(&format!("/api/v1/orders/invoices/{invoice}")).await.ok()
    }
}

#[tokio::test]
async fn staff_has_an_order_invoiced_and_takes_the_file() {
    let world = World::new().await;
    let boss = &world.tenant.boss;
    let order = world.charged(5000).await;
    assert_eq!(world.invoice(&order).await.refused(), (409, "seller_unset"));
    let station = format!("/api/v1/car/stations/{}", world.site.station);
    let mut wrong = seller();
    (wrong["tax_id"], wrong["elec_code"], wrong["service_rate"]) = (json!("123"), json!("12"), json!("0.07"));
    let refused = boss.post(&format!("{station}/invoicing"), wrong.clone()).await;
    assert_eq!(refused.fields(), [("service_rate", "choice")]);
    wrong["service_rate"] = json!("0.06");
    let refused = boss.post(&format!("{station}/invoicing"), wrong).await;
    assert_eq!(refused.fields(), [("tax_id", "format"), ("elec_code", "format")]);
    world.sells().await;
    assert_eq!(boss.get(&station).await.ok()["seller"], seller());

    let path = format!("/api/v1/orders/car/{}/invoice", order.order);
    let empty = boss.post(&path, json!({"tax_id": "lower case is none", "email": "nobody"})).await;
    assert_eq!(empty.fields(), [("title", "required"), ("email", "format")]);
    let asked = world.invoice(&order).await.ok();
    assert_eq!((&asked["invoice"], &asked["invoices"][0]["state"]), (&json!("submitted"), &json!("submitted")));
    assert_eq!(world.invoice(&order).await.refused(), (409, "invoiced"));
    let id: Uuid = asked["invoices"][0]["id"].as_str().unwrap().parse().unwrap();

    let told = world.until_invoice(id, InvoiceState::Issued).await;
    let number = told["number"].as_str().unwrap();
    assert_eq!(number.len(), 20);
    assert_eq!((&told["gross_fen"], &told["tax_fen"], &told["file"]), (&json!(1300), &json!(119), &json!(true)));
    assert_eq!(
        (&told["requested_by"], &told["failure"]),
        (&boss.get("/api/v1/auth/me").await.ok()["name"], &Value::Null)
    );
    let lines: Vec<[i64; 3]> = told["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| ["gross_fen", "net_fen", "tax_fen"].map(|key| it[key].as_i64().unwrap()))
        .collect();
    assert_eq!(lines, [[780, 690, 90], [520, 491, 29]], "7.80 at 13 %, 5.20 at 6 %");
    let serial_no = told["serial_no"].as_str().unwrap();
    assert!(serial_no.len() <= 20 && told["service_no"].as_str().is_some_and(|it| it.contains(serial_no)));
    let sent = world.channel.fiscal.order(serial_no, |it| {
        let line = |it: &backend::invoice::nuonuo::wire::Line| {
            [&it.tax_included_amount, &it.tax, &it.tax_rate, &it.goods_code].map(String::clone).join(" ")
        };
        assert_eq!(
            (it.clerk.as_str(), it.saler_account.as_str(), it.invoice_line.as_str()),
            ("李敏", "中国银行3500001", "pc")
        );
        assert_eq!((it.remark.as_str(), it.push_mode.as_str()), (order.order_no.as_str(), "0"));
        it.invoice_detail.iter().map(line).collect::<Vec<_>>()
    });
    let wanted = ["7.80 0.90 0.1300 1100101020100000000", "5.20 0.29 0.0600 3040000000000000000"];
    assert_eq!(sent.unwrap(), wanted);

    let file = boss.get(&format!("/api/v1/orders/invoices/{id}/download")).await;
    assert_eq!((file.status, &file.bytes[..5]), (200, &b"%PDF-"[..]));
    assert_eq!(file.headers["content-type"], "application/pdf");
    assert!(file.headers["content-disposition"].to_str().unwrap().contains(told["invoice_no"].as_str().unwrap()));
    let taken = audits::table.filter(audits::object_id.eq(id)).filter(audits::action.eq("download")).count();
    assert_eq!(taken.get_result::<i64>(&mut world.app.conn().await).await.unwrap(), 1);

    let row = boss.get(&format!("/api/v1/orders/car?order_no={}", order.order_no)).await.ok();
    assert_eq!(row["items"][0]["invoice"], "issued");
    let sheet = boss.get("/api/v1/orders/invoices/export.xlsx").await;
    let text = crate::crud::sheet_text(&sheet.bytes);
    assert!(text[1].contains(&number.to_owned()), "{text:?}");
    let refund = json!({"amount_fen": 100, "reason": "补偿"});
    let refund = boss.post(&format!("/api/v1/orders/car/{}/refund", order.order), refund).await;
    assert_eq!(refund.refused(), (409, "invoiced"), "first the invoice is voided");
    world.refund_ends(&order, There::Succeeded).await;
    assert_eq!(world.verified().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_invoice_is_undone_by_a_red_one_if_the_buyer_agrees() {
    let world = World::new().await;
    world.sells().await;
    let (order, id) = world.invoiced().await;
    let (boss, path) = (&world.tenant.boss, format!("/api/v1/orders/invoices/{id}/void"));
    assert_eq!(
        boss.post(&path, json!({"reason": "抬头有误"})).await.refused(),
        (409, "invoice_state"),
        "it is under way"
    );
    world.until_invoice(id, InvoiceState::Issued).await;
    assert_eq!(boss.post(&path, json!({})).await.fields(), [("reason", "required")]);

    world.channel.fiscal.set(Habits { disagrees: true, waits: 1, ..Habits::default() });
    let asked = boss.post(&path, json!({"reason": "抬头有误"})).await.ok();
    assert_eq!((&asked["state"], &asked["void_reason"]), (&json!("voiding"), &json!("抬头有误")));
    let refused = world.until_invoice(id, InvoiceState::Issued).await;
    assert_eq!(refused["failure"], "购买方不同意红冲：发票已入账");
    assert_eq!(world.invoice(&order).await.refused(), (409, "invoiced"), "it counts still");

    world.channel.fiscal.set(Habits::default());
    boss.post(&path, json!({"reason": "抬头有误"})).await.ok();
    let voided = world.until_invoice(id, InvoiceState::Voided).await;
    assert_eq!((&voided["failure"], voided["number"].is_string()), (&Value::Null, true));
    let listed = boss.get("/api/v1/orders/invoices").await.ok();
    assert_eq!(listed["items"][0]["void_reason"], "抬头有误");
    let sheet = crate::crud::sheet_text(&boss.get("/api/v1/orders/invoices/export.xlsx").await.bytes);
    let at = sheet[0].iter().position(|it| it == "作废原因").unwrap();
    assert_eq!(sheet[1][at], "抬头有误");
    let requests = world.channel.fiscal.requests();
    let (invoice_no, asked) = (voided["invoice_no"].as_str().unwrap(), requests.iter().filter(|it| it.contains('V')));
    let asked: Vec<&String> = asked.collect();
    assert!(
        asked.len() == 2 && asked[0] != asked[1] && asked.iter().all(|it| it.starts_with(invoice_no)),
        "{requests:?}"
    );
    assert_eq!(boss.post(&path, json!({"reason": "再次"})).await.refused(), (409, "invoice_state"));

    // The order is free again.
    let refund = json!({"amount_fen": 300, "reason": "补偿"});
    boss.post(&format!("/api/v1/orders/car/{}/refund", order.order), refund).await.ok();
    assert_eq!(world.invoice(&order).await.refused(), (409, "refunding"));
    world.refund_ends(&order, There::Succeeded).await;
    let again = world.invoice(&order).await.ok();
    assert_eq!(again["invoices"][0]["gross_fen"], 1000, "what was given back is left out");
    let second: Uuid = again["invoices"][0]["id"].as_str().unwrap().parse().unwrap();
    let told = world.until_invoice(second, InvoiceState::Issued).await;
    assert_eq!(told["lines"][1]["gross_fen"], 220, "the service fee was given up first");
    assert_eq!(world.verified().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_failed_is_issued_again_under_another_number() {
    let world = World::new().await;
    world.sells().await;
    world.channel.fiscal.set(Habits { refuses: true, ..Habits::default() });
    let (order, id) = world.invoiced().await;
    let failed = world.until_invoice(id, InvoiceState::Failed).await;
    assert_eq!(failed["failure"], "E9501 开票员未登录电子税务局");
    let path = format!("/api/v1/orders/invoices/{id}/reissue");
    let boss = &world.tenant.boss;

    // The particulars were wrong, and are mended.
    let mut other = seller();
    (other["drawer"], other["service_rate"]) = (json!("周洁"), json!("0.13"));
    boss.post(&format!("/api/v1/car/stations/{}/invoicing", world.site.station), other).await.ok();
    world.channel.fiscal.set(Habits { fails: true, ..Habits::default() });
    let again = boss.post(&path, json!({})).await.ok();
    assert_eq!((&again["state"], &again["failure"]), (&json!("submitted"), &Value::Null));
    assert_eq!(boss.post(&path, json!({})).await.refused(), (409, "invoiced"), "it is under way");
    let failed_later = world.until_invoice(id, InvoiceState::Failed).await;
    assert_eq!((&failed_later["failure"], &failed_later["tax_fen"]), (&json!("授信额度不足"), &json!(150)));

    world.channel.fiscal.set(Habits::default());
    boss.post(&path, json!({})).await.ok();
    let issued = world.until_invoice(id, InvoiceState::Issued).await;
    let numbers = [&failed, &failed_later, &issued].map(|it| it["serial_no"].as_str().unwrap().to_owned());
    // On a busy machine an answer may come too late to count, and the request is sent again under the same number.
    let mut requests = world.channel.fiscal.requests();
    requests.dedup();
    assert_eq!(requests, numbers, "each number is sent, one after the other");
    assert!(numbers[0] != numbers[1] && numbers[1] != numbers[2]);
    let clerk = world.channel.fiscal.order(&numbers[2], |it| it.clerk.clone());
    assert_eq!(clerk.as_deref(), Some("周洁"));
    assert_eq!(boss.post(&path, json!({})).await.refused(), (409, "invoiced"));

    // One that failed stays failed when its order was invoiced otherwise meanwhile.
    world.channel.fiscal.set(Habits { refuses: true, ..Habits::default() });
    let (other_order, other) = {
        world.refund_ends(&order, There::Succeeded).await;
        world.invoiced().await
    };
    world.until_invoice(other, InvoiceState::Failed).await;
    world.channel.fiscal.set(Habits::default());
    let newer = world.invoice(&other_order).await.ok()["invoices"][0]["id"].as_str().unwrap().parse().unwrap();
    world.until_invoice(newer, InvoiceState::Issued).await;
    assert_eq!(
        boss.post(&format!("/api/v1/orders/invoices/{other}/reissue"), json!({})).await.refused(),
        (409, "invoiced")
    );
    world.refund_ends(&other_order, There::Succeeded).await;
    assert_eq!(world.verified().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_invoice_without_an_answer_is_under_way_and_never_issued_twice() {
    let world = World::new().await;
    world.sells().await;
    let fiscal = &world.channel.fiscal;
    fiscal.set(Habits { knows_us_not: true, ..Habits::default() });
    let (order, id) = world.invoiced().await;
    eventually("it was sent", async || world.told_of(id).await["failure"].is_string()).await;
    let told = world.told_of(id).await;
    assert!(told["state"] == "submitted" && told["failure"].as_str().unwrap().contains("070304"), "{told}");

    // Requests are lost: it is asked about, and sent again under the same number once it was not known twice.
    for habits in [
        Habits { loses_requests: true, ..Habits::default() },
        Habits { loses_answers: true, ..Habits::default() },
        Habits { dawdles: 2, ..Habits::default() },
    ] {
        fiscal.set(habits);
        for _ in 0..4 {
            assert!(matches!(world.carried(id).await, Outcome::Again(_)));
        }
        assert_eq!(world.invoice_state(id).await, InvoiceState::Submitted, "{habits:?}");
    }
    // An invoice over another amount is not the one that was asked for.
    fiscal.set(Habits { miscounts: true, unsealed: true, ..Habits::default() });
    world.carried(id).await;
    let told = world.told_of(id).await;
    assert!(told["state"] == "submitted" && told["failure"].as_str().unwrap().contains("13.01"), "{told}");
    // It is issued, its file is not there yet.
    fiscal.set(Habits::default());
    assert!(
        matches!(world.carried(id).await, Outcome::Again(_)) || world.invoice_state(id).await == InvoiceState::Issued
    );
    let told = world.until_invoice(id, InvoiceState::Issued).await;
    assert_eq!((&told["file"], &told["failure"]), (&json!(true), &Value::Null));
    let serial_no = told["serial_no"].as_str().unwrap().to_owned();
    assert!(fiscal.requests().iter().all(|it| *it == serial_no), "{:?}", fiscal.requests());
    let count = invoice_orders::table.filter(invoice_orders::order_id.eq(order.order)).count();
    assert_eq!(count.get_result::<i64>(&mut world.app.conn().await).await.unwrap(), 1);
    world.refund_ends(&order, There::Succeeded).await;
    assert_eq!(world.verified().await, Vec::<String>::new());
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_gets_an_invoice() {
    let world = World::new().await;
    world.sells().await;
    let order = world.charged(5000).await;
    let path = format!("/api/v1/orders/car/{}/refund", order.order);
    let refund = world.tenant.boss.post(&path, json!({"amount_fen": 100, "reason": "补偿"}));
    let asked = futures_util::future::join_all((0..10).map(|_| world.invoice(&order)));
    let (asked, refund) = futures_util::future::join(asked, refund).await;
    let taken = asked.iter().filter(|it| it.status == 200).count() + usize::from(refund.status == 200);
    assert_eq!(taken, 1, "an invoice or the refund, and nothing else");
    assert!(asked.iter().all(|it| it.status == 200 || it.status == 409));
}

#[tokio::test]
async fn drivers_ask_for_invoices_over_their_own_orders() {
    let world = World::new().await;
    let (one, two) = (world.charged(5000).await, world.charged(1500).await);
    let pending = async || world.driver.get("/api/app/v1/invoices/orders").await.ok();
    assert_eq!(pending().await["total"], 0, "the station has no particulars");
    world.sells().await;
    let offered = pending().await;
    let gross: Vec<i64> =
        offered["items"].as_array().unwrap().iter().map(|it| it["gross_fen"].as_i64().unwrap()).collect();
    assert_eq!(gross, [1300, 1300]);
    let ask = async |form: Value| world.driver.post("/api/app/v1/invoices", form).await;
    let form =
        |orders: Value| json!({"order_ids": orders, "buyer": "person", "title": "张三", "email": "z@example.com"});
    let foreign = world.app.placed(&world.tenant, &world.site).await.order;
    assert_eq!(ask(form(json!([one.order, foreign]))).await.fields(), [("order_ids", "unknown")]);
    assert_eq!(ask(form(json!([]))).await.fields(), [("order_ids", "required")]);
    let mut company = form(json!([one.order]));
    company["buyer"] = json!("company");
    assert_eq!(ask(company).await.fields(), [("tax_id", "required")]);
    let mut special = form(json!([one.order]));
    special["kind"] = json!("special");
    assert_eq!(ask(special).await.fields(), [("kind", "choice")]);

    let made = ask(form(json!([two.order, one.order, one.order]))).await.ok();
    assert_eq!((&made["gross_fen"], &made["state"]), (&json!(2600), &json!("submitted")));
    assert_eq!(pending().await["total"], 0);
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let path = format!("/api/app/v1/invoices/{id}");
    let told = world.until_invoice(id, InvoiceState::Issued).await;
    assert_eq!((&told["requested_by"], told["orders"].as_array().map(Vec::len)), (&json!("driver"), Some(2)));
    assert_eq!(world.driver.get(&format!("{path}/download")).await.bytes[..5], b"%PDF-"[..]);
    assert_eq!(world.driver.get("/api/app/v1/invoices").await.ok()["items"][0]["number"], told["number"]);
    let stranger = crate::app::driver(&world.app).await;
    for path in [path.clone(), format!("{path}/download")] {
        assert_eq!(stranger.get(&path).await.status, 404);
    }
    assert_eq!(stranger.get("/api/app/v1/invoices").await.ok()["total"], 0);
    for (query, count) in [
        ("title=张", 1),
        ("state=issued", 1),
        ("state=failed", 0),
        ("kind=special", 0),
        ("tax_id=91330108MA27XXXX1B", 0),
        ("requested_by=driver", 1),
        ("finished_from=2020-01-01", 1),
        ("finished_to=2020-01-01", 0),
        ("created_from=2020-01-01", 1),
        ("created_to=2020-01-01", 0),
    ] {
        let page = world.tenant.boss.get(&format!("/api/v1/orders/invoices?{query}")).await.ok();
        assert_eq!(page["total"], count, "{query}");
    }
    for (key, value) in [("invoice_no", &told["invoice_no"]), ("number", &told["number"])] {
        let query =
            format!("/api/v1/orders/invoices?{key}={}&station_id={}", value.as_str().unwrap(), world.site.station);
        assert_eq!(world.tenant.boss.get(&query).await.ok()["total"], 1, "{key}");
    }
    let other = world.app.tenant().await;
    assert_eq!(other.boss.get("/api/v1/orders/invoices").await.ok()["total"], 0);
}

#[tokio::test]
async fn what_the_service_tells_by_itself_proves_nothing() {
    let world = World::new().await;
    world.sells().await;
    world.channel.fiscal.set(Habits { dawdles: u32::MAX, ..Habits::default() });
    let (_, id) = world.invoiced().await;
    eventually("it was asked about", async || matches!(world.carried(id).await, Outcome::Again(_))).await;
    let serial_no = world.told_of(id).await["serial_no"].as_str().unwrap().to_owned();
    let guest = world.app.guest();
    let tell = async |body: &str| {
        let answer = guest.send(Method::POST, "/api/callbacks/nuonuo", Some(body.into()), &[]).await;
        (answer.status, answer.json)
    };
    let forged = format!("operater=callback&orderno={serial_no}&content=%7B%22c_status%22%3A%221%22%7D");
    assert_eq!(tell(&forged).await, (200, json!({"status": "0000", "message": "同步成功"})));
    world.carried(id).await;
    assert_eq!(world.invoice_state(id).await, InvoiceState::Submitted);
    assert_eq!(tell("orderno=nobody").await.0, 200);
    assert_eq!(tell("").await.0, 422);
    assert_eq!(tell(&format!("orderno={}", "x".repeat(70_000))).await.0, 413);

    // Told, it asks at once instead of when its time comes.
    world.channel.fiscal.set(Habits::default());
    assert_eq!(tell(&forged).await.0, 200);
    eventually("it is issued", async || world.invoice_state(id).await == InvoiceState::Issued).await;
}

#[tokio::test]
async fn without_a_service_nothing_is_invoiced() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let id = written(&app, &tenant, &site).await;
    let order = app.placed(&tenant, &site).await.order;
    for (method, path, form) in [
        (Method::POST, format!("/api/v1/orders/car/{order}/invoice"), buyer()),
        (Method::POST, format!("/api/v1/orders/invoices/{id}/reissue"), json!({})),
        (Method::POST, format!("/api/v1/orders/invoices/{id}/void"), json!({"reason": "有误"})),
    ] {
        let answer = tenant.boss.send(method, &path, Some(form.to_string().into_bytes()), &[]).await;
        assert_eq!(answer.refused(), (409, "invoicing_unavailable"), "{path}");
    }
    let file = tenant.boss.get(&format!("/api/v1/orders/invoices/{id}/download")).await;
    assert_eq!(file.status, 404, "there is none");
}
