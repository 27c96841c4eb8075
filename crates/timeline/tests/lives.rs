//! Random lives: whatever mixture of ways the history comes in, and wherever the process dies, each
//! conversation ends as the archive has it, every message once; nothing typed is lost or doubled.
#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use dormouse_model::{Incoming, MessageId, OriginId, Payload, StanzaId};
use proptest::prelude::*;
use std::collections::BTreeMap;
use world::{ME, Manner, World, echo, text};

#[derive(Debug, Clone)]
enum Step {
    /// Somebody writes; whether it is delivered live.
    Theirs { who: u8, live: bool },
    /// Another client of ours writes; whether a carbon comes.
    Elsewhere { to: u8, carbon: bool },
    /// The user writes here.
    Write { to: u8 },
    /// What is due goes out; whether it reaches the server, and whether the acknowledgement comes back.
    Send { arrives: bool, acked: bool },
    /// What was delivered live comes a second time.
    Again,
    /// A page is asked for and answered; or the answer is lost.
    Page { cap: u8, lost: bool },
    /// The user reads a conversation, here or on another client.
    Read { who: u8, elsewhere: bool },
    /// The user types and does not send.
    Draft { to: u8, length: u8 },
    /// Nothing came for a while.
    Quiet,
    /// The session is lost: resumed or not.
    Lost { fresh: bool },
    /// All is on disk.
    Flush,
    /// The process dies with a part of what was pending on disk.
    Crash { kept: u8 },
    /// Time passes.
    Pass { seconds: u16 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3u8, any::<bool>()).prop_map(|(who, live)| Step::Theirs { who, live }),
        3 => (0..3u8, any::<bool>()).prop_map(|(to, carbon)| Step::Elsewhere { to, carbon }),
        2 => (0..3u8).prop_map(|to| Step::Write { to }),
        4 => (any::<bool>(), any::<bool>()).prop_map(|(arrives, acked)| Step::Send { arrives, acked }),
        1 => Just(Step::Again),
        5 => (1..8u8, prop::bool::weighted(0.2)).prop_map(|(cap, lost)| Step::Page { cap, lost }),
        1 => Just(Step::Quiet),
        2 => (0..3u8, any::<bool>()).prop_map(|(who, elsewhere)| Step::Read { who, elsewhere }),
        1 => (0..3u8, 0..3u8).prop_map(|(to, length)| Step::Draft { to, length }),
        2 => any::<bool>().prop_map(|fresh| Step::Lost { fresh }),
        4 => Just(Step::Flush),
        1 => (0..6u8).prop_map(|kept| Step::Crash { kept }),
        1 => (0..2000u16).prop_map(|seconds| Step::Pass { seconds }),
    ];
    prop::collection::vec(step, 1..120)
}

const PEOPLE: [&str; 3] = ["ann@a.example", "bob@b.example", "cy@c.example"];

struct Life {
    world: World,
    count: u64,
    /// Handed over, and whether the server has it.
    held: BTreeMap<MessageId, bool>,
    last_live: Option<Incoming>,
    /// What the user typed, as far as it was promised to be kept (on disk).
    typed: BTreeMap<String, usize>,
    unflushed: Vec<(usize, String, usize)>,
}

impl Life {
    fn new(manner: Manner) -> Self {
        let mut world = World::new();
        world.manner = manner;
        world.session(true);
        let mut life = Self {
            world,
            count: 0,
            held: BTreeMap::new(),
            last_live: None,
            typed: BTreeMap::new(),
            unflushed: Vec::new(),
        };
        life.world.catch_up();
        life.flush();
        life
    }

    fn flush(&mut self) {
        self.world.flush();
        for (_, body, to) in self.unflushed.drain(..) {
            self.typed.insert(body, to);
        }
    }

    fn lose(&mut self, fresh: bool) {
        let held: Vec<MessageId> = self.held.keys().copied().collect();
        if fresh {
            self.held.clear();
            self.world.doubt(&held);
        }
        self.world.session(fresh);
        if !fresh {
            // Resumption: what did not arrive is sent again by the session itself; all is acknowledged.
            self.resend_held();
        }
    }

    fn resend_held(&mut self) {
        let held = std::mem::take(&mut self.held);
        for (id, arrived) in held {
            if !arrived && let Some(stanza) = self.world.sent(id) {
                self.world.archives(&echo(&stanza));
            }
            self.world.acknowledge(&[id]);
        }
    }

    fn send(&mut self, arrives: bool, acked: bool) {
        for (id, stanza) in self.world.due() {
            self.world.remember(id, stanza.clone());
            // The stream is ordered: what follows something lost is lost, too.
            let arrives = arrives && self.held.values().all(|arrived| *arrived);
            if arrives {
                self.world.archives(&echo(&stanza));
            }
            self.held.insert(id, arrives);
            if arrives && acked {
                let all: Vec<MessageId> = std::mem::take(&mut self.held).into_keys().collect();
                self.world.acknowledge(&all);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        self.count += 1;
        let body = format!("text {}", self.count);
        match step {
            Step::Theirs { who, live } => {
                let from = format!("{}/phone", PEOPLE[*who as usize]);
                // Ids come round again, as from clients that count.
                let id = (self.count % 4).to_string();
                let sent = self.world.archives(&text(&from, ME, &id, &body));
                if *live {
                    self.world.live(&sent);
                    self.last_live = Some(sent);
                }
            }
            Step::Elsewhere { to, carbon } => {
                let mut sent = text(&format!("{ME}/phone"), PEOPLE[*to as usize], &body, &body);
                sent.origin = Some(OriginId(body.clone()));
                let mut sent = self.world.archives(&sent);
                if *carbon {
                    // Own messages bear no archive id.
                    sent.archive = None;
                    self.world.carbon(&sent);
                }
            }
            Step::Write { to } => {
                self.world.write(PEOPLE[*to as usize], &body);
                self.unflushed
                    .push((self.world.pending.len(), body, *to as usize));
            }
            Step::Send { arrives, acked } => self.send(*arrives, *acked),
            Step::Again => {
                if let Some(mut again) = self.last_live.clone() {
                    again.stamp = Some(self.world.now.stamp);
                    self.world.live(&again);
                }
            }
            Step::Page { cap, lost } => {
                self.world.cap = *cap as usize;
                if let Some(query) = self.world.query() {
                    if *lost {
                        let id = query.id;
                        let failure = dormouse_model::ArchiveFailure::SessionLost;
                        self.world
                            .told(|t, now, draft| t.archive_failed(now, id, failure, draft));
                    } else {
                        self.world.give(&query);
                    }
                }
            }
            Step::Read {
                who,
                elsewhere: false,
            } => {
                let with = world::bare(PEOPLE[*who as usize]);
                self.world.told(|t, _, draft| t.read(&with, true, draft));
            }
            Step::Read { who, elsewhere: true } => {
                let of = StanzaId((self.count % 4).to_string());
                let marker = text(&format!("{ME}/phone"), PEOPLE[*who as usize], "m", "");
                self.world.carbon(&world::with(Payload::Displayed(of), marker));
            }
            Step::Draft { to, length } => {
                let to = world::bare(PEOPLE[*to as usize]);
                let text = "x".repeat(usize::from(*length));
                self.world.act(|t, _, draft| t.draft(&to, &text, draft));
            }
            Step::Quiet => self.world.timeline.quiet_check(),
            Step::Lost { fresh } => self.lose(*fresh),
            Step::Flush => self.flush(),
            Step::Crash { kept } => {
                let kept = (*kept as usize).min(self.world.pending.len());
                for (pending, body, to) in self.unflushed.drain(..) {
                    if pending <= kept {
                        self.typed.insert(body, to);
                    }
                }
                self.world.crash(kept);
                self.held.clear();
                self.world.session(true);
            }
            Step::Pass { seconds } => self.world.pass(u64::from(*seconds) * 1000),
        }
    }

    /// A last session, undisturbed.
    fn end(&mut self) {
        self.world.cap = 50;
        self.flush();
        self.lose(true);
        for _ in 0..4 {
            self.world.catch_up();
            self.flush();
            self.send(true, true);
        }
        self.world.timeline.quiet_check();
        self.world.catch_up();
    }

    fn archived(&self, who: &str) -> Vec<String> {
        let mut said: Vec<String> = Vec::new();
        for item in &self.world.archive {
            let message = item.message.as_ref().unwrap();
            let of = |jid: &dormouse_model::Jid| jid.to_bare().as_str() == who;
            if (of(&message.from) || of(&message.to))
                && let Payload::Text(body) = &message.payload
                // What was sent again is archived again: the first copy counts.
                && !said.contains(body)
            {
                said.push(body.clone());
            }
        }
        said
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn every_conversation_ends_as_the_archive_has_it(steps in steps(), ejabberd in any::<bool>()) {
        let mut life = Life::new(if ejabberd { Manner::Ejabberd } else { Manner::Prosody });
        for step in &steps {
            life.step(step);
            // Whoever took every change shows what a window shows that is opened now.
            let (list, messages) = life.world.snapshot();
            prop_assert_eq!(&life.world.list, &list);
            prop_assert_eq!(&life.world.shown, &messages);
        }
        life.end();
        prop_assert!(life.world.timeline.caught_up());
        for who in PEOPLE {
            prop_assert_eq!(life.world.bodies(who), life.archived(who));
        }
        for (body, to) in &life.typed {
            prop_assert!(life.archived(PEOPLE[*to]).contains(body), "{} was typed and is lost", body);
        }
        prop_assert_eq!(life.world.timeline.outbox_len(), 0);
    }
}
