//! The program that stays, from start to end.
//!
//! Where the window is a process of its own it is started first, since loading what draws takes it longest; the accounts
//! meanwhile, so that the page's first question finds its answer. Whatever shows the window, this part is the same.

use crate::accounts::Registry;
use crate::arguments::{self, Arguments, Start};
use crate::home::Home;
use crate::resident::{Ended, Resident, Wanted, Windows};
use crate::shell::{self, GivenAccount, Shell};
use crate::translations::{Translations, wanted as languages};
use crate::tray;
use crate::wire::StayingEnd;
use crate::words::Words;
use dormouse_engine::model::BareJid;
use dormouse_engine::{Secret, logging};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tracing::{error, info};

/// Why the program can't start: a sentence for whoever started it.
#[derive(Debug, thiserror::Error)]
pub enum CannotStart {
    /// There is no place for its data.
    #[error(transparent)]
    Home(#[from] crate::home::Homeless),
    /// The place can't be used.
    #[error("The folder {0} can't be used: {1}.")]
    Folder(String, std::io::Error),
    /// Nobody knows which accounts there are.
    #[error("The list of accounts {0} can't be read: {1}.")]
    Registry(String, std::io::Error),
    /// What was given in the environment can't be meant.
    #[error("{0}")]
    Given(String),
    /// No threads, no sockets.
    #[error("The system refused what Dormouse needs to run: {0}.")]
    System(std::io::Error),
    /// No window.
    #[error("The window can't be opened: {0}")]
    Window(String),
}

/// Says why the program can't start, if it could not.
pub fn said(outcome: Result<ExitCode, CannotStart>) -> ExitCode {
    outcome.unwrap_or_else(|why| {
        error!(%why, "the program can't start");
        // The only place it can be said: there is no window.
        let _ = writeln!(std::io::stderr(), "{why}");
        ExitCode::FAILURE
    })
}

/// Runs the program as it was asked to be, or says what was asked for.
pub fn with_arguments(run: impl FnOnce(&Start) -> Result<ExitCode, CannotStart>) -> ExitCode {
    said(match arguments::read(std::env::args_os().skip(1)) {
        Ok(Arguments::Start(start)) => run(&start),
        Ok(Arguments::Say(what)) => {
            let _ = writeln!(std::io::stdout(), "{what}");
            Ok(ExitCode::SUCCESS)
        }
        Err(why) => Err(CannotStart::Given(why)),
    })
}

/// The runtime of the shell's own tasks; accounts have threads of their own.
///
/// # Errors
/// When the system refuses threads.
pub fn runtime() -> Result<Runtime, CannotStart> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("dormouse-shell")
        .enable_all()
        .build()
        .map_err(CannotStart::System)
}

/// A log that is being written.
pub type Log = Box<dyn std::any::Any + Send>;

/// Begins the log, and keeps reports of crashes.
pub fn log(home: &Home) -> Option<Log> {
    let log = logging::start(&home.log()).inspect_err(|error| {
        // Without a log the program still works; that it has none can be said nowhere else.
        let _ = writeln!(std::io::stderr(), "There is no log: {error}.");
    });
    // Behind the log, which hears of a crash from this.
    home.crashes().watch(shell::PROGRAM.to_owned());
    Some(Box::new(log.ok()?))
}

/// The program, started but for its windows.
pub struct Program {
    /// The accounts.
    pub shell: Arc<Shell>,
    wanted: UnboundedReceiver<Wanted>,
    /// As long as it is held, the log is written.
    _log: Option<Log>,
}

impl Program {
    /// Starts all accounts. On a runtime.
    ///
    /// # Errors
    /// A sentence: why it can't.
    pub fn start(home: &Home) -> Result<Self, CannotStart> {
        let log = log(home);
        #[cfg(debug_assertions)]
        if std::env::var_os("DORMOUSE_CRASH").is_some() {
            crash();
        }
        let given = given(|name| std::env::var_os(name)).map_err(CannotStart::Given)?;
        let registry = Registry::read(home.registry());
        let registry =
            registry.map_err(|error| CannotStart::Registry(home.registry().display().to_string(), error))?;
        let words = Words::new(Translations::choose(languages(std::env::var_os(
            "DORMOUSE_LANGUAGE",
        ))));
        info!(
            version = env!("CARGO_PKG_VERSION"),
            language = words.language(),
            "Dormouse starts"
        );
        let (want, wanted) = unbounded_channel();
        let shell = Arc::new(Shell::new(home.clone(), registry, Arc::new(words), want, true));
        shell.start(given);
        let answers = Arc::clone(&shell);
        shell
            .alerts()
            .start(move |subject, response| answers.notification(subject, response));
        Ok(Self {
            shell,
            wanted,
            _log: log,
        })
    }

    /// What the tray shows, as it changes. On a runtime.
    pub fn looks(&self) -> watch::Receiver<tray::Look> {
        let mut standing = self.shell.alerts().standing();
        let words = Arc::clone(self.shell.words());
        let (looks, shown) = watch::channel(tray::look(&standing.borrow_and_update(), &words));
        tokio::spawn(async move {
            while standing.changed().await.is_ok() {
                let look = tray::look(&standing.borrow_and_update(), &words);
                if looks.send(look).is_err() {
                    return;
                }
            }
        });
        shown
    }

    /// Runs until the program is to end, and ends it.
    pub async fn stay(
        self,
        windows: Box<dyn Windows>,
        tray: watch::Receiver<bool>,
        first: Option<StayingEnd>,
    ) -> Ended {
        let resident = Resident::new(self.shell, windows, self.wanted, tray, first);
        let ended = resident.run(asked_to_end()).await;
        info!(?ended, "Dormouse ends");
        ended
    }
}

/// What the program says to whoever started it, where it does not start anew.
pub fn code(ended: Ended) -> ExitCode {
    match ended {
        Ended::Wanted | Ended::Anew => ExitCode::SUCCESS,
        Ended::Helpless => ExitCode::FAILURE,
    }
}

/// Ends a runtime: a look-up or a keyring that hangs must not keep the program from ending.
pub fn end(runtime: Runtime) {
    runtime.shutdown_timeout(Duration::from_millis(200));
}

/// Crashes in a thread of its own, to see what that leaves behind: in debug builds only.
#[cfg(debug_assertions)]
#[allow(clippy::panic, reason = "what it is for")]
fn crash() {
    let _ = std::thread::spawn(|| panic!("asked to crash")).join();
}

/// Resolves when the system or the terminal asks the program to end.
async fn asked_to_end() {
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
