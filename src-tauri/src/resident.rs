//! The program that stays: it holds the accounts, the tray and the notifications, and opens a window when one is
//! wanted.
//!
//! One loop takes what is wanted of it, what its window says and whether there is a tray. Closing the window ends the
//! window and nothing else, where there is a tray to open it from again; [`closing`] says what it means where there is
//! none. A window that ends by itself takes nothing along. However the program is ended (its own quit, a signal, a new version), the window goes
//! first, with what was typed in it handed over, then the engines leave: everything is on disk and acknowledged, the
//! streams stay open, and the next start resumes the sessions.

pub mod closing;

use crate::arguments::Start;
use crate::notifications::Key;
use crate::outlet::Sink;
use crate::protocol::WhenClosed;
use crate::questions;
use crate::shell::Shell;
use crate::visibility::WindowEvent;
use crate::wire::{FromWindow, StayingEnd, ToWindow};
use closing::{Meaning, meaning};
use serde_json::value::to_raw_value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{error, info, warn};

/// How long a window may take to hand over what was typed in it and to go.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long the program stays without a window on a desktop without a tray before it shows itself.
const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 400 } else { 30_000 });

/// What is wanted of the program, from wherever.
#[derive(Debug)]
pub enum Wanted {
    /// The window.
    Window,
    /// The window, with this conversation in it.
    Conversation(Key),
    /// The window, with what this `xmpp:` link asks for put before the user.
    Link(String),
    /// What the user chose that closing means, for the window that is being closed; none: nothing.
    Closing(Option<WhenClosed>),
    /// The new version that the window has found.
    Update,
    /// The end.
    Quit,
}

impl Start {
    /// What it means to a program that runs.
    pub fn wanted(&self) -> Vec<Wanted> {
        let links = self.links.iter().cloned().map(Wanted::Link);
        let window = (!self.hidden && self.links.is_empty()).then_some(Wanted::Window);
        window.into_iter().chain(links).collect()
    }
}

/// Whoever opens windows.
pub trait Windows: Send {
    /// Opens one; its end is that of the line.
    ///
    /// # Errors
    /// A sentence: why there can be none.
    fn open(&mut self) -> Result<StayingEnd, String>;
}

/// The window there is.
struct Open {
    end: StayingEnd,
    /// It has been told to go.
    going: bool,
    /// Its page has been loaded.
    loaded: bool,
    /// The user was asked what closing means, and has not answered.
    asked: bool,
}

/// The program that stays.
pub struct Resident {
    shell: Arc<Shell>,
    windows: Box<dyn Windows>,
    wanted: UnboundedReceiver<Wanted>,
    /// Whether there is a tray.
    tray: watch::Receiver<bool>,
    window: Option<Open>,
    /// A window was asked for while the last one was going.
    again: bool,
    /// Until when a program without a window waits for a tray.
    patience: Option<Instant>,
}

/// Why the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Somebody wanted it.
    Wanted,
    /// A new version is in place: it is to be started.
    Anew,
    /// There can be no window, and there is no tray to open one from.
    Helpless,
}

impl Resident {
    /// With this window, if one has been opened already.
    pub fn new(
        shell: Arc<Shell>,
        windows: Box<dyn Windows>,
        wanted: UnboundedReceiver<Wanted>,
        tray: watch::Receiver<bool>,
        first: Option<StayingEnd>,
    ) -> Self {
        let mut resident = Self {
            shell,
            windows,
            wanted,
            tray,
            window: None,
            again: false,
            patience: None,
        };
        match first {
            Some(end) => resident.opened(end),
            None => resident.shell.window(WindowEvent::Closed(true)),
        }
        resident.look_for_a_tray();
        resident
    }

    /// Runs until the program is to end, and ends all of it. `asked_to_end` resolves when the system wants that.
    pub async fn run(mut self, asked_to_end: impl Future<Output = ()>) -> Ended {
        let ended = tokio::select! {
            ended = self.serve() => ended,
            () = asked_to_end => Ended::Wanted,
        };
        self.farewell().await;
        self.shell.leave().await;
        ended
    }

    async fn serve(&mut self) -> Ended {
        loop {
            let ended = tokio::select! {
                // What an answer has brought about comes before what the window says behind that answer.
                biased;
                wanted = self.wanted.recv() => match wanted {
                    Some(wanted) => self.want(wanted),
                    // Nobody can want anything any more.
                    None => Some(Ended::Wanted),
                },
                said = said(&mut self.window) => match said {
                    Some(said) => self.heard(said),
                    None => self.gone(),
                },
                there = next(&mut self.tray) => {
                    info!(there, "the tray");
                    None
                }
                () = patience(self.patience) => self.lost(),
            };
            self.look_for_a_tray();
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    fn want(&mut self, wanted: Wanted) -> Option<Ended> {
        match wanted {
            Wanted::Window => self.show(),
            Wanted::Conversation(key) => {
                self.shell.show(&key);
                self.show()
            }
            Wanted::Link(link) => {
                self.shell.link(&link);
                self.show()
            }
            Wanted::Update => {
                self.tell(ToWindow::Install);
                None
            }
            Wanted::Closing(Some(WhenClosed::Quit)) | Wanted::Quit => Some(Ended::Wanted),
            Wanted::Closing(means) => {
                if means.is_some() {
                    self.tell(ToWindow::Minimise);
                }
                if let Some(window) = &mut self.window {
                    window.asked = false;
                }
                None
            }
        }
    }

    /// Brings the window before the user, or opens one.
    fn show(&mut self) -> Option<Ended> {
        match &self.window {
            Some(window) if window.going => self.again = true,
            Some(_) => self.tell(ToWindow::Show),
            None => match self.windows.open() {
                Ok(end) => self.opened(end),
                Err(why) => {
                    error!(why, "no window can be opened");
                    return (!*self.tray.borrow()).then_some(Ended::Helpless);
                }
            },
        }
        None
    }

    fn opened(&mut self, end: StayingEnd) {
        self.window = Some(Open {
            end,
            going: false,
            loaded: false,
            asked: false,
        });
        self.shell.window(WindowEvent::Closed(false));
    }

    fn heard(&mut self, said: FromWindow) -> Option<Ended> {
        match said {
            FromWindow::Ask { id, question } => {
                let to = self.window.as_ref()?.end.to.clone();
                let shell = Arc::clone(&self.shell);
                tokio::spawn(async move {
                    let answer = questions::answer(&shell, &question).await;
                    // A window that is gone wants no answer.
                    let _ = to.send(ToWindow::Answer { id, answer });
                });
            }
            FromWindow::Open { channel, web_view } => {
                let window = self.window.as_mut()?;
                window.loaded = true;
                let to = window.end.to.clone();
                let sink: Sink = Box::new(move |event| match to_raw_value(&event) {
                    Ok(event) => to.send(ToWindow::Event { channel, event }).is_ok(),
                    Err(error) => {
                        error!(%error, "an event can't be told");
                        true
                    }
                });
                self.shell.open(sink, web_view);
            }
            // One that goes is not looked at any more, whatever its window manager does with it.
            FromWindow::Happened(event) => {
                if self.window.as_ref().is_some_and(|window| !window.going) {
                    self.shell.window(event);
                }
            }
            FromWindow::Close => return self.close(),
            FromWindow::Update(news) => return self.shell.update_news(news).then_some(Ended::Anew),
        }
        None
    }

    /// The user closes the window.
    fn close(&mut self) -> Option<Ended> {
        let tray = *self.tray.borrow();
        let chosen = self.shell.closing();
        let window = self.window.as_mut()?;
        let answers = window.loaded && !window.asked;
        match meaning(tray, chosen, answers) {
            Meaning::Close => {
                window.going = true;
                self.tell(ToWindow::Close);
                self.shell.window(WindowEvent::Closed(true));
            }
            Meaning::Minimise => self.tell(ToWindow::Minimise),
            Meaning::Quit => return Some(Ended::Wanted),
            Meaning::Ask => {
                window.asked = true;
                self.shell.ask_closing();
            }
        }
        None
    }

    /// The window has ended.
    fn gone(&mut self) -> Option<Ended> {
        let was_told = self.window.take().is_some_and(|window| window.going);
        if !was_told {
            warn!("the window has ended by itself");
        }
        self.shell.closed();
        self.shell.window(WindowEvent::Closed(true));
        if std::mem::take(&mut self.again) {
            return self.show();
        }
        // Nothing is left that the user could see, and whoever did not close it expects to.
        (!was_told && !*self.tray.borrow()).then_some(Ended::Helpless)
    }

    /// A program that shows neither a window nor a tray waits for a tray: at the start of a session it may come later than
    /// the program, and a desktop's shell that is started anew takes it away for a moment.
    fn look_for_a_tray(&mut self) {
        if self.window.is_some() || *self.tray.borrow() {
            self.patience = None;
        } else if self.patience.is_none() {
            self.patience = Some(Instant::now() + PATIENCE);
        }
    }

    /// There is no tray, and none has come.
    fn lost(&mut self) -> Option<Ended> {
        info!("there is no tray: the window is shown");
        self.patience = None;
        self.show()
    }

    fn tell(&self, message: ToWindow) {
        if let Some(window) = &self.window {
            // One that has just ended is heard of in a moment.
            let _ = window.end.to.send(message);
        }
    }

    /// Sends the window away, and does meanwhile what it still asks: a draft is on its way.
    async fn farewell(&mut self) {
        self.tell(ToWindow::Close);
        if let Some(window) = &mut self.window {
            window.going = true;
        }
        let going = async {
            while self.window.is_some() {
                match said(&mut self.window).await {
                    Some(FromWindow::Ask { id, question }) => {
                        let answer = questions::answer(&self.shell, &question).await;
                        self.tell(ToWindow::Answer { id, answer });
                    }
                    Some(_) => {}
                    None => self.window = None,
                }
            }
        };
        if tokio::time::timeout(FAREWELL, going).await.is_err() {
            warn!("the window did not go in time");
        }
    }
}

/// What the window says next; nothing while there is none. None when it has ended.
async fn said(window: &mut Option<Open>) -> Option<FromWindow> {
    match window {
        Some(window) => window.end.from.recv().await,
        None => std::future::pending().await,
    }
}

/// Whether there is a tray, when that changes.
async fn next(tray: &mut watch::Receiver<bool>) -> bool {
    if tray.changed().await.is_err() {
        // Where there never was one, nobody tells of one.
        std::future::pending::<()>().await;
    }
    *tray.borrow_and_update()
}

async fn patience(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
