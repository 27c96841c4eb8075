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
    use dormouse_shell::resident::{Wanted, Windows};
    use dormouse_shell::tray::status_notifier::{self, Chosen};
    use dormouse_shell::window_process::WindowProcess;
    use std::process::ExitCode;
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
        let code = runtime.block_on(async {
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
            Ok(program.stay(Box::new(windows), tray, first).await)
        });
        program::end(runtime);
        code
    }
}
