//! Runs the worked tariff cases: every one of a file must come out exactly as it says.
//!
//! The file is the one that `TARIFF_VECTORS` names, else `../shared/vectors/tariff-vectors.json` beside the repository,
//! else the copy within it, so that a lone clone tests too.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing JSON reads null where nothing is, and reading null fails the case"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::fixed::{Fen, Kwh, TaxRate};
use shared::pricing::{
    BikeTariff, Period, Range, Receiver, RechargeTier, ReservationState, Sample, Tariff, UnitPrice, Usage, bike_bill,
    bike_max_minutes, bill, bill_by_period, in_force, invoice_order, issue_card, occupancy_seconds, pay_by_card,
    recharge_bonus, refund_limit, refund_parts, refund_to_card, reservation_state, return_shares, segments, settle,
    share, should_stop, split_tax,
};
use shared::time::Clock;

type Outcome<T> = Result<T, Box<dyn Error>>;
type Instant = DateTime<Utc>;

#[derive(Deserialize)]
struct Vectors {
    schema_version: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    kind: String,
    input: Value,
    expected: Value,
}

#[test]
fn vectors() -> Outcome<()> {
    let path = vectors_path();
    let text = std::fs::read_to_string(&path).map_err(|err| format!("{}: {err}", path.display()))?;
    let Vectors { schema_version, cases } = serde_json::from_str(&text)?;
    assert_eq!(schema_version, 1);
    assert!(!cases.is_empty(), "{} has no cases", path.display());
    let failures: Vec<String> = cases.iter().filter_map(|case| run(case).err()).collect();
    let report = failures.join("\n");
    assert!(failures.is_empty(), "{} of {} cases of {} fail:\n{report}", failures.len(), cases.len(), path.display());
    Ok(())
}

/// The copy in the repository must be good for something, so it has a case of every kind that we know.
#[test]
fn the_copy_has_every_kind() -> Outcome<()> {
    let Vectors { cases, .. } = serde_json::from_str(&std::fs::read_to_string(copy_path())?)?;
    let kinds: BTreeSet<&str> = cases.iter().map(|case| case.kind.as_str()).collect();
    let known = [
        "car_auto_stop",
        "car_meter",
        "car_periods",
        "card",
        "card_issue",
        "card_refund",
        "ebike",
        "ebike_max_minutes",
        "invoice_line",
        "invoice_order",
        "occupancy",
        "recharge_bonus",
        "refund_alloc",
        "refund_limit",
        "reservation",
        "settle",
        "share",
        "share_return",
        "tariff_effective",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), known);
    Ok(())
}

fn copy_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tariff-vectors.json")
}

fn vectors_path() -> PathBuf {
    if let Some(path) = std::env::var_os("TARIFF_VECTORS") {
        // Cargo runs tests in the crate's folder, people name files from the repository's.
        return Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/tariff-vectors.json");
    if beside.exists() { beside } else { copy_path() }
}

fn run(case: &Case) -> Result<(), String> {
    let expected = comparable(&case.kind, case.expected.clone());
    match price(&case.kind, case.input.clone()) {
        Ok(outcome) if outcome == expected => Ok(()),
        Ok(outcome) => Err(format!("{} ({}): expected {expected}, got {outcome}", case.id, case.kind)),
        Err(err) => Err(format!("{} ({}): expected {expected}, got error: {err}", case.id, case.kind)),
    }
}

/// Two words differ between the file and the wire: tax rates have all their places on the wire, and a reservation that
/// ran out of time is called `timed_out` there.
fn comparable(kind: &str, mut expected: Value) -> Value {
    match kind {
        "invoice_order" => {
            for line in expected["lines"].as_array_mut().into_iter().flatten() {
                if let Ok(rate) = TaxRate::deserialize(&line["rate"]) {
                    line["rate"] = json!(rate);
                }
            }
        }
        "reservation" if expected["state"] == "timeout" => expected["state"] = json!(ReservationState::TimedOut),
        _ => {}
    }
    expected
}

/// Prices one case by the rules of its kind.
fn price(kind: &str, input: Value) -> Outcome<Value> {
    Ok(match kind {
        "car_periods" => {
            #[derive(Deserialize)]
            struct Input {
                prices: BTreeMap<Period, UnitPrice>,
                kwh_by_period: BTreeMap<Period, Kwh>,
            }
            let Input { prices, kwh_by_period } = read(input)?;
            let bill = bill_by_period(&Tariff::time_of_use(prices, vec![]), kwh_by_period)?;
            json!({
                "elec_fen": bill.elec_fen, "service_fen": bill.service_fen, "total_fen": bill.total_fen,
                "lines": bill.lines,
            })
        }
        "car_meter" => {
            #[derive(Deserialize)]
            struct Input {
                slots: Vec<(Clock, Clock, Period)>,
                prices: BTreeMap<Period, UnitPrice>,
                samples: Vec<(Instant, Kwh)>,
            }
            let Input { slots, prices, samples } = read(input)?;
            let slots = slots.into_iter().map(|(from, to, period)| Range { from, to, period }).collect();
            let samples: Vec<Sample> = samples.into_iter().map(|(at, kwh)| Sample { at, kwh }).collect();
            let tariff = Tariff::time_of_use(prices, slots);
            let bill = bill(&tariff, &samples)?;
            let explained = segments(&tariff, &samples)?;
            assert_eq!(Fen::sum(explained.iter().map(|it| it.elec_fen)), Ok(bill.elec_fen));
            assert_eq!(Fen::sum(explained.iter().map(|it| it.service_fen)), Ok(bill.service_fen));
            json!(bill)
        }
        "ebike" => {
            #[derive(Deserialize)]
            struct Input {
                rule: BikeTariff,
                #[serde(flatten)]
                usage: Usage,
            }
            let Input { rule, usage } = read(input)?;
            json!(bike_bill(&rule, &usage)?)
        }
        "ebike_max_minutes" => {
            #[derive(Deserialize)]
            struct Input {
                rule: BikeTariff,
                prepaid_fen: Fen,
            }
            let Input { rule, prepaid_fen } = read(input)?;
            json!({ "max_minutes": bike_max_minutes(&rule, prepaid_fen)? })
        }
        "settle" => {
            let [prepaid, fee] = fen(&input, ["prepaid_fen", "fee_fen"])?;
            json!(settle(prepaid, fee)?)
        }
        "car_auto_stop" => {
            let [prepaid, accrued] = fen(&input, ["prepaid_fen", "accrued_fen"])?;
            json!({ "stop": should_stop(prepaid, accrued)? })
        }
        "refund_limit" => {
            let [prepaid, refunded, request] = fen(&input, ["prepaid_fen", "refunded_or_pending_fen", "request_fen"])?;
            json!(refund_limit(prepaid, refunded, request)?)
        }
        "refund_alloc" => {
            let [elec, service, refund] = fen(&input, ["elec_fen", "service_fen", "refund_fen"])?;
            json!(refund_parts(elec, service, refund)?)
        }
        "share" => {
            let receivers: Vec<Receiver> = read(input["receivers"].clone())?;
            let [base] = fen(&input, ["base_fen"])?;
            json!(share(base, &receivers)?)
        }
        "share_return" => {
            let receivers: Vec<Receiver> = read(input["receivers"].clone())?;
            let [base, refund] = fen(&input, ["base_fen", "refund_fen"])?;
            json!(return_shares(base, &receivers, refund)?)
        }
        "card" => {
            let [principal, bonus, fee] = fen(&input, ["principal_fen", "bonus_fen", "fee_fen"])?;
            json!(pay_by_card(principal, bonus, fee)?)
        }
        "card_refund" => {
            let [principal, bonus, refund] = fen(&input, ["principal_used_fen", "bonus_used_fen", "refund_fen"])?;
            json!(refund_to_card(principal, bonus, refund)?)
        }
        "card_issue" => {
            let [price, face] = fen(&input, ["price_fen", "face_fen"])?;
            json!(issue_card(price, face, read(input["group_balance_fen"].clone())?)?)
        }
        "recharge_bonus" => {
            let tiers: Vec<RechargeTier> = read(input["tiers"].clone())?;
            let [amount] = fen(&input, ["amount_fen"])?;
            json!({ "bonus_fen": recharge_bonus(&tiers, amount) })
        }
        "occupancy" => {
            #[derive(Deserialize)]
            struct Input {
                enter: Instant,
                leave: Instant,
                charging: Vec<(Instant, Instant)>,
                whitelisted: bool,
            }
            let Input { enter, leave, charging, whitelisted } = read(input)?;
            json!({ "seconds": occupancy_seconds(enter, leave, &charging, whitelisted) })
        }
        "reservation" => {
            #[derive(Deserialize)]
            struct Input {
                created: Instant,
                entered: Option<Instant>,
                now: Instant,
            }
            let Input { created, entered, now } = read(input)?;
            json!({ "state": reservation_state(created, entered, now) })
        }
        "invoice_line" => {
            let [gross] = fen(&input, ["gross_fen"])?;
            json!(split_tax(gross, read(input["rate"].clone())?)?)
        }
        "invoice_order" => {
            let [elec, service, refunded] = fen(&input, ["elec_fen", "service_fen", "refunded_fen"])?;
            let (elec_rate, service_rate) = (read(input["elec_rate"].clone())?, read(input["service_rate"].clone())?);
            json!(invoice_order(elec, service, refunded, elec_rate, service_rate)?)
        }
        "tariff_effective" => {
            #[derive(Deserialize)]
            struct Version {
                version: i64,
                saved_at: Instant,
            }
            #[derive(Deserialize)]
            struct Input {
                versions: Vec<Version>,
                order_start: Instant,
            }
            let Input { versions, order_start } = read(input)?;
            let versions = versions.into_iter().map(|it| (it.version, it.saved_at));
            json!({ "version": in_force(versions, order_start) })
        }
        _ => return Err(format!("unknown kind {kind:?}").into()),
    })
}

fn read<T: DeserializeOwned>(value: Value) -> Outcome<T> {
    Ok(serde_json::from_value(value)?)
}

/// The amounts of a case under their names.
fn fen<const N: usize>(input: &Value, names: [&str; N]) -> Outcome<[Fen; N]> {
    let mut amounts = [Fen::ZERO; N];
    for (amount, name) in amounts.iter_mut().zip(names) {
        *amount = Fen::deserialize(&input[name]).map_err(|err| format!("{name}: {err}"))?;
    }
    Ok(amounts)
}
