//! Looks for new versions and installs them: Tauri's updater, told when, and what comes of it told to the program that stays.
//!
//! It asks when a window opens and once a day while it is open, and says nothing where that fails. It downloads when the user wants it. What
//! came is taken only if the key that was built in has signed it, as the version that was announced, and that is newer than this
//! one: the signature says which version it is for, so an old one can't be passed off as new.

use super::app::Line;
use dormouse_shell::updates::image::image_that_runs;
use dormouse_shell::updates::source::{Source, Surroundings, may_be_asked};
use dormouse_shell::updates::{News, Trouble};
use dormouse_shell::wire::FromWindow;
use std::time::Duration;
use tauri::async_runtime::{JoinHandle, spawn, spawn_blocking};
use tauri::{AppHandle, Builder, Context, Manager, Wry};
use tauri_plugin_updater::{Error, Update, UpdaterExt};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};
use tracing::info;

/// How often a window that stays open looks again.
const AGAIN: Duration = Duration::from_secs(24 * 60 * 60);
/// How long it may take to hear whether there is one.
const ANSWER: Duration = Duration::from_secs(30);
/// No version is nearly as long as this, in bytes; debug builds are longer than others.
const LONGEST: u64 = 1 << 30;
/// How long a download may stand still.
const STANDSTILL: Duration = Duration::from_secs(60);

/// Gives the app the updater, where there is a place for new versions to come from. The page may ask it nothing: its
/// commands are in no capability.
pub fn given(builder: Builder<Wry>, mut context: Context<Wry>) -> (Builder<Wry>, Context<Wry>) {
    let source = match Surroundings::of_this_process().source() {
        Ok(source) => source,
        Err(why) => {
            info!(%why, "nobody is asked for new versions");
            return (builder, context);
        }
    };
    let settings = serde_json::json!({
        "endpoints": [source.endpoint],
        "pubkey": source.key,
        // What is announced is not signed; what came has to be signed as what was announced.
        "requireSignedVersion": true,
    });
    context
        .config_mut()
        .plugins
        .0
        .insert("updater".to_owned(), settings);
    let builder = builder
        .plugin(tauri_plugin_updater::Builder::new().build())
        .manage(source);
    (builder, context)
}

/// Looks for new versions as long as it is held.
#[derive(Debug)]
pub struct Updating {
    install: UnboundedSender<()>,
    task: JoinHandle<()>,
}

impl Updating {
    /// Begins to look, where that is on.
    pub fn begin(app: &AppHandle, line: &Line) -> Option<Self> {
        app.try_state::<Source>()?;
        let (install, wanted) = unbounded_channel();
        let task = spawn(look_and_install(app.clone(), line.sender(), wanted));
        Some(Self { install, task })
    }

    /// Installs what was found.
    pub fn install(&self) {
        // Who looks is there as long as this is.
        let _ = self.install.send(());
    }
}

impl Drop for Updating {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One thing after the other, so that what is being installed is not replaced by what is found meanwhile.
async fn look_and_install(
    app: AppHandle,
    to: UnboundedSender<FromWindow>,
    mut wanted: UnboundedReceiver<()>,
) {
    let mut found = None;
    let mut next = Instant::now();
    let say = |news| to.send(FromWindow::Update(news)).is_ok();
    loop {
        let heard = tokio::select! {
            () = sleep_until(next) => {
                next = Instant::now() + AGAIN;
                match look(&app).await {
                    Ok(Some(update)) => {
                        let (version, notes) = (update.version.clone(), update.body.clone().unwrap_or_default());
                        found = Some(update);
                        say(News::Offered { version, notes })
                    }
                    Ok(None) => true,
                    Err(error) => {
                        info!(%error, "nobody knows whether there is a new version");
                        true
                    }
                }
            }
            asked = wanted.recv() => match (asked, &found) {
                (None, _) => false,
                (Some(()), None) => true,
                (Some(()), Some(update)) => say(match install(&app, update).await {
                    Ok(()) => News::Installed,
                    Err(why) => News::Failed(why),
                }),
            },
        };
        if !heard {
            return;
        }
    }
}

async fn look(app: &AppHandle) -> Result<Option<Update>, Error> {
    let builder = app.updater_builder().timeout(ANSWER).configure_client(|client| {
        // Debug builds ask a test's server on this computer.
        client
            .https_only(!cfg!(debug_assertions))
            .read_timeout(STANDSTILL)
    });
    let builder = match image_that_runs() {
        Some(image) => builder.executable_path(image),
        None => builder,
    };
    #[cfg(windows)]
    let builder = before_the_installer::leave_first(app, builder);
    builder.build()?.check().await
}

#[cfg_attr(
    not(windows),
    allow(unused_variables, reason = "only there the program has to go first")
)]
async fn install(app: &AppHandle, update: &Update) -> Result<(), Trouble> {
    if !may_be_asked(&update.download_url, cfg!(debug_assertions)) {
        return Err(Trouble::NotDownloaded("the place is no https URL".to_owned()));
    }
    let bytes = download(update).await?;
    let update = update.clone();
    let installed = spawn_blocking(move || update.install(bytes)).await;
    #[cfg(windows)]
    before_the_installer::come_back_if_left(app);
    match installed {
        Ok(outcome) => outcome.map_err(trouble),
        Err(error) => Err(Trouble::NotReplaced(error.to_string())),
    }
}

/// The whole of it, in memory: nothing is believed of it before its signature is looked at, so no place may fill that.
async fn download(update: &Update) -> Result<Vec<u8>, Trouble> {
    let too_long = Notify::new();
    let mut come = 0;
    let chunk = |length: usize, announced: Option<u64>| {
        come += length as u64;
        if announced.unwrap_or_default().max(come) > LONGEST {
            too_long.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = too_long.notified() => {
            let why = format!("it is longer than {} MiB", LONGEST >> 20);
            Err(Trouble::NotDownloaded(why))
        }
        bytes = update.download(chunk, || {}) => bytes.map_err(trouble),
    }
}

/// Windows: only a program that has ended can be replaced, so the updater ends it in the moment in which it starts the
/// installer. Before that everything is taken to the disk, as when the user quits.
#[cfg(windows)]
mod before_the_installer {
    use super::super::page;
    use dormouse_shell::shell::Shell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;
    use tauri::{AppHandle, Manager};
    use tauri_plugin_updater::UpdaterBuilder;

    /// How long a page that is hidden has to say what it still has to say, a draft for example.
    const LAST_WORDS: Duration = Duration::from_millis(300);

    /// The accounts have been ended.
    static LEFT: AtomicBool = AtomicBool::new(false);

    pub fn leave_first(app: &AppHandle, builder: UpdaterBuilder) -> UpdaterBuilder {
        let app = app.clone();
        builder.on_before_exit(move || {
            page::hide(&app);
            std::thread::sleep(LAST_WORDS);
            if let Some(shell) = app.try_state::<Arc<Shell>>() {
                tauri::async_runtime::block_on(shell.leave());
            }
            LEFT.store(true, Ordering::SeqCst);
            app.cleanup_before_exit();
        })
    }

    /// The installer did not start, the user said no to it for example: a program without accounts is of no use, so the old one
    /// starts anew.
    pub fn come_back_if_left(app: &AppHandle) {
        if LEFT.load(Ordering::SeqCst) {
            app.restart();
        }
    }
}

fn trouble(error: Error) -> Trouble {
    info!(%error, "the updater");
    match error {
        Error::Minisign(_) | Error::Base64(_) | Error::SignatureUtf8(_) => Trouble::NotSigned,
        Error::SignedVersionMismatch { .. } | Error::MissingSignedVersion => Trouble::OtherVersion,
        // Where it was downloaded from is for the log.
        Error::Reqwest(error) => Trouble::NotDownloaded(error.without_url().to_string()),
        Error::Network(why) => Trouble::NotDownloaded(why),
        other => Trouble::NotReplaced(other.to_string()),
    }
}
