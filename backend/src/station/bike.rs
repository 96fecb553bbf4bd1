//! Stations where e-bikes charge.

use diesel_async::AsyncPgConnection;
use shared::page::{Page, PageQuery};
use shared::station::StationFilter;
use shared::station::bike::{BikeStationForm, BikeStationRow, BikeStations};
use uuid::Uuid;

use super::{Station, Values};
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::crud::{Browse, Change, Create, Impact, Switch};
use crate::error::Result;

const LINE: &str = "bike";

impl From<Station> for BikeStationRow {
    fn from(it: Station) -> Self {
        Self {
            id: it.id,
            code: it.code,
            name: it.name,
            short_name: it.short_name,
            provider_id: it.provider_id,
            provider_name: it.provider_name,
            property_id: it.property_id,
            property_name: it.property_name,
            nature: it.nature,
            hotline: it.hotline,
            business_hours: it.business_hours,
            province: it.province,
            city: it.city,
            address: it.address,
            lng: it.lng,
            lat: it.lat,
            review: it.review,
            review_note: it.review_note,
            enabled: it.enabled,
            areas: it.areas,
            devices: it.chargers,
            sockets: it.connectors,
            seller: it.seller,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

fn values(form: &BikeStationForm) -> Values<'_> {
    let BikeStationForm {
        provider_id: _,
        property_id: _,
        name,
        short_name,
        hotline,
        nature,
        business_hours,
        province,
        city,
        address,
        lng,
        lat,
    } = form;
    Values {
        name,
        short_name: short_name.as_deref(),
        nature: *nature,
        contact: None,
        contact_phone: None,
        intro: None,
        hotline: hotline.as_deref(),
        business_hours: business_hours.as_deref(),
        max_power_w: None,
        capacity_w: None,
        province: province.as_deref(),
        city: city.as_deref(),
        address: address.as_deref(),
        lng: *lng,
        lat: *lat,
    }
}

impl Browse for BikeStations {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &StationFilter,
        page: &PageQuery,
    ) -> Result<Page<BikeStationRow>> {
        super::list(conn, scope, LINE, filter, page).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<BikeStationRow> {
        super::find(conn, scope, LINE, id).await
    }
}

impl Create for BikeStations {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &BikeStationForm) -> Result<Uuid> {
        super::create(conn, by, LINE, (form.provider_id, form.property_id), values(form)).await
    }
}

impl Change for BikeStations {
    const TABLE: &'static str = "stations";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &BikeStationForm) -> Result<()> {
        super::update(conn, id, values(form)).await
    }
}

impl Switch for BikeStations {
    const TABLE: &'static str = "stations";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        super::switch(conn, id, on).await
    }

    async fn impact(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<Impact> {
        super::impact(conn, scope, id).await
    }
}
