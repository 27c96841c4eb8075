//! What somebody typed, and what became of it by its author's own hand.

use super::Checker;
use dormouse_model::{BatchId, MessageId, Random};

/// By which client something is done, in which life of its process, and with which batch it reaches the disk.
#[derive(Debug, Clone, Copy)]
pub struct Hand {
    /// The client; one that is not ours has the highest number.
    pub client: usize,
    /// The life.
    pub life: u64,
    /// The batch.
    pub batch: BatchId,
}

impl Hand {
    /// Somebody else's, whose disk is none of our business.
    pub const FOREIGN: Hand = Hand {
        client: usize::MAX,
        life: 0,
        batch: BatchId(0),
    };

    fn makes(self, says: Says) -> Version {
        Version {
            says,
            life: self.life,
            batch: self.batch,
            lost: false,
        }
    }
}

/// A message that somebody typed, with what became of it by its author's own hand.
#[derive(Debug, Clone)]
pub struct Typed {
    pub(super) client: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) versions: Vec<Version>,
}

/// What a message was to say from some moment on.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) says: Says,
    life: u64,
    batch: BatchId,
    /// The process was killed before it was on disk: it was never shown as anything but waiting.
    lost: bool,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Says {
    Text(String),
    /// Its author has withdrawn it.
    Withdrawn,
    /// Its author has thrown it away before anybody had it, or after it came back.
    Nothing,
}

impl Typed {
    /// What it says in the end.
    pub(super) fn says(&self) -> &Says {
        let last = self.versions.iter().rev().find(|version| !version.lost);
        last.map_or(&Says::Nothing, |version| &version.says)
    }

    /// Whether it ever was this.
    pub(super) fn was(&self, says: &Says) -> bool {
        self.versions.iter().any(|version| version.says == *says)
    }

    /// Whether it ever said this.
    pub(super) fn said(&self, text: &str) -> bool {
        self.versions
            .iter()
            .any(|version| matches!(&version.says, Says::Text(said) if said == text))
    }
}

impl Checker {
    /// Somebody typed something.
    pub fn typed_by(&mut self, who: Hand, from: usize, to: usize, text: String, id: Option<MessageId>) {
        if let Some(id) = id {
            self.ids.insert((who.client, id), self.typed.len());
        }
        self.typed.push(Typed {
            client: who.client,
            from,
            to,
            versions: vec![who.makes(Says::Text(text))],
        });
    }

    /// An author replaces what a message says, or withdraws it (no text).
    pub fn amended_by(&mut self, who: Hand, id: MessageId, text: Option<String>) {
        let says = text.map_or(Says::Withdrawn, Says::Text);
        if let Some(typed) = self
            .ids
            .get(&(who.client, id))
            .and_then(|at| self.typed.get_mut(*at))
        {
            typed.versions.push(who.makes(says));
        }
    }

    /// An author changes on any client what a message says that said this before.
    pub fn amended_anywhere(&mut self, who: Hand, from: usize, before: &str, text: Option<String>) {
        let says = text.map_or(Says::Withdrawn, Says::Text);
        let mut own = self.typed.iter_mut().filter(|typed| typed.from == from);
        if let Some(typed) = own.find(|typed| typed.said(before)) {
            typed.versions.push(who.makes(says));
        }
    }

    /// The wish to change it was dropped: the disk could not be read.
    pub fn not_amended(&mut self, who: Hand, id: MessageId) {
        if let Some(typed) = self
            .ids
            .get(&(who.client, id))
            .and_then(|at| self.typed.get_mut(*at))
        {
            typed.versions.pop();
        }
    }

    /// An author has thrown a message away.
    pub fn thrown_away_by(&mut self, who: Hand, id: MessageId) {
        if let Some(typed) = self
            .ids
            .get(&(who.client, id))
            .and_then(|at| self.typed.get_mut(*at))
        {
            typed.versions.push(who.makes(Says::Nothing));
        }
    }

    /// A message that this client has typed and can still change: which, by chance.
    pub fn one_of(&self, client: usize, random: &mut Random) -> Option<MessageId> {
        let own: Vec<MessageId> = self
            .ids
            .range((client, MessageId(0))..=(client, MessageId(u64::MAX)))
            .map(|((_, id), _)| *id)
            .collect();
        let recent = own.len().saturating_sub(4);
        let number = random.below((own.len() - recent) as u64 + u64::from(own.is_empty()));
        own.get(recent + usize::try_from(number).unwrap_or(0)).copied()
    }

    /// Everything typed.
    pub fn typed(&self) -> &[Typed] {
        &self.typed
    }

    /// Somebody has read a conversation.
    pub fn read_by(&mut self, account: usize, with: usize) {
        self.read.insert((account, with));
    }

    /// A process was killed; what was not on disk need not come back.
    pub fn killed(&mut self, client: usize, life: u64, durable: Option<BatchId>) {
        for version in self
            .typed
            .iter_mut()
            .filter(|typed| typed.client == client)
            .flat_map(|typed| &mut typed.versions)
        {
            version.lost |= version.life == life && durable.is_none_or(|durable| version.batch > durable);
        }
        // A number that was never on disk is given to another message.
        let typed = &self.typed;
        self.ids
            .retain(|(of, _), at| *of != client || typed.get(*at).is_some_and(|it| !it.versions[0].lost));
    }
}
