//! Where cars charge, set up by clicks: stations, areas, chargers, prices.

use anyhow::Result;

use crate::Browser;

impl Browser {
    /// Fills in what the form of a new station of either line asks for, among the tenants of a walk.
    ///
    /// # Errors
    /// The form is not as it should be.
    pub async fn fill_in_station(&self, path: &str, property: &str, name: &str) -> Result<()> {
        self.add(path).await?;
        self.choose("provider_id", "云栖充电").await?;
        self.choose("property_id", property).await?;
        for (field, text) in [("name", name), ("lng", "120.2"), ("lat", "30.25")] {
            self.enter(field, text).await?;
        }
        self.choose("nature", "公共").await
    }

    /// Adds a user who runs the property, and becomes that user with this password.
    ///
    /// # Errors
    /// It cannot be.
    pub async fn become_keeper(&self, password: &str) -> Result<()> {
        self.add("system/users").await?;
        self.choose("kind", "物业").await?;
        self.choose("provider_id", "云栖充电").await?;
        self.choose("property_id", "滨江物业").await?;
        self.enter("username", "li.lei").await?;
        self.enter("name", "李蕾").await?;
        self.choose("role_ids", "系统管理员").await?;
        self.save().await?;
        let given = self.one_time_password().await?;
        self.log_out().await?;
        self.log_in_first("li.lei", &given, password).await
    }

    /// Adds a station with its first area, has it approved and switches it on.
    ///
    /// # Errors
    /// It cannot be.
    pub async fn open_station(&self, name: &str) -> Result<()> {
        self.fill_in_station("car/stations", "滨江物业", name).await?;
        self.save().await?;
        self.act(name, "approve").await?;
        self.agree().await?;
        self.told("已审核通过").await?;
        self.switch(name).await?;
        self.agree().await?;
        self.told("启用成功").await
    }

    /// Fills in the open form of what invoices say of a station's seller.
    ///
    /// # Errors
    /// The form is not as it should be.
    pub async fn fill_in_seller(&self) -> Result<()> {
        for (field, text) in [
            ("merchant_no", "ZS200002"),
            ("company_name", "杭州云栖充电有限公司"),
            ("tax_id", "91330100MA2BXXXX0B"),
            ("phone", "0571-88881111"),
            ("address", "西湖区云栖小镇 2 号"),
            ("bank_name", "工商银行杭州分行"),
            ("bank_account", "1202000000000000002"),
            ("drawer", "周洁"),
            ("payee", "李敏"),
            ("checker", "陈晨"),
            ("elec_code", "1100101020100000000"),
            ("service_code", "1100101020100000000"),
        ] {
            self.enter(field, text).await?;
        }
        self.choose("elec_rate", "13%").await?;
        self.choose("service_rate", "13%").await
    }

    /// Adds an area to a station.
    ///
    /// # Errors
    /// It cannot be.
    pub async fn add_area(&self, station: &str, name: &str) -> Result<()> {
        self.add("car/areas").await?;
        self.choose("station_id", station).await?;
        self.enter("name", name).await?;
        self.save().await?;
        self.row(name).await.map(drop)
    }

    /// Fills in what the open form of a charger asks for besides its serial number.
    ///
    /// # Errors
    /// The form is not as it should be.
    pub async fn fill_in_charger(&self, station: &str, area: &str, name: &str) -> Result<()> {
        self.choose("station_id", station).await?;
        self.choose("area_id", area).await?;
        for (field, text) in [("name", name), ("connectors", "2"), ("output_power_w", "480")] {
            self.enter(field, text).await?;
        }
        for (field, text) in
            [("nature", "公共"), ("current_type", "直流"), ("interface", "国标直流"), ("speed", "超充")]
        {
            self.choose(field, text).await?;
        }
        Ok(())
    }

    /// Adds a charger of two connectors; gives the password that is made up for it.
    ///
    /// # Errors
    /// It cannot be.
    pub async fn add_charger(&self, station: &str, area: &str, serial_no: &str, name: &str) -> Result<String> {
        self.add("car/chargers").await?;
        self.enter("serial_no", serial_no).await?;
        self.fill_in_charger(station, area, name).await?;
        self.save().await?;
        let password = self.charger_password().await?;
        self.row(name).await?;
        Ok(password)
    }

    /// Fills in a new tariff with one price all day, an energy fee of 0.95 and a service fee of 0.45.
    ///
    /// # Errors
    /// The form is not as it should be.
    pub async fn fill_in_tariff(&self, station: &str, area: &str, name: &str) -> Result<()> {
        self.add("car/tariffs").await?;
        self.choose("station_id", station).await?;
        self.choose("area_id", area).await?;
        for (field, text) in [("name", name), ("uniform-elec", "0.9500"), ("uniform-service", "0.4500")] {
            self.enter(field, text).await?;
        }
        Ok(())
    }
}
