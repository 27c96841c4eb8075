//! A cluster of two ejabberd 24.12 behind nginx: what an operator with many users runs.
//!
//! Both nodes are on this machine, each under a loopback address of its own, since Erlang's nodes take for granted that
//! all of them listen on the same port. They share accounts, archives and sessions through Mnesia: a client that nginx sends to
//! the other node resumes its session there. A node that was killed takes its tables from the other when it comes back;
//! so at most one may be down at a time.
//!
//! What a kill costs: the sessions of that node, and now and then a message that was on its way to one of its users; the
//! cluster itself loses that, from the recipient's archive too.

use crate::certificate::Certificate;
use crate::ejabberd::{Ejabberd, Node};
use crate::error::{Result, ServerError};
use crate::nginx::Nginx;
use crate::port::Port;
use crate::release::Release;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 11), Ipv4Addr::new(127, 0, 0, 12)];
const JOIN_LIMIT: Duration = Duration::from_secs(120);

/// See [`Cluster::builder`].
#[derive(Debug)]
pub struct ClusterBuilder {
    accounts: Vec<(String, String)>,
    resume_timeout: u32,
    idle: Option<u32>,
    certificate: Option<Certificate>,
    c2s: bool,
}

/// Two nodes and the nginx before them; killed when dropped.
#[derive(Debug)]
pub struct Cluster {
    // Dropped first: what is in front.
    nginx: Nginx,
    nodes: [Ejabberd; 2],
}

impl ClusterBuilder {
    /// An account on `localhost`.
    #[must_use]
    pub fn account(mut self, user: &str, password: &str) -> Self {
        self.accounts.push((user.to_owned(), password.to_owned()));
        self
    }

    /// Seconds for which a lost session can be resumed; 300 by default.
    #[must_use]
    pub fn resume_timeout(mut self, seconds: u32) -> Self {
        self.resume_timeout = seconds;
        self
    }

    /// nginx forgets a connection on which nothing came for so many seconds; 60 by default.
    #[must_use]
    pub fn idle(mut self, seconds: u32) -> Self {
        self.idle = Some(seconds);
        self
    }

    /// nginx speaks wss too.
    #[must_use]
    pub fn tls(mut self, certificate: &Certificate) -> Self {
        self.certificate = Some(certificate.clone());
        self
    }

    /// The nodes speak XMPP over TCP too, each on its own port.
    #[must_use]
    pub fn c2s(mut self) -> Self {
        self.c2s = true;
        self
    }

    /// Starts both nodes, joins them, makes the accounts, and puts nginx in front.
    pub fn start(self) -> Result<Cluster> {
        let distribution = Arc::new(Port::reserve()?);
        let cookie = format!("dormouse{}-{}", std::process::id(), distribution.number());
        let start = |address: Ipv4Addr| {
            let mut builder = Ejabberd::builder()
                .release(Release::Trixie)
                .resume_timeout(self.resume_timeout)
                .node(Node {
                    name: format!("dormouse@{address}"),
                    address,
                    distribution: Arc::clone(&distribution),
                    cookie: cookie.clone(),
                });
            if self.c2s {
                builder = builder.c2s();
            }
            builder.start()
        };
        let nodes = [start(ADDRESSES[0])?, start(ADDRESSES[1])?];
        join(&nodes)?;
        for (user, password) in &self.accounts {
            nodes[0].register(user, password)?;
        }
        let mut nginx = Nginx::builder();
        for node in &nodes {
            nginx = nginx.server(node.ws_port());
        }
        if let Some(seconds) = self.idle {
            nginx = nginx.idle(seconds);
        }
        if let Some(certificate) = &self.certificate {
            nginx = nginx.tls(certificate);
        }
        Ok(Cluster {
            nginx: nginx.start()?,
            nodes,
        })
    }
}

/// The second node joins the first one's cluster: it drops its own tables and takes the others.
fn join(nodes: &[Ejabberd; 2]) -> Result<()> {
    let [first, second] = nodes;
    // It restarts while it joins: its answer may not arrive, so the outcome is asked for.
    let joined = second.api("join_cluster", &[("node", first.node_name())]);
    let start = Instant::now();
    while !nodes.iter().all(|node| knows_both(node, nodes)) {
        if start.elapsed() > JOIN_LIMIT {
            let said = joined.unwrap_or_else(|error| error.to_string());
            return Err(
                ServerError::new(format!("The nodes did not become a cluster: {said}"))
                    .with_log(&second.log()),
            );
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn knows_both(node: &Ejabberd, nodes: &[Ejabberd; 2]) -> bool {
    node.api("list_cluster", &[])
        .is_ok_and(|answer| nodes.iter().all(|other| answer.contains(other.node_name())))
}

impl Cluster {
    /// Two nodes on `localhost` with archive, stream management, SASL2 and FAST; nginx with its own defaults.
    pub fn builder() -> ClusterBuilder {
        ClusterBuilder {
            accounts: Vec::new(),
            resume_timeout: 300,
            idle: None,
            certificate: None,
            c2s: false,
        }
    }

    /// What stands in front, for clients.
    pub fn nginx(&self) -> &Nginx {
        &self.nginx
    }

    /// The nodes. Both answer for everybody.
    pub fn nodes(&self) -> &[Ejabberd; 2] {
        &self.nodes
    }

    /// `kill -9` of a node.
    pub fn kill(&mut self, node: usize) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.kill();
        }
    }

    /// Stops a node in good order.
    pub fn stop(&mut self, node: usize) -> Result<()> {
        self.nodes.get_mut(node).map_or(Ok(()), Ejabberd::stop)
    }

    /// Brings a node back; returns when both know each other again.
    pub fn start(&mut self, node: usize) -> Result<()> {
        if let Some(node) = self.nodes.get_mut(node) {
            node.start()?;
        }
        let start = Instant::now();
        while !self.nodes.iter().all(|node| knows_both(node, &self.nodes)) {
            if start.elapsed() > JOIN_LIMIT {
                return Err(
                    ServerError::new("A node that was started again did not find its cluster.")
                        .with_log(&self.nodes[0].log())
                        .with_log(&self.nodes[1].log()),
                );
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}
