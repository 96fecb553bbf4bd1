//! Forms that are opened and saved untouched: what the console drafts from a row's JSON is the form of that row.

use std::collections::BTreeSet;

use backend::api::openapi;
use serde_json::Value;
use shared::area::CarAreas;
use shared::charger::CarChargers;
use shared::connector::CarConnectors;
use shared::member::card::Cards;
use shared::member::card_product::CardProducts;
use shared::member::collective::Collectives;
use shared::member::driver::Drivers;
use shared::resource::{Editable, draft_of};
use shared::station::bike::BikeStations;
use shared::station::car::CarStations;
use shared::system::department::Departments;
use shared::system::post::Posts;
use shared::system::property::Properties;
use shared::system::provider::Providers;
use shared::system::role::Roles;
use shared::system::user::Users;
use shared::tariff::CarTariffs;
use uuid::Uuid;

use crate::app::TestApp;
use crate::system::row_of;

/// Drafts the form of a row and saves it.
async fn same<R: Editable>(app: &TestApp, id: Uuid) -> String {
    let path = format!("/api/v1/{}/{id}", R::PATH);
    let row = app.admin.get(&path).await.ok();
    let detail: R::Detail = serde_json::from_value(row.clone()).unwrap();
    let form = serde_json::to_value(R::form(&detail)).unwrap();
    let mut draft = draft_of(R::FIELDS, &row);
    for field in R::FIELDS {
        // What is told with each saving, and not kept, is in no row.
        let told = draft.get(field.name).filter(|it| !it.is_null()).or(form.get(field.name));
        assert_eq!(told, form.get(field.name), "{}: {}", R::PATH, field.name);
    }
    draft.insert("version".to_owned(), row["version"].clone());
    let saved = app.admin.put(&path, Value::Object(draft)).await.ok();
    let saved: R::Detail = serde_json::from_value(saved).unwrap();
    assert_eq!(serde_json::to_value(R::form(&saved)).unwrap(), form, "{}", R::PATH);
    R::PATH.to_owned()
}

#[tokio::test]
async fn a_form_that_is_saved_untouched_changes_nothing() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let seen = BTreeSet::from([
        same::<CarStations>(&app, site.station).await,
        same::<BikeStations>(&app, app.bike_station(&tenant).await).await,
        same::<CarAreas>(&app, site.area).await,
        same::<CarChargers>(&app, site.charger).await,
        same::<CarConnectors>(&app, site.connectors[0]).await,
        same::<CarTariffs>(&app, app.tariff(&tenant, &site).await).await,
        same::<Providers>(&app, tenant.provider).await,
        same::<Properties>(&app, tenant.property).await,
        same::<Users>(&app, row_of(&app, "system/users", &tenant).await).await,
        same::<Roles>(&app, row_of(&app, "system/roles", &tenant).await).await,
        same::<Collectives>(&app, row_of(&app, "members/collectives", &tenant).await).await,
        same::<Drivers>(&app, crate::member::visitor(&app, &tenant, &site, 1).await.0).await,
        same::<CardProducts>(&app, crate::card::product(&app, &tenant, "person").await).await,
        same::<Cards>(&app, crate::card::issued(&app, &tenant).await).await,
        same::<Departments>(&app, row_of(&app, "system/departments", &tenant).await).await,
        same::<Posts>(&app, row_of(&app, "system/posts", &tenant).await).await,
    ]);
    let document: Value = serde_json::from_str(&openapi::json(&backend::router::operations()).unwrap()).unwrap();
    let changed = document["paths"].as_object().unwrap().iter().filter(|(_, it)| it.get("put").is_some());
    let paths = changed.filter_map(|(path, _)| path.strip_prefix("/api/v1/")?.strip_suffix("/{id}"));
    assert_eq!(seen, paths.map(str::to_owned).collect(), "every form is drafted here");
}
