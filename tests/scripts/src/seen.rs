//! What could be seen of the way back and of the server, in words that do not depend on how long anything took.
//!
//! It is what the model server and the real ones are compared by: nothing may be seen of a real server that
//! the model never shows.

use crate::script::{Device, Script};
use crate::stage::{Told, What};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Over which session a device came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Over the connection that it had.
    Kept,
    /// Over a new connection, with the session that it had.
    Resumed,
    /// With a new session, at least once.
    Fresh,
}

/// Something that a device's window tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// The server has resumed the session.
    Resumed,
    /// The server has given a new one.
    Fresh,
    /// The server has said that it ends.
    Farewell,
    /// The server has said that somebody else has taken the session's place.
    Taken,
    /// Messages were read back from the archive.
    ReadBack,
    /// A message came back.
    Returned,
    /// A message is known to have reached its addressee's device.
    Delivered,
    /// In the end one is known to have reached the server, and no more.
    SentOnly,
}

/// What was seen in a play.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// By device.
    pub devices: BTreeMap<Device, BTreeSet<Sight>>,
    /// A text stands in an archive more than once.
    pub archived_twice: bool,
}

impl Seen {
    /// A window has told something.
    pub fn told(&mut self, device: Device, told: &Told) {
        let sight = match &told.what {
            What::State { reason, .. } => by_reason(reason),
            What::CaughtUp { stored } => (*stored > 0).then_some(Sight::ReadBack),
            What::Message { state, own: true, .. } => match state.as_str() {
                "failed" => Some(Sight::Returned),
                "delivered" => Some(Sight::Delivered),
                _ => None,
            },
            What::Message { .. } | What::Kept | What::Wrong(_) => None,
        };
        self.devices.entry(device).or_default().extend(sight);
    }

    /// Over which session a device came back.
    pub fn way(&self, device: Device) -> Way {
        let has = |sight| {
            self.devices
                .get(&device)
                .is_some_and(|seen| seen.contains(&sight))
        };
        match (has(Sight::Fresh), has(Sight::Resumed)) {
            (true, _) => Way::Fresh,
            (_, true) => Way::Resumed,
            _ => Way::Kept,
        }
    }

    /// What was seen here and is never among these, and what is always among these and was not seen here, in
    /// sentences. How things fall together hangs on how long they take, and is not compared.
    pub fn against_others(&self, others: &BTreeSet<Seen>) -> Vec<String> {
        let mut sentences = Vec::new();
        for (device, here) in &self.devices {
            let each: Vec<BTreeSet<Sight>> = others
                .iter()
                .map(|other| other.devices.get(device).cloned().unwrap_or_default())
                .collect();
            let ever: BTreeSet<Sight> = each.iter().flatten().copied().collect();
            let always = each.into_iter().reduce(|one, other| &one & &other);
            let always = always.unwrap_or_default();
            let never = here.difference(&ever).map(|sight| (sight, "never"));
            let missing = always.difference(here).map(|sight| (sight, "always"));
            sentences.extend(
                never
                    .chain(missing)
                    .map(|(sight, how)| format!("{device}: “{sight}” is {how} seen of the others.")),
            );
        }
        if self.archived_twice && !others.iter().any(|other| other.archived_twice) {
            sentences.push("None of the others archives anything twice.".to_owned());
        }
        sentences
    }

    /// What a script does not allow.
    pub fn against(&self, script: &Script) -> Vec<String> {
        let mut findings: Vec<String> = script
            .back
            .iter()
            .filter(|(device, ways)| !ways.contains(&self.way(*device)))
            .map(|(device, ways)| {
                format!(
                    "The {device} came back by {:?}, not by {ways:?}.",
                    self.way(*device)
                )
            })
            .collect();
        if self.archived_twice {
            findings.push("A text was sent twice: it stands in an archive twice.".to_owned());
        }
        findings
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self
            .devices
            .iter()
            .map(|(device, seen)| {
                let sights: Vec<String> = seen.iter().map(|sight| sight.to_string()).collect();
                format!("{device}: {}", sights.join(", "))
            })
            .collect();
        if self.archived_twice {
            parts.push("archived twice".to_owned());
        }
        f.write_str(&parts.join("; "))
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sight::Resumed => "resumed",
            Sight::Fresh => "new session",
            Sight::Farewell => "farewell",
            Sight::Taken => "conflict",
            Sight::ReadBack => "archive read",
            Sight::Returned => "returned",
            Sight::Delivered => "delivered",
            Sight::SentOnly => "sent, no more",
        })
    }
}

/// By the sentence that a window shows (`dormouse_model::Cause`).
fn by_reason(reason: &str) -> Option<Sight> {
    const SENTENCES: [(&str, Sight); 4] = [
        ("The earlier session was resumed.", Sight::Resumed),
        ("Signed in with a new session.", Sight::Fresh),
        ("The server is restarting.", Sight::Farewell),
        (
            "Another client of this account took over the session.",
            Sight::Taken,
        ),
    ];
    SENTENCES
        .into_iter()
        .find(|(sentence, _)| *sentence == reason)
        .map(|(_, sight)| sight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Device::Laptop;

    fn seen(sights: &[Sight]) -> Seen {
        let sights = sights.iter().copied().collect();
        Seen {
            devices: [(Laptop, sights)].into(),
            archived_twice: false,
        }
    }

    #[test]
    fn what_the_others_never_show_and_what_they_always_show_and_is_missing_here_is_a_difference() {
        let others = [seen(&[Sight::Fresh, Sight::Delivered]), seen(&[Sight::Fresh])].into();
        let said = |sights: &[Sight]| seen(sights).against_others(&others).join(" ");
        assert_eq!(said(&[Sight::Fresh]), "");
        assert_eq!(said(&[Sight::Fresh, Sight::Delivered]), "");
        assert!(said(&[Sight::Fresh, Sight::ReadBack]).contains("“archive read” is never seen"));
        assert!(said(&[Sight::Delivered]).contains("“new session” is always seen"));
        let twice = Seen {
            archived_twice: true,
            ..seen(&[Sight::Fresh])
        };
        assert_eq!(twice.against_others(&others).len(), 1);
    }

    #[test]
    fn a_new_session_is_a_new_one_even_if_it_was_resumed_later() {
        assert_eq!(seen(&[Sight::Resumed, Sight::Fresh]).way(Laptop), Way::Fresh);
        assert_eq!(seen(&[Sight::Resumed]).way(Laptop), Way::Resumed);
        assert_eq!(seen(&[Sight::Delivered]).way(Laptop), Way::Kept);
    }
}
