//! Metrics of all accounts, given out on this computer if the user wants that.
//!
//! Accounts are counted in any case, which costs next to nothing; nobody can read it unless a port is given.

use crate::protocol;
use crate::words::Words;
use dormouse_metrics::{CannotListen, Listener, Loopback, Metrics};
use std::sync::Arc;
use tokio::sync::Mutex;
use tracing::warn;

/// The counts, and who gives them out.
pub struct GivenOut {
    metrics: Metrics,
    words: Arc<Words>,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    /// The port that the user wants.
    port: Option<u16>,
    listener: Option<Listener>,
    /// Why it can't be.
    problem: Option<String>,
}

impl Now {
    fn told(&self) -> protocol::Metrics {
        protocol::Metrics {
            port: self.port,
            address: self.listener.as_ref().map(Listener::to_string),
            problem: self.problem.clone(),
        }
    }
}

impl GivenOut {
    /// Nothing is given out yet.
    pub fn new(words: Arc<Words>) -> Self {
        Self {
            metrics: Metrics::new(env!("CARGO_PKG_VERSION")),
            words,
            now: Mutex::default(),
        }
    }

    /// What accounts are to be counted in.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How it is.
    pub async fn told(&self) -> protocol::Metrics {
        self.now.lock().await.told()
    }

    /// As at the last run: gives them out at this port. That it can't be is told to whoever asks.
    pub async fn start(&self, port: u16) {
        let mut now = self.now.lock().await;
        now.port = Some(port);
        match Listener::start(self.metrics.clone(), Loopback::port(port)).await {
            Ok(listener) => now.listener = Some(listener),
            Err(error) => now.problem = Some(self.refused(&error)),
        }
    }

    /// Gives them out at this port from now on, or to nobody. If it can't be, all stays as it was.
    ///
    /// # Errors
    /// A sentence: nobody can be served there.
    pub async fn change(&self, port: Option<u16>) -> Result<protocol::Metrics, String> {
        let mut now = self.now.lock().await;
        let listener = match port {
            Some(port) if now.listener.as_ref().is_some_and(|it| it.port() == port) => now.listener.take(),
            Some(port) => {
                let started = Listener::start(self.metrics.clone(), Loopback::port(port)).await;
                Some(started.map_err(|error| self.refused(&error))?)
            }
            None => None,
        };
        *now = Now {
            port,
            listener,
            problem: None,
        };
        Ok(now.told())
    }

    fn refused(&self, error: &CannotListen) -> String {
        warn!(%error, "the metrics are not given out");
        self.words
            .about("metrics-refused", "why", &error.why().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translations::Translations;

    fn given_out() -> GivenOut {
        GivenOut::new(Arc::new(Words::new(Translations::of("en").unwrap())))
    }

    /// A port that is free, most likely also a moment later.
    fn free() -> u16 {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn a_port_that_is_taken_changes_nothing_and_is_said() {
        let (one, other) = (given_out(), given_out());
        let taken = free();
        one.change(Some(taken)).await.unwrap();
        let refused = other.change(Some(taken)).await.unwrap_err();
        assert!(refused.contains("another port"), "{refused}");
        assert_eq!(other.told().await.port, None);
        other.start(taken).await;
        let told = other.told().await;
        assert_eq!((told.port, told.address), (Some(taken), None));
        assert!(
            told.problem.is_some(),
            "what the last run wanted can't be, and nobody is told"
        );
    }

    #[tokio::test]
    async fn they_are_given_out_while_they_are_wanted_and_no_longer() {
        let given = given_out();
        let port = free();
        let told = given.change(Some(port)).await.unwrap();
        assert_eq!(told.address.unwrap(), format!("http://127.0.0.1:{port}/metrics"));
        let reach = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        assert!(reach());
        given.change(Some(port)).await.unwrap();
        assert!(reach(), "asked for again, it is gone");
        let off = given.change(None).await.unwrap();
        assert_eq!((off.port, off.address, off.problem), (None, None, None));
        for _ in 0..100 {
            if !reach() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("it still listens");
    }
}
