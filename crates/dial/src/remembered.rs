//! Addresses that are remembered, and the look-up beside them that puts them right.

use crate::endpoint::Parts;
use crate::names;
use crate::settings::Settings;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A look-up that runs beside a dial; dropped, its answer is of no interest any more.
pub(crate) struct LookUp {
    answer: Arc<OnceLock<Vec<SocketAddr>>>,
    task: JoinHandle<()>,
}

impl LookUp {
    pub(crate) fn start(settings: &Arc<Settings>, parts: &Parts) -> Self {
        let answer = Arc::new(OnceLock::new());
        let (settings, host, port, found) = (
            Arc::clone(settings),
            parts.host.clone(),
            parts.port,
            Arc::clone(&answer),
        );
        let task = tokio::spawn(async move {
            // That it fails says nothing against what is remembered.
            if let Ok(Ok(addresses)) =
                timeout(settings.deadlines.names, names::resolve(&settings, &host, port)).await
            {
                let _ = found.set(addresses);
            }
        });
        Self { answer, task }
    }

    /// What it finds; nothing if it fails.
    pub(crate) async fn addresses(&mut self) -> Vec<SocketAddr> {
        let _ = (&mut self.task).await;
        self.so_far().to_vec()
    }

    /// What it has found by now.
    pub(crate) fn so_far(&self) -> &[SocketAddr] {
        self.answer.get().map_or(&[], Vec::as_slice)
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The addresses that a dial has tried, and the look-up beside it.
pub(crate) struct Tried {
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) beside: Option<LookUp>,
}

impl Tried {
    /// What to remember, now that this one has answered.
    pub(crate) fn to_remember(&self, answered: IpAddr) -> Vec<IpAddr> {
        let found = self.beside.as_ref().map_or(&[][..], LookUp::so_far);
        to_remember(answered, &self.addresses, found)
    }
}

/// What to remember of addresses tried and addresses found: those found, if any were; the one that answered first. One
/// that answered and is not among those found any more is on its way out.
fn to_remember(answered: IpAddr, tried: &[SocketAddr], found: &[SocketAddr]) -> Vec<IpAddr> {
    let newest = if found.is_empty() { tried } else { found };
    let mut addresses: Vec<IpAddr> = newest.iter().map(SocketAddr::ip).collect();
    // Stable: the others stay in their order.
    addresses.sort_by_key(|address| *address != answered);
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_replaces_what_was_remembered_and_the_one_that_answered_comes_first() {
        let all = |texts: &[&str]| -> Vec<SocketAddr> {
            texts
                .iter()
                .map(|ip| SocketAddr::new(ip.parse().unwrap(), 443))
                .collect()
        };
        let remember = |answered: &str, tried: &[&str], found: &[&str]| {
            let kept = to_remember(answered.parse().unwrap(), &all(tried), &all(found));
            kept.iter().map(IpAddr::to_string).collect::<Vec<_>>()
        };
        assert_eq!(remember("::2", &["::1", "::2"], &[]), ["::2", "::1"]);
        assert_eq!(
            remember("::2", &["::2"], &["::1", "::2", "::3"]),
            ["::2", "::1", "::3"]
        );
        assert_eq!(remember("::2", &["::2"], &["::1", "::3"]), ["::1", "::3"]);
    }
}
