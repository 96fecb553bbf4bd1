//! Drivers: everyone who uses the mini-program, and the API that it speaks.

use shared::driver_app::{
    ChargerFound, CodeRequest, CodeSent, DriverLogin, DriverMe, DriverOrder, DriverOrderDetail, DriverOrderQuery,
    DriverReservation, DriverTokens, LiveOrder, NearbyQuery, NearbyStation, NewOrder, NewReservation, OrderToPay,
    Quote, QuoteQuery, StationView,
};
use shared::page::NewestQuery;
use shared::text::t;
use shared::user::Refresh;

use crate::api::op::Op;

mod auth;
mod code;
mod live;
mod nearby;
mod order;
mod place;
mod quote;
mod reservation;
pub mod session;
mod sms;

/// The operations of the mini-program.
pub fn operations() -> Vec<Op> {
    let groups = [
        ("app/auth", auth()),
        ("app/stations", stations()),
        ("app/orders", orders()),
        ("app/reservations", reservations()),
    ];
    groups.into_iter().flat_map(|(tag, ops)| ops.into_iter().map(move |op| op.tag(tag))).collect()
}

fn auth() -> Vec<Op> {
    vec![
        Op::post("/api/app/v1/auth/code", "sendLoginCode", t("发送验证码", "Send a one-time code"))
            .public()
            .body::<CodeRequest>()
            .returns::<CodeSent>()
            .to(auth::send_code),
        Op::post("/api/app/v1/auth/login", "loginDriver", t("验证码登录", "Log in with a one-time code"))
            .public()
            .fails(&["401"])
            .body::<DriverLogin>()
            .returns::<DriverTokens>()
            .to(auth::login),
        Op::post("/api/app/v1/auth/refresh", "refreshDriverTokens", t("刷新令牌", "The next pair of tokens"))
            .public()
            .fails(&["401"])
            .body::<Refresh>()
            .returns::<DriverTokens>()
            .to(auth::refresh),
        Op::post("/api/app/v1/auth/logout", "logoutDriver", t("退出登录", "Log out")).driver().to(auth::logout),
        Op::get("/api/app/v1/me", "getDriverMe", t("当前车主", "Who is logged in"))
            .driver()
            .returns::<DriverMe>()
            .to(auth::me),
    ]
}

fn stations() -> Vec<Op> {
    vec![
        Op::get("/api/app/v1/stations", "findStations", t("附近电站", "Stations near a point, the nearest first"))
            .driver()
            .query::<NearbyQuery>()
            .returns_list::<NearbyStation>()
            .to(nearby::stations),
        Op::get("/api/app/v1/stations/{id}", "viewStation", t("电站详情", "A station with all that is in it"))
            .driver()
            .returns::<StationView>()
            .to(place::station),
        Op::get(
            "/api/app/v1/chargers/by-code/{code}",
            "findCharger",
            t(
                "扫码或输入编号",
                "What a scanned or typed code leads to: the whole address that a QR code holds, `{public_url}/q/{code}`, \
                 percent-encoded; or a connector's code, a charger's code or its serial number, in any letter case",
            ),
        )
        .driver()
        .returns::<ChargerFound>()
        .to(place::by_code),
        Op::get("/api/app/v1/connectors/{id}/quote", "quoteCharge", t("充电报价", "What a prepayment would buy"))
            .driver()
            .fails(&["409"])
            .query::<QuoteQuery>()
            .returns::<Quote>()
            .to(quote::quote),
    ]
}

fn orders() -> Vec<Op> {
    vec![
        Op::post("/api/app/v1/orders", "startOrder", t("下单并支付", "Make an order and its payment"))
            .driver()
            .fails(&["404"])
            .keyed()
            .about("connector_id")
            .body::<NewOrder>()
            .returns_with::<OrderToPay>(201)
            .to(order::create),
        Op::get("/api/app/v1/orders", "listMyOrders", t("我的订单", "One's own orders, the newest first"))
            .driver()
            .query::<DriverOrderQuery>()
            .query::<NewestQuery>()
            .returns_page::<DriverOrder>()
            .to(order::list),
        Op::get("/api/app/v1/orders/{id}", "getMyOrder", t("订单详情", "An order with its bill explained"))
            .driver()
            .returns::<DriverOrderDetail>()
            .to(order::detail),
        Op::get("/api/app/v1/orders/{id}/live", "getLiveOrder", t("实时数据", "A running order at this moment"))
            .driver()
            .returns::<LiveOrder>()
            .to(live::live),
        Op::get(
            "/api/app/v1/orders/{id}/events",
            "streamMyOrder",
            t("实时数据流", "An order whenever something changes, as server-sent events with the data of `live`"),
        )
        .driver()
        .returns_media("text/event-stream")
        .to(live::events),
        Op::post(
            "/api/app/v1/orders/{id}/stop",
            "stopMyOrder",
            t("结束充电", "End the charge, or give up waiting for its start"),
        )
        .driver()
        .keyed()
        .returns::<LiveOrder>()
        .to(order::stop),
        Op::post("/api/app/v1/orders/{id}/pay", "payMyOrder", t("继续支付", "Pay for an order that is not paid yet"))
            .driver()
            .keyed()
            .returns::<OrderToPay>()
            .to(order::pay),
    ]
}

fn reservations() -> Vec<Op> {
    vec![
        Op::post("/api/app/v1/reservations", "reserveConnector", t("预约充电", "Have a connector kept free"))
            .driver()
            .fails(&["404"])
            .keyed()
            .about("connector_id")
            .body::<NewReservation>()
            .returns_with::<DriverReservation>(201)
            .to(reservation::create),
        Op::get(
            "/api/app/v1/reservations",
            "listMyReservations",
            t("我的预约", "One's own reservations, the newest first"),
        )
        .driver()
        .query::<NewestQuery>()
        .returns_page::<DriverReservation>()
        .to(reservation::list),
        Op::get("/api/app/v1/reservations/{id}", "getMyReservation", t("预约详情", "One of one's own reservations"))
            .driver()
            .returns::<DriverReservation>()
            .to(reservation::detail),
        Op::post("/api/app/v1/reservations/{id}/cancel", "cancelMyReservation", t("取消预约", "Give a reservation up"))
            .driver()
            .keyed()
            .returns::<DriverReservation>()
            .to(reservation::cancel),
    ]
}
