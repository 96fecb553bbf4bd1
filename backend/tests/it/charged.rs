//! Real charges in a world with a channel: paid through it, metered by a charger, settled, and given back by it.

use backend::auth::scope::Owner;
use backend::charging::event::{Event, Reply};
use backend::charging::{self, Device};
use backend::payment::sandbox::wire::RefundState as There;
use chrono::{DateTime, TimeDelta, Utc};
use shared::payment::RefundState;
use uuid::Uuid;

use crate::charging::{metered, stopped};
use crate::payment::{Unpaid, World, eventually};

impl World {
    pub fn device(&self) -> Device {
        let (provider_id, property_id) = (self.tenant.provider, self.tenant.property);
        let owner = Owner { provider_id, property_id, station_id: self.site.station };
        Device { charger_id: self.site.charger, owner }
    }

    pub async fn told(&self, event: Event, now: DateTime<Utc>) -> Reply {
        charging::apply(&mut *self.app.conn().await, &self.device(), event, now).await.unwrap()
    }

    /// The charger begins a paid order at its connector with this number, when the clock shows `at`.
    pub async fn begin(&self, order: &Unpaid, connector: i32, at: DateTime<Utc>) -> i32 {
        let event = Event::Started { connector, tag: order.order_no.clone(), meter_wh: 1_000_000, at: Some(at) };
        match self.told(event, at).await {
            Reply::Started { transaction_id, accepted: true } => transaction_id,
            other => panic!("{other:?}"),
        }
    }

    /// A charge of half an hour and 13 kWh at one yuan each: 7.80 for energy, 5.20 for service.
    pub async fn charged(&self, prepaid: i64) -> Unpaid {
        let order = self.paid(prepaid).await;
        let now = Utc::now();
        let after = |seconds| now + TimeDelta::seconds(seconds);
        let transaction = self.begin(&order, 1, now).await;
        self.told(metered(transaction, after(900), 1_006_000), after(900)).await;
        self.told(stopped(transaction, after(1800), 1_013_000), after(1800)).await;
        assert_eq!(self.order_state(order.order).await, "completed");
        order
    }

    /// The channel says how the newest refund of an order ended.
    pub async fn refund_ends(&self, order: &Unpaid, end: There) -> Uuid {
        let (id, number, _) = self.refunds(order.order).await.pop().unwrap();
        eventually("it is on its way", async || {
            let state = self.refunds(order.order).await.into_iter().find(|it| it.0 == id).unwrap().2;
            if state == RefundState::Created {
                self.carry_out(id).await;
            }
            state == RefundState::Processing
        })
        .await;
        let notice = self.channel.finish(&number, end);
        assert_eq!(self.channel.tell(&self.app.url, &notice).await, 200);
        let wanted = if end == There::Succeeded { RefundState::Succeeded } else { RefundState::Failed };
        eventually("it has ended", async || {
            self.refunds(order.order).await.into_iter().any(|it| it.0 == id && it.2 == wanted)
        })
        .await;
        id
    }
}
