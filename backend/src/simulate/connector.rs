//! A simulated connector: a plug, perhaps a car, and a meter that follows the car's appetite.

use chrono::{DateTime, Utc};
use ocpp::IdTag;
use ocpp::message::{
    ChargePointErrorCode, ChargePointStatus, Location, Measurand, MeterValue, ReservationStatus, ReserveNow,
    SampledValue, StopReason, UnitOfMeasure,
};

/// A car at the plug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Car {
    /// What its battery holds, in Wh.
    pub capacity_wh: i64,
    /// How full it was when it came, in percent.
    pub soc: i64,
    /// The most that it takes, in W.
    pub max_power_w: i64,
    /// It sleeps: charging starts, and no current flows.
    pub asleep: bool,
}

/// A charge as the charger knows it.
#[derive(Clone, Debug)]
pub struct Charge {
    /// Tells this charge from the others of this charger while the server has not numbered it.
    pub local: u64,
    /// What it was started with.
    pub tag: IdTag,
    /// The register when it began, in Wh.
    pub meter_start: i64,
}

/// A connector.
#[derive(Debug)]
pub struct Connector {
    /// Its number, from 1.
    pub number: i32,
    /// The most that it gives, in W.
    pub max_power_w: i64,
    /// The car at the plug.
    pub car: Option<Car>,
    /// The charge that runs.
    pub charge: Option<Charge>,
    /// In service.
    pub operative: bool,
    /// Broken.
    pub fault: Option<ChargePointErrorCode>,
    /// What keeps it free, and for whom.
    reservation: Option<ReserveNow>,
    /// The register in mJ: whole Wh would lose what flows in a second.
    register_mj: i64,
    /// What the car took since it came, in mJ.
    taken_mj: i64,
    /// What was last told of it.
    told: Option<ChargePointStatus>,
    /// A charge has ended and the plug is still in.
    finished: bool,
}

const MJ_PER_WH: i64 = 3_600_000;

impl Connector {
    /// A connector whose meter stands somewhere.
    pub fn new(number: i32, max_power_w: i64, meter_wh: i64) -> Self {
        Self {
            number,
            max_power_w,
            car: None,
            charge: None,
            operative: true,
            fault: None,
            reservation: None,
            register_mj: meter_wh * MJ_PER_WH,
            taken_mj: 0,
            told: None,
            finished: false,
        }
    }

    /// The register in Wh.
    pub const fn meter_wh(&self) -> i64 {
        self.register_mj / MJ_PER_WH
    }

    /// A car is plugged in.
    pub fn plug(&mut self, car: Car) {
        self.car = Some(car);
        self.taken_mj = 0;
        self.finished = false;
    }

    /// The plug is taken out.
    pub fn unplug(&mut self) -> Option<Car> {
        self.finished = false;
        self.car.take()
    }

    /// A charge begins, which uses up the reservation.
    pub fn begin(&mut self, charge: Charge) {
        self.charge = Some(charge);
        self.reservation = None;
    }

    /// It is to be kept free. The same reservation again changes it.
    pub fn reserve(&mut self, wanted: ReserveNow) -> ReservationStatus {
        let other = self.reservation.as_ref().is_some_and(|it| it.reservation_id != wanted.reservation_id);
        if self.fault.is_some() {
            return ReservationStatus::Faulted;
        }
        if !self.operative {
            return ReservationStatus::Unavailable;
        }
        if self.car.is_some() || self.charge.is_some() || other {
            return ReservationStatus::Occupied;
        }
        self.reservation = Some(wanted);
        ReservationStatus::Accepted
    }

    /// It is to be kept free no longer; gives whether it was.
    pub fn give_free(&mut self, reservation: i32) -> bool {
        self.reservation.take_if(|it| it.reservation_id == reservation).is_some()
    }

    /// Reservations end by themselves.
    pub fn expire(&mut self, now: DateTime<Utc>) {
        self.reservation.take_if(|it| it.expiry_date < now);
    }

    /// Whether a charge may begin with a tag.
    pub fn lets(&self, tag: &IdTag) -> bool {
        self.reservation.as_ref().is_none_or(|it| it.id_tag == *tag)
    }

    /// The charge ends, if one runs.
    pub fn end(&mut self) -> Option<Charge> {
        let charge = self.charge.take()?;
        self.finished = self.car.is_some();
        Some(charge)
    }

    /// How full the battery is, in percent.
    pub fn soc(&self) -> Option<i64> {
        let car = self.car?;
        Some((car.soc + self.taken_mj / MJ_PER_WH * 100 / car.capacity_wh.max(1)).min(100))
    }

    /// What flows now, in W: all that both sides can up to 80 %, then less and less.
    pub fn power_w(&self) -> i64 {
        let (Some(car), Some(_)) = (self.car, &self.charge) else { return 0 };
        if car.asleep || self.fault.is_some() {
            return 0;
        }
        let most = car.max_power_w.min(self.max_power_w);
        match self.soc().unwrap_or(100) {
            ..80 => most,
            soc @ 80..100 => most * (105 - soc) / 25,
            _ => 0,
        }
    }

    /// Lets time pass.
    pub fn flow(&mut self, millis: i64) {
        let mj = self.power_w() * millis;
        self.register_mj += mj;
        self.taken_mj += mj;
    }

    /// Why the charge should end by itself.
    pub fn wants_to_stop(&self) -> Option<StopReason> {
        self.charge.as_ref()?;
        if self.fault.is_some() {
            return Some(StopReason::EmergencyStop);
        }
        match self.car {
            None => Some(StopReason::EVDisconnected),
            Some(_) if self.soc() == Some(100) => Some(StopReason::Local),
            Some(_) => None,
        }
    }

    /// What a status notification would say now.
    pub fn status(&self) -> ChargePointStatus {
        if self.fault.is_some() {
            return ChargePointStatus::Faulted;
        }
        if self.charge.is_some() {
            let flows = self.power_w() > 0;
            return if flows { ChargePointStatus::Charging } else { ChargePointStatus::SuspendedEV };
        }
        match (self.operative, self.car, self.finished) {
            (false, ..) => ChargePointStatus::Unavailable,
            (true, Some(_), true) => ChargePointStatus::Finishing,
            (true, Some(_), false) => ChargePointStatus::Preparing,
            (true, None, _) if self.reservation.is_some() => ChargePointStatus::Reserved,
            (true, None, _) => ChargePointStatus::Available,
        }
    }

    /// The status, if it has changed since it was last told.
    pub fn news(&mut self) -> Option<ChargePointStatus> {
        let now = self.status();
        if self.told.as_ref() == Some(&now) {
            return None;
        }
        self.told = Some(now.clone());
        Some(now)
    }

    /// The status must be told anew.
    pub fn forget_told(&mut self) {
        self.told = None;
    }

    /// All that the meter shows.
    pub fn sample(&self, at: DateTime<Utc>) -> MeterValue {
        let power = self.power_w();
        let volts = if self.max_power_w > 22_000 { 400 + self.soc().unwrap_or(0) } else { 220 };
        let value = |value: i64, measurand, unit| SampledValue {
            measurand: Some(measurand),
            unit: Some(unit),
            ..SampledValue::new(value.to_string())
        };
        let mut sampled_value = vec![
            value(self.meter_wh(), Measurand::EnergyActiveImportRegister, UnitOfMeasure::Wh),
            value(power, Measurand::PowerActiveImport, UnitOfMeasure::W),
            value(power / volts.max(1), Measurand::CurrentImport, UnitOfMeasure::A),
            value(volts, Measurand::Voltage, UnitOfMeasure::V),
        ];
        if let Some(soc) = self.soc() {
            let soc = value(soc, Measurand::SoC, UnitOfMeasure::Percent);
            sampled_value.push(SampledValue { location: Some(Location::EV), ..soc });
        }
        MeterValue { timestamp: Some(at), sampled_value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charging(soc: i64) -> Connector {
        let mut it = Connector::new(1, 120_000, 1_000);
        it.plug(Car { capacity_wh: 60_000, soc, max_power_w: 90_000, asleep: false });
        it.begin(Charge { local: 1, tag: IdTag::of_order(7), meter_start: it.meter_wh() });
        it
    }

    #[test]
    fn energy_follows_power_and_time() {
        let mut it = charging(20);
        for _ in 0..60 {
            it.flow(1_000);
        }
        assert_eq!(it.meter_wh(), 1_000 + 1_500, "90 kW for a minute");
        assert_eq!(it.soc(), Some(22));
    }

    #[test]
    fn a_full_battery_ends_the_charge() {
        let mut it = charging(99);
        assert!(it.power_w() < 90_000);
        while it.wants_to_stop().is_none() {
            it.flow(10_000);
        }
        assert_eq!((it.wants_to_stop(), it.power_w()), (Some(StopReason::Local), 0));
    }

    #[test]
    fn the_status_tells_what_is_going_on() {
        let mut it = Connector::new(1, 60_000, 0);
        assert_eq!((it.news(), it.news()), (Some(ChargePointStatus::Available), None));
        it.plug(Car { capacity_wh: 60_000, soc: 20, max_power_w: 50_000, asleep: false });
        assert_eq!(it.news(), Some(ChargePointStatus::Preparing));
        it.begin(Charge { local: 1, tag: IdTag::of_order(7), meter_start: 0 });
        assert_eq!(it.news(), Some(ChargePointStatus::Charging));
        it.end();
        assert_eq!(it.news(), Some(ChargePointStatus::Finishing));
        it.unplug();
        it.operative = false;
        assert_eq!(it.news(), Some(ChargePointStatus::Unavailable));
    }
    #[test]
    fn a_reserved_connector_lets_nobody_else_begin() {
        let mut it = Connector::new(1, 60_000, 0);
        let (mine, other) = (IdTag::new("R10000001").unwrap(), IdTag::of_order(7));
        let until = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let wanted = |reservation_id, seconds| ReserveNow {
            connector_id: 1,
            expiry_date: until(seconds),
            id_tag: mine.clone(),
            parent_id_tag: None,
            reservation_id,
        };
        assert_eq!(it.reserve(wanted(1, 60)), ReservationStatus::Accepted);
        assert_eq!((it.news(), it.lets(&mine), it.lets(&other)), (Some(ChargePointStatus::Reserved), true, false));
        assert_eq!(it.reserve(wanted(2, 60)), ReservationStatus::Occupied);
        assert!(!it.give_free(2) && it.give_free(1));
        assert_eq!((it.news(), it.lets(&other)), (Some(ChargePointStatus::Available), true));
        it.reserve(wanted(3, 60));
        it.expire(until(61));
        assert_eq!(it.status(), ChargePointStatus::Available);
        it.plug(Car { capacity_wh: 60_000, soc: 20, max_power_w: 50_000, asleep: false });
        assert_eq!(it.reserve(wanted(4, 60)), ReservationStatus::Occupied);
    }
}
