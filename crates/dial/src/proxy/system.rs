//! Which proxy the system's settings want: those of the environment, and where it says nothing those of the desktop.
//!
//! They are read at each dial, so that a change holds from the next attempt on. Proxy scripts (PAC) are not run: whoever
//! has set one is connected without it, and the log says so.

use super::Login;
use super::desktop::Desktop;
use super::environment;
use super::exceptions::Exceptions;
use crate::endpoint::Host;
use std::sync::Arc;

/// What some settings want.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// As it stands there.
    pub(super) url: String,
    /// Where it stands beside the URL.
    pub(super) login: Option<Login>,
    pub(super) exceptions: Exceptions,
}

/// The system's settings.
#[derive(Default)]
pub(super) struct System {
    desktop: Arc<Desktop>,
}

impl System {
    /// What they want for connections to this host.
    pub(super) async fn wanted(&self, host: &Host, port: u16) -> Option<Wanted> {
        let wanted = match environment::read(|name| std::env::var(name).ok()) {
            Some(wanted) => wanted,
            None => self.desktop.wanted(host, port).await?,
        };
        (!wanted.exceptions.contain(host, port)).then_some(wanted)
    }
}
