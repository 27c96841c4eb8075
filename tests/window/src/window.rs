//! The app under WebDriver: what a user does, and what a user sees.
//!
//! WebKit's own driver starts the app and steers the page in it; `TAURI_AUTOMATION` makes the app allow that (which is
//! all that tauri-driver adds). Everything is waited for by a condition with a deadline. When one is not met, a
//! picture, the page and the logs are put into `target/window-failures/TEST`, and the error says where.

mod closed;
mod ending;

pub use closed::Closed;

use crate::Result;
use crate::desktop::Desktop;
use crate::evidence;
use crate::wait::{LATER, SOON, until};
use anyhow::{Context, anyhow, bail};
use dormouse_scenarios::program;
use dormouse_servers::{Foreground, Port};
use fantoccini::actions::{InputSource, KeyAction, KeyActions, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::Pid;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::runtime::Runtime;

/// What the kernel calls the process of a page: fifteen letters of WebKitWebProcess.
const PAGE: &str = "WebKitWebProces";

/// See [`Window::builder`].
#[derive(Debug)]
pub struct WindowBuilder<'a> {
    desktop: &'a Desktop,
    environment: Vec<(OsString, OsString)>,
    arguments: Vec<String>,
    program: Option<PathBuf>,
}

impl<'a> WindowBuilder<'a> {
    /// A word on the app's command line.
    #[must_use]
    pub fn arg(mut self, word: &str) -> Self {
        self.arguments.push(word.to_owned());
        self
    }

    /// A variable of the app's environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Another program than the app as it is built for tests: for benches.
    #[must_use]
    pub fn program(mut self, path: &Path) -> Self {
        self.program = Some(path.to_owned());
        self
    }

    /// Starts the app and waits until its page is there.
    ///
    /// # Errors
    /// When it does not build or start.
    pub fn open(self) -> Result<Window<'a>> {
        let app = match self.program {
            Some(path) => path,
            None => program::app()?.to_owned(),
        };
        let log = self.desktop.folder().join("app.log");
        let mut command = Command::new("WebKitWebDriver");
        command
            .envs(self.desktop.environment())
            .envs(self.environment)
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("RUST_BACKTRACE", "1");
        let driver = Driver::start(command, &log)?;
        let options = json!({"webkitgtk:browserOptions": {"binary": app, "args": self.arguments}});
        let (client, runtime) = driver.session(options, &log)?;
        let id = child_of(driver.process.id()).context("the driver has no child")?;
        Window {
            desktop: self.desktop,
            client,
            runtime,
            id,
            app: Some(App {
                id,
                parent: Parent::Driver(driver),
            }),
            _attached: None,
        }
        .loaded()
    }
}

/// WebKit's driver.
#[derive(Debug)]
struct Driver {
    process: Foreground,
    port: Port,
}

impl Driver {
    fn start(mut command: Command, log: &Path) -> Result<Self> {
        let port = Port::reserve()?;
        command.arg(format!("--port={}", port.number()));
        let name = "WebKitWebDriver (package webkit2gtk-driver)";
        let mut process = Foreground::spawn(name, command, log, Stdio::null())?;
        let address = ("127.0.0.1", port.number());
        process
            .wait_until(SOON, || std::net::TcpStream::connect(address).is_ok())
            .map_err(|error| error.with_log(log))?;
        Ok(Self { process, port })
    }

    /// A session with a page, and the runtime that it needs.
    fn session(&self, capabilities: Value, log: &Path) -> Result<(Client, Runtime)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        if let Value::Object(capabilities) = capabilities {
            builder.capabilities(capabilities);
        }
        let url = format!("http://127.0.0.1:{}", self.port.number());
        let client = runtime
            .block_on(async { tokio::time::timeout(LATER, builder.connect(&url)).await })
            .map_err(|_| anyhow!("the app did not open a window in time"))
            .and_then(|outcome| outcome.map_err(anyhow::Error::from))
            .with_context(|| evidence::end_of(log))?;
        Ok((client, runtime))
    }
}

/// The app's window; the app is killed when it is dropped.
#[derive(Debug)]
pub struct Window<'a> {
    desktop: &'a Desktop,
    client: Client,
    // After the client, whose connection it runs.
    runtime: Runtime,
    id: Pid,
    app: Option<App>,
    /// The driver that steers this window, where that is not the one that started the app.
    _attached: Option<Driver>,
}

/// The app, killed when dropped.
#[derive(Debug)]
struct App {
    id: Pid,
    parent: Parent,
}

/// Who started the app, and reaps it.
#[derive(Debug)]
enum Parent {
    Driver(Driver),
    Us(Child),
}

impl<'a> Window<'a> {
    /// The app on this desktop.
    pub fn builder(desktop: &'a Desktop) -> WindowBuilder<'a> {
        WindowBuilder {
            desktop,
            environment: Vec::new(),
            arguments: Vec::new(),
            program: None,
        }
    }

    /// The app on this desktop, as it starts by itself.
    ///
    /// # Errors
    /// As [`WindowBuilder::open`].
    pub fn open(desktop: &'a Desktop) -> Result<Self> {
        Self::builder(desktop).open()
    }

    /// The desktop it is on.
    pub fn desktop(&self) -> &'a Desktop {
        self.desktop
    }

    /// The process that draws: Dormouse's window is a child of it, a plain app draws itself.
    fn painter(&self) -> u32 {
        let app = number(self.id);
        child_of(app)
            .map(number)
            .filter(|child| is_called(*child, "dormouse-window"))
            .unwrap_or(app)
    }

    /// What is mapped into the memory of the process that WebKit runs the page in, as the kernel lists it.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn memory_of_the_page(&self) -> Result<String> {
        let page = child_called(self.painter(), PAGE).with_context(|| format!("there is no {PAGE}"))?;
        Ok(std::fs::read_to_string(format!("/proc/{page}/maps"))?)
    }

    fn loaded(self) -> Result<Self> {
        self.wait_for_script(
            "a loaded page",
            "return document.readyState === 'complete' || null",
        )?;
        Ok(self)
    }

    // ---- what a user sees

    /// Runs JavaScript in the page; `return` gives its answer.
    ///
    /// # Errors
    /// When it throws, or the page is gone.
    pub fn script(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        let answer = self
            .runtime
            .block_on(async { tokio::time::timeout(LATER, self.client.execute(script, arguments)).await });
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.blame(&format!("a script failed: {error}\n{script}"))),
            Err(_) => Err(self.blame(&format!("a script did not come to its end\n{script}"))),
        }
    }

    /// Runs JavaScript that may `await`; `return` gives its answer.
    ///
    /// # Errors
    /// When it throws, does not end, or the page is gone.
    pub fn script_async(&self, script: &str) -> Result<Value> {
        let whole = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {script} }})().then(
                 (value) => done({{ value: value ?? null }}),
                 (error) => done({{ error: String(error) }}),
             );"
        );
        let answer = self.runtime.block_on(async {
            tokio::time::timeout(LATER, self.client.execute_async(&whole, Vec::new())).await
        });
        match answer {
            Ok(Ok(mut answer)) if answer["error"].is_null() => Ok(answer["value"].take()),
            Ok(Ok(answer)) => Err(self.blame(&format!("a script failed: {}\n{script}", answer["error"]))),
            Ok(Err(error)) => Err(self.blame(&format!("a script failed: {error}\n{script}"))),
            Err(_) => Err(self.blame(&format!("a script did not come to its end\n{script}"))),
        }
    }

    /// Waits until a script returns something else than `null`, and returns it.
    ///
    /// # Errors
    /// When it does not.
    pub fn wait_for_script(&self, what: &str, script: &str) -> Result<Value> {
        self.wait_for(what, SOON, || {
            let value = self.script(script, Vec::new())?;
            Ok((!value.is_null()).then_some(value))
        })
    }

    /// Waits until there is an answer.
    ///
    /// # Errors
    /// When there is none in time: with evidence.
    pub fn wait_for<T>(
        &self,
        what: &str,
        within: Duration,
        ask: impl FnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        until(within, ask).map_err(|error| self.blame(&format!("{what}: {error:#}")))
    }

    /// The texts of all elements that match and are shown, in order.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn texts(&self, css: &str) -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll(arguments[0])]\
            .filter(it => it.checkVisibility()).map(it => it.innerText)";
        let texts = self.script(script, vec![css.into()])?;
        Ok(serde_json::from_value(texts)?)
    }

    /// The text of the first element that matches and is shown; empty if there is none.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn text(&self, css: &str) -> Result<String> {
        Ok(self.texts(css)?.into_iter().next().unwrap_or_default())
    }

    /// Whether something that matches is shown.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn shows(&self, css: &str) -> Result<bool> {
        Ok(!self.texts(css)?.is_empty())
    }

    /// An attribute of the first element that matches.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn attribute(&self, css: &str, name: &str) -> Result<Option<String>> {
        let script = "return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null";
        let value = self.script(script, vec![css.into(), name.into()])?;
        Ok(value.as_str().map(str::to_owned))
    }

    /// Waits until something that matches is shown.
    ///
    /// # Errors
    /// When it is not.
    pub fn wait_until_shown(&self, css: &str) -> Result<()> {
        self.wait_for(&format!("{css} is shown"), SOON, || {
            Ok(self.shows(css)?.then_some(()))
        })
    }

    /// Waits until nothing that matches is shown.
    ///
    /// # Errors
    /// When it stays.
    pub fn wait_until_gone(&self, css: &str) -> Result<()> {
        self.wait_for(&format!("{css} is gone"), SOON, || {
            Ok((!self.shows(css)?).then_some(()))
        })
    }

    /// Waits until an element that matches and is shown has this in its text.
    ///
    /// # Errors
    /// When none has.
    pub fn wait_for_text(&self, css: &str, part: &str) -> Result<String> {
        self.wait_for_text_within(css, part, SOON)
    }

    /// The same with a deadline of its own.
    ///
    /// # Errors
    /// When none has.
    pub fn wait_for_text_within(&self, css: &str, part: &str, within: Duration) -> Result<String> {
        self.wait_for(&format!("{css} says {part:?}"), within, || {
            Ok(self.texts(css)?.into_iter().find(|text| text.contains(part)))
        })
    }

    /// Waits until the window says that it is connected.
    ///
    /// # Errors
    /// When it does not.
    pub fn wait_until_live(&self) -> Result<()> {
        self.wait_for_connection("live")
    }

    /// Waits until the connection's state that the window shows is this one.
    ///
    /// # Errors
    /// When it is not.
    pub fn wait_for_connection(&self, state: &str) -> Result<()> {
        self.wait_for(&format!("the connection is {state}"), LATER, || {
            Ok(self
                .shows(&format!("#connection[data-state='{state}']"))?
                .then_some(()))
        })
    }

    /// Waits until what the page is now has been painted.
    ///
    /// # Errors
    /// When nothing is painted.
    pub fn wait_for_frames(&self) -> Result<()> {
        self.script_async(
            "for (let frame = 0; frame < 3; frame += 1)
                 await new Promise(done => requestAnimationFrame(done));",
        )
        .map(drop)
    }

    /// A picture of the page as PNG.
    ///
    /// # Errors
    /// When the driver can't take one.
    pub fn picture(&self) -> Result<Vec<u8>> {
        let picture = self
            .runtime
            .block_on(async { tokio::time::timeout(SOON, self.client.screenshot()).await });
        Ok(picture??)
    }

    // ---- what a user does

    /// Clicks the first element that matches and is shown, once there is one.
    ///
    /// # Errors
    /// When there is none or it can't be clicked.
    pub fn click(&self, css: &str) -> Result<()> {
        self.wait_until_shown(css)?;
        self.wait_for(&format!("{css} can be clicked"), SOON, || {
            // What is painted anew in this moment is found again.
            let clicked = self.element(css).and_then(|element| {
                self.runtime
                    .block_on(element.click())
                    .map_err(anyhow::Error::from)
            });
            Ok(clicked.ok())
        })
    }

    /// Moves the pointer over the first element that matches and is shown.
    ///
    /// # Errors
    /// When there is none.
    pub fn hover(&self, css: &str) -> Result<()> {
        self.wait_until_shown(css)?;
        let element = self.element(css)?;
        let actions = MouseActions::new("pointer".to_owned()).then(PointerAction::MoveToElement {
            element,
            duration: None,
            x: 0.0,
            y: 0.0,
        });
        let moved = self.runtime.block_on(self.client.perform_actions(actions));
        moved.map_err(|error| self.blame(&format!("the pointer can't be moved to {css}: {error}")))
    }

    /// Types into the first element that matches and is shown, after what stands there.
    ///
    /// # Errors
    /// When there is none.
    pub fn type_into(&self, css: &str, text: &str) -> Result<()> {
        self.wait_until_shown(css)?;
        let element = self.element(css)?;
        let typed = self.runtime.block_on(element.send_keys(text));
        typed.map_err(|error| self.blame(&format!("{css} can't be typed into: {error}")))
    }

    /// Empties a field, then types into it.
    ///
    /// # Errors
    /// When there is none.
    pub fn fill(&self, css: &str, text: &str) -> Result<()> {
        self.wait_until_shown(css)?;
        let element = self.element(css)?;
        let emptied = self.runtime.block_on(element.clear());
        emptied.map_err(|error| self.blame(&format!("{css} can't be emptied: {error}")))?;
        if text.is_empty() {
            return Ok(());
        }
        self.type_into(css, text)
    }

    /// Presses keys, one after the other, wherever the focus is.
    ///
    /// # Errors
    /// When the driver refuses.
    pub fn press(&self, keys: &[Key]) -> Result<()> {
        self.act(
            keys.iter()
                .fold(KeyActions::new("keys".to_owned()), |actions, key| {
                    let value = char::from(*key);
                    actions
                        .then(KeyAction::Down { value })
                        .then(KeyAction::Up { value })
                }),
        )
    }

    /// Presses a key while another is held.
    ///
    /// # Errors
    /// When the driver refuses.
    pub fn press_with(&self, held: Key, key: char) -> Result<()> {
        let held = char::from(held);
        self.act(
            KeyActions::new("keys".to_owned())
                .then(KeyAction::Down { value: held })
                .then(KeyAction::Down { value: key })
                .then(KeyAction::Up { value: key })
                .then(KeyAction::Up { value: held }),
        )
    }

    /// Types a text, wherever the focus is.
    ///
    /// # Errors
    /// When the driver refuses.
    pub fn type_text(&self, text: &str) -> Result<()> {
        self.act(
            text.chars()
                .fold(KeyActions::new("keys".to_owned()), |actions, value| {
                    actions
                        .then(KeyAction::Down { value })
                        .then(KeyAction::Up { value })
                }),
        )
    }

    fn act(&self, actions: KeyActions) -> Result<()> {
        let acted = self.runtime.block_on(self.client.perform_actions(actions));
        acted.map_err(|error| self.blame(&format!("keys can't be pressed: {error}")))
    }

    fn element(&self, css: &str) -> Result<Element> {
        let all = self.runtime.block_on(self.client.find_all(Locator::Css(css)))?;
        for element in all {
            if self.runtime.block_on(element.is_displayed())? {
                return Ok(element);
            }
        }
        bail!("nothing that is shown matches {css}")
    }

    // ---- the window itself

    /// Gives the page this size, in CSS pixels.
    ///
    /// # Errors
    /// When it does not take it.
    pub fn set_size(&self, width: u32, height: u32) -> Result<()> {
        let frame = self.frame()?;
        let display = self.desktop.display();
        display.xdotool(&[
            "windowsize",
            "--sync",
            &frame,
            &width.to_string(),
            &height.to_string(),
        ])?;
        self.wait_for_script(
            &format!("a page of {width}x{height}"),
            &format!("return (innerWidth === {width} && innerHeight === {height}) || null"),
        )?;
        self.wait_for_frames()
    }

    /// Moves it.
    ///
    /// # Errors
    /// When there is no window.
    pub fn move_to(&self, x: u32, y: u32) -> Result<()> {
        let words = [
            "windowmove",
            "--sync",
            &self.frame()?,
            &x.to_string(),
            &y.to_string(),
        ];
        self.desktop.display().xdotool(&words)?;
        self.wait_for_frames()
    }

    /// Where its page is on the screen.
    ///
    /// # Errors
    /// When there is no window.
    pub fn place(&self) -> Result<(i32, i32)> {
        let words = ["getwindowgeometry", "--shell", &self.frame()?];
        let geometry = self.desktop.display().xdotool(&words)?;
        let number = |name: &str| {
            let mut lines = geometry.lines();
            let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            value
                .and_then(|value| value.parse().ok())
                .with_context(|| format!("xdotool says no {name}:\n{geometry}"))
        };
        Ok((number("X")?, number("Y")?))
    }

    /// The user closes it; what comes of it is another matter.
    ///
    /// # Errors
    /// When there is no window.
    pub fn ask_to_close(&self) -> Result<()> {
        self.activate()?;
        self.desktop
            .display()
            .xdotool(&["key", "--clearmodifiers", "alt+F4"])
            .map(drop)
    }

    /// Minimises it, and waits until the app has heard of it.
    ///
    /// # Errors
    /// When there is no window.
    pub fn minimise(&self) -> Result<()> {
        self.desktop
            .display()
            .xdotool(&["windowminimize", "--sync", &self.frame()?])?;
        self.wait_for_script("no focus", "return !document.hasFocus() || null")
            .map(drop)
    }

    /// Brings it back and gives it the focus.
    ///
    /// # Errors
    /// When there is no window.
    pub fn focus(&self) -> Result<()> {
        self.activate()?;
        self.wait_for_script("the focus", "return document.hasFocus() || null")
            .map(drop)
    }

    fn activate(&self) -> Result<()> {
        let frame = self.frame()?;
        let display = self.desktop.display();
        display.xdotool(&["windowmap", &frame])?;
        display.xdotool(&["windowactivate", "--sync", &frame]).map(drop)
    }

    /// The X window's number.
    fn frame(&self) -> Result<String> {
        let id = self.painter().to_string();
        let display = self.desktop.display();
        until(SOON, || {
            // GTK has an invisible group leader under the same process id, without a name.
            let found = display.xdotool(&["search", "--all", "--pid", &id, "--name", "."]);
            Ok(found.ok().and_then(|list| list.lines().last().map(str::to_owned)))
        })
        .map_err(|error| self.blame(&format!("the app has no window: {error:#}")))
    }
}

fn child_of(parent: u32) -> Option<Pid> {
    children_of(parent)
        .into_iter()
        .find_map(|id| Pid::from_raw(id.try_into().ok()?))
}

fn child_called(parent: u32, name: &str) -> Option<u32> {
    children_of(parent).into_iter().find(|id| is_called(*id, name))
}

/// Those that any of its threads has started.
fn children_of(parent: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{parent}/task"))
        .into_iter()
        .flatten();
    let lists =
        threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|id| id.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

fn number(process: Pid) -> u32 {
    process.as_raw_nonzero().get().unsigned_abs()
}

fn is_called(process: u32, name: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|comm| comm.trim_end() == name)
}
