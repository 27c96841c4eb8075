//! macOS and Windows: the window is in the same process as all else, since a program has one face there. The web view ends
//! with its window; accounts, tray and notifications stay. The line between the two is the same as where they are two processes.

#[path = "app.rs"]
mod app;
#[path = "page.rs"]
mod page;
#[cfg(feature = "updater")]
#[path = "updating.rs"]
mod updating;

use app::Line;
use dormouse_shell::arguments::Start;
use dormouse_shell::home::Home;
use dormouse_shell::program::{self, CannotStart, Program};
use dormouse_shell::resident::{Ended, Wanted, Windows};
use dormouse_shell::shell::Shell;
use dormouse_shell::tray::Look;
use dormouse_shell::wire::{StayingEnd, line};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tauri::menu::{MenuBuilder, MenuItemBuilder};
use tauri::tray::{TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, RunEvent};
use tokio::sync::watch;
use tracing::warn;

const TRAY: &str = "tray";
const OPEN: &str = "open";
const QUIT: &str = "quit";

/// The line of the window there is.
#[derive(Default)]
struct Current(Mutex<Option<Arc<Line>>>);

impl Current {
    fn set(&self, line: Option<Arc<Line>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }

    fn get(&self) -> Option<Arc<Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Opens windows in this process.
struct Here {
    app: AppHandle,
    home: Home,
}

impl Windows for Here {
    fn open(&mut self) -> Result<StayingEnd, String> {
        let (staying, window) = line();
        let (app, home) = (self.app.clone(), self.home.clone());
        let opened = move || {
            if let Err(error) = page::open(&app, &home) {
                // The line ends with this, and so the window is known to be gone.
                warn!(%error, "the window can't be opened");
                return;
            }
            let line = Arc::new(app::line(window.to));
            app.state::<Current>().set(Some(Arc::clone(&line)));
            tauri::async_runtime::spawn(async move {
                app::obey(&app, &home, &line, window.from).await;
                app.state::<Current>().set(None);
                if let Some(window) = app.get_webview_window(page::LABEL)
                    && let Err(error) = window.destroy()
                {
                    warn!(%error, "the window does not go");
                }
            });
        };
        self.app
            .run_on_main_thread(opened)
            .map_err(|error| error.to_string())?;
        Ok(staying)
    }
}

/// Runs the program.
pub fn run() -> ExitCode {
    program::with_arguments(stay)
}

fn stay(start: &Start) -> Result<ExitCode, CannotStart> {
    let home = Home::find(std::env::var_os("DORMOUSE_HOME"))?;
    let folder = |error| CannotStart::Folder(home.path().display().to_string(), error);
    home.make().map_err(folder)?;
    let runtime = program::runtime()?;
    tauri::async_runtime::set(runtime.handle().clone());
    let entered = runtime.enter();
    let no_window = |error: tauri::Error| CannotStart::Window(format!("{error}."));
    let builder = tauri::Builder::default();
    let context = tauri::generate_context!();
    #[cfg(feature = "updater")]
    let (builder, context) = updating::given(builder, context);
    #[cfg(windows)]
    let (builder, others) = others::heard(builder, &home);
    let app = builder
        .manage(Current::default())
        .invoke_handler(|invoke| {
            let line = invoke.message.webview_ref().app_handle().state::<Current>().get();
            match line {
                Some(line) => line.invoked(invoke),
                None => invoke.resolver.reject("the window is going"),
            }
            true
        })
        .build(context)
        .map_err(no_window)?;
    // Only now: had there been a first one, this process would have ended by handing over to it.
    let program = Program::start(&home)?;
    let shell = Arc::clone(&program.shell);
    start.wanted().into_iter().for_each(|wanted| shell.want(wanted));
    #[cfg(windows)]
    others.pass_on_to(&shell);
    app.manage(Arc::clone(&shell));
    let anew = Arc::new(AtomicBool::new(false));
    let wanted_anew = Arc::clone(&anew);
    // As the user would start it, whatever this start was for.
    let mut env = app.env();
    env.args_os.truncate(1);
    let mut beginning = Some((program, home));
    let code = app.run_return(move |app, event| match event {
        RunEvent::Ready => {
            if let Some((program, home)) = beginning.take() {
                begin(app, program, home, Arc::clone(&wanted_anew));
            }
        }
        // The last window has gone: that is no reason to end.
        RunEvent::ExitRequested { api, code: None, .. } => api.prevent_exit(),
        RunEvent::WindowEvent { label, event, .. } if label == page::LABEL => {
            if let Some(line) = app.state::<Current>().get() {
                line.happened(app, &event);
            }
        }
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            for url in urls {
                shell.want(Wanted::Link(url.to_string()));
            }
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => shell.want(Wanted::Window),
        // The system's own quit asks nobody: what is on its way to the disk still gets there.
        RunEvent::Exit => tauri::async_runtime::block_on(shell.leave()),
        _ => {}
    });
    drop(entered);
    program::end(runtime);
    if anew.load(Ordering::SeqCst) {
        tauri::process::restart(&env);
    }
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Shows the tray and whatever is wanted, now that the system's loop runs. `anew` is told if the program is to be started again.
fn begin(app: &AppHandle, program: Program, home: Home, anew: Arc<AtomicBool>) {
    let shown = show_tray(app, program.looks(), Arc::clone(&program.shell));
    if let Err(error) = &shown {
        warn!(%error, "there is no tray");
    }
    let (_, tray) = watch::channel(shown.is_ok());
    let app = app.clone();
    let windows = Box::new(Here {
        app: app.clone(),
        home,
    });
    tauri::async_runtime::spawn(async move {
        let ended = program.stay(windows, tray, None).await;
        anew.store(ended == Ended::Anew, Ordering::SeqCst);
        app.exit(i32::from(ended == Ended::Helpless));
    });
}

/// Windows: a second start hands what it was started with to the first, and ends. (macOS starts a program once by itself.)
#[cfg(windows)]
mod others {
    use dormouse_shell::arguments::{self, Arguments};
    use dormouse_shell::home::Home;
    use dormouse_shell::shell::Shell;
    use std::sync::{Arc, OnceLock};
    use tauri::{Builder, Wry};
    use tracing::debug;

    /// What others come with, until there is somebody to pass it on to.
    pub(super) struct Others(Arc<OnceLock<Arc<Shell>>>);

    impl Others {
        pub(super) fn pass_on_to(self, shell: &Arc<Shell>) {
            // It is set here only, once.
            let _ = self.0.set(Arc::clone(shell));
        }
    }

    /// The program of another home is not the first of this one. Which there are, the plugin can't tell: with a home that was given
    /// nobody hands over.
    pub(super) fn heard(builder: Builder<Wry>, home: &Home) -> (Builder<Wry>, Others) {
        let shell = Arc::new(OnceLock::<Arc<Shell>>::new());
        if home.is_given() {
            return (builder, Others(shell));
        }
        let to = Arc::clone(&shell);
        let plugin = tauri_plugin_single_instance::init(move |_, words, _| {
            let start = arguments::read(words.into_iter().skip(1).map(Into::into));
            match (start, to.get()) {
                (Ok(Arguments::Start(start)), Some(shell)) => {
                    start.wanted().into_iter().for_each(|wanted| shell.want(wanted));
                }
                _ => debug!("a second start had nothing to say"),
            }
        });
        (builder.plugin(plugin), Others(shell))
    }
}

fn show_tray(app: &AppHandle, mut looks: watch::Receiver<Look>, shell: Arc<Shell>) -> tauri::Result<()> {
    let by_menu = Arc::clone(&shell);
    let mut tray = TrayIconBuilder::with_id(TRAY)
        .show_menu_on_left_click(cfg!(target_os = "macos"))
        .on_menu_event(move |_, event| match event.id().as_ref() {
            OPEN => by_menu.want(Wanted::Window),
            QUIT => by_menu.want(Wanted::Quit),
            _ => {}
        })
        .on_tray_icon_event(move |_, event| {
            if let TrayIconEvent::DoubleClick { .. } = event {
                shell.want(Wanted::Window);
            }
        });
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    let tray = tray.build(app)?;
    dress(app, &tray, &looks.borrow_and_update())?;
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        while looks.changed().await.is_ok() {
            let look = looks.borrow_and_update().clone();
            if let Err(error) = dress(&app, &tray, &look) {
                warn!(%error, "the tray can't be changed");
            }
        }
    });
    Ok(())
}

fn dress(app: &AppHandle, tray: &TrayIcon, look: &Look) -> tauri::Result<()> {
    let mut menu = MenuBuilder::new(app).text(OPEN, &look.open).separator();
    for line in &look.lines {
        menu = menu.item(&MenuItemBuilder::new(line).enabled(false).build(app)?);
    }
    tray.set_menu(Some(menu.separator().text(QUIT, &look.quit).build()?))?;
    tray.set_tooltip(Some(
        [&look.title, &look.lines.join("\n")]
            .map(String::as_str)
            .join("\n"),
    ))?;
    // macOS writes it beside the icon.
    tray.set_title(look.dot.then_some("•"))
}
