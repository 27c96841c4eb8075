//! The window as a process of its own: `dormouse-window`, which lies beside this program.

use crate::resident::Windows;
use crate::wire::{End, StayingEnd};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use tokio::process::Command;
use tracing::{info, warn};

/// Its name.
const NAME: &str = "dormouse-window";
/// What is no business of the window's.
const OURS: [&str; 3] = ["DORMOUSE_ACCOUNT", "DORMOUSE_ENDPOINT", "DORMOUSE_PASSWORD"];

/// Where Linux has graphics cards; one that can draw has a node of this kind in it.
const CARDS: &str = "/dev/dri";
const CAN_DRAW: &str = "renderD";
/// Has WebKit paint the page without OpenGL, which then only puts the painted layers together. Without OpenGL altogether
/// (`WEBKIT_DISABLE_COMPOSITING_MODE`) some windows never paint a second picture.
const PAINT_WITHOUT_OPENGL: &str = "WEBKIT_SKIA_ENABLE_CPU_RENDERING";
/// Whether JavaScript is compiled to machine code. The page does too little to gain by it; without, there is no gigabyte that may
/// be written and run for whoever finds a hole in the engine, and 9 MiB less are used.
const COMPILE_SCRIPTS: &str = "JSC_useJIT";

/// Opens windows by starting the program.
#[derive(Debug)]
pub struct WindowProcess {
    program: PathBuf,
}

impl WindowProcess {
    /// The program beside this one.
    ///
    /// # Errors
    /// When the system does not say where this one is.
    pub fn beside_us() -> io::Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?.with_file_name(NAME),
        })
    }

    fn start(&self) -> io::Result<StayingEnd> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&self.program);
        for name in OURS {
            command.env_remove(name);
        }
        let mut unless_set = |name: &str, value: &str| {
            if std::env::var_os(name).is_none() {
                command.env(name, value);
            }
        };
        unless_set(COMPILE_SCRIPTS, "0");
        // OpenGL without a card is worked out by the processor: slower than painting at once, and 25 MiB more.
        if !has_card(Path::new(CARDS)) {
            unless_set(PAINT_WITHOUT_OPENGL, "1");
        }
        let mut child = command.stdin(OwnedFd::from(theirs)).spawn()?;
        tokio::spawn(async move {
            match child.wait().await {
                Ok(status) if status.success() => info!("the window's process has ended"),
                Ok(status) => warn!(%status, "the window's process has ended"),
                Err(error) => warn!(%error, "nobody knows how the window's process has ended"),
            }
        });
        End::over(ours)
    }
}

impl Windows for WindowProcess {
    fn open(&mut self) -> Result<StayingEnd, String> {
        self.start()
            .map_err(|error| format!("{} can't be started ({error}).", self.program.display()))
    }
}

/// Whether a card that can draw is among these.
fn has_card(cards: &Path) -> bool {
    let mut nodes = std::fs::read_dir(cards).into_iter().flatten().flatten();
    nodes.any(|node| node.file_name().to_string_lossy().starts_with(CAN_DRAW))
}

/// The window's end of the line: its standard input.
///
/// # Errors
/// When that is no socket: somebody has started the window by hand.
pub fn line_of_this_window() -> io::Result<UnixStream> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.peer_addr()?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_without_a_card_that_draws_is_not_taken_for_one() {
        let cards = tempfile::tempdir().unwrap();
        assert!(!has_card(&cards.path().join("none")));
        std::fs::write(cards.path().join("card0"), "").unwrap();
        assert!(!has_card(cards.path()));
        std::fs::write(cards.path().join("renderD128"), "").unwrap();
        assert!(has_card(cards.path()));
    }
}
