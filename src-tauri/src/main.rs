//! Dormouse: a chat client that never loses a message to sleep.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

#[cfg(not(all(unix, not(target_os = "macos"))))]
#[path = "windowed/in_process.rs"]
mod in_process;

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn main() -> ExitCode {
    in_process::run()
}

#[cfg(all(unix, not(target_os = "macos")))]
fn main() -> ExitCode {
    beside::run()
}

/// The window is a process beside this one, which loads nothing that draws.
#[cfg(all(unix, not(target_os = "macos")))]
mod beside {
    use dormouse_shell::arguments::Start;
    use dormouse_shell::home::Home;
    use dormouse_shell::instance::{self, Claim};
    use dormouse_shell::program::{self, CannotStart, Program};
    use dormouse_shell::resident::{Ended, Wanted, Windows};
    use dormouse_shell::tray::status_notifier::{self, Chosen};
    use dormouse_shell::updates::image::image_that_runs;
    use dormouse_shell::window_process::WindowProcess;
    use std::os::unix::process::CommandExt;
    use std::process::{Command, ExitCode};
    use std::sync::Arc;

    pub fn run() -> ExitCode {
        program::with_arguments(stay)
    }

    fn stay(start: &Start) -> Result<ExitCode, CannotStart> {
        let home = Home::find(std::env::var_os("DORMOUSE_HOME"))?;
        let folder = |error| CannotStart::Folder(home.path().display().to_string(), error);
        home.make().map_err(folder)?;
        let door = match instance::claim(&home, start).map_err(folder)? {
            Claim::First(door) => door,
            Claim::HandedOver => return Ok(ExitCode::SUCCESS),
        };
        let runtime = program::runtime()?;
        let ended = runtime.block_on(async {
            let mut windows = WindowProcess::beside_us().map_err(CannotStart::System)?;
            let first = (!start.hidden).then(|| windows.open()).transpose();
            let first = first.map_err(CannotStart::Window)?;
            let program = Program::start(&home)?;
            let shell = Arc::clone(&program.shell);
            let _held = door.open(Arc::clone(&shell));
            for link in &start.links {
                shell.want(Wanted::Link(link.clone()));
            }
            let tray = status_notifier::start(program.looks(), move |chosen| match chosen {
                Chosen::Open => shell.want(Wanted::Window),
                Chosen::Quit => shell.want(Wanted::Quit),
            });
            let tray = tray.map_err(CannotStart::System)?;
            Ok::<_, CannotStart>(program.stay(Box::new(windows), tray, first).await)
        });
        program::end(runtime);
        match ended? {
            Ended::Anew => Err(anew()),
            ended => Ok(program::code(ended)),
        }
    }

    /// Becomes the new version that lies where this one was; comes back only if the system refuses. Everything is on disk, and
    /// the lock of the home went with whoever held it.
    fn anew() -> CannotStart {
        let Some(image) = image_that_runs() else {
            return CannotStart::System(std::io::ErrorKind::NotFound.into());
        };
        let mut command = Command::new(image);
        // What an AppImage tells the program in it: the new one says it anew.
        for name in ["APPIMAGE", "APPDIR", "ARGV0", "OWD"] {
            command.env_remove(name);
        }
        CannotStart::System(command.exec())
    }
}
