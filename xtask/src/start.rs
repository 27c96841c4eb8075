//! `cargo xtask start`: a window that works, on a machine that has nothing but Rust.
//!
//! On Linux: a local Prosody in `.dormouse/server` (no system service, loopback only, stopped with us), an account
//! for you and one for a friend, a program that talks and has left some history, and the window, signed in. Without
//! a display the window is opened on one that nobody sees, something is said and answered in it, and the picture of
//! that is kept; `--terminal` chats in the terminal instead. Elsewhere there is no server to start: the app is opened
//! and asks for an account.
//!
//! `.dormouse/` is kept between starts. The passwords of its two accounts are random, made at the first start, and
//! kept on the server's side (`.dormouse/accounts`, readable by you only); they open nothing but that folder's server.

#[cfg(not(target_os = "linux"))]
pub use elsewhere::start;
#[cfg(target_os = "linux")]
pub use linux::start;

use crate::run::{Result, cargo, run, step, target};
use std::path::PathBuf;

/// How the chat is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// The window.
    Window,
    /// The terminal.
    Terminal,
}

fn build(packages: &[&str]) -> Result<()> {
    step("Building Dormouse (the first time takes some minutes)", || {
        let mut command = cargo();
        command.arg("build");
        command.args(packages.iter().flat_map(|package| ["-p", package]));
        run(&mut command)
    })
}

fn program(name: &str) -> PathBuf {
    target()
        .join("debug")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::*;
    use std::io::Write;
    use std::process::Command;

    /// Builds and opens the app, or the chat in the terminal, with an account that exists.
    pub fn start(face: Face) -> Result<()> {
        match face {
            Face::Window => {
                build(&["dormouse"])?;
                run(&mut Command::new(program("dormouse")))
            }
            Face::Terminal => chat(),
        }
    }

    fn chat() -> Result<()> {
        build(&["dormouse-cli"])?;
        print!("The address of your account (you@example.org): ");
        let _ = std::io::stdout().flush();
        let mut address = String::new();
        std::io::stdin()
            .read_line(&mut address)
            .map_err(|error| format!("The address cannot be read: {error}"))?;
        let address = address.trim();
        if address.is_empty() {
            return Err("Without an account there is nothing to open.".to_owned());
        }
        run(Command::new(program("dormouse-cli")).args(["chat", address]))
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;
    use crate::install::{self, Need};
    use crate::run::root;
    use dormouse_servers::{Foreground, Prosody, Storage};
    use std::fs::{DirBuilder, File};
    use std::io::{IsTerminal, Read, Write};
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    pub(crate) const YOU: &str = "you@localhost";
    pub(crate) const FRIEND: &str = "friend@localhost";
    const HISTORY: &str = "30";

    /// Where the chat is shown.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Place {
        Terminal,
        Display,
        Unseen,
    }

    impl Place {
        fn of(face: Face) -> Result<Self> {
            let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            match face {
                Face::Terminal if std::io::stdin().is_terminal() => Ok(Self::Terminal),
                Face::Terminal => Err(
                    "There is no terminal here to chat in. Leave out --terminal to open the window."
                        .to_owned(),
                ),
                Face::Window if is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") => Ok(Self::Display),
                Face::Window => Ok(Self::Unseen),
            }
        }

        fn need(self) -> Need {
            match self {
                Self::Terminal | Self::Display => Need::Start,
                Self::Unseen => Need::StartUnseen,
            }
        }

        fn packages(self) -> &'static [&'static str] {
            match self {
                Self::Terminal => &["dormouse-cli"],
                Self::Display => &["dormouse-cli", "dormouse"],
                Self::Unseen => &["dormouse-cli", "dormouse", "dormouse-window-tests"],
            }
        }
    }

    /// Everything from nothing to an open chat.
    pub fn start(face: Face) -> Result<()> {
        let place = Place::of(face)?;
        install::install(place.need(), &[])?;
        build(place.packages())?;
        let home = root().join(".dormouse");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&home)
            .map_err(|error| format!("{} cannot be made: {error}", home.display()))?;
        let lock = File::options()
            .create(true)
            .append(true)
            .open(home.join("lock"))
            .map_err(|error| format!("{} cannot be written: {error}", home.join("lock").display()))?;
        lock.try_lock()
            .map_err(|_| "`cargo xtask start` is already running in this folder.".to_owned())?;
        let passwords = Passwords::kept_in(&home.join("accounts"))?;
        let mut server = step("Starting the local server (Prosody)", || {
            Prosody::builder()
                .folder(home.join("server"))
                .storage(Storage::Sqlite)
                .account("you", &passwords.you)
                .account("friend", &passwords.friend)
                .shared_contacts([(YOU, "You"), (FRIEND, "Friend")])
                .start()
                .map_err(|error| error.to_string())
        })?;
        let endpoint = server.ws_endpoint();
        let mut friend = start_friend(&home, &endpoint, &passwords.friend)?;
        let outcome = chat(place, &home, &endpoint, &passwords.you);
        let friends_end = match friend.ended() {
            Some(status) => {
                let log = home.join("friend.log");
                Err(format!(
                    "The friend's program ended by itself ({status}); what it said is in {}.",
                    log.display()
                ))
            }
            None => {
                let seeded = seeded(&home);
                std::fs::write(&seeded, "")
                    .map_err(|error| format!("{} cannot be written: {error}", seeded.display()))
            }
        };
        // First the friend, then the server it talks through.
        let friends_stop = friend
            .stop(Duration::from_secs(10))
            .map_err(|error| error.to_string());
        let servers_stop = server.stop().map_err(|error| error.to_string());
        outcome.and(friends_end).and(friends_stop).and(servers_stop)
    }

    /// Shows the chat until it is closed.
    fn chat(place: Place, home: &Path, endpoint: &str, password: &str) -> Result<()> {
        let who = format!("you are {YOU}, your friend is {FRIEND}");
        let window = |name: &str| {
            let mut command = Command::new(program(name));
            command
                .env("DORMOUSE_HOME", home.join("window"))
                .env("DORMOUSE_ACCOUNT", YOU)
                .env("DORMOUSE_ENDPOINT", endpoint)
                .env("DORMOUSE_PASSWORD", password);
            command
        };
        match place {
            Place::Terminal => {
                println!("==> Opening the chat: {who}. The server stops with the chat.");
                let mut chat = Command::new(program("dormouse-cli"));
                chat.args(["chat", YOU, "--endpoint", endpoint, "--data-dir"])
                    .arg(home.join("you"));
                run(chat.env("DORMOUSE_PASSWORD", password))
            }
            Place::Display => {
                println!(
                    "==> Opening the window: {who}. The server stops when Dormouse is quit (Ctrl+Q, or in the tray)."
                );
                run(&mut window("dormouse"))
            }
            Place::Unseen => {
                println!(
                    "==> There is no display here: the window is opened on one that nobody sees ({who}), and a \
                     picture of it is kept."
                );
                let picture = home.join("window.png");
                run(window("dormouse-window-picture")
                    .arg(FRIEND)
                    .arg(&picture)
                    .env("DORMOUSE_PROGRAMS", target().join("debug")))?;
                println!("==> The window, as it looked: {}", picture.display());
                Ok(())
            }
        }
    }

    /// There once a friend has left the history.
    fn seeded(home: &Path) -> PathBuf {
        home.join("history-made")
    }

    /// The friend's program. At its first start it leaves some history.
    fn start_friend(home: &Path, endpoint: &str, password: &str) -> Result<Foreground> {
        let mut command = Command::new(program("dormouse-friend"));
        command
            .args([FRIEND, "--endpoint", endpoint, "--talk-to", YOU, "--data-dir"])
            .arg(home.join("friend"));
        if !seeded(home).exists() {
            command.args(["--seed-history", HISTORY]);
        }
        command.env("DORMOUSE_PASSWORD", password);
        Foreground::spawn("The friend", command, &home.join("friend.log"), Stdio::null())
            .map_err(|error| error.to_string())
    }

    struct Passwords {
        you: String,
        friend: String,
    }

    impl Passwords {
        /// Reads them, or makes them at the first start.
        fn kept_in(file: &Path) -> Result<Self> {
            let said = |error: std::io::Error| format!("{}: {error}", file.display());
            if file.exists() {
                let text = std::fs::read_to_string(file).map_err(said)?;
                let of = |user: &str| {
                    text.lines()
                        .find_map(|line| line.strip_prefix(user)?.strip_prefix(' '))
                        .map(str::to_owned)
                };
                let (Some(you), Some(friend)) = (of("you"), of("friend")) else {
                    return Err(format!(
                        "{} is damaged. Remove the folder .dormouse to begin anew.",
                        file.display()
                    ));
                };
                return Ok(Self { you, friend });
            }
            let passwords = Self {
                you: random().map_err(said)?,
                friend: random().map_err(said)?,
            };
            // Whole or not at all: an interrupted first start must not leave half of it.
            let fresh = file.with_extension("new");
            let _ = std::fs::remove_file(&fresh);
            let mut out = File::options()
                .create_new(true)
                .write(true)
                .mode(0o600)
                .open(&fresh)
                .map_err(said)?;
            out.write_all(format!("you {}\nfriend {}\n", passwords.you, passwords.friend).as_bytes())
                .map_err(said)?;
            out.sync_all().map_err(said)?;
            std::fs::rename(&fresh, file).map_err(said)?;
            Ok(passwords)
        }
    }

    fn random() -> std::io::Result<String> {
        let mut bytes = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::os::unix::fs::PermissionsExt;

        #[test]
        fn passwords_are_random_kept_and_for_us_only() {
            let folder = std::env::temp_dir().join(format!("dormouse-xtask-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            let file = folder.join("accounts");
            let first = Passwords::kept_in(&file).unwrap();
            let again = Passwords::kept_in(&file).unwrap();
            assert_eq!((&first.you, &first.friend), (&again.you, &again.friend));
            assert_ne!(first.you, first.friend);
            assert_eq!(
                std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
                0o600
            );
            std::fs::write(&file, "you x\n").unwrap();
            assert!(Passwords::kept_in(&file).is_err());
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }
}
