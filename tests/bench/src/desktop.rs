//! Life on the desktop: what Dormouse holds and does with its window open and in the tray, and how long a person waits for the
//! window, from a start and from the tray; next to the least a window can be, in the same run.

use crate::figure::Figure;
use crate::idle::{self, Idle};
use crate::start::{self, Family, window_of};
use crate::window::fill_cache;
use crate::{framebuffer, machine, memory};
use anyhow::{Context, Result, ensure};
use dormouse_servers::Prosody;
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, PASSWORD, friends};
use dormouse_window_tests::wait::{LATER, until};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// After something has changed, until everything is as it stays.
const CALM: Duration = Duration::from_secs(15);

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Dormouse.
    app: PathBuf,
    /// The least a window can be.
    bare: PathBuf,
    /// How often each is started, and the window opened from the tray.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How long it is watched doing nothing, each way.
    #[arg(long, default_value_t = 5.0)]
    minutes: f64,
}

/// One way of being there.
#[derive(Debug, Default)]
struct Measured {
    painted: Figure,
    memory: Figure,
    processes: Figure,
    idle: Option<Idle>,
}

/// Measures all of it and gives the table, as Markdown.
///
/// # Errors
/// When a program does not do what is measured.
pub fn measure(options: &Options) -> Result<String> {
    let load_before = machine::load();
    let desktop = Desktop::builder().tray().start()?;
    let server = friends().start()?;
    fill_cache(&desktop)?;
    let account = account(&server);
    let idle = Duration::from_secs_f64(options.minutes * 60.0);
    let (mut open, mut tray, mut bare) = (Measured::default(), Measured::default(), Measured::default());
    let app_region = start::region_of_text(&desktop, &options.app, &account)?;
    let bare_region = start::region_of_text(&desktop, &options.bare, &[])?;
    for run in 1..=options.runs {
        eprintln!("start {run} of {}", options.runs);
        for (measured, program, environment, region) in [
            (&mut open, &options.app, account.as_slice(), app_region),
            (&mut bare, &options.bare, &[], bare_region),
        ] {
            measured
                .painted
                .add(start::measure(&desktop, program, environment, region)?.painted);
        }
    }
    in_bare_window(&desktop, &options.bare, idle, &mut bare)?;
    in_dormouse(
        &desktop, options, &account, app_region, idle, &mut open, &mut tray,
    )?;
    Ok(table(&open, &tray, &bare, &load_before))
}

fn account(server: &Prosody) -> Vec<(&'static str, OsString)> {
    vec![
        ("DORMOUSE_ACCOUNT", ALICE.into()),
        ("DORMOUSE_ENDPOINT", server.ws_endpoint().into()),
        ("DORMOUSE_PASSWORD", PASSWORD.into()),
    ]
}

fn in_bare_window(desktop: &Desktop, bare: &Path, idle: Duration, measured: &mut Measured) -> Result<()> {
    eprintln!("the bare window, doing nothing");
    let family = Family::start(desktop, bare, &[])?;
    until(LATER, || Ok(window_of(desktop, family.0.id())))?;
    std::thread::sleep(CALM);
    hold(family.0.id(), measured)?;
    measured.idle = Some(idle::watch(family.0.id(), idle)?);
    Ok(())
}

fn in_dormouse(
    desktop: &Desktop,
    options: &Options,
    account: &[(&str, OsString)],
    region: framebuffer::Region,
    idle: Duration,
    open: &mut Measured,
    tray: &mut Measured,
) -> Result<()> {
    let screen = framebuffer::Framebuffer::open(desktop.display().framebuffer())?;
    let family = Family::start(desktop, &options.app, account)?;
    let id = family.0.id();
    until(LATER, || Ok(window_of(desktop, id)))?;
    desktop.tray()?.wait_for_entry("Connected")?;
    std::thread::sleep(CALM);
    hold(id, open)?;
    eprintln!("the window open, doing nothing");
    open.idle = Some(idle::watch(id, idle)?);
    for run in 1..=options.runs {
        eprintln!("to the tray and back, {run} of {}", options.runs);
        close(desktop, id)?;
        std::thread::sleep(CALM);
        hold(id, tray)?;
        let empty = screen.look(region)?;
        let begun = Instant::now();
        desktop.tray()?.click()?;
        tray.painted
            .add(start::painted(&screen, region, empty, begun, || Ok(()))?);
        std::thread::sleep(CALM);
        hold(id, open)?;
    }
    close(desktop, id)?;
    std::thread::sleep(CALM);
    eprintln!("in the tray, doing nothing");
    tray.idle = Some(idle::watch(id, idle)?);
    Ok(())
}

/// The user closes the window.
fn close(desktop: &Desktop, program: u32) -> Result<()> {
    let window = window_of(desktop, program).context("there is no window to close")?;
    let display = desktop.display();
    display.xdotool(&["windowactivate", "--sync", &window])?;
    until(LATER, || {
        display.xdotool(&["key", "--clearmodifiers", "alt+F4"])?;
        std::thread::sleep(Duration::from_secs(2));
        Ok((memory::family(program)?.len() == 1).then_some(()))
    })
}

fn hold(program: u32, measured: &mut Measured) -> Result<()> {
    let (memory, processes) = memory::of_family(program)?;
    ensure!(memory > 1.0, "a program of {memory} MiB is none");
    measured.memory.add(memory);
    measured.processes.add(processes as f64);
    Ok(())
}

fn table(open: &Measured, tray: &Measured, bare: &Measured, load_before: &str) -> String {
    let mut text = format!(
        "Measured on: {}. Load before: {load_before}.\n\n\
         | | Dormouse, window open | Dormouse, in the tray | bare window |\n|---|---|---|---|\n",
        machine::describe_window()
    );
    let mut row = |name: &str, told: &dyn Fn(&Measured) -> String| {
        let cells = [told(open), told(tray), told(bare)].join(" | ");
        text.push_str(&format!("| {name} | {cells} |\n"));
    };
    row("until text is painted (from a start; from the tray), ms", &|it| {
        it.painted.summary()
    });
    row("memory of all processes (PSS), MiB", &|it| it.memory.summary());
    row("processes", &|it| it.processes.summary());
    let idle = |it: &Measured, told: fn(&Idle) -> String| it.idle.as_ref().map(told).unwrap_or_default();
    row("watched doing nothing, minutes", &|it| {
        idle(it, |idle| format!("{:.1}", idle.length.as_secs_f64() / 60.0))
    });
    row("processor meanwhile, % of a core", &|it| {
        idle(it, |idle| format!("{:.3}", idle.per_cent()))
    });
    row("context switches a minute", &|it| {
        idle(it, |idle| format!("{:.0}", idle.switches_per_minute()))
    });
    row("most of them in", &|it| {
        idle(it, |idle| {
            let most = idle.by_thread.iter().take(6);
            let most: Vec<String> = most
                .map(|(name, switches)| format!("{name} {switches}"))
                .collect();
            most.join(", ")
        })
    });
    text
}
