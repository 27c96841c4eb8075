//! `dormouse-window-picture FRIEND FILE`: opens the window on a display that nobody sees, says something to the friend,
//! and when the answer is there keeps a picture of the screen. For `cargo xtask start` on a machine without a display.
//!
//! Account, endpoint, password and the app's folder come by the app's own variables (`DORMOUSE_ACCOUNT`, ...).

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            std::process::ExitCode::FAILURE
        }
    }
}

// The one thing it has to say goes where a program's complaints go.
#[allow(clippy::print_stderr)]
fn complain(sentence: &str) {
    eprintln!("{sentence}");
}

#[cfg(not(target_os = "linux"))]
fn run() -> Result<(), &'static str> {
    Err("There is a display here: open the window itself.")
}

#[cfg(target_os = "linux")]
fn run() -> dormouse_window_tests::Result<()> {
    use anyhow::bail;
    use dormouse_window_tests::desktop::Desktop;
    use dormouse_window_tests::wait::LATER;
    use dormouse_window_tests::window::Window;

    const GREETING: &str = "Hello there!";

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [friend, file] = arguments.as_slice() else {
        bail!("dormouse-window-picture FRIEND FILE");
    };
    let desktop = Desktop::start()?;
    let mut window = Window::builder(&desktop);
    for name in [
        "DORMOUSE_HOME",
        "DORMOUSE_ACCOUNT",
        "DORMOUSE_ENDPOINT",
        "DORMOUSE_PASSWORD",
    ] {
        if let Ok(value) = std::env::var(name) {
            window = window.env(name, &value);
        }
    }
    let window = window.open()?;
    window.wait_until_live()?;
    window.open_conversation(friend)?;
    let theirs = "#timeline .message[data-own='false'] .body";
    // The history is on screen before anything is said.
    window.wait_until_shown(theirs)?;
    window.send(GREETING)?;
    window.wait_for_text_within(theirs, GREETING, LATER)?;
    window.wait_until_still()?;
    std::fs::write(file, window.picture()?)?;
    window.quit()
}
