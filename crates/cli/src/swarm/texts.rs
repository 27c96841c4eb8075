//! What was written, and what arrived: by what it says, not by any id. Each text bears the run's name and a number.

use anyhow::{Context, Result};
use dormouse_engine::model::{Content, Delivery, Message, MessageId, Side};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The texts of a run.
#[derive(Debug)]
pub struct Texts {
    /// Tells this run's texts from those of others, which may still be in the archives.
    run: String,
    texts: Vec<Text>,
    /// Which text a message of a session's timeline is.
    messages: BTreeMap<(u32, MessageId), usize>,
    /// Somebody else than the addressee got one.
    astray: u64,
}

#[derive(Debug)]
struct Text {
    from: u32,
    to: u32,
    /// The server has it.
    sent: bool,
    failed: bool,
    /// As what it stands in the addressee's timeline. More than one: doubled.
    arrived: BTreeSet<MessageId>,
}

/// What became of all texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Fate {
    /// How many were written.
    pub written: u64,
    /// How many the server has confirmed.
    pub sent: u64,
    /// How many are in their addressee's timeline.
    pub arrived: u64,
    /// How many still wait to be sent.
    pub waiting: u64,
    /// How many came back.
    pub failed: u64,
    /// How many the server confirmed and their addressee has not got yet.
    pub under_way: u64,
    /// How many the server confirmed and their addressee, who is connected at the end, has not got.
    pub lost: u64,
    /// How many stand more than once in a timeline.
    pub doubled: u64,
    /// How many somebody got who was not meant.
    pub astray: u64,
}

impl Texts {
    /// None yet.
    pub fn new() -> Result<Self> {
        let mut chance = [0; 6];
        getrandom::fill(&mut chance).context("The system gives no random numbers")?;
        let run = chance.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self::of(run))
    }

    fn of(run: String) -> Self {
        Self {
            run,
            texts: Vec::new(),
            messages: BTreeMap::new(),
            astray: 0,
        }
    }

    /// One more; what it says.
    pub fn write(&mut self, from: u32, to: u32) -> String {
        self.texts.push(Text {
            from,
            to,
            sent: false,
            failed: false,
            arrived: BTreeSet::new(),
        });
        self.body(self.texts.len() - 1)
    }

    fn body(&self, number: usize) -> String {
        format!("Dormouse swarm {} text {number}", self.run)
    }

    /// Which of this run's texts says this.
    fn number(&self, body: &str) -> Option<usize> {
        let number = body.rsplit(' ').next()?.parse().ok()?;
        (number < self.texts.len() && self.body(number) == body).then_some(number)
    }

    /// A message stands in a session's timeline, or looks different now.
    pub fn told(&mut self, session: u32, message: &Message) {
        let Content::Text(body) = &message.content else {
            return;
        };
        let Some(number) = self.number(body) else { return };
        let Some(text) = self.texts.get_mut(number) else {
            return;
        };
        match &message.side {
            Side::Own(delivery) if session == text.from => {
                text.sent |= matches!(delivery, Delivery::Sent | Delivery::Delivered | Delivery::Read);
                text.failed = matches!(delivery, Delivery::Failed(_));
            }
            Side::Theirs if session == text.to => {
                text.arrived.insert(message.id);
                self.messages.insert((session, message.id), number);
            }
            Side::Own(_) | Side::Theirs => self.astray += 1,
        }
    }

    /// A message no longer stands there: it was recognised as another one.
    pub fn removed(&mut self, session: u32, id: MessageId) {
        if let Some(number) = self.messages.remove(&(session, id))
            && let Some(text) = self.texts.get_mut(number)
        {
            text.arrived.remove(&id);
        }
    }

    /// Whether nothing is on its way any more.
    pub fn is_settled(&self) -> bool {
        self.texts
            .iter()
            .all(|text| text.failed || (text.sent && !text.arrived.is_empty()))
    }

    /// What has become of all of them so far; at the end, when it is known who is `connected` and has read all there was,
    /// what is lost.
    pub fn fate(&self, connected: Option<&[bool]>) -> Fate {
        let count = |which: fn(&Text) -> bool| self.texts.iter().filter(|text| which(text)).count() as u64;
        let missing = |text: &&Text| text.sent && !text.failed && text.arrived.is_empty();
        let there = |text: &&Text| {
            connected.is_some_and(|all| all.get(text.to as usize).copied().unwrap_or_default())
        };
        let lost = self.texts.iter().filter(missing).filter(there).count() as u64;
        Fate {
            written: self.texts.len() as u64,
            sent: count(|text| text.sent),
            arrived: count(|text| !text.arrived.is_empty()),
            waiting: count(|text| !text.sent && !text.failed),
            failed: count(|text| text.failed),
            under_way: self.texts.iter().filter(missing).count() as u64 - lost,
            lost,
            doubled: count(|text| text.arrived.len() > 1),
            astray: self.astray,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_engine::model::{Jid, Names, Place, Stamp};

    fn message(id: u64, body: &str, side: Side) -> Message {
        let from = Jid::new("user1@home.example").unwrap();
        Message {
            id: MessageId(id),
            conversation: from.to_bare(),
            place: Place(id.into()),
            sender: from,
            side,
            stamp: Stamp(0),
            content: Content::Text(body.to_owned()),
            names: Names::default(),
            edited: None,
        }
    }

    #[test]
    fn a_text_that_the_server_confirmed_and_nobody_got_is_lost_and_one_that_came_twice_is_doubled() {
        let mut texts = Texts::of("r".into());
        let bodies: Vec<String> = (0..4).map(|_| texts.write(1, 2)).collect();
        for (id, body) in (1..).zip(&bodies[..3]) {
            texts.told(1, &message(id, body, Side::Own(Delivery::Sent)));
        }
        assert!(!texts.is_settled());
        texts.told(2, &message(1, &bodies[0], Side::Theirs));
        for id in [2, 3, 3] {
            texts.told(2, &message(id, &bodies[1], Side::Theirs));
        }
        let fate = texts.fate(Some(&[true; 3]));
        let expected = Fate {
            written: 4,
            sent: 3,
            arrived: 2,
            waiting: 1,
            lost: 1,
            doubled: 1,
            ..Fate::default()
        };
        assert_eq!(fate, expected);
        texts.removed(2, MessageId(3));
        assert_eq!(
            texts.fate(None).doubled,
            0,
            "two records that turned out to be one message"
        );
    }

    #[test]
    fn texts_of_another_run_are_not_counted_and_whoever_was_not_meant_is() {
        let mut texts = Texts::of("this".into());
        let body = texts.write(1, 2);
        texts.told(2, &message(1, &body.replace("this", "that"), Side::Theirs));
        texts.told(2, &message(2, "Dormouse swarm this text 7", Side::Theirs));
        assert_eq!(texts.fate(None).arrived, 0);
        texts.told(3, &message(1, &body, Side::Theirs));
        assert_eq!((texts.fate(None).arrived, texts.fate(None).astray), (0, 1));
    }
}
