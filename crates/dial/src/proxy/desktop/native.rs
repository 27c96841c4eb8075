//! macOS and Windows, as hyper-util reads their settings: HTTP proxies, and Windows' exceptions. SOCKS and macOS'
//! exceptions it does not read.

use crate::endpoint::Host;
use crate::proxy::system::Wanted;
use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// The settings of the system.
#[derive(Default)]
pub(in crate::proxy) struct Desktop;

impl Desktop {
    /// What they want for connections to this host.
    #[expect(clippy::unused_async, reason = "elsewhere it waits for a process")]
    pub(in crate::proxy) async fn wanted(&self, host: &Host, port: u16) -> Option<Wanted> {
        let to: Uri = format!("https://{}:{port}/", host.in_url()).parse().ok()?;
        let found = Matcher::from_system().intercept(&to)?;
        Some(Wanted {
            url: found.uri().to_string(),
            ..Wanted::default()
        })
    }
}
