//! Giving a connection up so that nothing more of it arrives.
//!
//! A socket that is merely closed goes on: what the kernel still holds is sent when the path is back, and
//! a sign-in or resumption that was stuck there is then carried out behind the back of the connection that
//! has replaced it. An aborted one forgets it, and resets the peer if it can be reached (RFC 9293 section
//! 3.10.5).

use socket2::{SockRef, Socket};
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;

/// A second hold on a connection's socket, that only says how it is to end. The socket ends once this is
/// dropped with its reader and writer.
#[derive(Debug)]
pub struct Aborter(Socket);

impl Aborter {
    pub(crate) fn of(stream: &TcpStream) -> io::Result<Self> {
        SockRef::from(stream).try_clone().map(Self)
    }

    /// From now on the socket ends, when its reader and writer are dropped, without sending what waits.
    pub fn abort(&self) {
        if let Err(error) = self.0.set_linger(Some(Duration::ZERO)) {
            tracing::debug!(%error, "the socket can't be aborted and is closed instead");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
        (ours.unwrap(), theirs.unwrap().0)
    }

    #[tokio::test]
    async fn an_aborted_connection_is_reset_and_a_dropped_one_is_closed() {
        let (ours, mut theirs) = pair().await;
        let aborter = Aborter::of(&ours).unwrap();
        aborter.abort();
        drop((aborter, ours));
        let end = theirs.read_u8().await.map_err(|error| error.kind());
        assert_eq!(end, Err(io::ErrorKind::ConnectionReset));

        let (ours, mut theirs) = pair().await;
        let aborter = Aborter::of(&ours).unwrap();
        drop((aborter, ours));
        let end = theirs.read_u8().await.map_err(|error| error.kind());
        assert_eq!(end, Err(io::ErrorKind::UnexpectedEof));
    }
}
