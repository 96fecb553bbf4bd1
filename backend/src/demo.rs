//! Demo data: a small business to look around in, with the chargers that `backend simulate` brings to life.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{
    areas, charger_states, chargers, connectors, properties, providers, stations, tariff_versions, tariffs, users,
};
use shared::invoice::{Seller, VatRate};
use shared::pricing::{Period, Range, Tariff, UnitPrice};
use uuid::Uuid;

use crate::app::{App, new_id};
use crate::auth::scope::{Node, Owner};
use crate::auth::token::kept_secret;
use crate::config::Config;
use crate::db::alone;
use crate::gateway::credentials::{derived_password, password_hashes};
use crate::system::account;

/// The serial numbers of demo chargers begin with this, then count from 1.
pub const SERIAL: &str = "DEMO";
/// Chargers in the demo data.
pub const CHARGERS: usize = 16;
/// Where `backend simulate` serves the payment channel and the text messages unless told otherwise.
pub const SANDBOX: &str = "127.0.0.1:8090";

/// One property's site: station, city, address, longitude, latitude, chargers, power of a connector in W.
type Site = (&'static str, &'static str, &'static str, f64, f64, usize, i64);

/// Provider, its account, and its properties with their accounts and sites.
type Business = (&'static str, &'static str, &'static [(&'static str, &'static str, &'static [Site])]);

const BUSINESSES: &[Business] = &[
    (
        "云栖充电",
        "13900000001",
        &[
            (
                "滨江物业",
                "13900000002",
                &[
                    ("滨江一号充电站", "杭州市", "滨江区江南大道 288 号", 120.2103, 30.2084, 5, 120_000),
                    ("钱江新城地库站", "杭州市", "上城区富春路 701 号", 120.2129, 30.2459, 3, 60_000),
                ],
            ),
            (
                "高新物业",
                "13900000003",
                &[("高新软件园站", "杭州市", "西湖区文三路 90 号", 120.1309, 30.2768, 4, 7_000)],
            ),
        ],
    ),
    (
        "风行新能源",
        "13900000004",
        &[(
            "湖畔物业",
            "13900000005",
            &[("湖畔花园站", "宁波市", "鄞州区天童北路 933 号", 121.5506, 29.8175, 4, 180_000)],
        )],
    ),
];

/// What a connector of the demo data's charger with this number gives at most, in W.
pub fn power(number: usize) -> Option<i64> {
    let sites = BUSINESSES.iter().flat_map(|(_, _, below)| *below).flat_map(|(_, _, sites)| *sites);
    let mut chargers = sites.flat_map(|site| std::iter::repeat_n(site.6, site.5));
    chargers.nth(number.checked_sub(1)?)
}

/// The password of the demo data's charger with this serial number, which its simulation knows too.
pub fn password(config: &Config, serial_no: &str) -> String {
    derived_password(config.payment.sandbox.secret.expose(), serial_no)
}

/// Puts the settings of the simulated channel, invoicing service and text messages in place where none are given: server
/// and simulator find the same secret in the data folder.
///
/// # Errors
/// The secret cannot be read or written.
pub fn settings(config: &mut Config) -> Result<()> {
    let sandbox = &mut config.payment.sandbox;
    if sandbox.url.is_empty() {
        sandbox.url = format!("http://{SANDBOX}");
    }
    if sandbox.secret.is_empty() {
        sandbox.secret = kept_secret(&config.database.folder.join("sandbox-secret"))?;
    }
    if config.sms.url.is_empty() {
        config.sms.url = sandbox.url.clone();
    }
    if config.sms.secret.is_empty() {
        config.sms.secret = sandbox.secret.clone();
    }
    let nuonuo = &mut config.invoice.nuonuo;
    if nuonuo.url.is_empty() {
        nuonuo.url = format!("{}/open/v1/services", sandbox.url);
        "demo".clone_into(&mut nuonuo.app_key);
        nuonuo.app_secret = sandbox.secret.clone();
        nuonuo.access_token = sandbox.secret.clone();
    }
    Ok(())
}

/// Fills an empty database; one that has a provider is left alone.
///
/// # Errors
/// The database cannot be written.
pub async fn fill(app: &App) -> Result<()> {
    let mut conn = app.conn().await?;
    let now = app.now();
    conn.transaction(async |conn| {
        alone(conn, "demo").await?;
        if providers::table.count().get_result::<i64>(conn).await? > 0 {
            return Ok(());
        }
        // Demo accounts have the administrator's password: nothing in this file is a secret that opens something.
        let hash: String = users::table
            .filter(users::username.eq(crate::setup::ADMIN))
            .select(users::password_hash)
            .first(conn)
            .await?;
        let mut charger = 0;
        for (provider, phone, below) in BUSINESSES {
            let provider_id = self::provider(conn, provider, phone, now).await?;
            account(conn, Node::Provider(provider_id), provider, phone, &hash).await?;
            for (property, phone, sites) in *below {
                let property_id = self::property(conn, provider_id, property, phone, now).await?;
                let node = Node::Property { provider: provider_id, property: property_id };
                account(conn, node, property, phone, &hash).await?;
                for site in *sites {
                    charger = station(conn, &app.config, (provider_id, property_id), site, charger, now).await?;
                }
            }
        }
        Ok::<_, anyhow::Error>(())
    })
    .await
}

async fn provider(conn: &mut AsyncPgConnection, name: &str, phone: &str, now: DateTime<Utc>) -> QueryResult<Uuid> {
    let values = (
        providers::id.eq(new_id(now)),
        providers::name.eq(name),
        providers::contact.eq("陈晨"),
        providers::phone.eq(phone),
        providers::review.eq("approved"),
    );
    diesel::insert_into(providers::table).values(values).returning(providers::id).get_result(conn).await
}

async fn property(
    conn: &mut AsyncPgConnection,
    provider: Uuid,
    name: &str,
    phone: &str,
    now: DateTime<Utc>,
) -> QueryResult<Uuid> {
    let values = (
        properties::id.eq(new_id(now)),
        properties::provider_id.eq(provider),
        properties::name.eq(name),
        properties::contact.eq("李蕾"),
        properties::phone.eq(phone),
        properties::province.eq("浙江省"),
    );
    diesel::insert_into(properties::table).values(values).returning(properties::id).get_result(conn).await
}

/// A node's first department, and a login with all permissions that its kind may have.
async fn account(
    conn: &mut AsyncPgConnection,
    node: Node,
    name: &str,
    phone: &str,
    hash: &str,
) -> crate::error::Result<()> {
    let person = if node.property().is_some() { "物业管理员" } else { "服务商管理员" };
    account::open(conn, node, name, phone, person).await?;
    diesel::update(users::table.filter(users::username.eq(phone)))
        .set((users::password_hash.eq(hash), users::must_change_password.eq(false)))
        .execute(conn)
        .await?;
    Ok(())
}

/// A station with one area, its tariff and its chargers; gives the number of the last charger.
async fn station(
    conn: &mut AsyncPgConnection,
    config: &Config,
    (provider_id, property_id): (Uuid, Uuid),
    site: &Site,
    mut charger: usize,
    now: DateTime<Utc>,
) -> Result<usize> {
    let (name, city, address, lng, lat, count, power) = *site;
    let (station_id, area_id) = (new_id(now), new_id(now));
    diesel::insert_into(stations::table)
        .values((
            stations::id.eq(station_id),
            stations::line.eq("car"),
            stations::provider_id.eq(provider_id),
            stations::property_id.eq(property_id),
            stations::name.eq(name),
            stations::nature.eq("public"),
            stations::contact.eq("周工"),
            stations::hotline.eq("400-800-1234"),
            stations::business_hours.eq("00:00-24:00"),
            stations::province.eq("浙江省"),
            stations::city.eq(city),
            stations::address.eq(address),
            stations::lng.eq(lng),
            stations::lat.eq(lat),
            stations::seller.eq(seller()),
            stations::review.eq("approved"),
            stations::enabled.eq(true),
        ))
        .execute(conn)
        .await?;
    diesel::insert_into(areas::table)
        .values((
            areas::id.eq(area_id),
            areas::line.eq("car"),
            areas::provider_id.eq(provider_id),
            areas::property_id.eq(property_id),
            areas::station_id.eq(station_id),
            areas::name.eq("默认区域"),
            areas::phone.eq("400-800-1234"),
        ))
        .execute(conn)
        .await?;
    let owner = Owner { provider_id, property_id, station_id };
    tariff(conn, owner, area_id, power, now).await?;
    for _ in 0..count {
        charger += 1;
        let serial_no = format!("{SERIAL}{charger:04}");
        let id = self::charger(conn, owner, area_id, (charger, &serial_no), power, now).await?;
        let hashes = password_hashes(&password(config, &serial_no));
        diesel::insert_into(charger_states::table)
            .values((charger_states::charger_id.eq(id), charger_states::password_hashes.eq(hashes)))
            .execute(conn)
            .await?;
    }
    Ok(charger)
}

/// In whose name the stations sell.
fn seller() -> Seller {
    let code = || "1100101020100000000".to_owned();
    Seller {
        merchant_no: "ZS100001".to_owned(),
        company_name: "杭州绿源充电科技有限公司".to_owned(),
        tax_id: "91330100MA2AXXXX0A".to_owned(),
        address: Some("杭州市滨江区江南大道 1 号".to_owned()),
        phone: Some("0571-88880000".to_owned()),
        bank_name: Some("中国银行杭州滨江支行".to_owned()),
        bank_account: Some("350000000000000001".to_owned()),
        drawer: "李敏".to_owned(),
        payee: Some("周洁".to_owned()),
        checker: Some("陈晨".to_owned()),
        elec_rate: VatRate::P13,
        elec_code: code(),
        service_rate: VatRate::P13,
        service_code: code(),
    }
}

async fn charger(
    conn: &mut AsyncPgConnection,
    owner: Owner,
    area_id: Uuid,
    (number, serial_no): (usize, &str),
    power: i64,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    let Owner { provider_id, property_id, station_id } = owner;
    let (id, dc) = (new_id(now), power > 22_000);
    let code: String = diesel::insert_into(chargers::table)
        .values((
            chargers::id.eq(id),
            chargers::provider_id.eq(provider_id),
            chargers::property_id.eq(property_id),
            chargers::station_id.eq(station_id),
            chargers::area_id.eq(area_id),
            chargers::serial_no.eq(serial_no),
            chargers::name.eq(format!("{number}号桩")),
            chargers::model.eq(format!("SIM-{}kW", power / 1000)),
            chargers::nature.eq("public"),
            chargers::output_power_w.eq(power),
            chargers::current_type.eq(if dc { "dc" } else { "ac" }),
            chargers::interface.eq(if dc { "gbt_dc" } else { "gbt_ac" }),
            chargers::speed.eq(match power {
                ..22_001 => "slow",
                22_001..150_000 => "fast",
                _ => "super",
            }),
            chargers::mounting.eq(if dc { "floor" } else { "wall" }),
            chargers::communication.eq("cellular"),
            chargers::reservable.eq(true),
        ))
        .returning(chargers::code)
        .get_result(conn)
        .await?;
    for connector in 1..=2 {
        diesel::insert_into(connectors::table)
            .values((
                connectors::id.eq(new_id(now)),
                connectors::provider_id.eq(provider_id),
                connectors::property_id.eq(property_id),
                connectors::station_id.eq(station_id),
                connectors::area_id.eq(area_id),
                connectors::charger_id.eq(id),
                connectors::number.eq(connector),
                connectors::code.eq(format!("{code}-{connector}")),
                connectors::name.eq(format!("{connector}号枪")),
            ))
            .execute(conn)
            .await?;
    }
    Ok(id)
}

/// Slow chargers have one price all day, fast ones a price for each period; in force since yesterday.
async fn tariff(
    conn: &mut AsyncPgConnection,
    owner: Owner,
    area_id: Uuid,
    power: i64,
    now: DateTime<Utc>,
) -> Result<()> {
    let Owner { provider_id, property_id, station_id } = owner;
    let body = if power > 22_000 { time_of_use()? } else { Tariff::uniform(price("0.68000", "0.40000")?) };
    let id = new_id(now);
    diesel::insert_into(tariffs::table)
        .values((
            tariffs::id.eq(id),
            tariffs::line.eq("car"),
            tariffs::provider_id.eq(provider_id),
            tariffs::property_id.eq(property_id),
            tariffs::station_id.eq(station_id),
            tariffs::area_id.eq(area_id),
            tariffs::name.eq(if power > 22_000 { "峰平谷电价" } else { "统一电价" }),
            tariffs::mode.eq(body.mode.to_string()),
            tariffs::presets.eq(vec![1000_i64, 2000, 3000, 5000, 10_000, 20_000]),
        ))
        .execute(conn)
        .await?;
    diesel::insert_into(tariff_versions::table)
        .values((
            tariff_versions::id.eq(new_id(now)),
            tariff_versions::tariff_id.eq(id),
            tariff_versions::number.eq(1),
            tariff_versions::body_hash.eq(crate::tariff::hash(&body)?),
            tariff_versions::body.eq(serde_json::to_value(&body)?),
            tariff_versions::saved_at.eq(now - TimeDelta::days(2)),
            tariff_versions::effective_at.eq(now - TimeDelta::days(1)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

fn price(elec: &str, service: &str) -> Result<UnitPrice> {
    Ok(UnitPrice { elec: elec.parse()?, service: service.parse()? })
}

fn time_of_use() -> Result<Tariff> {
    let prices = BTreeMap::from([
        (Period::Sharp, price("1.25130", "0.40000")?),
        (Period::Peak, price("1.01250", "0.40000")?),
        (Period::Flat, price("0.69870", "0.35000")?),
        (Period::Valley, price("0.35210", "0.30000")?),
    ]);
    let ranges = [
        ("00:00", "07:00", Period::Valley),
        ("07:00", "10:00", Period::Flat),
        ("10:00", "12:00", Period::Peak),
        ("12:00", "14:00", Period::Flat),
        ("14:00", "17:00", Period::Peak),
        ("17:00", "19:00", Period::Sharp),
        ("19:00", "22:00", Period::Peak),
        ("22:00", "23:00", Period::Flat),
        ("23:00", "24:00", Period::Valley),
    ];
    let ranges =
        ranges.into_iter().map(|(from, to, period)| Ok(Range { from: from.parse()?, to: to.parse()?, period }));
    Ok(Tariff::time_of_use(prices, ranges.collect::<Result<_>>()?))
}
