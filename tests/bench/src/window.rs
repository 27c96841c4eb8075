//! What is measured, how often, and how it is told.

use crate::figure::Figure;
use crate::page::{self, Places, Waits};
use crate::{machine, start};
use anyhow::{Context, Result};
use dormouse_servers::Prosody;
use dormouse_window_tests::cache::{self, Said};
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, CAROL, PASSWORD, alices, friends};
use dormouse_window_tests::window::Window;
use std::ffi::OsString;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Messages in each of the two conversations of the cache.
const MESSAGES: usize = 5000;
/// Windows opened under WebDriver, of each program.
const SESSIONS: usize = 3;
/// Texts sent and conversations switched to in each of them, after one that does not count.
const TURNS: usize = 10;

const DORMOUSE: Places = Places {
    box_: "#composer-text",
    messages: "#rows",
};
const BARE: Places = Places {
    box_: "textarea",
    messages: "main",
};

/// Gives the bare page the least that can be measured: Enter appends a line, two buttons change the page of text.
const BARE_BEHAVIOUR: &str = "
    const box = document.querySelector('textarea');
    const main = document.querySelector('main');
    const line = text => Object.assign(document.createElement('p'), { textContent: text });
    box.addEventListener('keydown', event => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        main.append(line(box.value));
        box.value = '';
        main.scrollTop = main.scrollHeight;
    });
    for (const name of ['bob', 'carol']) {
        const button = Object.assign(document.createElement('button'), { id: name, textContent: name });
        button.onclick = () => {
            const lines = Array.from({ length: 40 }, (_, i) => line(`${name} ${i}: the night was quiet`));
            main.replaceChildren(...lines, line(`the last of ${name}`));
            main.scrollTop = main.scrollHeight;
        };
        document.querySelector('nav').append(button);
    }
";

/// One program's figures.
#[derive(Debug, Default)]
struct Measured {
    painted: Figure,
    memory: Figure,
    processes: Figure,
    sending: Waits,
    switching: Waits,
}

/// Measures both and gives the table, as Markdown.
///
/// # Errors
/// When one of them does not do what is measured.
pub fn measure(app: &Path, bare: &Path, runs: usize) -> Result<String> {
    let load_before = machine::load();
    let desktop = Desktop::start()?;
    let server = friends().start()?;
    fill_cache(&desktop)?;
    let account: Vec<(&str, OsString)> = vec![
        ("DORMOUSE_ACCOUNT", ALICE.into()),
        ("DORMOUSE_ENDPOINT", server.ws_endpoint().into()),
        ("DORMOUSE_PASSWORD", PASSWORD.into()),
    ];
    let (mut dormouse, mut least) = (Measured::default(), Measured::default());
    // The first start of each finds where its text stands; it also brings the programs into the disk cache.
    let app_region = start::region_of_text(&desktop, app, &account)?;
    let bare_region = start::region_of_text(&desktop, bare, &[])?;
    for run in 1..=runs {
        eprintln!("start {run} of {runs}");
        for (measured, program, environment, region) in [
            (&mut dormouse, app, account.as_slice(), app_region),
            (&mut least, bare, &[], bare_region),
        ] {
            let start = start::measure(&desktop, program, environment, region)?;
            measured.painted.add(start.painted);
            measured.memory.add(start.memory);
            measured.processes.add(start.processes as f64);
        }
    }
    for session in 1..=SESSIONS {
        eprintln!("session {session} of {SESSIONS}");
        in_dormouse(&desktop, &server, app, session, &mut dormouse)?;
        in_bare_window(&desktop, bare, &mut least)?;
    }
    Ok(table(&dormouse, &least, &load_before))
}

/// Two conversations of years; bob's is in view at the start.
///
/// # Errors
/// When they can't be written.
pub fn fill_cache(desktop: &Desktop) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let now = i64::try_from(now)?;
    // Bob's is the newer one: it is in view at the start.
    for (with, until) in [(CAROL, now - 60_000), (BOB, now)] {
        let name = with.split('@').next().unwrap_or(with);
        let messages = (1..=MESSAGES).map(|number| Said {
            by: if number % 3 == 0 { ALICE } else { with }.to_owned(),
            body: if number == MESSAGES {
                format!("the last of {name}")
            } else {
                format!(
                    "{name} {number}: {}",
                    "the night was quiet ".repeat(number % 7 + 1)
                )
            },
        });
        let messages: Vec<Said> = messages.collect();
        cache::fill(&desktop.app_home(), with, until, messages.into_iter())?;
    }
    Ok(())
}

/// Does something again and again and measures it; not the first time, which finds nothing warm.
fn in_turns(measured: &mut Waits, mut act: impl FnMut(usize, &mut Waits) -> Result<()>) -> Result<()> {
    act(0, &mut Waits::default())?;
    (1..=TURNS).try_for_each(|turn| act(turn, measured))
}

fn in_dormouse(
    desktop: &Desktop,
    server: &Prosody,
    app: &Path,
    session: usize,
    measured: &mut Measured,
) -> Result<()> {
    let window = alices(desktop, server).program(app).open()?;
    window.wait_until_live()?;
    let conversation = |name: &str| format!("#conversations [data-with='{name}@localhost']");
    page::switch(
        &window,
        DORMOUSE,
        &conversation("carol"),
        "carol",
        &mut Waits::default(),
    )?;
    in_turns(&mut measured.switching, |turn, waits| {
        // The one is in view: the text is one that only the other has.
        let (name, text) = if turn % 2 == 0 {
            ("bob", "bob 49")
        } else {
            ("carol", "carol 49")
        };
        page::switch(&window, DORMOUSE, &conversation(name), text, waits)
    })?;
    in_turns(&mut measured.sending, |turn, waits| {
        let text = format!("typed {turn} in session {session}");
        page::send(&window, DORMOUSE, &text, waits)
    })?;
    window.terminate().context("Dormouse does not end")
}

fn in_bare_window(desktop: &Desktop, bare: &Path, measured: &mut Measured) -> Result<()> {
    let window = Window::builder(desktop).program(bare).open()?;
    window.script(BARE_BEHAVIOUR, Vec::new())?;
    in_turns(&mut measured.switching, |turn, waits| {
        let (click, text) = if turn % 2 == 0 {
            ("#bob", "bob 30")
        } else {
            ("#carol", "carol 30")
        };
        page::switch(&window, BARE, click, text, waits)
    })?;
    in_turns(&mut measured.sending, |turn, waits| {
        page::send(&window, BARE, &format!("typed {turn}"), waits)
    })?;
    Ok(())
}

fn table(dormouse: &Measured, least: &Measured, load_before: &str) -> String {
    let mut text = format!(
        "Measured on: {}. Load before: {load_before}.\n\n\
         | min / median / max | Dormouse | bare window | of how many |\n|---|---|---|---|\n",
        machine::describe_window()
    );
    type Row = (&'static str, fn(&Measured) -> &Figure);
    let rows: [Row; 7] = [
        ("start to text painted, ms", |it| &it.painted),
        ("Enter to message painted, ms", |it| &it.sending.time),
        ("the same in frames (1: the next)", |it| &it.sending.frames),
        ("switching conversations, ms", |it| &it.switching.time),
        ("the same in frames", |it| &it.switching.frames),
        ("memory of all processes (PSS), MiB", |it| &it.memory),
        ("processes", |it| &it.processes),
    ];
    for (name, figure) in rows {
        text.push_str(&format!(
            "| {name} | {} | {} | {} |\n",
            figure(dormouse).summary(),
            figure(least).summary(),
            figure(dormouse).len()
        ));
    }
    text
}
