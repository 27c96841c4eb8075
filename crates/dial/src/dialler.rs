//! One dial: its steps in order, each within its deadline.

use crate::abort::Aborter;
use crate::endpoint::{self, Host, Parts};
use crate::proxy::chooser::Chooser;
use crate::proxy::{Login, Proxy};
use crate::quick_ack::QuickAck;
use crate::remembered::{LookUp, Tried};
use crate::report::{Report, Secured, Tell};
use crate::settings::Settings;
use crate::tls::{self, Readied, TlsVersion};
use crate::web_socket::{self, Socket, Transport};
use crate::{discovery, names, tcp};
use dormouse_model::{Channel, DialFailure, DialStep, Endpoint, ProxyProblem, Way};
use futures_util::future::{Either, ready, select};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// What to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The domain part of the account's address.
    pub domain: String,
    /// Given; otherwise it is the remembered one, or discovered.
    pub endpoint: Option<Endpoint>,
    /// What worked last. Dialled at once where it fits, and put right beside.
    pub known: Option<Way>,
}

/// An open connection.
pub struct Connected {
    /// What it offers to sign-in.
    pub channel: Channel,
    /// Our side: when this address goes away, so does the connection.
    pub local_addr: SocketAddr,
    /// The other side.
    pub peer_addr: SocketAddr,
    /// What was dialled and where it leads, to be remembered.
    pub way: Way,
    /// What protects it.
    pub tls: Option<TlsVersion>,
    /// The frames.
    pub socket: Socket,
    /// How to end it without sending what waits.
    pub aborter: Aborter,
}

/// Dials. Cheap to clone; clones share the TLS sessions.
#[derive(Clone)]
pub struct Dialler {
    settings: Arc<Settings>,
    proxies: Arc<Chooser>,
    tls: Readied,
    /// When the domain was asked for its endpoint last.
    discovered: Arc<Mutex<Option<Instant>>>,
}

impl Dialler {
    /// The operating system's trust store is read meanwhile. If there is none to be had, every encrypted dial says so.
    pub fn new(settings: Settings) -> Self {
        let settings = Arc::new(settings);
        Self {
            proxies: Arc::new(Chooser::new(settings.proxy.clone())),
            tls: Readied::begin(&settings),
            settings,
            discovered: Arc::default(),
        }
    }

    /// Who we are to the proxy that the settings name, from the next dial on. The system's proxies have their own.
    pub fn sign_in_at_proxy(&self, login: Option<Login>) {
        self.proxies.set_login(login);
    }

    async fn step<T>(
        &self,
        step: DialStep,
        tell: Tell<'_>,
        work: impl Future<Output = Result<T, DialFailure>>,
    ) -> Result<T, DialFailure> {
        self.step_within(self.settings.deadlines.of(step), step, tell, work)
            .await
    }

    async fn step_within<T>(
        &self,
        limit: Duration,
        step: DialStep,
        tell: Tell<'_>,
        work: impl Future<Output = Result<T, DialFailure>>,
    ) -> Result<T, DialFailure> {
        tell(Report::Begins(step));
        match timeout(limit, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(DialFailure::TimedOut(step)),
        }
    }

    /// Dials. Dropping the future gives the dial up.
    ///
    /// # Errors
    ///
    /// The first step that failed, and how. Of a remembered endpoint and the one discovered in its place, the
    /// remembered one's.
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
        let steps_alone = move |report| {
            if let Report::Begins(step) = report {
                progress(step);
            }
        };
        self.dial_reporting(target, steps_alone).await
    }

    /// Dials, saying each step as it begins and what came of it.
    ///
    /// # Errors
    ///
    /// As [`Dialler::dial`].
    pub async fn dial_reporting(
        &self,
        target: Target,
        progress: impl FnMut(Report) + Send,
    ) -> Result<Connected, DialFailure> {
        let progress = Mutex::new(progress);
        let tell = |report| progress.lock().unwrap_or_else(PoisonError::into_inner)(report);
        let Target {
            domain,
            endpoint,
            known,
        } = target;
        match (endpoint, known) {
            (Some(given), known) => {
                let known = known.filter(|way| way.endpoint == given);
                let way = known.unwrap_or(Way {
                    endpoint: given,
                    addresses: Vec::new(),
                });
                self.open(&way, &tell).await
            }
            (None, Some(known)) => self.open_remembered(&domain, &known, &tell).await,
            (None, None) => {
                let way = self.discover(&domain, &tell).await?;
                self.open(&way, &tell).await
            }
        }
    }

    /// Asks the domain for its endpoint, if that has not been done for long: `known` works, and may be on its way out
    /// all the same. None: nothing else is known.
    pub async fn successor(&self, domain: &str, known: &Endpoint) -> Option<Endpoint> {
        let asked = *self.discovered.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.is_some_and(|asked| asked.elapsed() < self.settings.discover_every) {
            return None;
        }
        let way = self.discover(domain, &|_| ()).await.ok()?;
        (way.endpoint != *known).then_some(way.endpoint)
    }

    /// Asks the domain for its endpoint, whatever is remembered.
    ///
    /// # Errors
    ///
    /// Why it names none that can be used.
    pub async fn discover_anew(&self, domain: &str) -> Result<Endpoint, DialFailure> {
        Ok(self.discover(domain, &|_| ()).await?.endpoint)
    }

    /// The host that a dial begins with, the endpoint's or else the domain's, and its addresses. None where a proxy looks
    /// them up.
    ///
    /// # Errors
    ///
    /// Why there are none.
    pub async fn look_up(
        &self,
        domain: &str,
        endpoint: Option<&Endpoint>,
    ) -> Result<Option<(String, Vec<IpAddr>)>, DialFailure> {
        let (host, port) = match endpoint {
            Some(endpoint) => {
                let parts = endpoint::parts(endpoint)?;
                (parts.host, parts.port)
            }
            None => {
                let host = Host::parse(domain).ok_or(DialFailure::NameNotFound)?;
                (host, self.settings.discovery_port)
            }
        };
        if self.proxies.choose(&host, port).await?.is_some() {
            return Ok(None);
        }
        let work = names::resolve(&self.settings, &host, port);
        let found = self.step(DialStep::Names, &|_| (), work).await?;
        let addresses = found.iter().map(SocketAddr::ip).collect();
        Ok(Some((host.in_url(), addresses)))
    }

    async fn discover(&self, domain: &str, tell: Tell<'_>) -> Result<Way, DialFailure> {
        *self.discovered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let host = Host::parse(domain).ok_or(DialFailure::NameNotFound)?;
        let deadlines = &self.settings.deadlines;
        let mut limit = deadlines.discovery;
        if self
            .proxies
            .choose(&host, self.settings.discovery_port)
            .await?
            .is_some()
        {
            limit += deadlines.proxy;
        }
        let work = async {
            let tls = self.tls.get().await?;
            discovery::discover(&self.settings, &self.proxies, &tls, &host).await
        };
        Ok(Way {
            endpoint: self.step_within(limit, DialStep::Discovery, tell, work).await?,
            addresses: Vec::new(),
        })
    }

    /// Opens the remembered endpoint. If it fails, or takes long, the domain is asked whether it is still the
    /// right one, and the right one is dialled beside it.
    async fn open_remembered(
        &self,
        domain: &str,
        known: &Way,
        tell: Tell<'_>,
    ) -> Result<Connected, DialFailure> {
        let mut old = pin!(self.open(known, tell));
        let failure = match timeout(self.settings.doubt, &mut old).await {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(failure)) if !may_have_moved(&failure) => return Err(failure),
            Ok(Err(failure)) => Some(failure),
            Err(_) => None,
        };
        let new = async {
            let way = self.discover(domain, tell).await?;
            if way.endpoint == known.endpoint {
                return Err(DialFailure::Unreachable);
            }
            tracing::info!(endpoint = way.endpoint.0, "the domain names another endpoint");
            self.open(&way, tell).await
        };
        let new = pin!(new);
        let Some(failure) = failure else {
            return match select(old, new).await {
                Either::Left((Err(failure), new)) if may_have_moved(&failure) => {
                    new.await.map_err(|_| failure)
                }
                Either::Left((outcome, _)) | Either::Right((outcome @ Ok(_), _)) => outcome,
                Either::Right((Err(_), old)) => old.await,
            };
        };
        new.await.map_err(|_| failure)
    }

    /// Opens an endpoint, at its remembered addresses if there are any.
    async fn open(&self, way: &Way, tell: Tell<'_>) -> Result<Connected, DialFailure> {
        let settings = &self.settings;
        let parts = endpoint::parts(&way.endpoint)?;
        let proxy = self.proxies.choose(&parts.host, parts.port).await?;
        let (stream, tried) = match &proxy {
            Some(proxy) => (self.reach_through(proxy, &parts, tell).await?, None),
            None => {
                let (stream, tried) = self.reach(way, &parts, tell).await?;
                (stream, Some(tried))
            }
        };
        let broken = |error: std::io::Error| DialFailure::Broken(error.to_string());
        let local_addr = stream.get_ref().local_addr().map_err(broken)?;
        let peer_addr = stream.get_ref().peer_addr().map_err(broken)?;
        let aborter = Aborter::of(stream.get_ref()).map_err(broken)?;
        let mut channel = Channel {
            encrypted: parts.encrypted,
            // Of a proxy on this machine the server is not.
            loopback: proxy.is_none() && peer_addr.ip().is_loopback(),
            exporter: None,
        };
        let mut version = None;
        let stream: Box<dyn Transport> = if parts.encrypted {
            let work = async { self.tls.get().await?.handshake(&parts.host, stream).await };
            let stream = self.step(DialStep::Tls, tell, work).await?;
            channel.exporter = tls::exporter(&stream);
            version = TlsVersion::of(&stream);
            if let Some(version) = version {
                let issuer = tls::issuer(&stream);
                tell(Report::Secured(Secured { version, issuer }));
            }
            Box::new(stream)
        } else {
            Box::new(stream)
        };
        let endpoint = Parts::endpoint(&parts);
        let work = web_socket::handshake(&endpoint.0, stream, settings.largest_message);
        let socket = self.step(DialStep::WebSocket, tell, work).await?;
        tracing::debug!(endpoint = endpoint.0, %local_addr, %peer_addr, "connected");
        Ok(Connected {
            channel,
            local_addr,
            peer_addr,
            way: Way {
                endpoint,
                // A proxy's address says nothing of the server's: what was known of those still is.
                addresses: tried.map_or_else(
                    || way.addresses.clone(),
                    |tried| tried.to_remember(peer_addr.ip()),
                ),
            },
            aborter,
            tls: version,
            socket,
        })
    }

    /// Reaches the endpoint's host itself, at its remembered addresses if there are any.
    async fn reach(
        &self,
        way: &Way,
        parts: &Parts,
        tell: Tell<'_>,
    ) -> Result<(QuickAck, Tried), DialFailure> {
        let settings = &self.settings;
        // Whatever the resolver, or the disk, says "localhost" is.
        let usable = |address: &SocketAddr| parts.encrypted || address.ip().is_loopback();
        let remembered = way.addresses.iter().map(|ip| SocketAddr::new(*ip, parts.port));
        let mut tried: Vec<SocketAddr> = remembered.filter(usable).collect();
        let mut beside = None;
        if tried.is_empty() {
            let work = names::resolve(settings, &parts.host, parts.port);
            tried = self.step(DialStep::Names, tell, work).await?;
            tried.retain(usable);
        } else {
            beside = Some(LookUp::start(settings, parts));
        }
        let to_come = match &mut beside {
            Some(look_up) => Either::Left(async {
                let mut found = look_up.addresses().await;
                found.retain(usable);
                found
            }),
            None => Either::Right(ready(Vec::new())),
        };
        let work = tcp::race(&tried, to_come, settings.stagger);
        let stream = self.step(DialStep::Tcp, tell, work).await?;
        tell_reached(&stream, tell);
        Ok((
            stream,
            Tried {
                addresses: tried,
                beside,
            },
        ))
    }

    /// Reaches it through a proxy: its name goes there, and its remembered addresses are of no use.
    async fn reach_through(
        &self,
        proxy: &Proxy,
        parts: &Parts,
        tell: Tell<'_>,
    ) -> Result<QuickAck, DialFailure> {
        let settings = &self.settings;
        tracing::info!(proxy = %proxy.address(), "through a proxy");
        let blame = |failure| proxy.blame(failure);
        let work = proxy.resolve(settings);
        let addresses = self.step(DialStep::Names, tell, work).await.map_err(blame)?;
        let work = proxy.reach(settings, &addresses);
        let stream = self.step(DialStep::Tcp, tell, work).await.map_err(blame)?;
        tell_reached(&stream, tell);
        let work = proxy.open(stream, &parts.host, parts.port);
        let stream = self.step(DialStep::Proxy, tell, work).await?;
        tell(Report::Through(proxy.address().to_string()));
        Ok(stream)
    }
}

fn tell_reached(stream: &QuickAck, tell: Tell<'_>) {
    if let Ok(peer) = stream.get_ref().peer_addr() {
        tell(Report::Reached(peer));
    }
}

/// Whether a failure leaves it open that the server is somewhere else by now. It is not elsewhere if there is no network,
/// and a server that says "later" means itself.
fn may_have_moved(failure: &DialFailure) -> bool {
    if let DialFailure::Proxy { problem, .. } = failure {
        return matches!(problem, ProxyProblem::CannotReach(_));
    }
    !matches!(
        failure,
        DialFailure::Unreachable
            | DialFailure::NamesUnavailable
            | DialFailure::Http {
                status: 429 | 503,
                ..
            }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Deadlines;
    use std::future::pending;

    #[tokio::test]
    async fn every_step_ends_at_its_own_deadline() {
        let short = Duration::from_millis(20);
        let long = Duration::from_secs(600);
        let all = Deadlines {
            discovery: long,
            names: long,
            tcp: long,
            proxy: long,
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
            (DialStep::Proxy, Deadlines { proxy: short, ..all }),
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
            let said = Mutex::new(None);
            let tell = |report| *said.lock().unwrap() = Some(report);
            let outcome = dialler.step::<()>(step, &tell, pending()).await;
            assert_eq!(outcome, Err(DialFailure::TimedOut(step)));
            assert_eq!(said.into_inner().unwrap(), Some(Report::Begins(step)));
        }
    }
}
