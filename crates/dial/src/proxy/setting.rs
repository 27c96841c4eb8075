//! Whether an account goes through a proxy, and the text that says so.

use super::{Address, Kind, Login};
use crate::endpoint::{BadEndpoint, host_and_port};
use std::fmt;
use std::str::FromStr;

/// Which proxy an account goes through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Setting {
    /// The one of the system's settings, if there is one.
    #[default]
    System,
    /// None, whatever the system says.
    Never,
    /// This one.
    Given(Address),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::System => f.write_str("system"),
            Setting::Never => f.write_str("none"),
            Setting::Given(address) => address.fmt(f),
        }
    }
}

/// A proxy that can't be used, and why in a few words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadProxy(pub String);

impl From<BadEndpoint> for BadProxy {
    fn from(bad: BadEndpoint) -> Self {
        Self(bad.0)
    }
}

fn bad(why: &str) -> BadProxy {
    BadProxy(why.to_owned())
}

impl FromStr for Setting {
    type Err = BadProxy;

    /// `system`, `none`, `http://host:port` or `socks5://host:port`. User and password don't belong there: what is typed
    /// as an address ends up in lists of processes and files of settings.
    fn from_str(text: &str) -> Result<Self, BadProxy> {
        match text.trim() {
            "system" | "" => Ok(Setting::System),
            "none" => Ok(Setting::Never),
            url if url.contains('@') => Err(bad("it has a user name in it")),
            url if !url.contains("://") => Err(bad("it does not begin with http:// or socks5://")),
            url => Ok(Setting::Given(parse(url)?.0)),
        }
    }
}

/// The address in a URL, and the login in front of it.
pub(super) fn parse(url: &str) -> Result<(Address, Option<Login>), BadProxy> {
    // As everybody reads it: a proxy without a scheme is an HTTP one.
    let (scheme, rest) = url.trim().split_once("://").unwrap_or(("http", url.trim()));
    let (kind, default_port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => (Kind::Http, 80),
        // The h says that names stay with the proxy. Here they always do.
        "socks5" | "socks5h" | "socks" => (Kind::Socks5, 1080),
        _ => return Err(bad("it does not begin with http:// or socks5://")),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#']) {
        return Err(bad("something follows its port"));
    }
    let (login, authority) = match rest.rsplit_once('@') {
        Some((login, authority)) => (Some(login), authority),
        None => (None, rest),
    };
    let (host, port) = host_and_port(authority, default_port)?;
    let login = login.map(|login| {
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        Login::new(unescaped(user), unescaped(password))
    });
    Ok((Address { kind, host, port }, login))
}

/// With `%40` and the like as what they stand for (RFC 3986 section 2.1); what stands for nothing stays as it is.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| byte == b'%');
        let digits = digits.and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(escaped) => {
                bytes.push(escaped);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Result<String, String> {
        text.parse::<Setting>()
            .map(|setting| setting.to_string())
            .map_err(|bad| bad.0)
    }

    #[test]
    fn a_setting_is_a_word_or_a_url_and_reads_back_as_it_is_written() {
        for (text, same) in [
            ("system", "system"),
            (" ", "system"),
            ("none", "none"),
            (" HTTP://Proxy.example:3128/ ", "http://proxy.example:3128"),
            ("http://proxy.example", "http://proxy.example:80"),
            ("socks5://127.0.0.1:9050", "socks5://127.0.0.1:9050"),
            ("socks5h://tor", "socks5://tor:1080"),
            ("socks5://[2001:db8::1]:1080", "socks5://[2001:db8::1]:1080"),
        ] {
            assert_eq!(said(text).as_deref(), Ok(same), "{text}");
            assert_eq!(said(same).as_deref(), Ok(same), "{text}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_and_so_is_a_password_where_everybody_sees_it() {
        for bad in [
            "proxy.example:3128",
            "https://proxy.example",
            "socks4://proxy.example",
            "ftp://proxy.example",
            "http://",
            "http://proxy.example:0",
            "http://proxy.example:http",
            "http://proxy.example/proxy.pac",
            "http://a b",
            "http://user:secret@proxy.example",
        ] {
            let why = said(bad).unwrap_err();
            assert!(!why.contains("secret"), "{why}");
        }
    }

    #[test]
    fn the_systems_own_url_may_bear_a_login() {
        let login = |url: &str| {
            let (address, login) = parse(url).unwrap();
            let login = login.map(|login| (login.user, login.password.to_string()));
            (address.to_string(), login)
        };
        let (user, password) = ("me".to_owned(), "p@ss:w%rd".to_owned());
        assert_eq!(
            login("http://me:p%40ss:w%rd@proxy.example:3128"),
            ("http://proxy.example:3128".into(), Some((user, password)))
        );
        assert_eq!(login("proxy:3128"), ("http://proxy:3128".into(), None));
        assert!(!format!("{:?}", parse("http://u:secret@h").unwrap()).contains("secret"));
    }
}
