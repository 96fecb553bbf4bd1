//! The first page: the business in numbers, as far as the caller may see it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::fixed::Kwh;

/// What the first page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dashboard {
    /// What is out there for cars.
    pub car: CarNumbers,
    /// What is out there for e-bikes.
    pub bike: BikeNumbers,
    /// Charges that have ended, of all time.
    pub orders: OrderNumbers,
    /// People.
    pub users: UserNumbers,
    /// The last seven days, today included, the oldest first.
    pub last7: Vec<DayOrders>,
    /// The last five days, today included, the oldest first.
    pub last5: Vec<DayEnergy>,
    /// The four drivers who have charged most often, the first first.
    pub top: Vec<Customer>,
}

/// What is out there for cars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CarNumbers {
    /// Stations.
    pub stations: i64,
    /// Areas.
    pub areas: i64,
    /// Chargers.
    pub chargers: i64,
}

/// What is out there for e-bikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BikeNumbers {
    /// Stations.
    pub stations: i64,
    /// Areas.
    pub areas: i64,
    /// Devices.
    pub devices: i64,
}

/// Charges that have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderNumbers {
    /// Of cars.
    pub car: i64,
    /// Of e-bikes.
    pub bike: i64,
    /// Of both.
    pub total: i64,
}

/// People.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserNumbers {
    /// Members: drivers who hold a card.
    pub members: i64,
    /// Cards.
    pub cards: i64,
    /// Drivers.
    pub drivers: i64,
    /// Those of them who are here since the last seven days, today included.
    pub newcomers: i64,
}

/// The charges of one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayOrders {
    /// The local day.
    #[schema(format = Date, example = "2026-11-25")]
    pub day: String,
    /// Cars' charges that ended on it.
    pub car: i64,
    /// E-bikes' charges that ended on it.
    pub bike: i64,
    /// Refunds that were paid out on it.
    pub refunds: i64,
}

/// The energy of one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayEnergy {
    /// The local day.
    #[schema(format = Date, example = "2026-11-25")]
    pub day: String,
    /// Charged into cars.
    pub car_kwh: Kwh,
    /// Charged into e-bikes.
    pub bike_kwh: Kwh,
}

/// Somebody who charges often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Customer {
    /// The driver.
    pub driver_id: Uuid,
    /// Their telephone.
    #[schema(example = "13800000001")]
    pub phone: String,
    /// What they are called.
    pub name: Option<String>,
    /// How often they have charged.
    pub count: i64,
}
