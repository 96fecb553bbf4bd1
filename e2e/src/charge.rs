//! Drivers who pay and charge at simulated chargers.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use backend::simulate::World;
use backend::simulate::charger::{Deed, Handle};
use backend::simulate::connector::Car;
use backend::simulate::driver::{Driver, Manner};
use shared::driver_app::OrderToPay;
use shared::fixed::Fen;
use shared::order::OrderState;
use uuid::Uuid;

use crate::Platform;

/// What a driver prepays: 50 yuan.
pub const PREPAID: Fen = Fen(5000);

/// A car that takes all that a charger gives for some minutes.
pub const CAR: Car = Car { capacity_wh: 90_000, soc: 20, max_power_w: 480_000, asleep: false };

/// A driver at a connector, with the order that was made there.
pub struct Charging {
    /// The driver.
    pub driver: Driver,
    /// The charger.
    pub charger: Handle,
    /// The order and its payment.
    pub made: OrderToPay,
}

impl Platform {
    /// A driver with this telephone who has logged in.
    ///
    /// # Errors
    /// They cannot log in.
    pub async fn driver(&self, world: &World, phone: &str) -> Result<Driver> {
        let short = Duration::ZERO..Duration::from_secs(1);
        let manner = Manner {
            platform: self.url.clone(),
            charge: short.clone(),
            away: short,
            prepaid: PREPAID,
            look: Duration::from_millis(200),
            patience: Duration::from_secs(60),
        };
        let driver = Driver::new(phone.to_owned(), manner.into(), world.bank.clone(), self.app.http.clone());
        driver.log_in().await?;
        Ok(driver)
    }

    /// A driver with this telephone who has plugged a car in at a charger's connector and ordered a charge there.
    ///
    /// # Errors
    /// They cannot.
    pub async fn ordered(&self, world: &World, phone: &str, serial_no: &str, number: i32) -> Result<Charging> {
        Charging::order(self.driver(world, phone).await?, world, serial_no, number).await
    }

    /// The same, who has paid, and whose car has been charging for this many fen.
    ///
    /// # Errors
    /// They cannot.
    pub async fn charging(
        &self,
        world: &World,
        phone: &str,
        serial_no: &str,
        number: i32,
        fee: Fen,
    ) -> Result<Charging> {
        self.ordered(world, phone, serial_no, number).await?.charge(fee).await
    }
}

impl Charging {
    /// A driver plugs a car in at a charger's connector and orders a charge there.
    ///
    /// # Errors
    /// They cannot.
    pub async fn order(driver: Driver, world: &World, serial_no: &str, number: i32) -> Result<Self> {
        let charger = world.chargers.get(serial_no).with_context(|| format!("no charger {serial_no}"))?.clone();
        charger.until(|it| it.online).await?;
        charger.act(Deed::Plug(number, CAR)).await?;
        charger.until(|it| it.told && it.plugged.contains(&number)).await?;
        let found = driver.scan(serial_no).await?;
        let connector = found.charger.connectors.iter().find(|it| it.number == number).context("no connector")?;
        ensure!(connector.obstacle.is_none(), "cannot start: {:?}", connector.obstacle);
        let made = driver.order(connector.id).await?;
        Ok(Self { driver, charger, made })
    }

    /// Pays, and charges for this many fen.
    ///
    /// # Errors
    /// They cannot.
    pub async fn charge(self, fee: Fen) -> Result<Self> {
        self.pay()?;
        self.driver.until(self.id(), |it| it.state == OrderState::Charging && it.accrued_fen >= fee).await?;
        Ok(self)
    }

    /// The order's id.
    pub const fn id(&self) -> Uuid {
        self.made.order.id
    }

    /// The order's number.
    pub fn no(&self) -> &str {
        &self.made.order.order_no
    }

    /// Pays in the wallet.
    ///
    /// # Errors
    /// It cannot be paid any more.
    pub fn pay(&self) -> Result<()> {
        self.driver.pay(&self.made.payment)
    }

    /// The driver ends the charge, waits for its bill, and drives off.
    ///
    /// # Errors
    /// They cannot.
    pub async fn end(&self, number: i32) -> Result<()> {
        self.driver.stop(self.id()).await?;
        self.driver.until(self.id(), |it| it.state == OrderState::Completed).await?;
        self.charger.act(Deed::Unplug(number)).await
    }
}
