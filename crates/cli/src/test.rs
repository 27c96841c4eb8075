//! `dormouse-cli test`: the connection step by step, one line each.

use crate::open::{Open, Place};
use crate::words;
use anyhow::{Context, Result, bail};
use clap::Args;
use dormouse_diagnosis::check::report::{About, line, text};
use dormouse_diagnosis::check::{Check, Entry, Mark, Plan, Progress, Show};
use dormouse_diagnosis::exactly;
use dormouse_engine::check::{self, App, Subject};
use dormouse_engine::model::Stamp;
use dormouse_engine::{Engine, now, system, write_private};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// What is to be tested.
#[derive(Args)]
pub struct Wanted {
    #[command(flatten)]
    place: Place,
    /// Send nothing for so long, to see whether the connection survives it.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    idle: Option<u64>,
    /// Have the account cut itself off for so long, as if the computer slept, to see how it recovers.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    sleep: Option<u64>,
    /// Write a report into this new file, to be given to somebody who can help: without account, server and secrets.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Leave the server's name in the report.
    #[arg(long, requires = "report")]
    with_server: bool,
}

/// Tests. Succeeds if nothing failed.
pub async fn test(wanted: Wanted) -> ExitCode {
    match tested(wanted).await {
        Ok(Mark::Failed) => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            words::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The worst that was found; a check that was not let end has failed.
async fn tested(wanted: Wanted) -> Result<Mark> {
    let metrics = wanted.place.metrics;
    if metrics.is_some() && wanted.sleep.is_none() {
        bail!("Only the simulated sleep runs the account, and has metrics: give --sleep too.");
    }
    let settings = wanted.place.settings().await?;
    let plan = Plan {
        idle: wanted.idle.map(Duration::from_secs),
        sleep: wanted.sleep.map(Duration::from_secs),
    };
    let mut subject = Subject::of(&settings)?;
    let mut running = None;
    let mut app = App::NotRunning(String::new());
    // Only the simulated sleep is the account's own.
    if plan.sleep.is_some() {
        match Open::of(settings, metrics).await {
            Ok(Open {
                engine,
                metrics,
                _log,
            }) => {
                let engine = Arc::new(engine);
                subject = engine.subject().await.context("The engine has ended")?;
                app = App::Running(Arc::clone(&engine));
                running = Some((engine, metrics, _log));
            }
            Err(error) => app = App::NotRunning(format!("{error:#}")),
        }
    }
    let began = now().stamp;
    let mut shown = Shown::default();
    let cancelled = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let check = check::run(subject, plan, app, cancelled, |check| shown.show(check)).await;
    if let Some((engine, _metrics, _log)) = running {
        tell_history(&engine, began);
        if let Ok(engine) = Arc::try_unwrap(engine) {
            engine.leave().await;
        }
    }
    if let Some(path) = &wanted.report {
        let show = if wanted.with_server {
            Show::Server
        } else {
            Show::Nobody
        };
        write_report(path, &check, began, show)?;
    }
    let cancelled = |entry: &Entry| entry.progress == Progress::Cancelled;
    Ok(if check.entries().iter().any(cancelled) {
        Mark::Failed
    } else {
        check.worst()
    })
}

/// What has been shown of a check.
#[derive(Default)]
struct Shown {
    lines: usize,
}

impl Shown {
    /// Shows what is new: on a terminal also which step is under way.
    fn show(&mut self, check: &Check) {
        let mut out = std::io::stdout().lock();
        let live = out.is_terminal();
        let clear = if live { "\r\u{1b}[K" } else { "" };
        for entry in check.entries().iter().skip(self.lines) {
            let line = words::tame(&line(entry, Show::All));
            // Nobody reads any more: the check ends by itself.
            if entry.is_over() {
                let _ = writeln!(out, "{clear}{line}");
                self.lines += 1;
            } else {
                if live && entry.progress == Progress::UnderWay {
                    let _ = write!(out, "{clear}{line}");
                }
                break;
            }
        }
        let _ = out.flush();
    }
}

/// What the account's history says of the time since then.
fn tell_history(engine: &Engine, since: Stamp) {
    /// A check makes a dozen.
    const MOST: usize = 100;
    let Ok(history) = engine.transitions(MOST) else {
        return;
    };
    for it in history.iter().filter(|it| it.at >= since) {
        words::say(&format!(
            "  {} {:<11} {}",
            exactly(it.at),
            it.to.name(),
            words::tame(&it.cause.sentence())
        ));
    }
}

fn write_report(path: &Path, check: &Check, began: Stamp, show: Show) -> Result<()> {
    let about = About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        system: system(),
        when: began,
    };
    write_private(path, text(check, &about, show).as_bytes())
        .with_context(|| format!("{} can't be written; give the path of a new file", path.display()))
}
