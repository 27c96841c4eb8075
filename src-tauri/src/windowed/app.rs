//! The window's end of the line, in Tauri: what the page asks goes out, answers and events come in, and what happens to the
//! window is told.
//!
//! It decides nothing. That the user closes the window is told, too; the window goes when it is told to, once what its page
//! still had to say has been answered.

use super::page;
#[cfg(feature = "updater")]
use super::updating::Updating;
use dormouse_shell::home::Home;
use dormouse_shell::questions;
use dormouse_shell::visibility::WindowEvent as Happened;
use dormouse_shell::wire::{Answer, FromWindow, ToWindow};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tauri::ipc::{Channel, Invoke, InvokeBody, InvokeResolver, JavaScriptChannelId};
use tauri::{AppHandle, Manager, WindowEvent, Wry};
use tokio::sync::mpsc::UnboundedSender;
use tracing::warn;
// What only a window that is a process of its own needs.
#[cfg(all(unix, not(target_os = "macos")))]
use {
    dormouse_shell::program::CannotStart, dormouse_shell::wire::WindowEnd, std::process::ExitCode,
    tauri::RunEvent,
};

/// How long a page that is hidden has to say what it still has to say, a draft for example...
const LAST_WORDS: Duration = Duration::from_millis(120);
/// ...and how long it may take to be answered.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// The line, for whoever has something to put into it, and who waits for what comes out.
pub struct Line {
    to: UnboundedSender<FromWindow>,
    page: Mutex<Page>,
}

#[derive(Default)]
struct Page {
    /// The number of the channel there is.
    number: u64,
    channel: Option<Channel<Box<RawValue>>>,
    asked: u64,
    waiting: BTreeMap<u64, InvokeResolver<Wry>>,
}

impl Line {
    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, what: FromWindow) {
        // If the other end is gone the window goes, too, in a moment.
        let _ = self.to.send(what);
    }

    /// Where something can be said, for whoever says it later.
    #[cfg(feature = "updater")]
    pub fn sender(&self) -> UnboundedSender<FromWindow> {
        self.to.clone()
    }

    /// What the page invoked.
    pub fn invoked(&self, invoke: Invoke<Wry>) {
        let Invoke {
            message, resolver, ..
        } = invoke;
        let InvokeBody::Json(arguments) = message.payload() else {
            return resolver.reject("questions are asked in JSON");
        };
        if message.command() == "open" {
            let id = arguments.get("events").and_then(|id| id.as_str());
            let Some(Ok(id)) = id.map(JavaScriptChannelId::from_str) else {
                return resolver.reject("there is no channel");
            };
            let channel = {
                let mut page = self.page();
                page.number += 1;
                page.channel = Some(id.channel_on(message.webview()));
                page.number
            };
            let web_view = tauri::webview_version().unwrap_or_else(|_| "unknown".to_owned());
            self.say(FromWindow::Open { channel, web_view });
            return resolver.resolve(());
        }
        match questions::written(message.command(), arguments) {
            Ok(question) => {
                let mut page = self.page();
                page.asked += 1;
                let id = page.asked;
                page.waiting.insert(id, resolver);
                drop(page);
                self.say(FromWindow::Ask { id, question });
            }
            Err(error) => resolver.reject(error.to_string()),
        }
    }

    fn answered(&self, id: u64, answer: Answer) {
        let Some(resolver) = self.page().waiting.remove(&id) else {
            return;
        };
        match answer {
            Answer::Here(value) => resolver.resolve(value),
            Answer::Refused(why) => resolver.reject(why),
        }
    }

    fn told(&self, number: u64, event: Box<RawValue>) {
        let page = self.page();
        if page.number == number
            && let Some(channel) = &page.channel
            && let Err(error) = channel.send(event)
        {
            warn!(%error, "the page can't be told");
        }
    }

    /// What happened to the window.
    pub fn happened(&self, app: &AppHandle, event: &WindowEvent) {
        match event {
            WindowEvent::CloseRequested { api, .. } => {
                api.prevent_close();
                self.say(FromWindow::Close);
            }
            WindowEvent::Focused(focused) => self.say(FromWindow::Happened(Happened::Focused(*focused))),
            // Minimising is told as a new size.
            WindowEvent::Resized(_) => {
                if let Some(minimised) = app
                    .get_webview_window(page::LABEL)
                    .and_then(|window| window.is_minimized().ok())
                {
                    self.say(FromWindow::Happened(Happened::Minimised(minimised)));
                }
            }
            _ => {}
        }
    }

    /// Until the page has said and heard its last.
    async fn last_words(&self) {
        tokio::time::sleep(LAST_WORDS).await;
        let begun = tokio::time::Instant::now();
        while !self.page().waiting.is_empty() && begun.elapsed() < LAST_ANSWERS {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The line of a window to whoever stays.
pub fn line(to: UnboundedSender<FromWindow>) -> Line {
    Line {
        to,
        page: Mutex::default(),
    }
}

/// Does what the window is told, until it is told to go or nobody can tell it anything any more.
pub async fn obey(
    app: &AppHandle,
    home: &Home,
    line: &Line,
    mut from: tokio::sync::mpsc::UnboundedReceiver<ToWindow>,
) {
    #[cfg(feature = "updater")]
    let updating = Updating::begin(app, line);
    loop {
        match from.recv().await {
            Some(ToWindow::Answer { id, answer }) => line.answered(id, answer),
            Some(ToWindow::Event { channel, event }) => line.told(channel, event),
            Some(ToWindow::Show) => page::show(app),
            Some(ToWindow::Minimise) => page::minimise(app),
            Some(ToWindow::Install) =>
            {
                #[cfg(feature = "updater")]
                if let Some(updating) = &updating {
                    updating.install();
                }
            }
            Some(ToWindow::Close) => break,
            None => return,
        }
    }
    page::remember(app, home);
    page::hide(app);
    let answers = async {
        while let Some(message) = from.recv().await {
            if let ToWindow::Answer { id, answer } = message {
                line.answered(id, answer);
            }
        }
    };
    tokio::select! {
        () = line.last_words() => {}
        () = answers => {}
    }
}

/// Shows the window until it is told to go: the whole of a process that is a window.
#[cfg(all(unix, not(target_os = "macos")))]
pub fn run(end: WindowEnd, home: Home) -> Result<ExitCode, CannotStart> {
    let no_window = |error: tauri::Error| CannotStart::Window(format!("{error}."));
    let builder = tauri::Builder::default();
    let context = tauri::generate_context!();
    #[cfg(feature = "updater")]
    let (builder, context) = super::updating::given(builder, context);
    let app = builder
        .manage(line(end.to))
        .invoke_handler(|invoke| {
            let app = invoke.message.webview_ref().app_handle().clone();
            app.state::<Line>().invoked(invoke);
            true
        })
        .setup(move |app| {
            page::open(app.handle(), &home)?;
            let app = app.handle().clone();
            tauri::async_runtime::spawn(async move {
                obey(&app, &home, &app.state::<Line>(), end.from).await;
                app.exit(0);
            });
            Ok(())
        })
        .build(context)
        .map_err(no_window)?;
    let code = app.run_return(|app, event| {
        if let RunEvent::WindowEvent { label, event, .. } = event
            && label == page::LABEL
        {
            app.state::<Line>().happened(app, &event);
        }
    });
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}
