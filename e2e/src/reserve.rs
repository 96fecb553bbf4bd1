//! Drivers who have a connector kept free.

use anyhow::{Context, Result};
use backend::simulate::World;
use backend::simulate::charger::{Deed, Handle};
use backend::simulate::driver::Driver;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use schema::drivers;
use shared::device::ConnectorStatus;
use shared::driver_app::DriverReservation;

use crate::charge::CAR;
use crate::{Charging, Platform, until};

/// A driver with a reservation.
pub struct Reserved {
    /// The driver.
    pub driver: Driver,
    /// The charger.
    pub charger: Handle,
    /// The reservation.
    pub made: DriverReservation,
    serial_no: String,
    number: i32,
}

impl Platform {
    /// A certified driver with this telephone and plate who has reserved a charger's connector, which the charger shows.
    ///
    /// # Errors
    /// They cannot.
    pub async fn reserved(
        &self,
        world: &World,
        (phone, plate): (&str, &str),
        serial_no: &str,
        number: i32,
    ) -> Result<Reserved> {
        let driver = self.driver(world, phone).await?;
        let papers = (drivers::certified.eq(true), drivers::plate.eq(plate));
        let row = diesel::update(drivers::table.filter(drivers::phone.eq(phone)));
        row.set(papers).execute(&mut self.app.conn().await?).await?;
        let charger = world.chargers.get(serial_no).with_context(|| format!("no charger {serial_no}"))?.clone();
        charger.until(|it| it.online && it.told).await?;
        let found = driver.scan(serial_no).await?;
        let connector = found.charger.connectors.iter().find(|it| it.number == number).context("no connector")?.id;
        let made = driver.reserve(connector).await?;
        until("the charger keeps the connector", async || {
            let connectors = driver.scan(serial_no).await?.charger.connectors;
            Ok(connectors.iter().any(|it| it.id == connector && it.status == ConnectorStatus::Reserved))
        })
        .await?;
        Ok(Reserved { driver, charger, made, serial_no: serial_no.to_owned(), number })
    }
}

impl Reserved {
    /// The reservation's number.
    pub fn no(&self) -> &str {
        &self.made.reservation_no
    }

    /// The car comes, and is plugged in.
    ///
    /// # Errors
    /// The charger has gone.
    pub async fn come(&self) -> Result<()> {
        self.charger.act(Deed::Plug(self.number, CAR)).await
    }

    /// The car drives off.
    ///
    /// # Errors
    /// The charger has gone.
    pub async fn leave(&self) -> Result<()> {
        self.charger.act(Deed::Unplug(self.number)).await
    }

    /// The car comes, and its driver orders a charge.
    ///
    /// # Errors
    /// They cannot.
    pub async fn order(self, world: &World) -> Result<Charging> {
        Charging::order(self.driver, world, &self.serial_no, self.number).await
    }
}
