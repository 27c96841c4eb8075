//! One program per home: a second start hands what it was started with to the first, and ends.
//!
//! Who holds the lock on a file in the home is the first; it listens at a socket beside that file. Both are in a folder
//! that only its user can enter, and neither needs a session bus. A lock goes with its process, however that ends; a
//! socket that was left behind is taken away by the next first one.

use crate::arguments::Start;
use crate::home::Home;
use crate::shell::Shell;
use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tracing::{debug, warn};

const LOCK: &str = "instance.lock";
const SOCKET: &str = "instance.socket";
/// What a start may hand over at most, in bytes.
const LONGEST: u64 = 64 * 1024;
/// How long the other side is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first one may still be about to listen.
const TRIES: u32 = 50;
const TRY_EVERY: Duration = Duration::from_millis(40);
/// What the first one answers.
const TAKEN: &[u8] = b"taken\n";

/// Who we are.
pub enum Claim {
    /// The first; the door is for others.
    First(Door),
    /// Another: the first one has taken over what this start was asked for.
    HandedOver,
}

/// Where others come with what they were started with. Nobody else is the first while it is held.
pub struct Door {
    listener: Option<UnixListener>,
    _lock: File,
}

/// Becomes the first in this home, or hands over to the one there is. Blocks.
///
/// # Errors
/// When the home can't be written to, or the first one does not answer.
pub fn claim(home: &Home, start: &Start) -> io::Result<Claim> {
    let lock = File::options()
        .create(true)
        .append(true)
        .open(home.path().join(LOCK))?;
    for _ in 0..TRIES {
        match lock.try_lock() {
            Ok(()) => {
                return Ok(Claim::First(Door {
                    listener: listen(home)
                        .inspect_err(|error| warn!(%error, "a second start can't be heard"))
                        .ok(),
                    _lock: lock,
                }));
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // It may have just begun, or be about to end.
        match hand_over(home, start) {
            Ok(()) => return Ok(Claim::HandedOver),
            Err(error) => debug!(%error, "the first one does not answer yet"),
        }
        std::thread::sleep(TRY_EVERY);
    }
    Err(io::Error::new(
        io::ErrorKind::TimedOut,
        "another Dormouse uses it, and does not answer",
    ))
}

/// The socket's address. A path may be longer than an address of a socket can be (`sockaddr_un`: 108 bytes): the folder is then
/// named by its number here.
fn address(home: &Home) -> io::Result<(PathBuf, Option<File>)> {
    const LONGEST_PATH: usize = 107;
    let path = home.path().join(SOCKET);
    if path.as_os_str().len() <= LONGEST_PATH {
        return Ok((path, None));
    }
    let folder = File::open(home.path())?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()));
    Ok((path, Some(folder)))
}

fn listen(home: &Home) -> io::Result<UnixListener> {
    match std::fs::remove_file(home.path().join(SOCKET)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let (address, _folder) = address(home)?;
    let listener = UnixListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn hand_over(home: &Home, start: &Start) -> io::Result<()> {
    let (address, _folder) = address(home)?;
    let mut stream = UnixStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut message = serde_json::to_vec(start)?;
    message.push(b'\n');
    stream.write_all(&message)?;
    let mut answer = Vec::new();
    BufReader::new(stream.take(LONGEST)).read_until(b'\n', &mut answer)?;
    if answer == TAKEN {
        Ok(())
    } else {
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

impl Door {
    /// Passes on what others come with, for as long as the runtime runs that this is called on.
    pub fn open(self, shell: Arc<Shell>) -> Held {
        let listener = self.listener.and_then(|listener| {
            tokio::net::UnixListener::from_std(listener)
                .inspect_err(|error| warn!(%error, "a second start can't be heard"))
                .ok()
        });
        if let Some(listener) = listener {
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let heard = tokio::time::timeout(PATIENCE, hear(stream, &shell)).await;
                    if !matches!(heard, Ok(Ok(()))) {
                        debug!("a second start had nothing to say");
                    }
                }
            });
        }
        Held { _lock: self._lock }
    }
}

/// Being the first, for as long as it is held.
pub struct Held {
    _lock: File,
}

async fn hear(mut stream: tokio::net::UnixStream, shell: &Shell) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut line = Vec::new();
    tokio::io::BufReader::new(read.take(LONGEST))
        .read_until(b'\n', &mut line)
        .await?;
    let start: Start = serde_json::from_slice(&line)?;
    for wanted in start.wanted() {
        shell.want(wanted);
    }
    write.write_all(TAKEN).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Registry;
    use crate::resident::Wanted;
    use crate::translations::Translations;
    use crate::words::Words;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    fn home(folder: &std::path::Path) -> Home {
        let home = Home::find(Some(folder.into())).unwrap();
        home.make().unwrap();
        home
    }

    fn shell(home: &Home) -> (Arc<Shell>, UnboundedReceiver<Wanted>) {
        let words = Arc::new(Words::new(Translations::of("en").unwrap()));
        let registry = Registry::read(home.registry()).unwrap();
        let (want, wanted) = unbounded_channel();
        (
            Arc::new(Shell::new(home.clone(), registry, words, want, false)),
            wanted,
        )
    }

    fn first(home: &Home) -> Door {
        match claim(home, &Start::default()).unwrap() {
            Claim::First(door) => door,
            Claim::HandedOver => panic!("somebody else is the first"),
        }
    }

    fn second(home: &Home, start: Start) -> bool {
        matches!(claim(home, &start).unwrap(), Claim::HandedOver)
    }

    async fn handed_over(home: Home, start: Start) -> bool {
        tokio::task::spawn_blocking(move || second(&home, start))
            .await
            .unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_second_start_hands_over_what_it_was_started_with() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        let (shell, mut wanted) = shell(&home);
        let held = first(&home).open(shell);
        assert!(handed_over(home.clone(), Start::default()).await);
        assert!(matches!(wanted.recv().await, Some(Wanted::Window)));
        let link = "xmpp:juliet@example.org?message";
        let start = Start {
            hidden: false,
            links: vec![link.into()],
        };
        assert!(handed_over(home.clone(), start).await);
        assert!(matches!(wanted.recv().await, Some(Wanted::Link(it)) if it == link));
        let hidden = Start {
            hidden: true,
            links: Vec::new(),
        };
        assert!(handed_over(home, hidden).await);
        assert!(wanted.try_recv().is_err(), "a hidden start wants nothing");
        drop(held);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_home_whose_path_is_too_long_for_a_socket_has_one_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(&folder.path().join("x".repeat(200)));
        let (shell, mut wanted) = shell(&home);
        let _held = first(&home).open(shell);
        assert!(handed_over(home, Start::default()).await);
        assert!(wanted.recv().await.is_some());
    }

    #[test]
    fn what_a_killed_program_left_behind_keeps_nobody_from_being_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        drop(first(&home));
        assert!(folder.path().join(SOCKET).exists());
        first(&home);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nonsense_at_the_door_is_not_answered_and_the_next_one_is() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        let (shell, mut wanted) = shell(&home);
        let _held = first(&home).open(shell);
        for nonsense in [&b"\n"[..], b"nothing\n", b"{\"hidden\": 7}\n"] {
            let mut stream = UnixStream::connect(folder.path().join(SOCKET)).unwrap();
            stream.write_all(nonsense).unwrap();
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            assert!(answer.is_empty());
        }
        assert!(handed_over(home, Start::default()).await);
        assert!(wanted.recv().await.is_some());
    }
}
