//! What the shell says to somebody who asks why: the connection's report, its frames, a report to give away, what crashes have left.

use super::{PROGRAM, Shell};
use crate::connection_report::report;
use crate::frame_log;
use crate::protocol::{
    Account, CheckWish, ConnectionCheck, ConnectionReport, CrashReport, FrameDetail, FrameFormat, FrameLog,
};
use crate::running::Running;
use crate::wishes;
use dormouse_engine::crash::{Crash, Crashes};
use dormouse_engine::model::Stamp;
use dormouse_engine::{Command, Program};
use std::sync::Arc;
use std::time::Duration;

impl Shell {
    /// What is known of an account's connection and its last week.
    pub async fn connection_report(&self, account: &str) -> Result<ConnectionReport, String> {
        let words = Arc::clone(&self.context.words);
        let engine = self.engine(account)?;
        let status = engine.status().await;
        let status = status.ok_or_else(|| words.plain("refusal-ended"))?;
        let read = tokio::task::spawn_blocking(move || {
            let history = engine
                .transitions(usize::MAX)
                .map_err(|error| words.about("ask-connection", "why", &error.to_string()))?;
            Ok(report(&words, &status, &history, dormouse_engine::now().stamp))
        });
        let ended = |_| self.context.words.plain("refusal-ended");
        read.await.map_err(ended)?
    }

    /// Begins a check of an account's connection, ends it, or just tells of the last one.
    pub async fn check_connection(
        &self,
        account: &str,
        wish: CheckWish,
    ) -> Result<Option<ConnectionCheck>, String> {
        let words = &self.context.words;
        let address = wishes::address(account, words)?;
        match wish {
            CheckWish::Look => {}
            CheckWish::Cancel => self.checks.cancel(&address),
            CheckWish::Begin { idle, sleep } => {
                let engine = self.engine(account)?;
                let subject = engine.subject().await;
                let subject = subject.ok_or_else(|| words.plain("refusal-ended"))?;
                let plan = wishes::check_plan(idle, sleep);
                self.checks
                    .begin(&address, subject, engine, plan, self.context.clone());
            }
        }
        Ok(self.checks.last(&address).map(|check| words.check(&check)))
    }

    /// The last check of an account's connection as a text that can be given away.
    pub fn check_report(&self, account: &str, with_server: bool) -> Result<String, String> {
        let address = wishes::address(account, &self.context.words)?;
        let report = self.checks.report(&address, with_server);
        report.ok_or_else(|| self.context.words.plain("ask-check"))
    }

    /// After how many seconds of silence the server is asked whether it is there; none: as each network is known to allow.
    pub fn set_interval(&self, account: &str, seconds: Option<u64>) -> Result<(), String> {
        // Straight to the engine: a report that is asked for next must know of it.
        let interval = Command::Interval(seconds.map(Duration::from_secs));
        self.engine(account)?.command(interval);
        Ok(())
    }

    /// How much is noted of each frame that passes.
    pub fn note_frames(&self, account: &str, detail: FrameDetail) -> Result<(), String> {
        frame_log::set(self.engine(account)?.wire(), detail);
        Ok(())
    }

    /// The latest frames noted whose kind holds this word.
    pub fn frames(&self, account: &str, word: &str) -> Result<FrameLog, String> {
        Ok(frame_log::read(self.engine(account)?.wire(), word))
    }

    /// Writes the frames noted into a file; its path.
    pub async fn export_frames(&self, account: &str, format: FrameFormat) -> Result<String, String> {
        let words = &self.context.words;
        let engine = self.engine(account)?;
        let folder = self.home.exports();
        let written = tokio::task::spawn_blocking(move || frame_log::export(engine.wire(), format, &folder));
        match written.await.map_err(std::io::Error::other).and_then(|done| done) {
            Ok(path) => Ok(path.display().to_string()),
            Err(error) => Err(words.about("ask-export", "why", &error.to_string())),
        }
    }

    /// A report for whoever mends the program, without names, messages or secrets.
    pub async fn bug_report(&self, account: &str) -> Result<String, String> {
        let words = &self.context.words;
        let engine = self.engine(account)?;
        let Account {
            endpoint,
            proxy,
            not_kept,
            ..
        } = self.with(account, Running::account)?;
        let crashes = self.crashes().await?;
        let web_view = super::lock(&self.web_view).clone();
        let endpoint = if endpoint.is_some() {
            "given"
        } else {
            "found by itself"
        };
        let proxy = match proxy.as_deref() {
            None => "the system's",
            Some("none") => "none",
            Some(_) => "given",
        };
        let password = if not_kept.is_some() {
            "typed at each start"
        } else {
            "in the keyring"
        };
        let settings = [
            ("web view", web_view.as_str()),
            ("language", words.language()),
            ("endpoint", endpoint),
            ("proxy", proxy),
            ("password", password),
        ];
        let program = Program {
            name: PROGRAM.to_owned(),
            settings: settings.map(|(what, how)| (what, how.to_owned())).into(),
            crashes,
        };
        let report = engine.bug_report(&program).await;
        let report = report.map_err(|error| words.about("ask-connection", "why", &error.to_string()))?;
        report.ok_or_else(|| words.plain("refusal-ended"))
    }

    /// The latest crash, if there is a report of one.
    pub async fn crash(&self) -> Result<Option<CrashReport>, String> {
        let latest = self.crashes().await?.pop();
        Ok(latest.map(|crash| CrashReport {
            at: crash.at.0,
            text: crash.text,
        }))
    }

    /// Removes the reports of crashes up to a moment (milliseconds since 1970).
    pub async fn forget_crashes(&self, to: i64) -> Result<(), String> {
        self.with_crashes(move |crashes| crashes.forget(Stamp(to))).await
    }

    async fn crashes(&self) -> Result<Vec<Crash>, String> {
        self.with_crashes(|crashes| crashes.all()).await
    }

    async fn with_crashes<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Crashes) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let crashes = self.home.crashes();
        let done = tokio::task::spawn_blocking(move || run(&crashes)).await;
        let done = done.map_err(std::io::Error::other).and_then(|done| done);
        done.map_err(|error| self.context.words.about("ask-crash", "why", &error.to_string()))
    }
}
