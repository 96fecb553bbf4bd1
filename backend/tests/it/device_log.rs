//! What is kept of chargers and of those that were not let in, and what was done to rows.

use reqwest::Method;
use serde_json::{Value, json};
use shared::user::UserKind;

use crate::app::{Client, TestApp};
use crate::gateway::{Charger, eventually};

async fn total(client: &Client, path: &str) -> i64 {
    client.get(path).await.ok()["total"].as_i64().unwrap()
}

#[tokio::test]
async fn what_a_charger_was_told_and_said_can_be_looked_up() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let path = format!("/api/v1/car/chargers/{}", site.charger);
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    charger.boot().await;
    charger
        .call(
            "StatusNotification",
            json!({"connectorId": 1, "errorCode": "OtherError", "status": "Faulted", "vendorErrorCode": "64"}),
        )
        .await;
    eventually(1, async || total(&tenant.boss, "/api/v1/car/chargers?condition=faulted").await).await;
    let detail = tenant.boss.get(&path).await.ok();
    assert_eq!((&detail["device"]["vendor"], &detail["device"]["model"]), (&json!("ACME"), &json!("DC120")));
    assert_eq!(detail["faults"][0]["fault"], "emergency_stop");

    tenant.boss.post(&format!("{path}/unlock"), json!({"connector": 2})).await.ok();
    // What the platform asks after a boot comes first.
    let id = loop {
        let (id, action, payload) = charger.asked().await;
        match action.as_str() {
            "UnlockConnector" => {
                assert_eq!(payload, json!({"connectorId": 2}));
                break id;
            }
            "GetConfiguration" => charger.answer(&id, json!({"configurationKey": []})).await,
            _ => charger.answer(&id, json!({"status": "Accepted"})).await,
        }
    };
    charger.answer(&id, json!({"status": "Unlocked"})).await;
    let newest = async || {
        let page = tenant.boss.get(&format!("{path}/commands?size=1")).await.ok();
        let it = &page["items"][0];
        [&it["kind"], &it["state"], &it["outcome"]].map(|it| it.as_str().unwrap_or_default().to_owned())
    };
    eventually(["unlock", "acknowledged", "accepted"].map(str::to_owned), newest).await;

    let boots = format!("{path}/frames?inbound=true&text=BootNotification");
    eventually(1, async || total(&tenant.boss, &boots).await).await;
    let frames = tenant.boss.get(&boots).await.ok();
    assert!(frames["items"][0]["body"].as_str().unwrap().contains("ACME"));
    assert_eq!(total(&tenant.boss, &format!("{path}/frames?to=2020-01-01T00:00:00Z")).await, 0);
    assert_eq!(tenant.boss.get(&format!("{path}/frames?frm=x")).await.fields(), [("frm", "unknown")]);
    let looker = app.user(UserKind::Provider, Some(tenant.provider), None, Some(&["car.charger.view"])).await;
    assert_eq!(looker.get(&format!("{path}/frames")).await.status, 403);
    let connections = looker.get(&format!("{path}/connections")).await.ok();
    assert_eq!(
        (&connections["items"][0]["online"], &connections["items"][0]["reason"]),
        (&json!(true), &json!("connected"))
    );
}

#[tokio::test]
async fn devices_that_were_not_let_in_are_the_platforms_to_adopt() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let knock =
        async |name: &str| Charger::try_connect(&app, name, &[("sec-websocket-protocol", "ocpp1.6")]).await.err();
    for name in ["STRANGER-1", "STRANGER-2", "STRANGER-1"] {
        assert_eq!(knock(name).await, Some(404));
    }
    let path = "/api/v1/car/unregistered-devices";
    assert_eq!(tenant.boss.get(path).await.status, 403);
    let page = app.admin.get(path).await.ok();
    let row = |it: &Value| (it["serial_no"].clone(), it["knocks"].clone(), it["reason"].clone());
    let rows: Vec<_> = page["items"].as_array().unwrap().iter().map(row).collect();
    let reason = json!("unknown_serial_no");
    let expected = [(json!("STRANGER-1"), json!(2), reason.clone()), (json!("STRANGER-2"), json!(1), reason)];
    assert_eq!(rows, expected, "the last to knock comes first");
    let second = page["items"][1]["id"].as_str().unwrap();
    assert_eq!(app.admin.delete(&format!("{path}/{second}")).await.status, 204);
    assert_eq!(app.admin.delete(&format!("{path}/{second}")).await.status, 404);
    // Entered as a charger it is let in, and forgotten here.
    let form = json!({
        "station_id": site.station, "area_id": site.area, "serial_no": "STRANGER-1", "name": "2号桩", "connectors": 1,
        "nature": "public", "output_power_w": 7000, "current_type": "ac", "interface": "gbt_ac", "speed": "slow",
    });
    let entered = app.admin.post("/api/v1/car/chargers", form).await.ok();
    assert_eq!(total(&app.admin, path).await, 0);
    // An installer enters the password that was told.
    assert_eq!(knock("STRANGER-1").await, Some(401));
    assert_eq!(app.admin.get(path).await.ok()["items"][0]["reason"], "no_password");
    Charger::connect_with(&app, "STRANGER-1", entered["initial_password"].as_str().unwrap()).await.boot().await;
    assert_eq!(total(&app.admin, path).await, 0);
}

#[tokio::test]
async fn the_history_of_a_row_tells_who_changed_what() {
    let app = TestApp::new().await;
    let (tenant, other) = (app.tenant().await, app.tenant().await);
    let form =
        json!({"provider_id": tenant.provider, "property_id": tenant.property, "name": "甲站", "nature": "public"});
    let station = tenant.boss.post("/api/v1/car/stations", form.clone()).await.id();
    let path = format!("/api/v1/car/stations/{station}");
    let mut change = form;
    change["name"] = json!("乙站");
    change["version"] = json!(1);
    tenant.keeper.put(&path, change).await.ok();
    app.admin.post(&format!("{path}/reject"), json!({"note": "地址不清"})).await.ok();
    let history = tenant.boss.get(&format!("{path}/history")).await.ok();
    let items = history["items"].as_array().unwrap();
    let actions: Vec<_> = items.iter().map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["reject", "update", "create"]);
    let review = [
        json!({
            "field": "review", "label": "审核状态", "before": "pending", "before_text": "待审核",
            "after": "rejected", "after_text": "已驳回",
        }),
        json!({
            "field": "review_note", "label": "驳回原因", "before": null, "before_text": "",
            "after": "地址不清", "after_text": "地址不清",
        }),
    ];
    assert_eq!(items[0]["changes"], json!(review));
    assert_eq!(
        items[1]["changes"],
        json!([{
            "field": "name", "label": "电站名称", "before": "甲站", "before_text": "甲站", "after": "乙站", "after_text": "乙站",
        }])
    );
    assert_eq!(items[2]["changes"], json!([]));
    assert_ne!(items[0]["user_name"], items[1]["user_name"]);
    assert_eq!(other.boss.get(&format!("{path}/history")).await.status, 404);
    let paged = tenant.boss.send(Method::GET, &format!("{path}/history?size=2&page=2"), None, &[]).await.ok();
    assert_eq!(paged["items"][0]["action"], "create");
}
