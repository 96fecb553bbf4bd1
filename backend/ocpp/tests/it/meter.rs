//! The quantities of a meter value.

use ocpp::message::MeterValue;
use ocpp::read;
use serde_json::{Value, json};

use crate::samples::object;

fn value(samples: Value) -> MeterValue {
    read(object(&json!({"timestamp": "2026-11-22T01:30:35Z", "sampledValue": samples}))).unwrap()
}

/// The imported energy of samples that say nothing but what is given here.
fn energy(sample: Value) -> Option<i64> {
    value(json!([sample])).energy_wh()
}

#[test]
fn energy_in_watt_hours() {
    let register = "Energy.Active.Import.Register";
    let cases = [
        (json!({"value": "1234900"}), Some(1_234_900)),
        (json!({"value": "1234900", "unit": "Wh"}), Some(1_234_900)),
        (json!({"value": "1234.9", "unit": "kWh", "measurand": register}), Some(1_234_900)),
        (json!({"value": "12,5", "unit": "kWh"}), Some(12_500)),
        (json!({"value": "12.3456", "unit": "KWH"}), Some(12_346)),
        (json!({"value": "12.3454", "unit": "kWh"}), Some(12_345)),
        (json!({"value": "0.5"}), Some(1)),
        (json!({"value": 1234.5, "unit": "kWh"}), Some(1_234_500)),
        (json!({"value": "7", "unit": "", "measurand": "", "location": "", "phase": ""}), Some(7)),
        (json!({"value": "7", "measurand": "energy.active.import.register"}), Some(7)),
        (json!({"value": ""}), None),
        (json!({"value": "n/a"}), None),
        (json!({"value": "99999999999999999999"}), None),
        (json!({"value": "9999999999999999999", "unit": "kWh"}), None),
        (json!({"value": "7", "format": "Raw"}), Some(7)),
        (json!({"value": "7", "format": "SignedData"}), None),
        (json!({"value": "OCMF|{}|{}", "format": "SignedData"}), None),
        (json!({"value": "7", "unit": "W"}), None),
        (json!({"value": "7", "unit": "MWh"}), None),
        (json!({"value": "7", "measurand": "Energy.Active.Export.Register"}), None),
        (json!({"value": "7", "measurand": "Energy.Active.Import.Interval"}), None),
        (json!({"value": "7", "phase": "N"}), None),
    ];
    for (sample, expected) in cases {
        assert_eq!(energy(sample.clone()), expected, "{sample}");
    }
}

#[test]
fn the_other_quantities() {
    let it = value(json!([
        {"value": "40.0", "measurand": "Power.Active.Import", "unit": "kW"},
        {"value": "16.0005", "measurand": "Current.Import", "unit": "A"},
        {"value": "399.9", "measurand": "Voltage"},
        {"value": "55.5", "measurand": "SoC", "unit": "Percent", "location": "EV"},
    ]));
    assert_eq!(it.power_w(), Some(40_000));
    assert_eq!(it.current_ma(), Some(16_001));
    assert_eq!(it.voltage_mv(), Some(399_900));
    assert_eq!(it.soc_percent(), Some(56));
    assert_eq!(it.energy_wh(), None);
    for beyond in ["101", "-1"] {
        assert_eq!(value(json!([{"value": beyond, "measurand": "SoC"}])).soc_percent(), None);
    }
}

#[test]
fn the_whole_goes_before_its_phases() {
    let of = |phase: Option<&str>, measurand: &str, value: &str| match phase {
        Some(phase) => json!({"value": value, "measurand": measurand, "phase": phase}),
        None => json!({"value": value, "measurand": measurand}),
    };
    let mut samples = vec![
        of(Some("L1"), "Power.Active.Import", "1000.4"),
        of(Some("L2"), "Power.Active.Import", "1000"),
        of(Some("L3"), "Power.Active.Import", "1000"),
        of(Some("N"), "Power.Active.Import", "9000"),
        of(Some("L1-N"), "Power.Active.Import", "9000"),
        of(Some("L1"), "Current.Import", "10"),
        of(Some("L2"), "Current.Import", "12.5"),
        of(Some("L1-N"), "Voltage", "230"),
        of(Some("L2-N"), "Voltage", "231"),
        of(Some("L1-L2"), "Voltage", "400"),
        of(Some("L1-L2"), "Energy.Active.Import.Register", "400"),
    ];
    let it = value(json!(samples));
    assert_eq!(it.power_w(), Some(3000));
    assert_eq!(it.current_ma(), Some(12_500));
    assert_eq!(it.voltage_mv(), Some(230_000));
    assert_eq!(it.energy_wh(), None);
    samples.push(of(None, "Power.Active.Import", "2999"));
    samples.push(of(None, "Current.Import", "11"));
    let it = value(json!(samples));
    assert_eq!(it.power_w(), Some(2999));
    assert_eq!(it.current_ma(), Some(11_000));
}

#[test]
fn the_outlet_goes_before_other_places() {
    let inlet = json!({"value": "1010", "location": "Inlet"});
    let outlet = json!({"value": "1000", "location": "Outlet"});
    assert_eq!(value(json!([inlet, outlet])).energy_wh(), Some(1000));
    assert_eq!(value(json!([inlet])).energy_wh(), Some(1010));
    assert_eq!(value(json!([inlet, {"value": "990", "location": "Body"}])).energy_wh(), Some(1010));
}

#[test]
fn the_last_of_several_readings_counts() {
    let it = value(json!([
        {"value": "1000", "context": "Transaction.Begin"},
        {"value": "1500", "context": "Sample.Periodic"},
        {"value": "2000", "context": "Transaction.End"},
    ]));
    assert_eq!(it.energy_wh(), Some(2000));
}

#[test]
fn any_value_can_be_scaled() {
    let it = value(json!([
        {"value": "49.98", "measurand": "Frequency", "unit": "Hertz"},
        {"value": "36,6", "measurand": "Temperature", "unit": "Celcius"},
    ]));
    let [frequency, temperature] = it.sampled_value.as_slice() else { panic!() };
    assert_eq!(frequency.scaled(2), Some(4998));
    assert_eq!(temperature.scaled(1), Some(366));
    assert_eq!(temperature.unit.as_ref().unwrap().as_str(), "Celsius");
    assert_eq!(temperature.context().as_str(), "Sample.Periodic");
    assert_eq!(temperature.location().as_str(), "Outlet");
}
