//! From the start of a process to the moment at which what it has to show is on the screen.
//!
//! The screen is watched from outside, the same for both programs. A start is over when the region of the text has
//! its final look, but for one pixel in a hundred (a blinking mark, a second hand); that it is final shows afterwards,
//! when nothing has changed for a while.

use crate::framebuffer::{Framebuffer, Look, Region};
use crate::memory;
use anyhow::{Context, Result, bail, ensure};
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::wait::until;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LOOK_EVERY: Duration = Duration::from_millis(4);
const QUIET: Duration = Duration::from_secs(4);
const LIMIT: Duration = Duration::from_secs(60);
const FINAL: f64 = 0.01;
/// A page of text covers more than this of the region.
const TEXT: f64 = 0.02;

/// What a start costs.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// Until the text was on the screen, in milliseconds.
    pub painted: f64,
    /// The memory of all processes some seconds later, in MiB.
    pub memory: f64,
    /// How many processes that are.
    pub processes: usize,
}

/// Starts a program on a desktop, waits until it has painted, and ends it.
///
/// # Errors
/// When it does not start, or does not paint text into the region.
pub fn measure(
    desktop: &Desktop,
    program: &Path,
    environment: &[(&str, OsString)],
    region: Region,
) -> Result<Start> {
    let screen = Framebuffer::open(desktop.display().framebuffer())?;
    let empty = screen.look(region)?;
    let begun = Instant::now();
    let mut family = Family::start(desktop, program, environment)?;
    let painted = painted(&screen, region, empty, begun, || family.is_there(program))?;
    let (memory, processes) = memory::of_family(family.0.id())?;
    Ok(Start {
        painted,
        memory,
        processes,
    })
}

/// Waits until text stands in a region and nothing changes any more; since `begun` until it stood there, in milliseconds.
///
/// # Errors
/// When nothing is painted, or whoever is to paint is not there.
pub fn painted(
    screen: &Framebuffer,
    region: Region,
    empty: Look,
    begun: Instant,
    mut is_there: impl FnMut() -> Result<()>,
) -> Result<f64> {
    let mut looks: Vec<(Duration, Look)> = vec![(Duration::ZERO, empty)];
    loop {
        let look = screen.look(region)?;
        let at = begun.elapsed();
        let (last, before) = looks.last().context("there is a first look")?;
        if look != *before {
            looks.push((at, look));
        } else if looks.len() > 1 && at - *last > QUIET && before.ink() > TEXT {
            break;
        }
        is_there()?;
        if at > LIMIT {
            let (_, last) = looks.last().context("there is a first look")?;
            ensure!(last.ink() > TEXT, "no text has been painted");
            break;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(settled(&looks).context("nothing was painted")?.as_secs_f64() * 1000.0)
}

/// From when on every look is like the last one.
fn settled(looks: &[(Duration, Look)]) -> Option<Duration> {
    let (_, last) = looks.last()?;
    let final_ones = looks
        .iter()
        .rev()
        .take_while(|(_, look)| look.difference(last) < FINAL);
    final_ones.last().map(|(at, _)| *at)
}

/// Starts a program once, to learn where on the screen its text will stand: right of the middle, below what is at
/// the top and above where one types.
///
/// # Errors
/// When it opens no window.
pub fn region_of_text(desktop: &Desktop, program: &Path, environment: &[(&str, OsString)]) -> Result<Region> {
    let family = Family::start(desktop, program, environment)?;
    let display = desktop.display();
    let window = until(LIMIT, || Ok(window_of(desktop, family.0.id())))?;
    // Where the window manager puts it.
    std::thread::sleep(QUIET);
    let geometry = display.xdotool(&["getwindowgeometry", "--shell", &window])?;
    let number = |name: &str| {
        let value = geometry
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value
            .and_then(|value| value.parse::<u32>().ok())
            .with_context(|| format!("xdotool says no {name}:\n{geometry}"))
    };
    let (width, height) = (number("WIDTH")?, number("HEIGHT")?);
    Ok(Region {
        x: number("X")? + width * 45 / 100,
        y: number("Y")? + height * 25 / 100,
        width: width / 2,
        height: height * 55 / 100,
    })
}

/// The X window of a program, which may be one of its children's.
pub fn window_of(desktop: &Desktop, program: u32) -> Option<String> {
    memory::family(program).ok()?.into_iter().find_map(|member| {
        let id = member.to_string();
        // GTK has an invisible group leader under the same process id, without a name.
        let words = ["search", "--onlyvisible", "--all", "--pid", &id, "--name", "."];
        let found = desktop.display().xdotool(&words).ok()?;
        found.lines().last().map(str::to_owned)
    })
}

/// A program that ends with this, and its children with it.
pub struct Family(pub Child);

impl Family {
    /// Whether it runs.
    fn is_there(&mut self, program: &Path) -> Result<()> {
        match self.0.try_wait()? {
            Some(status) => bail!("{} ended by itself ({status})", program.display()),
            None => Ok(()),
        }
    }

    /// Starts it.
    ///
    /// # Errors
    /// When it can't be.
    pub fn start(desktop: &Desktop, program: &Path, environment: &[(&str, OsString)]) -> Result<Self> {
        let log = std::fs::File::create(desktop.folder().join("bench.log"))?;
        let child = Command::new(program)
            .envs(desktop.environment())
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn();
        Ok(Self(child.with_context(|| {
            format!("{} can't be started", program.display())
        })?))
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        // WebKit's processes end when they lose their parent.
        let _ = self.0.kill();
        let _ = self.0.wait();
        std::thread::sleep(Duration::from_millis(500));
    }
}
