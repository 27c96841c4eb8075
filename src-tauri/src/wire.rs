//! What the program that stays and its window say to each other, and the line between them.
//!
//! On Linux and the BSDs the window is a process of its own: GTK and WebKit give memory back only when their process
//! ends, and merely loading them costs 40 MiB. The two share a socket that nobody else can reach, since it has no name: the
//! window gets its end as standard input. Each message is a line of JSON. On macOS and Windows, where a program may
//! have only one process with a face, both ends are in one process and the messages are handed over as they are.
//!
//! The window's page knows nothing of this: what it asks passes through as it wrote it, what it is told likewise.

use crate::updates::News;
use crate::visibility::WindowEvent;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// From the window.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromWindow {
    /// The page has a question ([`crate::questions`]).
    Ask {
        /// Comes back with the answer.
        id: u64,
        /// The question.
        question: Box<RawValue>,
    },
    /// The page is loaded, anew perhaps, and hears events from now on.
    Open {
        /// Under which number; a page loaded later has a larger one.
        channel: u64,
        /// The version of what draws it.
        web_view: String,
    },
    /// Something happened to the window.
    Happened(WindowEvent),
    /// The user closes the window.
    Close,
    /// There is something to be said of a new version of the program.
    Update(News),
}

/// To the window.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToWindow {
    /// The answer to a question.
    Answer {
        /// To which.
        id: u64,
        /// What the page gets.
        answer: Answer,
    },
    /// An event for the page.
    Event {
        /// For which one.
        channel: u64,
        /// The event.
        event: Box<RawValue>,
    },
    /// Come before the user.
    Show,
    /// Go out of the way.
    Minimise,
    /// Install the new version that you have found.
    Install,
    /// Go.
    Close,
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// What was asked for.
    Here(Box<RawValue>),
    /// Why it can't be: a sentence, or a [`crate::protocol::Refusal`].
    Refused(Box<RawValue>),
}

/// One end of the line: what is sent into it, what comes out of it. That the other end is gone shows by the end of what
/// comes.
#[derive(Debug)]
pub struct End<Out, In> {
    /// To the other end.
    pub to: UnboundedSender<Out>,
    /// From there.
    pub from: UnboundedReceiver<In>,
}

/// The end of the program that stays.
pub type StayingEnd = End<ToWindow, FromWindow>;
/// The end of the window.
pub type WindowEnd = End<FromWindow, ToWindow>;

/// A line within one process.
pub fn line() -> (StayingEnd, WindowEnd) {
    let (to_window, from_staying) = unbounded_channel();
    let (to_staying, from_window) = unbounded_channel();
    (
        End {
            to: to_window,
            from: from_window,
        },
        End {
            to: to_staying,
            from: from_staying,
        },
    )
}

/// The line as a socket.
#[cfg(all(unix, not(target_os = "macos")))]
mod socket {
    use super::{End, unbounded_channel};
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use std::io;
    use std::os::unix::net::UnixStream as Socket;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, BufWriter};
    use tokio::net::UnixStream;
    use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
    use tracing::warn;

    impl<Out, In> End<Out, In>
    where
        Out: Serialize + Send + 'static,
        In: DeserializeOwned + Send + 'static,
    {
        /// The end of a socket. On a runtime.
        ///
        /// # Errors
        /// When the system refuses.
        pub fn over(socket: Socket) -> io::Result<Self> {
            socket.set_nonblocking(true)?;
            let (read, write) = UnixStream::from_std(socket)?.into_split();
            let (to, outgoing) = unbounded_channel();
            let (incoming, from) = unbounded_channel();
            tokio::spawn(async move {
                // Who has gone shows to whoever reads.
                let _ = send(BufWriter::new(write), outgoing).await;
            });
            tokio::spawn(receive(BufReader::new(read), incoming));
            Ok(Self { to, from })
        }
    }

    async fn send<T: Serialize>(
        mut write: BufWriter<tokio::net::unix::OwnedWriteHalf>,
        mut outgoing: UnboundedReceiver<T>,
    ) -> io::Result<()> {
        while let Some(message) = outgoing.recv().await {
            let mut next = Some(message);
            // What has gathered leaves together.
            while let Some(message) = next {
                write.write_all(&serde_json::to_vec(&message)?).await?;
                write.write_all(b"\n").await?;
                next = outgoing.try_recv().ok();
            }
            write.flush().await?;
        }
        Ok(())
    }

    async fn receive<T: DeserializeOwned>(
        mut read: BufReader<tokio::net::unix::OwnedReadHalf>,
        incoming: UnboundedSender<T>,
    ) {
        let mut line = Vec::new();
        while read
            .read_until(b'\n', &mut line)
            .await
            .is_ok_and(|length| length > 0)
        {
            match serde_json::from_slice(&line) {
                Ok(message) => {
                    if incoming.send(message).is_err() {
                        return;
                    }
                }
                // What stood in it is not for the log.
                Err(error) => warn!(
                    at = error.column(),
                    "the other end of the line can't be understood"
                ),
            }
            line.clear();
            // One long snapshot is not a reason to hold on to its room.
            line.shrink_to(64 * 1024);
        }
    }
}

#[cfg(test)]
#[cfg(all(unix, not(target_os = "macos")))]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn what_is_said_arrives_in_order_and_as_it_was_written() {
        let (one, other) = UnixStream::pair().unwrap();
        let staying: StayingEnd = End::over(one).unwrap();
        let mut window: WindowEnd = End::over(other).unwrap();
        for channel in 0..1000 {
            let event = raw(&format!("{{\"text\": \"line\\nbreak {channel}\", \"n\": 1.50}}"));
            staying.to.send(ToWindow::Event { channel, event }).unwrap();
        }
        staying.to.send(ToWindow::Close).unwrap();
        for wanted in 0..1000 {
            let Some(ToWindow::Event { channel, event }) = window.from.recv().await else {
                panic!("something else came");
            };
            assert_eq!(channel, wanted);
            assert_eq!(
                event.get(),
                format!("{{\"text\": \"line\\nbreak {wanted}\", \"n\": 1.50}}")
            );
        }
        assert!(matches!(window.from.recv().await, Some(ToWindow::Close)));
    }

    #[tokio::test]
    async fn the_end_of_the_one_is_seen_by_the_other() {
        let (one, other) = UnixStream::pair().unwrap();
        let mut staying: StayingEnd = End::over(one).unwrap();
        let window: WindowEnd = End::over(other).unwrap();
        window
            .to
            .send(FromWindow::Ask {
                id: 7,
                question: raw("{\"command\":\"crash\"}"),
            })
            .unwrap();
        window.to.send(FromWindow::Close).unwrap();
        drop(window);
        assert!(matches!(
            staying.from.recv().await,
            Some(FromWindow::Ask { id: 7, .. })
        ));
        assert!(matches!(staying.from.recv().await, Some(FromWindow::Close)));
        assert!(staying.from.recv().await.is_none());
    }

    #[tokio::test]
    async fn a_line_that_means_nothing_is_passed_over() {
        let (one, mut other) = UnixStream::pair().unwrap();
        let mut staying: StayingEnd = End::over(one).unwrap();
        std::io::Write::write_all(&mut other, b"{\"Nonsense\": 1}\nnothing\n\"Close\"\n").unwrap();
        assert!(matches!(staying.from.recv().await, Some(FromWindow::Close)));
    }
}
