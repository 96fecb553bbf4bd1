//! What people do on the pages of a resource: search, fill in forms, act on rows, answer questions.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use thirtyfour::prelude::*;

use crate::Browser;

/// How often is looked again for what is not there yet.
const LOOK: Duration = Duration::from_millis(100);
/// How long anything may take to become so.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tries until it is so.
///
/// # Errors
/// It does not become so in time, or the trying fails.
pub async fn until(what: &str, so: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + 2 * PATIENCE;
    while !so().await? {
        ensure!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(3 * LOOK).await;
    }
    Ok(())
}

impl Browser {
    /// Opens a page by its menu entry.
    ///
    /// # Errors
    /// The menu does not lead there.
    pub async fn page(&self, path: &str) -> Result<()> {
        self.follow(&format!("/{path}")).await?;
        self.see(&format!("[data-test='{path}']")).await.map(drop)
    }

    /// Opens a page by its menu entry, and the form that adds a row.
    ///
    /// # Errors
    /// The page has none, or one may not.
    pub async fn add(&self, path: &str) -> Result<()> {
        self.page(path).await?;
        self.click("[data-test='create']").await?;
        self.see(".el-dialog").await.map(drop)
    }

    /// Types into an input of the open dialog.
    ///
    /// # Errors
    /// There is no such input.
    pub async fn enter(&self, field: &str, text: &str) -> Result<()> {
        self.fill(&format!(".el-dialog [name='{field}']"), text).await
    }

    /// Chooses from a select of the open dialog.
    ///
    /// # Errors
    /// There is no such select, or nothing of the kind in it.
    pub async fn choose(&self, field: &str, text: &str) -> Result<()> {
        self.choose_in(".el-dialog", field, text).await
    }

    async fn choose_in(&self, within: &str, field: &str, text: &str) -> Result<()> {
        self.click(&format!("{within} [data-test='{field}'] .el-select__wrapper")).await?;
        self.click_text(&format!("{within} [data-test='{field}'] .el-select-dropdown__item"), text).await
    }

    /// Switches a switch of the open dialog.
    ///
    /// # Errors
    /// There is none.
    pub async fn flip(&self, field: &str) -> Result<()> {
        self.click(&format!(".el-dialog .el-switch:has([name='{field}'])")).await
    }

    /// Sends the open dialog and waits until it has closed.
    ///
    /// # Errors
    /// It stays open; what it complains about is told.
    pub async fn save(&self) -> Result<()> {
        self.click(".el-dialog [data-test='ok']").await?;
        let deadline = Instant::now() + PATIENCE;
        while self.driver.find(By::Css(".el-dialog")).await.is_ok() {
            if Instant::now() > deadline {
                bail!("the form is not taken: {}", self.complaints().await?.join("; "));
            }
            tokio::time::sleep(LOOK).await;
        }
        self.settled().await
    }

    /// Sends the open dialog, which is not taken; gives why, and closes it.
    ///
    /// # Errors
    /// It is taken.
    pub async fn refused(&self) -> Result<String> {
        self.click(".el-dialog [data-test='ok']").await?;
        let told = self.see(".el-dialog .el-form-item__error, .el-dialog .form-strays, .el-message--error").await?;
        let why = told.text().await?;
        hush(&told).await;
        self.click(".el-dialog [data-test='cancel']").await?;
        Ok(why)
    }

    /// What the open form complains about.
    ///
    /// # Errors
    /// The page has gone.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        let mut told = vec![];
        for it in self.driver.find_all(By::Css(".el-form-item__error, .form-strays")).await? {
            told.push(it.text().await?);
        }
        Ok(told)
    }

    /// Searches by one condition that is typed.
    ///
    /// # Errors
    /// There is no such condition.
    pub async fn search(&self, field: &str, text: &str) -> Result<()> {
        self.unfold(field).await?;
        self.fill(&format!(".search [name='{field}']"), text).await?;
        self.look().await
    }

    /// Searches by one condition that is chosen.
    ///
    /// # Errors
    /// There is no such condition, or nothing of the kind in it.
    pub async fn search_for(&self, field: &str, text: &str) -> Result<()> {
        self.unfold(field).await?;
        self.choose_in(".search", field, text).await?;
        self.look().await
    }

    /// Searches by days: one of the calendar's shortcuts.
    ///
    /// # Errors
    /// There is no such condition, or no such shortcut.
    pub async fn search_days(&self, field: &str, shortcut: &str) -> Result<()> {
        self.unfold(field).await?;
        self.click(&format!(".search [data-field='{field}'] .el-date-editor")).await?;
        self.click_text(&format!(".search [data-field='{field}'] .el-picker-panel__shortcut"), shortcut).await?;
        self.look().await
    }

    async fn look(&self) -> Result<()> {
        self.click(".search [data-test='search']").await?;
        self.settled().await
    }

    /// Shows the conditions that are folded away, when this is one of them.
    async fn unfold(&self, field: &str) -> Result<()> {
        let input = self.driver.find(By::Css(format!(".search [data-field='{field}']"))).await?;
        if !input.is_displayed().await? {
            self.click(".search [data-test='fold']").await?;
        }
        Ok(())
    }

    /// Empties all conditions.
    ///
    /// # Errors
    /// The page has none.
    pub async fn reset(&self) -> Result<()> {
        self.click(".search [data-test='reset']").await?;
        self.settled().await
    }

    /// Waits until the list shows these rows, told by their first cells, in any order.
    ///
    /// # Errors
    /// It shows others.
    pub async fn see_rows(&self, wanted: &[&str]) -> Result<()> {
        self.see_column(1, wanted).await
    }

    /// Waits until a column of the list, counted from 1, shows these texts, in any order.
    ///
    /// # Errors
    /// It shows others.
    pub async fn see_column(&self, column: usize, wanted: &[&str]) -> Result<()> {
        self.show(&format!("tr.el-table__row td:nth-child({column})"), wanted, <[String]>::sort).await
    }

    /// Waits until what a selector finds shows these texts, in this order.
    ///
    /// # Errors
    /// It shows others.
    pub async fn see_texts(&self, css: &str, wanted: &[&str]) -> Result<()> {
        self.show(css, wanted, |_| {}).await
    }

    async fn show(&self, css: &str, wanted: &[&str], arrange: fn(&mut [String])) -> Result<()> {
        let mut wanted: Vec<String> = wanted.iter().map(|it| (*it).to_owned()).collect();
        arrange(&mut wanted);
        let deadline = Instant::now() + PATIENCE;
        loop {
            // What is being drawn anew is looked at again.
            let mut shown = self.texts(css).await.unwrap_or_default();
            arrange(&mut shown);
            if shown == wanted {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{css} shows {shown:?} instead of {wanted:?}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The first cells of the rows that the list shows.
    ///
    /// # Errors
    /// They are being drawn anew.
    pub async fn rows(&self) -> Result<Vec<String>> {
        self.texts("tr.el-table__row td:first-child").await
    }

    /// What the elements show that a selector finds.
    ///
    /// # Errors
    /// They are being drawn anew.
    pub async fn texts(&self, css: &str) -> Result<Vec<String>> {
        let mut shown = vec![];
        for it in self.driver.find_all(By::Css(css)).await? {
            shown.push(it.text().await?.trim().to_owned());
        }
        Ok(shown)
    }

    /// What the detail of a row, or a page of its own, shows under a name.
    ///
    /// # Errors
    /// It shows nothing under it in time.
    pub async fn fact(&self, name: &str) -> Result<String> {
        let fact = By::XPath(format!("//dt[normalize-space()='{name}']/following-sibling::dd"));
        let fact = self.driver.query(fact).and_displayed().wait(PATIENCE, LOOK).first().await;
        Ok(fact.with_context(|| format!("nothing is called {name}"))?.text().await?)
    }

    /// The row that shows a text.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn row(&self, text: &str) -> Result<WebElement> {
        self.see_text("tr.el-table__row", text).await
    }

    /// Whether something is offered at once to be done to the row that shows a text.
    ///
    /// # Errors
    /// The row is not there.
    pub async fn offers(&self, row: &str, verb: &str) -> Result<bool> {
        Ok(self.row(row).await?.find(By::Css(format!("[data-test='{verb}']"))).await.is_ok())
    }

    /// Clicks what can be done to the row that shows a text, behind its menu or not.
    ///
    /// # Errors
    /// The row or the button is not there.
    pub async fn act(&self, row: &str, verb: &str) -> Result<()> {
        self.settled().await?;
        let button = By::Css(format!("[data-test='{verb}']"));
        let line = self.row(row).await?;
        if let Ok(found) = line.find(button.clone()).await {
            return Ok(found.click().await?);
        }
        line.find(By::Css("[data-test='more']")).await.with_context(|| format!("no menu at {row}"))?.click().await?;
        let item = line.query(button).and_displayed().wait(PATIENCE, LOOK).first().await;
        Ok(item.with_context(|| format!("{row} has no {verb}"))?.click().await?)
    }

    /// Flips the switch of the row that shows a text.
    ///
    /// # Errors
    /// It has none.
    pub async fn switch(&self, row: &str) -> Result<()> {
        self.settled().await?;
        let switch = self.row(row).await?.find(By::Css(".el-switch")).await?;
        // Out from under the column with the actions, which stays in place.
        let bring = "arguments[0].scrollIntoView({block: 'center', inline: 'center'})";
        self.driver.execute(bring, vec![switch.to_json()?]).await?;
        Ok(switch.click().await?)
    }

    /// Whether the row that shows a text is switched on.
    ///
    /// # Errors
    /// It has no switch.
    pub async fn is_on(&self, row: &str) -> Result<bool> {
        let input = self.row(row).await?.find(By::Css(".el-switch__input")).await?;
        Ok(input.prop("checked").await?.as_deref() == Some("true"))
    }

    /// Answers the open question with yes; gives what was asked.
    ///
    /// # Errors
    /// Nothing is asked.
    pub async fn agree(&self) -> Result<String> {
        let question = self.see("[data-test='confirm']").await?.text().await?;
        self.click("[data-test='confirm-yes']").await?;
        Ok(question)
    }

    /// The password that is told once; says that it is kept.
    ///
    /// # Errors
    /// None is told.
    pub async fn one_time_password(&self) -> Result<String> {
        self.told_once("一次性密码：").await
    }

    /// The password that a charger is to log in with, which is told once, after which the question is closed.
    ///
    /// # Errors
    /// None is told.
    pub async fn charger_password(&self) -> Result<String> {
        self.told_once("接入密码：").await
    }

    async fn told_once(&self, label: &str) -> Result<String> {
        self.see_text("[data-test='secret']", label).await?;
        let password = self.see("[data-test='secret'] [data-test='password']").await?.text().await?;
        self.click("[data-test='secret'] [data-test='kept']").await?;
        Ok(password.trim().to_owned())
    }

    /// Waits for a notice that contains a text, and closes it.
    ///
    /// # Errors
    /// None comes.
    pub async fn told(&self, text: &str) -> Result<()> {
        hush(&self.see_text("[data-test='toast']", text).await?).await;
        Ok(())
    }

    /// Moves an item of two lists to the other side: `left` to choose it, `right` to give it back.
    ///
    /// # Errors
    /// It is not there.
    pub async fn carry(&self, field: &str, from: &str, text: &str) -> Result<()> {
        let lists = format!(".el-dialog [data-test='{field}']");
        self.click_text(&format!("{lists} [data-test='{from}'] .transfer-item"), text).await?;
        self.click(&format!("{lists} [data-test='{}']", if from == "left" { "add" } else { "remove" })).await
    }

    /// The items of one side of two lists.
    ///
    /// # Errors
    /// There are no such lists.
    pub async fn items(&self, field: &str, side: &str) -> Result<Vec<String>> {
        self.see(&format!(".el-dialog [data-test='{field}']")).await?;
        let css = format!(".el-dialog [data-test='{field}'] [data-test='{side}'] .transfer-item");
        let mut shown = vec![];
        for it in self.driver.find_all(By::Css(css)).await? {
            shown.push(it.text().await?.trim().to_owned());
        }
        Ok(shown)
    }

    /// The detail of the row that shows a text: opens it, gives its text, and closes it.
    ///
    /// # Errors
    /// The row or its detail is not there.
    pub async fn detail(&self, row: &str) -> Result<String> {
        self.act(row, "detail").await?;
        self.settled().await?;
        let text = self.see(".el-drawer").await?.text().await?;
        self.click(".el-drawer__close-btn").await?;
        Ok(text)
    }
}

/// Closes what was told, if it is a notice; it may vanish by itself meanwhile.
async fn hush(told: &WebElement) {
    if let Ok(close) = told.find(By::Css(".toast-close")).await {
        let _ = close.click().await;
    }
}
