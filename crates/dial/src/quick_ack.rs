//! A socket that acknowledges at once while it is young.
//!
//! Linux holds acknowledgements back for up to 40 ms in the hope of sending them with data. A server that has not
//! switched Nagle's algorithm off (Prosody's default) waits for them with what it has still to say: its
//! answer to the upgrade waits behind the TLS session tickets, its features behind `<open/>`. `TCP_QUICKACK`
//! (tcp(7)) has what was held back sent now, and is forgotten by the kernel with the next data sent: so it is set
//! again after each read and write, for as long as dialling, signing in and the beginning of catching up take.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// How long a socket is young.
const YOUTH: Duration = Duration::from_secs(10);

/// A TCP connection that sends each frame and, at first, each acknowledgement without delay.
#[derive(Debug)]
pub(crate) struct QuickAck {
    stream: TcpStream,
    young_until: Option<Instant>,
}

impl QuickAck {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        // Every frame of ours is a whole thought; held back it costs a round trip.
        stream.set_nodelay(true)?;
        let mut quick = Self {
            stream,
            young_until: Some(Instant::now() + YOUTH),
        };
        quick.acknowledge();
        Ok(quick)
    }

    pub(crate) fn get_ref(&self) -> &TcpStream {
        &self.stream
    }

    fn acknowledge(&mut self) {
        if self.young_until.is_none_or(|end| Instant::now() > end) || !quick_ack(&self.stream) {
            self.young_until = None;
        }
    }
}

/// Whether the system knows of it.
#[cfg(target_os = "linux")]
fn quick_ack(stream: &TcpStream) -> bool {
    socket2::SockRef::from(stream).set_tcp_quickack(true).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn quick_ack(_: &TcpStream) -> bool {
    false
}

impl AsyncRead for QuickAck {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.young_until.is_some() && read.is_ready() {
            self.acknowledge();
        }
        read
    }
}

impl AsyncWrite for QuickAck {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if self.young_until.is_some() && written.is_ready() {
            self.acknowledge();
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        if self.young_until.is_some() && written.is_ready() {
            self.acknowledge();
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use socket2::SockRef;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_young_socket_sends_and_acknowledges_without_delay_and_an_older_one_as_the_system_likes() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (mut ours, mut theirs) = (QuickAck::new(ours.unwrap()).unwrap(), theirs.unwrap().0);
        assert!(ours.get_ref().nodelay().unwrap());
        let quick = |socket: &QuickAck| SockRef::from(socket.get_ref()).tcp_quickack().unwrap();
        for _ in 0..30 {
            ours.write_all(b"question").await.unwrap();
            theirs.read_exact(&mut [0; 8]).await.unwrap();
            theirs.write_all(b"answer").await.unwrap();
            ours.read_exact(&mut [0; 6]).await.unwrap();
            assert!(quick(&ours), "forgotten by the kernel and not set again");
        }
        ours.young_until = Some(Instant::now() - Duration::from_millis(1));
        for _ in 0..3 {
            ours.write_all(b"question").await.unwrap();
            theirs.read_exact(&mut [0; 8]).await.unwrap();
            theirs.write_all(b"answer").await.unwrap();
            ours.read_exact(&mut [0; 6]).await.unwrap();
        }
        assert!(
            !quick(&ours),
            "the system would have gone on by itself: this test shows nothing"
        );
    }
}
