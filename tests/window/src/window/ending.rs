//! How a window ends, and what is kept when a test fails with it.

use super::{App, Parent, Window};
use crate::Result;
use crate::evidence;
use crate::wait::{LATER, SOON, until};
use anyhow::{anyhow, ensure};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

/// A person whose key did nothing waits about this long before pressing it again.
const PRESS_AGAIN: Duration = Duration::from_secs(4);

impl Window<'_> {
    /// The user closes the window where there is no tray, wants the app to end if they are asked, and it ends.
    ///
    /// # Errors
    /// When it does not end.
    pub fn quit(mut self) -> Result<()> {
        let answered = Cell::new(false);
        self.press_close(|window| {
            // Asked the first time, at later ones not. The page goes while the click is answered.
            if !answered.get() && !is_gone(window.id) && window.answers_closing() {
                answered.set(true);
            }
            is_gone(window.id)
        })?;
        self.wait_for_the_end()
    }

    /// Answers that the app is to end, if that is being asked.
    fn answers_closing(&self) -> bool {
        let script = "const asked = document.querySelector('#closing-dialog')?.open === true;
            if (asked) setTimeout(() => document.querySelector('#closing-quit').click());
            return asked;";
        let answer = self
            .runtime
            .block_on(async { tokio::time::timeout(SOON, self.client.execute(script, Vec::new())).await });
        matches!(answer, Ok(Ok(Value::Bool(true))))
    }

    /// Has the window manager close the window until what is to come of it has.
    pub(super) fn press_close(&self, done: impl Fn(&Self) -> bool) -> Result<()> {
        self.activate()?;
        // Openbox's own key for it: the window is asked to close, as by its button. A key pressed while the window
        // manager is still giving the window its focus is lost: as a person would, press again.
        for _ in 0..5 {
            self.desktop
                .display()
                .xdotool(&["key", "--clearmodifiers", "alt+F4"])?;
            if until(PRESS_AGAIN, || Ok(done(self).then_some(()))).is_ok() {
                break;
            }
            if self.activate().is_err() {
                // It has gone from the screen: it is ending.
                break;
            }
        }
        Ok(())
    }

    /// SIGTERM, as at a shutdown.
    ///
    /// # Errors
    /// When it does not end.
    pub fn terminate(mut self) -> Result<()> {
        kill_process(self.id, Signal::TERM)?;
        self.wait_for_the_end()
    }

    /// `kill -9`: nothing is flushed, nothing closed.
    ///
    /// # Errors
    /// When there was nothing to kill.
    pub fn kill9(mut self) -> Result<()> {
        kill_process(self.id, Signal::KILL)?;
        self.wait_for_the_end()
    }

    fn wait_for_the_end(&mut self) -> Result<()> {
        let app = self.id;
        // The driver reaps its child.
        until(LATER, || Ok(is_gone(app).then_some(())))
            .map_err(|error| self.blame(&format!("the app did not end: {error:#}")))?;
        let parent = match self.app.as_mut().map(|app| &mut app.parent) {
            Some(Parent::Driver(driver)) => driver.process.ended(),
            _ => None,
        };
        ensure!(parent.is_none(), "the driver ended before the app did");
        Ok(())
    }

    // ---- evidence

    /// An error with evidence beside it.
    pub(crate) fn blame(&self, what: &str) -> anyhow::Error {
        anyhow!("{what}\nEvidence: {}", self.evidence())
    }

    fn evidence(&self) -> String {
        match self.keep_evidence() {
            Ok(folder) => folder.display().to_string(),
            Err(error) => format!("none, {error:#}"),
        }
    }

    fn keep_evidence(&self) -> Result<PathBuf> {
        let folder = evidence::folder()?;
        let desktop = self.desktop;
        if let Ok(picture) = desktop.display().picture() {
            std::fs::write(folder.join("screen.png"), picture)?;
        }
        let page = self.runtime.block_on(async {
            let script = "return document.documentElement.outerHTML";
            tokio::time::timeout(SOON, self.client.execute(script, Vec::new())).await
        });
        if let Ok(Ok(Value::String(page))) = page {
            std::fs::write(folder.join("page.html"), page)?;
        }
        evidence::copy_logs(desktop.folder(), &folder)?;
        Ok(folder)
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        // A test's own assertion failed: nobody has asked for evidence yet.
        if std::thread::panicking() && self.app.is_some() && !is_gone(self.id) {
            let evidence = self.evidence();
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("Evidence: {evidence}\n"));
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = kill_process(self.id, Signal::KILL);
        if let Parent::Us(child) = &mut self.parent {
            let _ = child.wait();
        }
    }
}

pub(super) fn is_gone(process: Pid) -> bool {
    if test_kill_process(process).is_err() {
        return true;
    }
    // Dead and not yet reaped is dead.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
    stat.is_ok_and(|stat| {
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']))
    })
}
