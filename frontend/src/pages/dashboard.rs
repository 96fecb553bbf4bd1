//! The first page: the platform in numbers.

use leptos::prelude::*;
use shared::dashboard::{Customer, Dashboard, DayEnergy, DayOrders, OrderNumbers};
use shared::fixed::Kwh;
use shared::text::Lang;

use crate::kit::chart::{Chart, Series, Shape, chart};
use crate::kit::fetched::{fetched, part};
use crate::kit::icon::{BIKE, CAR, Icon, RECEIPT, USERS, icon};
use crate::lang::{lang, tr};
use crate::{answer, clock, events};

/// The numbers are read anew this often even if nobody tells of anything: days go by, and the server adds up only once in
/// a while.
const REFRESH_MS: u32 = 10_000;

/// The page.
pub fn dashboard() -> AnyView {
    let numbers = fetched(|| Some("dashboard".to_owned()));
    numbers.refresh_on(events::changed(&["car_order", "refund", "charger"]));
    numbers.refresh_on(clock::every(REFRESH_MS));
    part(numbers, |text| answer::read(text).map(|it| draw(&it)))
}

fn draw(it: &Dashboard) -> AnyView {
    let Dashboard { car, bike, orders, users, last7, last5, top } = it.clone();
    let stations = |stations, areas, rest: (&'static str, i64)| {
        [(tr("电站", "Stations"), stations), (tr("区域", "Areas"), areas), rest]
    };
    view! {
        <div class="dashboard">
            {tile("blue", CAR, tr("汽车充电", "Cars"), stations(car.stations, car.areas, (tr("电桩", "Chargers"), car.chargers)))}
            {tile("teal", BIKE, tr("单车充电", "E-bikes"), stations(bike.stations, bike.areas, (tr("设备", "Devices"), bike.devices)))}
            {tile("amber", RECEIPT, tr("订单", "Orders"), [
                (tr("总订单", "All"), orders.total), (tr("汽车", "Cars"), orders.car), (tr("单车", "E-bikes"), orders.bike),
            ])}
            {tile("violet", USERS, tr("用户", "People"), [
                (tr("会员", "Members"), users.members), (tr("充电卡", "Cards"), users.cards),
                (tr("车主", "Drivers"), users.drivers), (tr("近 7 天新增", "New in 7 days"), users.newcomers),
            ])}
            {panel(tr("最近 7 天订单", "Orders of the last 7 days"), chart(Signal::stored(order_chart(&last7)), 300))}
            {panel(tr("最近 5 天电量", "Energy of the last 5 days"), chart(Signal::stored(energy_chart(&last5)), 300))}
            {panel(tr("用户充电排名", "Who charges most often"), ranking(top))}
            {panel(tr("订单构成", "Orders by kind"), shares(&orders))}
        </div>
    }
    .into_any()
}

fn tile(
    tone: &'static str,
    face: Icon,
    title: &'static str,
    numbers: impl IntoIterator<Item = (&'static str, i64)>,
) -> AnyView {
    let number = |(label, count): (&'static str, i64)| {
        view! { <div><dt>{label}</dt><dd class="num">{grouped(count)}</dd></div> }.into_any()
    };
    view! {
        <section class=format!("el-card is-never-shadow tile tile-{tone}")>
            <header><span class="tile-icon">{icon(face)}</span><h2>{title}</h2></header>
            <dl>{numbers.into_iter().map(number).collect_view()}</dl>
        </section>
    }
    .into_any()
}

fn panel(title: &'static str, content: AnyView) -> AnyView {
    view! {
        <section class="el-card is-never-shadow body panel">
            <h2 class="section-title">{title}</h2>
            {content}
        </section>
    }
    .into_any()
}

/// A count with its thousands apart.
fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = if count < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A day as people say it near to it: month and day.
fn short(day: &str) -> String {
    day.get(5..).unwrap_or(day).to_owned()
}

fn series(name: &'static str, shape: Shape, values: Vec<String>) -> Series {
    Series { name: name.to_owned(), shape, values, scale: 0 }
}

fn order_chart(days: &[DayOrders]) -> Chart {
    let of = |number: fn(&DayOrders) -> i64| days.iter().map(|it| number(it).to_string()).collect();
    Chart {
        title: tr("最近 7 天订单数量", "Orders of the last 7 days").to_owned(),
        labels: days.iter().map(|it| short(&it.day)).collect(),
        series: vec![
            series(tr("汽车订单", "Cars"), Shape::Bar, of(|it| it.car)),
            series(tr("单车订单", "E-bikes"), Shape::Bar, of(|it| it.bike)),
            series(tr("退费订单", "Refunds"), Shape::Line, of(|it| it.refunds)),
        ],
        ..Chart::default()
    }
}

fn energy_chart(days: &[DayEnergy]) -> Chart {
    let of = |energy: fn(&DayEnergy) -> Kwh| days.iter().map(|it| energy(it).to_string()).collect();
    Chart {
        title: tr("最近 5 天充电量", "Energy of the last 5 days").to_owned(),
        labels: days.iter().map(|it| short(&it.day)).collect(),
        series: vec![
            series(tr("汽车", "Cars"), Shape::Bar, of(|it| it.car_kwh)),
            series(tr("单车", "E-bikes"), Shape::Bar, of(|it| it.bike_kwh)),
        ],
        units: vec!["kWh".to_owned()],
        ..Chart::default()
    }
}

/// How the orders are shared out; a circle of nothing would look like two halves.
fn shares(orders: &OrderNumbers) -> AnyView {
    if orders.total == 0 {
        return none();
    }
    let shares = Chart {
        title: tr("订单构成", "Orders by kind").to_owned(),
        labels: vec![tr("汽车", "Cars").to_owned(), tr("单车", "E-bikes").to_owned()],
        series: vec![series(tr("订单", "Orders"), Shape::Pie, vec![orders.car.to_string(), orders.bike.to_string()])],
        ..Chart::default()
    };
    chart(Signal::stored(shares), 240)
}

fn none() -> AnyView {
    view! { <p class="none">{tr("暂无数据", "Nothing here yet")}</p> }.into_any()
}

fn ranking(top: Vec<Customer>) -> AnyView {
    if top.is_empty() {
        return none();
    }
    let most = top.iter().map(|it| it.count).max().unwrap_or_default().max(1);
    let line = |(place, it): (usize, Customer)| {
        let name = it.name.filter(|it| !it.is_empty()).unwrap_or_else(|| tr("未填写姓名", "No name given").to_owned());
        let count = match lang() {
            Lang::Zh => format!("{} 次", grouped(it.count)),
            Lang::En => format!("{} times", grouped(it.count)),
        };
        view! {
            <li>
                <span class="rank">{place + 1}</span>
                <span class="rank-who"><b>{name}</b><span class="num">{it.phone}</span></span>
                <span class="rank-bar"><span style:width=format!("{}%", it.count * 100 / most)></span></span>
                <span class="num">{count}</span>
            </li>
        }
        .into_any()
    };
    view! { <ol class="ranking">{top.into_iter().enumerate().map(line).collect_view()}</ol> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::{grouped, short};

    #[test]
    fn counts_are_readable() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(-1_234_567), "-1,234,567");
        assert_eq!(short("2026-11-16"), "11-16");
    }
}
