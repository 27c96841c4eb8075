//! What GNOME's settings say, as `gsettings list-recursively` writes them: schema, key and value in GVariant's text format.

use crate::proxy::Login;
use crate::proxy::exceptions::Exceptions;
use crate::proxy::system::Wanted;
use std::collections::BTreeMap;

/// The schema above all others of proxies.
pub(super) const SCHEMA: &str = "org.gnome.system.proxy";

/// What they want. The order is that of GNOME's own resolver for https: its proxy, SOCKS, the one for all.
pub(super) fn wanted(listing: &str) -> Option<Wanted> {
    let mut values = BTreeMap::new();
    for line in listing.lines() {
        let mut parts = line.splitn(3, ' ');
        if let (Some(schema), Some(key), Some(value)) = (parts.next(), parts.next(), parts.next()) {
            let schema = schema.strip_prefix(SCHEMA).unwrap_or(schema);
            values.insert((schema, key), value);
        }
    }
    let value = |schema: &str, key: &str| values.get(&(schema, key)).copied().unwrap_or_default();
    let text = |schema: &str, key: &str| strings(value(schema, key)).into_iter().next().unwrap_or_default();
    match text("", "mode").as_str() {
        "manual" => {}
        "auto" => {
            tracing::warn!(
                "the desktop names a proxy script, and Dormouse runs none: it connects without a proxy"
            );
            return None;
        }
        _ => return None,
    }
    let at = |schema: &str| {
        let (host, port) = (text(schema, "host"), value(schema, "port").trim().to_owned());
        // IPv6, as it must stand in a URL.
        let host = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]")
        } else {
            host
        };
        (!host.is_empty() && port != "0").then(|| format!("{host}:{port}"))
    };
    let for_all = || at(".http").filter(|_| value("", "use-same-proxy") != "false");
    let (url, is_http) = match (at(".https"), at(".socks")) {
        (Some(https), _) => (format!("http://{https}"), false),
        (None, Some(socks)) => (format!("socks5://{socks}"), false),
        (None, None) => (format!("http://{}", for_all()?), true),
    };
    let signs_in = is_http && value(".http", "use-authentication") == "true";
    let login = || {
        Login::new(
            text(".http", "authentication-user"),
            text(".http", "authentication-password"),
        )
    };
    Some(Wanted {
        url,
        login: signs_in.then(login),
        exceptions: Exceptions::parse(&strings(value("", "ignore-hosts")).join(",")),
    })
}

/// The strings in a value: `'a'`, `"it's"`, `['a', 'b']`, `@as []`.
fn strings(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut signs = value.chars();
    while let Some(quote) = signs.find(|sign| matches!(sign, '\'' | '"')) {
        let mut text = String::new();
        while let Some(sign) = signs.next().filter(|sign| *sign != quote) {
            match sign {
                '\\' => text.extend(signs.next()),
                sign => text.push(sign),
            }
        }
        found.push(text);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Host;

    /// As Debian 12's `gsettings` writes them, with these lines in place of its defaults.
    fn listing(changed: &[&str]) -> String {
        let mut lines = vec![
            "org.gnome.system.proxy autoconfig-url ''",
            "org.gnome.system.proxy ignore-hosts ['localhost', '127.0.0.0/8', '::1']",
            "org.gnome.system.proxy mode 'manual'",
            "org.gnome.system.proxy use-same-proxy true",
            "org.gnome.system.proxy.ftp host ''",
            "org.gnome.system.proxy.ftp port 0",
            "org.gnome.system.proxy.http authentication-password ''",
            "org.gnome.system.proxy.http authentication-user ''",
            "org.gnome.system.proxy.http enabled false",
            "org.gnome.system.proxy.http host ''",
            "org.gnome.system.proxy.http port 8080",
            "org.gnome.system.proxy.http use-authentication false",
            "org.gnome.system.proxy.https host ''",
            "org.gnome.system.proxy.https port 0",
            "org.gnome.system.proxy.socks host ''",
            "org.gnome.system.proxy.socks port 0",
        ];
        lines.extend(changed);
        lines.join("\n")
    }

    fn url(changed: &[&str]) -> Option<String> {
        wanted(&listing(changed)).map(|wanted| wanted.url)
    }

    const HTTP: &str = "org.gnome.system.proxy.http host 'all.example'";
    const HTTPS: [&str; 2] = [
        "org.gnome.system.proxy.https host 'tls.example'",
        "org.gnome.system.proxy.https port 3128",
    ];
    const SOCKS: [&str; 2] = [
        "org.gnome.system.proxy.socks host '2001:db8::1'",
        "org.gnome.system.proxy.socks port 1080",
    ];

    #[test]
    fn the_proxy_for_https_comes_before_socks_and_that_before_the_one_for_all() {
        assert_eq!(url(&[]), None);
        assert_eq!(url(&[HTTP]).as_deref(), Some("http://all.example:8080"));
        let [host, port] = SOCKS;
        assert_eq!(
            url(&[HTTP, host, port]).as_deref(),
            Some("socks5://[2001:db8::1]:1080")
        );
        let [tls, number] = HTTPS;
        assert_eq!(
            url(&[HTTP, host, port, tls, number]).as_deref(),
            Some("http://tls.example:3128")
        );
        assert_eq!(url(&[HTTP, "org.gnome.system.proxy use-same-proxy false"]), None);
    }

    #[test]
    fn nothing_is_wanted_where_no_proxy_or_a_script_is_set() {
        assert_eq!(url(&[HTTP, "org.gnome.system.proxy mode 'none'"]), None);
        assert_eq!(url(&[HTTP, "org.gnome.system.proxy mode 'auto'"]), None);
        assert_eq!(
            wanted("No such schema “org.gnome.system.proxy”").map(|it| it.url),
            None
        );
    }

    #[test]
    fn hosts_to_be_ignored_and_a_login_are_read() {
        let signs_in = [
            HTTP,
            "org.gnome.system.proxy.http use-authentication true",
            "org.gnome.system.proxy.http authentication-user 'me'",
            r#"org.gnome.system.proxy.http authentication-password "it's \"it\"""#,
        ];
        let wanted = wanted(&listing(&signs_in)).unwrap();
        let login = wanted.login.unwrap();
        assert_eq!(
            (login.user.as_str(), login.password.as_str()),
            ("me", "it's \"it\"")
        );
        let ignored = |host: &str| wanted.exceptions.contain(&Host::parse(host).unwrap(), 443);
        assert!(ignored("127.0.0.1") && ignored("[::1]") && !ignored("x.example"));
        assert_eq!(strings("@as []"), Vec::<String>::new());
    }
}
