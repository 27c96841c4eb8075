//! The program from start to end.
//!
//! Accounts are started before the window is there, so that its first question finds its answer. However
//! the program is ended (the window closed, a signal, the desktop's own quit), the engines leave first:
//! everything is on disk and acknowledged, the streams stay open, and the next start resumes the sessions.

use crate::accounts::Registry;
use crate::home::Home;
use crate::shell::{GivenAccount, Shell};
use crate::translations::{Translations, wanted};
use crate::visibility::WindowEvent as Happened;
use crate::words::Words;
use crate::{commands, shell, window};
use dormouse_engine::model::BareJid;
use dormouse_engine::{Secret, logging};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tauri::{AppHandle, Manager, RunEvent, WindowEvent};
use tracing::{error, info};

/// Why the program can't start: a sentence for whoever started it.
#[derive(Debug, thiserror::Error)]
enum CannotStart {
    #[error(transparent)]
    Home(#[from] crate::home::Homeless),
    #[error("The folder {0} can't be used: {1}.")]
    Folder(String, std::io::Error),
    #[error("The list of accounts {0} can't be read: {1}.")]
    Registry(String, std::io::Error),
    #[error("{0}")]
    Given(String),
    #[error("The system refused what Dormouse needs to run: {0}.")]
    System(std::io::Error),
    #[error("The window can't be opened: {0}.")]
    Window(#[from] tauri::Error),
}

/// How far the end of the program is.
#[derive(Default)]
struct Ending {
    begun: AtomicBool,
    done: AtomicBool,
}

/// Runs the program until it is ended.
pub fn run() -> ExitCode {
    match program() {
        Ok(code) => code,
        Err(why) => {
            error!(%why, "the program can't start");
            // The only place it can be said: there is no window.
            let _ = writeln!(std::io::stderr(), "{why}");
            ExitCode::FAILURE
        }
    }
}

fn program() -> Result<ExitCode, CannotStart> {
    let home = Home::find(std::env::var_os("DORMOUSE_HOME"))?;
    let folder = |error| CannotStart::Folder(home.path().display().to_string(), error);
    home.make().map_err(folder)?;
    // Without a log the program still works; that it has none can be said nowhere else.
    let log = logging::start(&home.log()).inspect_err(|error| {
        let _ = writeln!(std::io::stderr(), "There is no log: {error}.");
    });
    home.crashes().watch(shell::PROGRAM.to_owned());
    #[cfg(debug_assertions)]
    if std::env::var_os("DORMOUSE_CRASH").is_some() {
        crash();
    }
    let given = given(|name| std::env::var_os(name)).map_err(CannotStart::Given)?;
    let registry = Registry::read(home.registry());
    let registry =
        registry.map_err(|error| CannotStart::Registry(home.registry().display().to_string(), error))?;
    let words = Words::new(Translations::choose(wanted(std::env::var_os(
        "DORMOUSE_LANGUAGE",
    ))));
    info!(
        version = env!("CARGO_PKG_VERSION"),
        language = words.language(),
        "Dormouse starts"
    );

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("dormouse-shell")
        .enable_all()
        .build()
        .map_err(CannotStart::System)?;
    tauri::async_runtime::set(runtime.handle().clone());
    let entered = runtime.enter();
    let shell = Arc::new(Shell::new(home.clone(), registry, Arc::new(words), true));
    shell.start(given);

    let app = tauri::Builder::default()
        .manage(Arc::clone(&shell))
        .manage(Ending::default())
        .invoke_handler(tauri::generate_handler![
            commands::open,
            commands::sign_in,
            commands::unlock,
            commands::sign_out,
            commands::stretch,
            commands::connection_report,
            commands::check_connection,
            commands::check_report,
            commands::metrics,
            commands::give_out_metrics,
            commands::set_interval,
            commands::note_frames,
            commands::frames,
            commands::export_frames,
            commands::bug_report,
            commands::crash,
            commands::forget_crashes,
            commands::act,
            commands::open_link,
            commands::look,
        ])
        .setup(move |app| {
            window::open(app.handle(), &home)?;
            let handle = app.handle().clone();
            let shown = Arc::clone(&shell);
            shell.alerts().start(move |key| {
                window::show(&handle);
                shown.show(&key);
            });
            let handle = app.handle().clone();
            tauri::async_runtime::spawn(async move {
                terminated().await;
                end(&handle);
            });
            Ok(())
        })
        .build(tauri::generate_context!())?;
    let code = app.run_return(heed);
    drop(entered);
    // A look-up or a keyring that hangs must not keep the program from ending.
    runtime.shutdown_timeout(Duration::from_millis(200));
    info!(code, "Dormouse ends");
    drop(log);
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Crashes in a thread of its own, to see what that leaves behind: in debug builds only.
#[cfg(debug_assertions)]
#[allow(clippy::panic, reason = "what it is for")]
fn crash() {
    let _ = std::thread::spawn(|| panic!("asked to crash")).join();
}

fn heed(app: &AppHandle, event: RunEvent) {
    match event {
        RunEvent::ExitRequested { api, .. } if !app.state::<Ending>().done.load(Ordering::Acquire) => {
            api.prevent_exit();
            end(app);
        }
        RunEvent::WindowEvent { label, event, .. } if label == window::LABEL => {
            let shell = app.state::<Arc<Shell>>();
            match event {
                WindowEvent::CloseRequested { api, .. } => {
                    api.prevent_close();
                    end(app);
                }
                WindowEvent::Focused(focused) => shell.window(Happened::Focused(focused)),
                // Minimising is told as a new size.
                WindowEvent::Resized(_) => {
                    if let Some(minimised) = app
                        .get_webview_window(window::LABEL)
                        .and_then(|window| window.is_minimized().ok())
                    {
                        shell.window(Happened::Minimised(minimised));
                    }
                }
                _ => {}
            }
        }
        _ => {}
    }
}

/// Ends the program: the window goes at once, the engines leave, then the rest.
fn end(app: &AppHandle) {
    let ending = app.state::<Ending>();
    if ending.begun.swap(true, Ordering::AcqRel) {
        return;
    }
    if let Some(window) = app.get_webview_window(window::LABEL) {
        let _ = window.hide();
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        app.state::<Arc<Shell>>().leave().await;
        app.state::<Ending>().done.store(true, Ordering::Release);
        app.exit(0);
    });
}

/// Ends when the system or the terminal asks the program to end.
async fn terminated() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut hang_up)) =
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            interrupted = tokio::signal::ctrl_c() => if interrupted.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The account given by `DORMOUSE_ACCOUNT`, `DORMOUSE_ENDPOINT` and `DORMOUSE_PASSWORD`: for development,
/// all three or none of them.
fn given(variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<GivenAccount>, String> {
    const NAMES: [&str; 3] = ["DORMOUSE_ACCOUNT", "DORMOUSE_ENDPOINT", "DORMOUSE_PASSWORD"];
    let mut values = Vec::new();
    for name in NAMES {
        match variable(name).filter(|value| !value.is_empty()) {
            Some(value) => values.push(value.into_string().map_err(|_| format!("{name} is not text."))?),
            None => continue,
        }
    }
    let Ok([address, endpoint, password]) = <[String; 3]>::try_from(values.clone()) else {
        return if values.is_empty() {
            Ok(None)
        } else {
            Err(format!("Set all of {} or none of them.", NAMES.join(", ")))
        };
    };
    let address = BareJid::new(&address).map_err(|_| format!("{} is not an address.", NAMES[0]))?;
    Ok(Some(GivenAccount {
        address,
        endpoint,
        password: Secret::new(password),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(values: &[(&str, &str)]) -> Result<Option<GivenAccount>, String> {
        given(|name| {
            let found = values.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn an_account_is_given_whole_or_not_at_all() {
        assert!(with(&[]).unwrap().is_none());
        assert!(with(&[("DORMOUSE_ACCOUNT", "")]).unwrap().is_none());
        let account = ("DORMOUSE_ACCOUNT", "romeo@example.org");
        let endpoint = ("DORMOUSE_ENDPOINT", "ws://127.0.0.1:5280/xmpp-websocket");
        let password = ("DORMOUSE_PASSWORD", "secret");
        let given = with(&[account, endpoint, password]).unwrap().unwrap();
        assert_eq!(given.address.as_str(), "romeo@example.org");
        assert_eq!(given.password.reveal(), "secret");
        assert!(
            with(&[account, password])
                .unwrap_err()
                .contains("DORMOUSE_ENDPOINT")
        );
        assert!(with(&[("DORMOUSE_ACCOUNT", "@"), endpoint, password]).is_err());
    }
}
