//! The proxy that the environment names: `https_proxy`, else `all_proxy`, and `no_proxy`, in small letters or large.

use super::exceptions::Exceptions;
use super::system::Wanted;

/// What the environment wants; None where it says nothing.
pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Option<Wanted> {
    let either = |name: &str| {
        let found = variable(name).or_else(|| variable(&name.to_uppercase()));
        found.filter(|text| !text.trim().is_empty())
    };
    let url = either("https_proxy").or_else(|| either("all_proxy"))?;
    let exceptions = either("no_proxy").unwrap_or_default();
    Some(Wanted {
        url,
        login: None,
        exceptions: Exceptions::parse(&exceptions),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_comes_before_all_small_before_large_and_what_is_empty_says_nothing() {
        let read = |set: &[(&str, &str)]| {
            let found = |name: &str| set.iter().find(|(known, _)| *known == name);
            read(|name| found(name).map(|(_, value)| (*value).to_owned())).map(|wanted| wanted.url)
        };
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[("https_proxy", ""), ("http_proxy", "http://a")]), None);
        assert_eq!(read(&[("ALL_PROXY", "socks://a")]).as_deref(), Some("socks://a"));
        assert_eq!(
            read(&[("all_proxy", "socks://a"), ("HTTPS_PROXY", "http://b")]).as_deref(),
            Some("http://b")
        );
        assert_eq!(
            read(&[("HTTPS_PROXY", "http://b"), ("https_proxy", "http://c")]).as_deref(),
            Some("http://c")
        );
    }
}
