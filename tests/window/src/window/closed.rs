//! The app after its window was closed: it is in the tray, and its window is opened again.

use super::ending::is_gone;
use super::{App, Driver, Parent, Window, WindowBuilder, child_of, is_called, number};
use crate::Result;
use crate::desktop::Desktop;
use crate::wait::{LATER, SOON, until};
use anyhow::{Context, anyhow, ensure};
use dormouse_scenarios::program;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::process::{Command, Stdio};

/// The app without a window, in the tray or started hidden; killed when it is dropped.
#[derive(Debug)]
pub struct Closed<'a> {
    desktop: &'a Desktop,
    app: App,
}

impl<'a> Window<'a> {
    /// The user closes the window on a desktop with a tray: it is gone, and the app is not.
    ///
    /// # Errors
    /// When the window stays, or the app goes.
    pub fn close(self) -> Result<Closed<'a>> {
        self.press_close(|window| window_of(window.id).is_none())?;
        until(LATER, || Ok(window_of(self.id).is_none().then_some(())))
            .map_err(|error| self.blame(&format!("the window did not end: {error:#}")))?;
        self.without_window()
    }

    /// The window's process is killed.
    ///
    /// # Errors
    /// When the app goes with it.
    pub fn kill_window(self) -> Result<Closed<'a>> {
        let window = window_of(self.id).and_then(|id| Pid::from_raw(id.try_into().ok()?));
        kill_process(window.context("there is no window")?, Signal::KILL)?;
        until(LATER, || Ok(window_of(self.id).is_none().then_some(())))?;
        self.without_window()
    }

    /// The app starts anew by itself, as the same process: its next window.
    ///
    /// # Errors
    /// When the app ends, or opens none.
    pub fn started_anew(self) -> Result<Window<'a>> {
        let before = window_of(self.id);
        let another = || {
            let now = window_of(self.id);
            Ok((now.is_some() && now != before).then_some(()))
        };
        until(LATER, another)
            .map_err(|error| self.blame(&format!("the app did not start anew: {error:#}")))?;
        self.without_window()?.reopened()
    }

    fn without_window(mut self) -> Result<Closed<'a>> {
        ensure!(!is_gone(self.id), "the app ended with its window");
        let app = self
            .app
            .take()
            .context("the app has been taken from this window")?;
        Ok(Closed {
            desktop: self.desktop,
            app,
        })
    }
}

impl<'a> WindowBuilder<'a> {
    /// Starts the app without a window.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_hidden(self) -> Result<Closed<'a>> {
        let child = Command::new(program::app()?)
            .arg("--hidden")
            .args(self.arguments)
            .envs(self.desktop.environment())
            .envs(self.environment)
            .stdin(Stdio::null())
            .spawn()?;
        let id = i32::try_from(child.id())?;
        Ok(Closed {
            desktop: self.desktop,
            app: App {
                id: Pid::from_raw(id).context("the app has no process")?,
                parent: Parent::Us(child),
            },
        })
    }
}

impl<'a> Closed<'a> {
    /// The app's process.
    pub fn id(&self) -> u32 {
        number(self.app.id)
    }

    /// Whether it shows no window.
    pub fn has_no_window(&self) -> bool {
        window_of(self.app.id).is_none()
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        !is_gone(self.app.id)
    }

    /// The window that was opened again, as soon as it is there.
    ///
    /// # Errors
    /// When it is not.
    pub fn reopened(self) -> Result<Window<'a>> {
        let log = self.desktop.folder().join("again.log");
        let id = self.app.id;
        until(LATER, || Ok(window_of(id))).context("no window was opened")?;
        // Every window of this app lets itself be steered at the place that its first driver chose.
        let environment = std::fs::read(format!("/proc/{}/environ", self.id()))?;
        let environment = String::from_utf8_lossy(&environment);
        let place = environment
            .split('\0')
            .find_map(|each| each.strip_prefix("WEBKIT_INSPECTOR_SERVER="))
            .context("the app was not started by a driver")?;
        until(LATER, || Ok(std::net::TcpStream::connect(place).ok())).context("the window is not steered")?;
        let mut command = Command::new("WebKitWebDriver");
        command.arg(format!("--target={place}"));
        let driver = Driver::start(command, &log)?;
        let (client, runtime) = driver.session(json!({}), &log)?;
        Window {
            desktop: self.desktop,
            client,
            runtime,
            id,
            app: Some(self.app),
            _attached: Some(driver),
        }
        .loaded()
    }

    /// Waits until the app has ended.
    ///
    /// # Errors
    /// When it does not.
    pub fn wait_for_the_end(self) -> Result<()> {
        until(SOON, || Ok(is_gone(self.app.id).then_some(())))
            .map_err(|error| anyhow!("the app did not end: {error:#}"))
    }
}

/// The process of the app's window.
fn window_of(app: Pid) -> Option<u32> {
    child_of(number(app))
        .map(number)
        .filter(|child| is_called(*child, "dormouse-window"))
}
