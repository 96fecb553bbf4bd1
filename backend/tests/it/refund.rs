//! Refunds that staff asks for: a part of a fee back, and a failed refund once more.

use backend::payment::sandbox::wire::RefundState as There;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use reqwest::Method;
use schema::refunds;
use serde_json::{Value, json};
use shared::fixed::Fen;
use shared::payment::{RefundKind, RefundState};
use uuid::Uuid;

use crate::app::Answer;
use crate::payment::{Unpaid, World};

impl World {
    /// Staff asks for a refund.
    async fn refund(&self, order: &Unpaid, fen: i64) -> Answer {
        let form = json!({"amount_fen": fen, "reason": "充电中途断电"});
        self.tenant.boss.post(&format!("/api/v1/orders/car/{}/refund", order.order), form).await
    }

    /// Staff asks once more for a refund that failed.
    async fn retry(&self, refund: Uuid) -> Answer {
        self.tenant.boss.post(&format!("/api/v1/orders/refunds/{refund}/retry"), json!({})).await
    }

    pub async fn verified(&self) -> Vec<String> {
        backend::verify::run(&self.app.app).await.unwrap()
    }

    async fn refundable(&self, order: &Unpaid) -> Value {
        let path = format!("/api/v1/orders/car/{}", order.order);
        self.tenant.boss.get(&path).await.ok()["refundable_fen"].clone()
    }
}

#[tokio::test]
async fn staff_gives_back_a_part_of_the_fee_and_no_more_than_was_charged() {
    let world = World::new().await;
    let order = world.charged(5000).await;
    let path = format!("/api/v1/orders/car/{}/refund", order.order);
    let boss = &world.tenant.boss;
    // Of 50.00 yuan 37.00 go back by themselves.
    assert_eq!(world.refundable(&order).await, 1300);
    assert_eq!(
        boss.post(&path, json!({"amount_fen": 0})).await.fields(),
        [("amount_fen", "range"), ("reason", "required")]
    );
    assert_eq!(world.refund(&order, 1301).await.refused(), (409, "refund_limit"));
    let body = json!({"amount_fen": 1301, "reason": "补偿"}).to_string().into_bytes();
    for (language, said) in [("zh-CN", "最多可退 13.00 元"), ("en", "At most 13.00 yuan")] {
        let refused = boss.send(Method::POST, &path, Some(body.clone()), &[("accept-language", language)]).await;
        assert!(refused.json["detail"].as_str().unwrap().contains(said), "{}", refused.json);
    }

    // Pressed twice it goes back once.
    let body = json!({"amount_fen": 600, "reason": "补偿"}).to_string().into_bytes();
    for replayed in [false, true] {
        let answer = boss.send(Method::POST, &path, Some(body.clone()), &[("idempotency-key", "k1")]).await;
        assert_eq!(answer.headers.contains_key("idempotent-replayed"), replayed);
        assert_eq!(answer.ok()["refundable_fen"], 700);
    }
    let staff: Vec<(String, Fen, Fen, Fen, String)> = refunds::table
        .filter(refunds::kind.eq(RefundKind::Manual))
        .select((refunds::refund_no, refunds::amount_fen, refunds::service_fen, refunds::elec_fen, refunds::reason))
        .load(&mut world.app.conn().await)
        .await
        .unwrap();
    let number = format!("R{}1", order.payment_no);
    assert_eq!(staff, [(number, Fen(600), Fen(520), Fen(80), "补偿".to_owned())], "the service fee is given up first");
    let trail = boss.get(&format!("/api/v1/system/audits?object_id={}&action=refund", order.order)).await.ok();
    assert_eq!(trail["total"], 1);
    world.refund_ends(&order, There::Succeeded).await;
    assert_eq!(world.refund(&order, 701).await.refused(), (409, "refund_limit"));
    world.refund(&order, 700).await.ok();
    assert_eq!(world.refund(&order, 1).await.refused(), (409, "refund_limit"));
    assert_eq!(world.refundable(&order).await, 0);
    assert_eq!(world.verified().await, Vec::<String>::new());

    // Somebody else's order is not there; one that has not ended, or cost nothing, is not refunded.
    let others = world.app.tenant().await;
    assert_eq!(others.boss.post(&path, json!({"amount_fen": 1, "reason": "补偿"})).await.status, 404);
    let free = world.paid(5000).await;
    assert_eq!(world.refund(&free, 1).await.refused(), (409, "not_refundable"));
    boss.post(&format!("/api/v1/orders/car/{}/end", free.order), json!({"note": "车主来电"})).await.ok();
    assert_eq!(world.order_state(free.order).await, "completed");
    assert_eq!(world.refund(&free, 1).await.refused(), (409, "not_refundable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_refunds_at_once_never_exceed_what_was_charged() {
    let world = World::new().await;
    let order = world.charged(5000).await;
    // Who is told to come again in a moment does so.
    let patiently = async || loop {
        let answer = world.refund(&order, 90).await;
        if answer.status != 429 {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    let answers = futures_util::future::join_all((0..50).map(|_| patiently())).await;
    let accepted = answers.iter().filter(|it| it.status == 200).count();
    assert_eq!(accepted, 14, "13.00 yuan were charged");
    assert!(answers.iter().filter(|it| it.status != 200).all(|it| it.refused() == (409, "refund_limit")));
    assert_eq!(world.refundable(&order).await, 40);
    assert_eq!(world.verified().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_for_good_is_asked_for_again_once() {
    let world = World::new().await;
    let order = world.charged(5000).await;
    // The channel says no as often as it is asked by itself.
    for _ in 0..5 {
        world.refund_ends(&order, There::Failed).await;
    }
    let overtaken = world.refunds(order.order).await[4].0;
    let last = world.refund_ends(&order, There::Failed).await;
    assert_eq!(world.refunds(order.order).await.len(), 6, "then somebody must look");
    let due = format!("refund_due:{} stands at -3700, and no refund is on its way", order.order_no);
    assert_eq!(world.verified().await, [format!("I-53 what is due to a payer has gone back, or is on its way: {due}")]);
    // What is due to the payer is not given away as a part of the fee.
    assert_eq!(world.refund(&order, 1301).await.refused(), (409, "refund_limit"));

    assert_eq!(world.retry(overtaken).await.refused(), (409, "retried"));
    let answers = futures_util::future::join_all((0..4).map(|_| world.retry(last))).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|it| it.status == 200);
    assert_eq!((done.len(), refused.len()), (1, 3), "of four operators one does it");
    assert!(refused.iter().all(|it| it.refused() == (409, "retried")));
    let number = format!("R{}6", order.payment_no);
    assert_eq!(done[0].json["retried_as"], number);
    let (next, next_number, _) = world.refunds(order.order).await.remove(6);
    assert_eq!(next_number, number);
    assert_eq!(world.retry(next).await.refused(), (409, "refund_state"), "it is on its way");
    world.refund_ends(&order, There::Succeeded).await;
    assert_eq!(world.retry(next).await.refused(), (409, "refund_state"), "it is back");
    assert_eq!(world.clearing().await, 1300);
    assert_eq!(world.verified().await, Vec::<String>::new());
    let trail = world.tenant.boss.get(&format!("/api/v1/system/audits?object_id={last}")).await.ok();
    assert_eq!((&trail["total"], &trail["items"][0]["action"]), (&json!(1), &json!("retry")));
}

#[tokio::test]
async fn what_staff_wanted_and_failed_is_income_until_it_is_asked_for_again() {
    let world = World::new().await;
    let order = world.charged(5000).await;
    world.refund_ends(&order, There::Succeeded).await;
    world.refund(&order, 1000).await.ok();
    let failed = world.refund_ends(&order, There::Failed).await;
    assert_eq!(world.refundable(&order).await, 1300);
    assert_eq!(world.verified().await, Vec::<String>::new());
    // Meanwhile something newer takes a part of it.
    world.refund(&order, 400).await.ok();
    assert_eq!(world.retry(failed).await.refused(), (409, "refund_limit"));
    world.refund_ends(&order, There::Failed).await;
    world.retry(failed).await.ok();
    assert_eq!(world.retry(failed).await.refused(), (409, "retried"));
    assert_eq!(world.refundable(&order).await, 300);
    world.refund_ends(&order, There::Succeeded).await;
    assert_eq!((world.postings("refund_ok").await, world.clearing().await), (2, 300));
    let states: Vec<RefundState> = world.refunds(order.order).await.into_iter().map(|it| it.2).collect();
    assert_eq!(states, [RefundState::Succeeded, RefundState::Failed, RefundState::Failed, RefundState::Succeeded]);
    assert_eq!(world.verified().await, Vec::<String>::new());
}
