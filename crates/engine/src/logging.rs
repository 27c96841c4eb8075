//! The log: one file a day, a week of them, in the account's folder.
//!
//! For whoever looks for a fault. It never holds a message body or a secret; every line bears the
//! account and the connection it speaks of.

use std::fs;
use std::io;
use std::path::Path;
use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::filter::{FilterExt, ParseError, Targets, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// What is logged unless `DORMOUSE_LOG` says otherwise.
const DEFAULT: &str = "info,dormouse=debug,dormouse_engine=debug,dormouse_wake=debug,dormouse_dial=debug";

/// How many lines may wait for the disk; what comes while so many do is left out. The room for them is taken at once, 32 bytes a
/// line: the 128,000 that `tracing-appender` has otherwise were a sixth of what the program holds in the tray.
const LINES_IN_WAITING: usize = 8192;

/// Starts logging into `folder`. Keep the guard: dropping it writes out what is still in memory.
///
/// Fails if the folder can't be made or a log is already running in this process.
pub fn start(folder: &Path) -> io::Result<WorkerGuard> {
    fs::create_dir_all(folder)?;
    // Whom one talks to and when is nobody else's business.
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let files = Builder::new()
        .rotation(Rotation::DAILY)
        .max_log_files(7)
        .filename_prefix("dormouse")
        .filename_suffix("log")
        .build(folder)
        .map_err(io::Error::other)?;
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES_IN_WAITING)
        .finish(files);
    let (filter, misread) = chosen(std::env::var("DORMOUSE_LOG").ok().as_deref());
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(writer);
    tracing_subscriber::registry()
        .with(lines.with_filter(filter.and(filter_fn(keeps_secrets))))
        .try_init()
        .map_err(io::Error::other)?;
    // A panic's own words may quote what was being handled: the log gets only where it happened.
    std::panic::set_hook(Box::new(|panic| match panic.location() {
        Some(place) => tracing::error!(%place, "a panic"),
        None => tracing::error!("a panic"),
    }));
    if let Some(error) = misread {
        tracing::warn!(%error, "DORMOUSE_LOG can't be understood, so the usual is logged");
    }
    Ok(guard)
}

/// What is logged if this was asked for: levels by where a line comes from. And what is wrong with it, if the usual is taken in its place.
fn chosen(asked: Option<&str>) -> (Targets, Option<ParseError>) {
    let parsed = asked.unwrap_or(DEFAULT).parse();
    parsed.map_or_else(
        |error| (DEFAULT.parse().unwrap_or_default(), Some(error)),
        |filter| (filter, None),
    )
}

/// What others log in detail is what passes through them: frames, messages on the bus to the keyring. No setting
/// of the filter lets that into the log.
fn keeps_secrets(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("dormouse") || *metadata.level() <= Level::INFO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_what_is_logged_that_makes_no_sense_leaves_the_usual_and_is_told() {
        let ours = |filter: &Targets| filter.would_enable("dormouse_engine::driver", &Level::DEBUG);
        let theirs = |filter: &Targets| filter.would_enable("zbus::connection", &Level::DEBUG);
        for (asked, ours_in_detail, theirs_in_detail, misread) in [
            (None, true, false, false),
            (Some("warn"), false, false, false),
            (Some("info,zbus=debug"), false, true, false),
            (Some("dormouse=loud"), true, false, true),
        ] {
            let (filter, error) = chosen(asked);
            assert_eq!(
                (ours(&filter), theirs(&filter), error.is_some()),
                (ours_in_detail, theirs_in_detail, misread),
                "{asked:?}"
            );
        }
    }
}
