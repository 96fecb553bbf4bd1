//! How fast a charge was, once it is over: on average, and at most.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{charge_sessions, meter_readings};
use shared::fixed::Kwh;

use super::charge::Charge;
use crate::error::Result;

/// Keeps the power of a charge that was billed just now. Readings beyond what the charger can deliver are no true ones.
pub(super) async fn keep(conn: &mut AsyncPgConnection, charge: &Charge) -> Result<()> {
    let (order, progress) = (&charge.order, &charge.progress);
    let average = progress.started_at.zip(progress.ended_at).and_then(|(from, to)| average(progress.kwh, from, to));
    let most = charge.agreed.rated_power_w.saturating_mul(5) / 4;
    let readings = meter_readings::table.filter(meter_readings::order_id.eq(order.id)).filter(meter_readings::billed);
    let believed = readings.filter(meter_readings::power_w.between(0, most));
    let peak: Option<i64> = believed.select(diesel::dsl::max(meter_readings::power_w)).first(conn).await?;
    diesel::update(charge_sessions::table.find(order.id))
        .set((charge_sessions::avg_power_w.eq(average), charge_sessions::peak_power_w.eq(peak)))
        .execute(conn)
        .await?;
    Ok(())
}

/// The average power in W; none of a charge that took no time.
fn average(energy: Kwh, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<i64> {
    let millis = (to - from).max(TimeDelta::zero()).num_milliseconds();
    // A unit is a tenth of a Wh.
    let watts = i128::from(energy.units()) * 360_000;
    watts.checked_div(i128::from(millis)).and_then(|it| i64::try_from(it).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_the_energy_over_the_time() {
        let from: DateTime<Utc> = "2026-11-20T09:30:00+08:00".parse().unwrap();
        let of = |kwh: &str, seconds| average(kwh.parse().unwrap(), from, from + TimeDelta::seconds(seconds));
        assert_eq!(of("13.0000", 1800), Some(26_000));
        assert_eq!(of("0.0000", 60), Some(0));
        assert_eq!(of("10.0000", 0), None);
        assert_eq!(of("10.0000", -5), None);
    }
}
