//! Choosing the proxy of one dial.

use super::setting::{Setting, parse};
use super::system::System;
use super::{Login, Proxy};
use crate::endpoint::Host;
use dormouse_model::{DialFailure, ProxyProblem};
use std::sync::{Mutex, PoisonError};

/// The most of a setting that can't be understood that is shown, in characters.
const SHOWN: usize = 80;

/// What is set for an account, and what the system says at the moment.
pub(crate) struct Chooser {
    setting: Setting,
    login: Mutex<Option<Login>>,
    system: System,
}

impl Chooser {
    pub(crate) fn new(setting: Setting) -> Self {
        Self {
            setting,
            login: Mutex::default(),
            system: System::default(),
        }
    }

    /// Who we are to the proxy that is given; nobody to any other.
    pub(crate) fn set_login(&self, login: Option<Login>) {
        *self.login.lock().unwrap_or_else(PoisonError::into_inner) = login;
    }

    /// The proxy on the way to this host. Takes no time but for a look at the system's settings, which is bounded.
    pub(crate) async fn choose(&self, host: &Host, port: u16) -> Result<Option<Proxy>, DialFailure> {
        if host.may_be_loopback() {
            return Ok(None);
        }
        match &self.setting {
            Setting::Never => Ok(None),
            Setting::Given(address) => {
                let login = self.login.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(Some(Proxy {
                    address: address.clone(),
                    login: login.clone(),
                }))
            }
            Setting::System => match self.system.wanted(host, port).await {
                None => Ok(None),
                // Going without would show to the network what the system's owner wants to stay with the proxy.
                Some(wanted) => {
                    let (address, login) = parse(&wanted.url).map_err(|_| unusable(&wanted.url))?;
                    let login = login.or(wanted.login);
                    Ok(Some(Proxy { address, login }))
                }
            },
        }
    }
}

fn unusable(url: &str) -> DialFailure {
    // A password may be in it, in front of an @.
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.rsplit('@').next().unwrap_or_default();
    let shown = match scheme {
        "" => host.to_owned(),
        scheme => format!("{scheme}://{host}"),
    };
    DialFailure::Proxy {
        proxy: shown.chars().take(SHOWN).collect(),
        problem: ProxyProblem::Unusable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn chosen(setting: &str, host: &str) -> Option<String> {
        let chooser = Chooser::new(setting.parse().unwrap());
        let proxy = chooser.choose(&Host::parse(host).unwrap(), 443).await.unwrap();
        proxy.map(|proxy| proxy.address.to_string())
    }

    #[tokio::test]
    async fn this_machine_is_never_reached_through_a_proxy() {
        let given = "socks5://proxy.example:1080";
        for here in ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"] {
            assert_eq!(chosen(given, here).await, None, "{here}");
        }
        assert_eq!(chosen(given, "x.example").await.as_deref(), Some(given));
        assert_eq!(chosen(given, "192.168.1.1").await.as_deref(), Some(given));
        assert_eq!(chosen("none", "x.example").await, None);
    }

    #[test]
    fn a_proxy_that_can_not_be_used_is_shown_without_its_password() {
        for (url, shown) in [
            (
                "https://me:secret@proxy.example:8443",
                "https://proxy.example:8443",
            ),
            ("me:secret@proxy example", "proxy example"),
        ] {
            let DialFailure::Proxy { proxy, problem } = unusable(url) else {
                unreachable!()
            };
            assert_eq!((proxy.as_str(), problem), (shown, ProxyProblem::Unusable));
        }
    }
}
