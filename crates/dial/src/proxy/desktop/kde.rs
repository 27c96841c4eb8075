//! What KDE's settings say: the file `kioslaverc`, section `[Proxy Settings]`.

use crate::proxy::exceptions::Exceptions;
use crate::proxy::system::Wanted;
use std::collections::BTreeMap;

/// What they want.
pub(super) fn wanted(text: &str) -> Option<Wanted> {
    let mut inside = false;
    let mut values = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[Proxy Settings]";
        } else if let Some((key, value)) = line.split_once('=').filter(|_| inside) {
            // KConfig's marks behind a key, such as [$e].
            let key = key.split('[').next().unwrap_or_default();
            values.insert(key.trim(), value.trim());
        }
    }
    let value = |key: &str| values.get(key).copied().unwrap_or_default();
    match value("ProxyType") {
        "1" => {}
        "2" | "3" => {
            tracing::warn!(
                "the desktop names a proxy script, and Dormouse runs none: it connects without a proxy"
            );
            return None;
        }
        // None; or the environment's, which has been asked already.
        _ => return None,
    }
    // The port stands behind a blank, in older files behind a colon.
    let url = |key: &str| Some(value(key).replace(' ', ":")).filter(|url| !url.is_empty());
    let url = url("httpsProxy").or_else(|| url("socksProxy"))?;
    let exceptions = Exceptions::parse(value("NoProxyFor"));
    Some(Wanted {
        url,
        login: None,
        exceptions: match value("ReversedException") {
            "true" => exceptions.reversed(),
            _ => exceptions,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Host;

    fn file(lines: &str) -> Option<Wanted> {
        wanted(&format!(
            "PersistentProxyConnection=false\n[$Version]\nupdate_info=x\n[Proxy Settings]\n{lines}\n[Other]\nhttpsProxy=http://no"
        ))
    }

    #[test]
    fn the_proxy_set_by_hand_is_wanted_and_no_other() {
        let url = |lines: &str| file(lines).map(|wanted| wanted.url);
        let by_hand =
            "ProxyType=1\nhttpsProxy=http://proxy.example 3128\nsocksProxy=socks://tor.example 9050";
        assert_eq!(url(by_hand).as_deref(), Some("http://proxy.example:3128"));
        assert_eq!(
            url("ProxyType=1\nhttpsProxy=\nsocksProxy[$e]=socks://tor.example 9050").as_deref(),
            Some("socks://tor.example:9050")
        );
        for other in ["ProxyType=0", "ProxyType=2", "ProxyType=4", ""] {
            assert_eq!(url(&by_hand.replace("ProxyType=1", other)), None, "{other}");
        }
        assert_eq!(url("ProxyType=1"), None);
    }

    #[test]
    fn exceptions_may_be_turned_round() {
        let excepted = |lines: &str, host: &str| {
            let wanted = file(&format!(
                "ProxyType=1\nhttpsProxy=http://p 1\nNoProxyFor=.intra.example\n{lines}"
            ));
            wanted
                .unwrap()
                .exceptions
                .contain(&Host::parse(host).unwrap(), 443)
        };
        assert!(excepted("", "a.intra.example") && !excepted("", "x.example"));
        let turned = "ReversedException=true";
        assert!(!excepted(turned, "a.intra.example") && excepted(turned, "x.example"));
    }
}
