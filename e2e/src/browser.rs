//! A real Chromium, driven over WebDriver, with the few gestures that the tests are written in.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use thirtyfour::cdp::domains::browser::DownloadBehavior;
use thirtyfour::prelude::*;

use crate::platform::{PASSWORD, Platform, root};

/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser window and the driver behind it; both end with it.
pub struct Browser {
    /// The window.
    pub driver: WebDriver,
    chromedriver: Child,
    profile: PathBuf,
    url: String,
}

impl Browser {
    /// Opens a window of 1280 × 900 for the platform at this address.
    ///
    /// # Errors
    /// Chromium or its driver is not installed.
    pub async fn open(url: &str) -> Result<Self> {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let chromedriver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("chromedriver is not installed")?;
        let profile = std::env::temp_dir().join(format!("wattyard-chromium-{port}"));
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,900",
            // A name over plain HTTP, as colleagues reach a server in the house: not a secure context, as localhost is.
            "--host-resolver-rules=MAP console.test 127.0.0.1",
            "--lang=zh-CN",
        ] {
            capabilities.add_arg(argument)?;
        }
        capabilities.add_arg(&format!("--user-data-dir={}", profile.display()))?;
        let address = format!("http://127.0.0.1:{port}");
        let mut tries = 0;
        // The driver says nothing when it is ready; it takes a moment.
        let driver = loop {
            match WebDriver::new(&address, capabilities.clone()).await {
                Ok(driver) => break driver,
                Err(err) if tries >= 50 => return Err(err.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
            tries += 1;
        };
        Ok(Self { driver, chromedriver, profile, url: url.to_owned() })
    }

    /// Has the browser save files in a folder without asking.
    ///
    /// # Errors
    /// The browser does not take it.
    pub async fn save_files_in(&self, folder: &Path) -> Result<()> {
        let folder = folder.display().to_string();
        Ok(self.driver.cdp().browser().set_download_behavior(DownloadBehavior::Allow, Some(folder)).await?)
    }

    /// Goes to an address within the console.
    ///
    /// # Errors
    /// The page does not load.
    pub async fn go(&self, path: &str) -> Result<()> {
        Ok(self.driver.goto(format!("{}{path}", self.url)).await?)
    }

    /// The first visible element that a selector finds, once there is one.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn see(&self, css: &str) -> Result<WebElement> {
        let found =
            self.driver.query(By::Css(css)).and_displayed().wait(PATIENCE, Duration::from_millis(100)).first().await;
        found.with_context(|| format!("nothing to see of {css}"))
    }

    /// Waits until an element shows a text.
    ///
    /// # Errors
    /// It does not in time.
    pub async fn see_text(&self, css: &str, text: &str) -> Result<WebElement> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            for it in self.driver.find_all(By::Css(css)).await? {
                // What is being drawn anew while it is looked at is looked at again.
                if it.is_displayed().await.unwrap_or_default() && it.text().await.is_ok_and(|it| it.contains(text)) {
                    return Ok(it);
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("{css} does not show {text}")
    }

    /// Clicks what a selector finds.
    ///
    /// # Errors
    /// There is nothing to click in time.
    pub async fn click(&self, css: &str) -> Result<()> {
        let element = self.see(css).await?;
        element.wait_until().clickable().await?;
        Ok(element.click().await?)
    }

    /// Clicks the element that a selector finds and that shows a text.
    ///
    /// # Errors
    /// There is nothing to click in time.
    pub async fn click_text(&self, css: &str, text: &str) -> Result<()> {
        Ok(self.see_text(css, text).await?.click().await?)
    }

    /// Types into the input that a selector finds, in place of what is there.
    ///
    /// # Errors
    /// There is no such input in time.
    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        let element = self.see(css).await?;
        element.send_keys(Key::Control + "a").await?;
        Ok(element.send_keys(text).await?)
    }

    /// Logs in as the platform's administrator.
    ///
    /// # Errors
    /// The login page is not there, or does not lead into the console.
    pub async fn log_in(&self) -> Result<()> {
        self.log_in_as("admin", PASSWORD).await?;
        self.see("nav [data-test='menu-']").await.map(drop)
    }

    /// Fills in the login page.
    ///
    /// # Errors
    /// It is not there.
    pub async fn log_in_as(&self, username: &str, password: &str) -> Result<()> {
        self.go("/").await?;
        self.fill("[name='username']", username).await?;
        self.fill("[name='password']", password).await?;
        self.click("[data-test='login']").await
    }

    /// Logs in with a password that was given once, and chooses one of one's own.
    ///
    /// # Errors
    /// The login page does not lead to the change, or that not into the console.
    pub async fn log_in_first(&self, username: &str, given: &str, own: &str) -> Result<()> {
        self.log_in_as(username, given).await?;
        self.fill("[name='old_password']", given).await?;
        self.fill("[name='new_password']", own).await?;
        self.fill("[name='repeated']", own).await?;
        self.click("[data-test='ok']").await?;
        self.see_text("[data-test='toast']", "密码已修改").await.map(drop)
    }

    /// Logs out by the user menu.
    ///
    /// # Errors
    /// Nobody is logged in.
    pub async fn log_out(&self) -> Result<()> {
        self.click("[data-test='user']").await?;
        self.click("[data-test='logout']").await?;
        self.see("[data-test='login']").await.map(drop)
    }

    /// The addresses of all pages that the menu leads to.
    ///
    /// # Errors
    /// There is no menu.
    pub async fn pages(&self) -> Result<Vec<String>> {
        let mut paths = vec![];
        for link in self.driver.find_all(By::Css("[data-test^='menu-']")).await? {
            paths.extend(link.attr("href").await?);
        }
        Ok(paths)
    }

    /// Follows a link of the menu, whether its group is open or not, without loading the console anew.
    ///
    /// # Errors
    /// The menu does not lead there, or the page does not come.
    pub async fn follow(&self, path: &str) -> Result<()> {
        let link = By::Css(format!("[data-test^='menu-'][href='{path}']"));
        let link = self.driver.query(link).wait(PATIENCE, Duration::from_millis(100)).first().await;
        let link = link.with_context(|| format!("the menu does not lead to {path}"))?;
        self.driver.execute("arguments[0].click()", vec![link.to_json()?]).await?;
        self.settled().await
    }

    /// Waits until nothing is being read any more.
    ///
    /// # Errors
    /// Something is being read for too long.
    pub async fn settled(&self) -> Result<()> {
        let busy = self.driver.query(By::Css("[aria-busy='true'], #splash")).wait(PATIENCE, Duration::from_millis(100));
        busy.not_exists().await.map_err(Into::into).and_then(|gone| {
            anyhow::ensure!(gone, "the page is still busy");
            Ok(())
        })
    }

    /// Saves what is to be seen as `target/screenshots/NAME.png`, for people to look at.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn screenshot(&self, name: &str) -> Result<()> {
        let folder = root().join("target/screenshots");
        std::fs::create_dir_all(&folder)?;
        Ok(self.driver.screenshot(&folder.join(format!("{name}.png"))).await?)
    }

    /// Closes the window.
    ///
    /// # Errors
    /// The browser has gone before.
    pub async fn close(self) -> Result<()> {
        Ok(self.driver.clone().quit().await?)
    }
}

/// Opens a window for the steps and closes it after them. What is to be seen when they fail is kept as a picture of this
/// name.
///
/// # Errors
/// The steps', or there is no browser.
pub async fn in_browser<T>(
    platform: &Platform,
    name: &str,
    steps: impl AsyncFnOnce(&Browser) -> Result<T>,
) -> Result<T> {
    let browser = Browser::open(&platform.url).await?;
    let done = steps(&browser).await;
    if done.is_err() {
        browser.screenshot(&format!("failed-{name}")).await?;
    }
    browser.close().await?;
    done
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.chromedriver.kill();
        let _ = self.chromedriver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
