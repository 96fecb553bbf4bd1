//! Stations where cars charge.

use diesel_async::AsyncPgConnection;
use shared::page::{Page, PageQuery};
use shared::station::StationFilter;
use shared::station::car::{CarStationForm, CarStationRow, CarStations};
use uuid::Uuid;

use super::{Station, Values};
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::crud::{Browse, Change, Create, Impact, Switch};
use crate::error::Result;

const LINE: &str = "car";

impl From<Station> for CarStationRow {
    fn from(it: Station) -> Self {
        Self {
            id: it.id,
            code: it.code,
            name: it.name,
            provider_id: it.provider_id,
            provider_name: it.provider_name,
            property_id: it.property_id,
            property_name: it.property_name,
            nature: it.nature,
            contact: it.contact,
            contact_phone: it.contact_phone,
            intro: it.intro,
            hotline: it.hotline,
            business_hours: it.business_hours,
            max_power_w: it.max_power_w,
            capacity_w: it.capacity_w,
            province: it.province,
            city: it.city,
            address: it.address,
            lng: it.lng,
            lat: it.lat,
            review: it.review,
            review_note: it.review_note,
            enabled: it.enabled,
            areas: it.areas,
            chargers: it.chargers,
            connectors: it.connectors,
            bays: 0,
            seller: it.seller,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

fn values(form: &CarStationForm) -> Values<'_> {
    let CarStationForm {
        provider_id: _,
        property_id: _,
        name,
        nature,
        contact,
        contact_phone,
        intro,
        hotline,
        business_hours,
        max_power_w,
        capacity_w,
        province,
        city,
        address,
        lng,
        lat,
    } = form;
    Values {
        name,
        short_name: None,
        nature: *nature,
        contact: contact.as_deref(),
        contact_phone: contact_phone.as_deref(),
        intro: intro.as_deref(),
        hotline: hotline.as_deref(),
        business_hours: business_hours.as_deref(),
        max_power_w: *max_power_w,
        capacity_w: *capacity_w,
        province: province.as_deref(),
        city: city.as_deref(),
        address: address.as_deref(),
        lng: *lng,
        lat: *lat,
    }
}

impl Browse for CarStations {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &StationFilter,
        page: &PageQuery,
    ) -> Result<Page<CarStationRow>> {
        super::list(conn, scope, LINE, filter, page).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<CarStationRow> {
        super::find(conn, scope, LINE, id).await
    }
}

impl Create for CarStations {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &CarStationForm) -> Result<Uuid> {
        super::create(conn, by, LINE, (form.provider_id, form.property_id), values(form)).await
    }
}

impl Change for CarStations {
    const TABLE: &'static str = "stations";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &CarStationForm) -> Result<()> {
        super::update(conn, id, values(form)).await
    }
}

impl Switch for CarStations {
    const TABLE: &'static str = "stations";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        super::switch(conn, id, on).await
    }

    async fn impact(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<Impact> {
        super::impact(conn, scope, id).await
    }
}
