//! One dial: its steps in order, each within its deadline.

use crate::abort::Aborter;
use crate::endpoint::{self, Parts};
use crate::settings::Settings;
use crate::tls::{self, Tls};
use crate::web_socket::{self, Socket, Transport};
use crate::{discovery, names, tcp};
use dormouse_model::{Channel, DialFailure, DialStep, Endpoint};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::time::timeout;

/// What to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The domain part of the account's address.
    pub domain: String,
    /// Known or given; otherwise it is discovered.
    pub endpoint: Option<Endpoint>,
}

/// An open connection.
pub struct Connected {
    /// What it offers to sign-in.
    pub channel: Channel,
    /// Our side: when this address goes away, so does the connection.
    pub local_addr: SocketAddr,
    /// The other side.
    pub peer_addr: SocketAddr,
    /// What was dialled, to be remembered.
    pub endpoint: Endpoint,
    /// The frames.
    pub socket: Socket,
    /// How to end it without sending what waits.
    pub aborter: Aborter,
}

/// Dials. Cheap to clone; clones share the TLS sessions.
#[derive(Clone)]
pub struct Dialler {
    settings: Arc<Settings>,
    tls: Result<Tls, DialFailure>,
}

impl Dialler {
    /// Reads the operating system's trust store: a moment's work on the disk. If there is none to be had,
    /// every encrypted dial says so.
    pub fn new(settings: Settings) -> Self {
        let tls = Tls::new(&settings);
        if let Err(failure) = &tls {
            tracing::error!(?failure, "there is no trust store");
        }
        Self {
            settings: Arc::new(settings),
            tls,
        }
    }

    fn tls(&self) -> Result<&Tls, DialFailure> {
        self.tls.as_ref().map_err(DialFailure::clone)
    }

    async fn step<T>(
        &self,
        step: DialStep,
        progress: &mut (dyn FnMut(DialStep) + Send),
        work: impl Future<Output = Result<T, DialFailure>>,
    ) -> Result<T, DialFailure> {
        progress(step);
        match timeout(self.settings.deadlines.of(step), work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(DialFailure::TimedOut(step)),
        }
    }

    /// Dials. Dropping the future gives the dial up.
    ///
    /// # Errors
    ///
    /// The first step that failed, and how.
    pub async fn dial(&self, target: Target) -> Result<Connected, DialFailure> {
        self.dial_telling(target, |_| ()).await
    }

    /// Dials, saying each step as it begins.
    ///
    /// # Errors
    ///
    /// As [`Dialler::dial`].
    pub async fn dial_telling(
        &self,
        target: Target,
        mut progress: impl FnMut(DialStep) + Send,
    ) -> Result<Connected, DialFailure> {
        let progress: &mut (dyn FnMut(DialStep) + Send) = &mut progress;
        let settings = &self.settings;
        let endpoint = match target.endpoint {
            Some(endpoint) => endpoint,
            None => {
                let work = discovery::discover(settings, self.tls()?, &target.domain);
                self.step(DialStep::Discovery, progress, work).await?
            }
        };
        let parts = endpoint::parts(&endpoint)?;
        let work = names::resolve(settings, &parts.host, parts.port);
        let mut addresses = self.step(DialStep::Names, progress, work).await?;
        if !parts.encrypted {
            // Whatever the resolver says "localhost" is.
            addresses.retain(|address| address.ip().is_loopback());
        }
        let work = tcp::race(&addresses, settings.stagger);
        let stream = self.step(DialStep::Tcp, progress, work).await?;
        let broken = |error: std::io::Error| DialFailure::Broken(error.to_string());
        let local_addr = stream.local_addr().map_err(broken)?;
        let peer_addr = stream.peer_addr().map_err(broken)?;
        let aborter = Aborter::of(&stream).map_err(broken)?;
        let mut channel = Channel {
            encrypted: parts.encrypted,
            loopback: peer_addr.ip().is_loopback(),
            exporter: None,
        };
        let stream: Box<dyn Transport> = if parts.encrypted {
            let work = self.tls()?.handshake(&parts.host, stream);
            let stream = self.step(DialStep::Tls, progress, work).await?;
            channel.exporter = tls::exporter(&stream);
            Box::new(stream)
        } else {
            Box::new(stream)
        };
        let endpoint = Parts::endpoint(&parts);
        let work = web_socket::handshake(&endpoint.0, stream, settings.largest_message);
        let socket = self.step(DialStep::WebSocket, progress, work).await?;
        tracing::debug!(endpoint = endpoint.0, %local_addr, %peer_addr, "connected");
        Ok(Connected {
            channel,
            local_addr,
            peer_addr,
            endpoint,
            aborter,
            socket,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Deadlines;
    use std::future::pending;
    use std::time::Duration;

    #[tokio::test]
    async fn every_step_ends_at_its_own_deadline() {
        let short = Duration::from_millis(20);
        let long = Duration::from_secs(600);
        let all = Deadlines {
            discovery: long,
            names: long,
            tcp: long,
            tls: long,
            web_socket: long,
        };
        for (step, deadlines) in [
            (
                DialStep::Discovery,
                Deadlines {
                    discovery: short,
                    ..all
                },
            ),
            (DialStep::Names, Deadlines { names: short, ..all }),
            (DialStep::Tcp, Deadlines { tcp: short, ..all }),
            (DialStep::Tls, Deadlines { tls: short, ..all }),
            (
                DialStep::WebSocket,
                Deadlines {
                    web_socket: short,
                    ..all
                },
            ),
        ] {
            let dialler = Dialler::new(Settings {
                deadlines,
                ..Settings::default()
            });
            let mut said = None;
            let outcome = dialler
                .step::<()>(step, &mut |step| said = Some(step), pending())
                .await;
            assert_eq!(outcome, Err(DialFailure::TimedOut(step)));
            assert_eq!(said, Some(step));
        }
    }
}
