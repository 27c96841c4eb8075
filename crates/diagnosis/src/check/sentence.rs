//! What a step found, in English: what happened and, where there is something to do, what to do.

use super::show::family;
use super::{Said, Show};
use dormouse_model::Continuation;
use std::time::Duration;

impl Said {
    /// In a sentence or two, with no more in it than may be shown.
    pub fn sentence(&self, show: Show) -> String {
        match self {
            Said::Addresses { host, addresses } => {
                let shown: Vec<String> = addresses.iter().map(|it| show.address(*it)).collect();
                format!("{} leads to {}.", show.host(host), shown.join(", "))
            }
            Said::IsAddress(address) => {
                format!("The endpoint is given by its address, {}: no name is looked up.", show.address(*address))
            }
            Said::NoNames => "No name can be looked up: most often there is no network. Check that this computer is online.".into(),
            Said::LeftToProxy => "The proxy looks names up: none is looked up here.".into(),
            Said::Given(endpoint) => format!("The endpoint was given: {}.", show.endpoint(endpoint)),
            Said::Named { endpoint, before: None } => {
                format!("The domain names its endpoint: {}.", show.endpoint(endpoint))
            }
            Said::Named {
                endpoint,
                before: Some(before),
            } => format!(
                "The domain names its endpoint: {}. Until now it was {}; Dormouse changes over by itself.",
                show.endpoint(endpoint),
                show.endpoint(before)
            ),
            Said::OnlyRemembered { endpoint, cause } => format!(
                "The domain does not tell its endpoint. ({}) What worked before is tried: {}. Tell the server's operator.",
                show.cause(cause),
                show.endpoint(endpoint)
            ),
            Said::Reached(peer) => {
                format!("Answered by {} ({}), port {}.", show.address(peer.ip()), family(peer.ip()), peer.port())
            }
            Said::Refused(endpoint) => format!(
                "Nobody listens at {}: the server is not running, or a firewall stands in front of it. Try again later, or ask its operator.",
                show.endpoint(endpoint)
            ),
            Said::EndpointNotFound { endpoint, given: true } => format!(
                "There is no such name as in {}. Check the endpoint that was given.",
                show.endpoint(endpoint)
            ),
            Said::EndpointNotFound {
                endpoint,
                given: false,
            } => format!(
                "The domain names {}, and no such name can be found. Tell the server's operator.",
                show.endpoint(endpoint)
            ),
            Said::NoProxy => "No proxy in between.".into(),
            Said::Through(proxy) => format!("{} opened the way to the server.", show.proxy(proxy)),
            Said::Secured { version, issuer } => {
                let by = issuer.as_deref().and_then(|issuer| show.words(issuer));
                let by = by.map(|by| format!(" and was issued by “{by}”")).unwrap_or_default();
                format!("{version}; the certificate is one that this computer trusts{by}.")
            }
            Said::Plain => "Not encrypted: it does not leave this computer.".into(),
            Said::Upgraded => "HTTP 101, with the subprotocol xmpp.".into(),
            Said::SignedIn {
                mechanism,
                round_trips,
            } => format!("Signed in with {mechanism}, {}.", flights(*round_trips)),
            Said::Resumed { round_trips } => format!(
                "The connection was broken off without a farewell, and its session taken up again, {}.",
                flights(*round_trips)
            ),
            Said::NotResumable => {
                "The server does not hold sessions of broken connections (XEP-0198). Dormouse reads its archive instead, which takes longer; ask its operator for it.".into()
            }
            Said::SessionGone => {
                "The server did not hold the session of the broken connection, although it had said so. Dormouse reads its archive instead; tell its operator.".into()
            }
            Said::Archive { empty: false } => "The archive gave its newest entry.".into(),
            Said::Archive { empty: true } => "There is an archive, and nothing in it yet.".into(),
            Said::NoArchive => {
                "The server keeps no archive (XEP-0313): what arrives while Dormouse is not running may be lost. Ask its operator for one.".into()
            }
            Said::ArchiveRefused(condition) => format!(
                "The archive gave nothing ({}). Tell the server's operator.",
                show.condition(condition)
            ),
            Said::RoundTrips {
                count,
                median,
                worst,
            } => format!("{} usually, {} at worst, of {count}.", length(*median), length(*worst)),
            Said::Held { seconds, broken: None } => {
                format!("After {seconds} s of silence the connection still answers.")
            }
            Said::Held {
                seconds,
                broken: Some(longest),
            } => format!(
                "After {seconds} s the connection still answers. But the server spoke by itself: it was never silent for more than {longest} s."
            ),
            Said::IdleTimeout { seconds, code } => format!(
                "The connection was ended after {seconds} s of silence (code {code}): probably the idle timeout of a proxy or router. Dormouse learns to ask before that; whoever runs the proxy can allow longer silence."
            ),
            Said::Forgotten { seconds } => format!(
                "After {seconds} s of silence the connection looked open and carried nothing any more: probably a router or firewall has forgotten it. Dormouse learns to ask more often; whoever runs it can allow longer silence."
            ),
            Said::Recovered {
                slept,
                took_ms,
                by,
                messages,
            } => format!(
                "Cut off for {slept} s; back after {} {}{}.",
                length(Duration::from_millis(*took_ms)),
                match by {
                    Continuation::OldConnection => "on the old connection",
                    Continuation::Resumed => "on a new connection with the earlier session",
                    Continuation::FreshSession => "with a new session",
                },
                match messages {
                    0 => String::new(),
                    1 => ", with 1 message of others".into(),
                    many => format!(", with {many} messages of others"),
                }
            ),
            Said::NotLive(cause) => format!(
                "There is no working connection that could be cut off. {}",
                show.cause(cause)
            ),
            Said::NotBack { seconds, cause } => format!(
                "The connection was not back {seconds} s after the simulated sleep. {}",
                show.cause(cause)
            ),
            Said::NotRun(why) => show.words(why).unwrap_or("The account can't be run here.").to_owned(),
            Said::Trouble(cause) => show.cause(cause),
        }
    }
}

fn flights(round_trips: u32) -> String {
    match round_trips {
        0 | 1 => "in one flight".into(),
        many => format!("step by step in {many} round trips"),
    }
}

/// A length of time as it is best read.
pub(crate) fn length(length: Duration) -> String {
    let millis = length.as_millis();
    match millis {
        0 => "<1 ms".into(),
        1..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", length.as_secs_f64()),
    }
}
