//! Commands on their way to a device: taken from the database when there is time for one, ended there when it is done.

use crate::app::App;
use crate::command::{self, End, Taken};
use crate::error::Result;
use crate::presence;

use super::registry::Line;

/// What is to be done for a connection.
pub enum Next {
    /// This command.
    Command(Taken),
    /// Nothing for now.
    Nothing,
    /// Nothing any more: another process has a newer connection.
    Replaced,
}

/// Looks for the next command of a device, if the connection still holds it.
pub async fn next(app: &App, line: &Line) -> Next {
    let look = async || -> Result<Next> {
        let _turn = app.gateway.turn().await;
        let mut conn = app.conn().await?;
        if !presence::holds(&mut conn, line.charger_id, line.id).await? {
            return Ok(Next::Replaced);
        }
        let taken = command::take(&mut conn, line.charger_id, app.now()).await?;
        Ok(taken.map_or(Next::Nothing, Next::Command))
    };
    look().await.unwrap_or_else(|err| {
        // Pending commands are looked for again every few seconds.
        tracing::warn!(charger = %line.charger_id, error = %err, "commands cannot be read: {err}");
        Next::Nothing
    })
}

/// Writes down how a command ended.
pub async fn end(app: &App, taken: &Taken, end: &End) {
    let write = async || -> Result<bool> {
        let _turn = app.gateway.turn().await;
        command::end(&mut *app.conn().await?, taken, end, app.now()).await
    };
    if let Err(err) = write().await {
        // The sweep ends it as unanswered.
        tracing::warn!(command = %taken.id, error = %err, "the end of command {} cannot be written: {err}", taken.id);
    }
}
