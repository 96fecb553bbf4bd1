//! Whoever knows the serial number of a device without a password could push the real one off its line. So the line that is
//! there is asked for a sign of life first, wherever it is held, and keeps its place when it gives one.

use std::time::Duration;

use shared::text::t;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::app::App;
use crate::error::{Error, Result};
use crate::events;
use crate::presence::{self, Claim, Holder};

/// Devices that wait for an older line's sign of life at the same time.
pub const MOST_WAITING: usize = 1000;
/// When it is looked whether the older line has answered, in parts of the time that it has: most answer at once.
const LOOKS: [u32; 3] = [20, 4, 1];

/// What a device that has proved nothing may claim, when this connection was its holder a moment ago. Nothing: another
/// connection is alive.
pub async fn unproved(app: &App, charger_id: Uuid, holder: Option<Holder>) -> Result<Option<Claim>> {
    let Some(holder) = holder else { return Ok(Some(Claim::Unproved { dead: None })) };
    let Ok(_waiting) = app.gateway.waiting.try_acquire() else {
        return Err(Error::Unavailable("full", t("等待接入的设备过多", "Too many devices are waiting")));
    };
    {
        let _turn = app.gateway.turn().await;
        events::notify(&mut *app.conn().await?, events::PROBES, &charger_id.to_string()).await?;
    }
    let (asked_at, patience) = (Instant::now(), Duration::from_secs(app.config.gateway.probe_seconds));
    for part in LOOKS {
        sleep_until(asked_at + patience / part).await;
        let _turn = app.gateway.turn().await;
        match presence::holder(&mut *app.conn().await?, charger_id).await? {
            None => return Ok(Some(Claim::Unproved { dead: None })),
            // It was heard of, or somebody else was faster.
            Some(it) if it != holder => return Ok(None),
            Some(_) => {}
        }
    }
    Ok(Some(Claim::Unproved { dead: Some(holder.connection) }))
}
