//! What the archives hold, whoever has read them.

use std::fmt::Write as _;

/// A text of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// From which account.
    pub from: String,
    /// To which account.
    pub to: String,
    /// What it says. A message that is edited stays what it was; the edit follows.
    pub body: String,
}

/// Everybody's archive, oldest first.
#[derive(Debug, Default, Clone)]
pub struct Archives(pub Vec<Vec<Archived>>);

impl Archives {
    /// One person's archive; nothing of somebody who has none here.
    pub fn of(&self, owner: usize) -> &[Archived] {
        self.0.get(owner).map_or(&[], Vec::as_slice)
    }

    /// How often it is in one person's archive.
    pub fn count(&self, owner: usize, body: &str) -> usize {
        self.of(owner).iter().filter(|entry| entry.body == body).count()
    }

    /// Whether it is in one person's archive.
    pub fn holds(&self, owner: usize, body: &str) -> bool {
        self.count(owner, body) > 0
    }

    /// As lines, for a person. `people`: the addresses, in the order of the archives.
    pub fn dump(&self, people: &[String]) -> String {
        let mut out = String::new();
        for (owner, archive) in people.iter().zip(&self.0) {
            let _ = writeln!(out, "--- the archive of {owner} ---");
            for entry in archive {
                let _ = writeln!(out, "{} -> {}: {}", entry.from, entry.to, entry.body);
            }
        }
        out
    }
}
