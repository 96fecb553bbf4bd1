//! What axe-core finds wrong with a page for people who cannot see it, or use no mouse.

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::Browser;
use crate::platform::root;

/// Something that keeps people out.
#[derive(Debug, Deserialize)]
pub struct Violation {
    /// The rule.
    pub id: String,
    /// How bad it is: `minor`, `moderate`, `serious` or `critical`.
    pub impact: Option<String>,
    /// What is asked for.
    pub help: String,
    /// The elements that break it.
    pub targets: Vec<String>,
}

// Colours that are still fading are nobody's barrier.
const RUN: &str = "
    const done = arguments[arguments.length - 1];
    const fading = document.getAnimations().filter(it => it.effect.getComputedTiming().endTime < Infinity);
    Promise.allSettled(fading.map(it => it.finished)).then(() => axe.run(document, {resultTypes: ['violations']})).then(
        it => done(it.violations.map(({id, impact, help, nodes}) => ({
            id, impact, help, targets: nodes.map(node => `${node.target.join(' ')} ${node.html}`.slice(0, 300)),
        }))),
        err => done([{id: 'axe', impact: 'critical', help: String(err), targets: []}]),
    );
";

impl Browser {
    /// What of the page that is shown is seriously wrong.
    ///
    /// # Errors
    /// axe-core is not installed, or the page has gone.
    pub async fn barriers(&self) -> Result<Vec<Violation>> {
        let library = root().join("frontend/node_modules/axe-core/axe.min.js");
        let library = std::fs::read_to_string(library).context("axe-core is not installed")?;
        self.driver.execute(library, vec![]).await?;
        let found: Vec<Violation> = self.driver.execute_async(RUN, vec![]).await?.convert()?;
        Ok(found.into_iter().filter(|it| matches!(it.impact.as_deref(), Some("serious" | "critical"))).collect())
    }
}
