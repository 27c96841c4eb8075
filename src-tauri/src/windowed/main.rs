//! The window of Dormouse where it is a process of its own. It is started by `dormouse`, which holds everything; this draws
//! and passes on.

use std::process::ExitCode;

#[cfg(all(unix, not(target_os = "macos")))]
mod app;
#[cfg(all(unix, not(target_os = "macos")))]
mod page;
#[cfg(all(unix, not(target_os = "macos"), feature = "updater"))]
mod updating;

#[cfg(all(unix, not(target_os = "macos")))]
fn main() -> ExitCode {
    use dormouse_shell::home::Home;
    use dormouse_shell::program::{self, CannotStart};
    use dormouse_shell::window_process::line_of_this_window;
    use dormouse_shell::wire::End;

    let window = || {
        let home = Home::find(std::env::var_os("DORMOUSE_HOME"))?;
        let by_hand = |_| CannotStart::Window("start dormouse, which starts it.".to_owned());
        let socket = line_of_this_window().map_err(by_hand)?;
        let _log = program::log(&home);
        let runtime = program::runtime()?;
        tauri::async_runtime::set(runtime.handle().clone());
        let entered = runtime.enter();
        let end = End::over(socket).map_err(CannotStart::System)?;
        let code = app::run(end, home);
        drop(entered);
        program::end(runtime);
        code
    };
    program::said(window())
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn main() -> ExitCode {
    let _ = std::io::Write::write_all(
        &mut std::io::stderr(),
        b"Start dormouse, which has its window in it.\n",
    );
    ExitCode::FAILURE
}
