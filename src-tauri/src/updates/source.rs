//! Where new versions come from, and whether this program may replace itself at all.
//!
//! Three things have to come together: the program was built with the feature `updater`, which a distribution's packages are not; a key and a
//! place were built in (`DORMOUSE_UPDATE_KEY`, `DORMOUSE_UPDATE_ENDPOINT`); and what runs is a package that is one file of the
//! user's own, or an installation, never a program that somebody has built or a distribution has put there. Otherwise
//! nobody is asked anything.

use super::image::image_that_runs;
use std::path::PathBuf;
use url::{Host, Url};

/// Where new versions come from, and who signs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What describes the newest version (Tauri's `latest.json`).
    pub endpoint: Url,
    /// The public half of the key that signs, as `tauri signer generate` writes it.
    pub key: String,
}

/// Why nobody is asked for new versions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Off {
    /// The usual reason for who builds it themselves.
    #[error("no key was built in")]
    NoKey,
    /// There is a key, and no place.
    #[error("no place where new versions are was built in")]
    NoEndpoint,
    /// There is a place that may not be asked.
    #[error("the place where new versions are is no https URL")]
    BadEndpoint,
    /// Linux: the program is not in an AppImage. Whatever put it there sees to its new versions.
    #[error("only an AppImage replaces itself")]
    NotAnAppImage,
}

/// What the program finds around itself.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The key, if there is one.
    pub key: Option<String>,
    /// The place, if there is one.
    pub endpoint: Option<String>,
    /// Linux: the file of the AppImage that runs.
    pub image: Option<PathBuf>,
    /// For tests, this computer may be asked without encryption.
    pub loopback: bool,
}

impl Surroundings {
    /// Those of this process. Key and place are those that were built in; a debug build takes them from the environment, so that
    /// tests can give them.
    pub fn of_this_process() -> Self {
        let named = |name: &str, built: Option<&str>| {
            let given = cfg!(debug_assertions).then(|| std::env::var(name).ok()).flatten();
            given.or_else(|| built.map(str::to_owned))
        };
        Self {
            key: named("DORMOUSE_UPDATE_KEY", option_env!("DORMOUSE_UPDATE_KEY")),
            endpoint: named(
                "DORMOUSE_UPDATE_ENDPOINT",
                option_env!("DORMOUSE_UPDATE_ENDPOINT"),
            ),
            image: image_that_runs(),
            loopback: cfg!(debug_assertions),
        }
    }

    /// Where new versions come from.
    ///
    /// # Errors
    /// Why they come from nowhere: for the log.
    pub fn source(self) -> Result<Source, Off> {
        let given = |text: Option<String>| {
            text.map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let key = given(self.key).ok_or(Off::NoKey)?;
        let endpoint = given(self.endpoint).ok_or(Off::NoEndpoint)?;
        let endpoint = Url::parse(&endpoint).map_err(|_| Off::BadEndpoint)?;
        if !may_be_asked(&endpoint, self.loopback) {
            return Err(Off::BadEndpoint);
        }
        if cfg!(all(unix, not(target_os = "macos"))) && self.image.is_none() {
            return Err(Off::NotAnAppImage);
        }
        Ok(Source { endpoint, key })
    }
}

/// Whether a new version, or what describes it, may be asked for at this place: over `https`, or, where `loopback` is allowed, of this
/// computer. What is signed needs no encryption, but who asks, and for which version, is nobody's business on the way.
pub fn may_be_asked(url: &Url, loopback: bool) -> bool {
    let here = || match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    match url.scheme() {
        "https" => true,
        "http" => loopback && here(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: &str = "https://example.org/latest.json";

    fn whole() -> Surroundings {
        Surroundings {
            key: Some("a key".into()),
            endpoint: Some(ENDPOINT.into()),
            image: Some("/home/anna/Dormouse.AppImage".into()),
            loopback: false,
        }
    }

    #[test]
    fn with_key_place_and_a_package_of_its_own_it_is_on() {
        assert_eq!(
            whole().source(),
            Ok(Source {
                endpoint: Url::parse(ENDPOINT).unwrap(),
                key: "a key".into(),
            })
        );
    }

    #[test]
    fn without_a_key_or_a_place_nobody_is_asked() {
        assert_eq!(Surroundings::default().source(), Err(Off::NoKey));
        // A secret that is not set is an empty variable in a workflow.
        for none in [None, Some(String::new()), Some(" \n".into())] {
            let without = |change: fn(&mut Surroundings, Option<String>)| {
                let mut surroundings = whole();
                change(&mut surroundings, none.clone());
                surroundings.source()
            };
            assert_eq!(without(|it, none| it.key = none), Err(Off::NoKey));
            assert_eq!(without(|it, none| it.endpoint = none), Err(Off::NoEndpoint));
        }
    }

    #[test]
    fn a_place_is_asked_over_https_and_this_computer_in_tests_only() {
        let at = |endpoint: &str, loopback| {
            let surroundings = Surroundings {
                endpoint: Some(endpoint.into()),
                loopback,
                ..whole()
            };
            surroundings.source().is_ok()
        };
        assert!(at("https://127.0.0.1/x", false));
        for here in ["http://127.0.0.1:8000/x", "http://[::1]/x"] {
            assert!(at(here, true), "{here}");
            assert!(!at(here, false), "{here}");
        }
        for never in [
            "http://example.org/x",
            "http://localhost.example.org/x",
            "http://127.0.0.1.example.org/x",
            "http://127.0.0.1@example.org/x",
            "file:///etc/passwd",
            "ftp://127.0.0.1/x",
            "nonsense",
        ] {
            assert!(!at(never, true), "{never}");
        }
    }

    #[test]
    #[cfg(all(unix, not(target_os = "macos")))]
    fn what_is_in_no_appimage_does_not_replace_itself() {
        let surroundings = Surroundings {
            image: None,
            ..whole()
        };
        assert_eq!(surroundings.source(), Err(Off::NotAnAppImage));
    }
}
