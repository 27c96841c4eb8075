//! Plays a script on a stage: greetings, one step after the other, calm, and the verdict.

use crate::script::{Device, End, Flow, GONE, Network, Person, Power, Script, Step};
use crate::seen::{Seen, Sight};
use crate::stage::{Deed, Stage, Told, What};
use crate::typed::{Text, Typed};
use crate::verdict::{Case, Verdict, Window};
use crate::{Failed, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often it is looked at what windows have told.
const LOOK: Duration = Duration::from_millis(50);
/// A step that waits comes about within this: a silence is noticed, a wait ends, a server is slow.
const PATIENCE: Duration = Duration::from_secs(120);
/// When everything is calm, all is settled within this, the query of a quiet moment included.
const SETTLED: Duration = Duration::from_secs(120);
/// How often it is looked, then, at what windows show; a second copy may still come as long after the last.
const SECOND_COPIES: Duration = Duration::from_secs(3);
/// In the order in which everything is numbered.
const ALL: [Person; 4] = [Person::Alice, Person::Bob, Person::Carol, Person::Nobody];

/// What came of a play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// What was found at the end, and along the way.
    pub verdict: Verdict,
    /// What could be seen.
    pub seen: Seen,
    /// How long it took.
    pub took: Duration,
}

/// Plays it.
///
/// # Errors
/// When a step does not come about.
pub fn play(script: &Script, stage: &mut impl Stage) -> Result<Played> {
    Director::new(script, stage).play()
}

struct Director<'a, S> {
    script: &'a Script,
    stage: &'a mut S,
    people: Vec<Person>,
    typed: Typed,
    numbers: BTreeMap<Device, usize>,
    states: BTreeMap<Device, String>,
    /// What each window has told of own and others' messages: the words, and the state.
    shown: BTreeMap<Device, BTreeMap<String, String>>,
    caught_up: BTreeSet<Device>,
    asleep: BTreeMap<Device, (Flow, Duration)>,
    is_down: bool,
    /// So many of the texts were greetings: what becomes of those later is not looked at.
    greeted: usize,
    seen: Seen,
    wrong: Vec<String>,
}

impl<'a, S: Stage> Director<'a, S> {
    fn new(script: &'a Script, stage: &'a mut S) -> Self {
        Self {
            people: script.people(),
            script,
            stage,
            typed: Typed::default(),
            numbers: BTreeMap::new(),
            states: BTreeMap::new(),
            shown: BTreeMap::new(),
            caught_up: BTreeSet::new(),
            asleep: BTreeMap::new(),
            is_down: false,
            greeted: 0,
            seen: Seen::default(),
            wrong: Vec::new(),
        }
    }

    fn play(mut self) -> Result<Played> {
        self.greetings()?;
        self.seen = Seen::default();
        self.greeted = self.typed.texts().len();
        for step in &self.script.steps {
            self.step(*step)
                .map_err(|why| Failed(format!("{}: {step:?}: {why}", self.script.name)))?;
        }
        self.calm()
            .map_err(|why| Failed(format!("{}: in the end: {why}", self.script.name)))?;
        let mut verdict = self.verdict()?;
        self.last_states();
        verdict.findings.extend(self.seen.against(self.script));
        verdict.findings.append(&mut self.wrong);
        Ok(Played {
            verdict,
            seen: self.seen,
            took: self.stage.now(),
        })
    }

    /// Everybody is live, and says hello on every device to everybody else.
    fn greetings(&mut self) -> Result<()> {
        for device in self.script.cast {
            self.until("everybody is live", |it| it.is_live(*device))?;
        }
        for device in self.script.cast {
            let others = self.people.clone();
            for to in others.into_iter().filter(|person| *person != device.owner()) {
                self.say(*device, to, format!("hello {to}, from the {device}"))?;
            }
        }
        for device in self.script.cast {
            self.until("all greetings are sent", |it| it.has_sent(*device))?;
            self.until("all greetings are shown", |it| it.shows_all(*device))?;
            self.until("all contacts have confirmed them", |it| it.is_confirmed(*device))?;
        }
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<()> {
        match step {
            Step::Types(device, to, texts) => {
                for _ in 0..texts {
                    let number = self.numbers.entry(device).or_default();
                    *number += 1;
                    let body = format!("{device} {number}");
                    self.say(device, to, body)?;
                }
                Ok(())
            }
            Step::Edits(device, text, now) => {
                let (with, before) = self.as_it_stands(device, text)?;
                self.typed.edited(text, now);
                self.stage
                    .perform(&Deed::Edit(device, with, before, now.to_owned()))?;
                self.until("the edit is shown", |it| it.shows(device, now))
            }
            Step::Withdraws(device, text) => {
                let (with, before) = self.as_it_stands(device, text)?;
                self.typed.withdrawn(text);
                self.stage.perform(&Deed::Withdraw(device, with, before))
            }
            Step::Network(device, network) => self.stage.perform(&Deed::Network(device, network)),
            Step::Sleeps(device, flow) => {
                self.stage.perform(&Deed::Sleep(device, flow))?;
                self.asleep.insert(device, (flow, self.stage.now()));
                Ok(())
            }
            Step::Wakes(device) => self.wake(device),
            Step::Ends(device, end) => self.end(device, end),
            Step::Starts(device) => self.start(device),
            Step::Forgotten(device) => {
                self.stage.perform(&Deed::Noticed(device))?;
                self.pass(self.stage.hold() + GONE)
            }
            Step::Server(power) => {
                self.is_down = power != Power::Starts;
                self.stage.perform(&Deed::Server(power))
            }
            Step::Keeps(device) => self.until("everything typed is on disk", |it| it.has_kept(device)),
            Step::Sent(device) => self.until("everything typed is sent", |it| it.has_sent(device)),
            Step::Confirmed(device) => {
                self.until("everything typed is confirmed", |it| it.is_confirmed(device))
            }
            Step::Shows(device) => self.until("everything is shown", |it| it.shows_all(device)),
            Step::ShowsText(device, text) => self.until("the text is shown", |it| it.shows(device, text)),
            Step::Failed(device) => {
                self.until("what was typed to nobody has failed", |it| it.has_failed(device))
            }
            Step::Live(device) => self.until("it is live", |it| it.is_live(device)),
            Step::CatchesUp(device) => {
                self.caught_up.remove(&device);
                self.until("it catches up", |it| it.caught_up.contains(&device))
            }
        }
    }

    fn say(&mut self, device: Device, to: Person, body: String) -> Result<()> {
        self.typed.text(
            device as usize,
            device.owner() as usize,
            to as usize,
            &body,
            self.stage.now(),
        );
        self.stage.perform(&Deed::Type(device, to, body))
    }

    /// With whom a text is, and what it says at present on this device.
    fn as_it_stands(&mut self, device: Device, text: &str) -> Result<(Person, String)> {
        let of = |why: &str| Failed(format!("“{text}” {why}"));
        let typed = self.typed.find(text).ok_or_else(|| of("was not typed"))?;
        let with = ALL
            .into_iter()
            .find(|person| *person as usize == typed.to)
            .ok_or_else(|| of("is to nobody known"))?;
        let versions = typed.versions.clone();
        let window = self.stage.window(device, with)?;
        let now = window
            .into_iter()
            .find(|message| versions.contains(&message.body));
        let now = now.ok_or_else(|| of(&format!("is not shown on the {device}")))?;
        Ok((with, now.body))
    }

    fn wake(&mut self, device: Device) -> Result<()> {
        let Some((flow, since)) = self.asleep.remove(&device) else {
            return Ok(());
        };
        let least = match flow {
            Flow::Gone => self.stage.hold() + GONE,
            Flow::Alive | Flow::Dead | Flow::Mute => GONE,
        };
        let slept = self.stage.now().saturating_sub(since);
        self.pass(least.saturating_sub(slept))?;
        self.stage.perform(&Deed::Wake(device, flow))
    }

    fn end(&mut self, device: Device, end: End) -> Result<()> {
        self.pass(Duration::ZERO)?;
        self.typed.ends(device as usize, end == End::Quit);
        self.states.remove(&device);
        self.stage.perform(&Deed::End(device, end))
    }

    /// A program starts. What its cache holds it does not tell of: an earlier life may have ended before anybody listened.
    fn start(&mut self, device: Device) -> Result<()> {
        self.stage.perform(&Deed::Start(device))?;
        let now = self.stage.now();
        for with in ALL.into_iter().filter(|person| *person != device.owner()) {
            for message in self.stage.window(device, with)? {
                let state = message.state.unwrap_or_default();
                if message.own {
                    self.typed.told(device as usize, &message.body, &state, now);
                }
                self.shown.entry(device).or_default().insert(message.body, state);
            }
        }
        Ok(())
    }

    /// Everything is whole and runs, and everybody is live.
    fn calm(&mut self) -> Result<()> {
        if self.is_down {
            self.stage.perform(&Deed::Server(Power::Starts))?;
        }
        for device in self.script.cast {
            self.wake(*device)?;
            self.stage.perform(&Deed::Network(*device, Network::Whole))?;
            self.start(*device)?;
        }
        for device in self.script.cast {
            self.until("everybody is live", |it| it.is_live(*device))?;
        }
        self.typed.nothing_ends();
        Ok(())
    }

    /// What is found once everything has arrived, and a moment later.
    fn verdict(&mut self) -> Result<Verdict> {
        let end = self.stage.now() + SETTLED;
        let mut was_well = false;
        loop {
            self.pass(SECOND_COPIES)?;
            let verdict = self.look()?;
            let is_well = verdict.findings.is_empty();
            if (is_well && was_well) || self.stage.now() > end {
                return Ok(verdict);
            }
            was_well = is_well;
        }
    }

    fn look(&mut self) -> Result<Verdict> {
        let archives = self.stage.archives()?;
        let mut windows = Vec::new();
        for device in self.script.cast {
            let others = ALL.into_iter().filter(|person| {
                *person != device.owner() && (self.people.contains(person) || *person == Person::Nobody)
            });
            for with in others {
                windows.push(Window {
                    device: *device as usize,
                    person: device.owner() as usize,
                    with: with as usize,
                    shown: self.stage.window(*device, with)?,
                });
            }
        }
        let twice = |body: &str| {
            ALL.into_iter()
                .any(|owner| archives.count(owner as usize, body) > 1)
        };
        self.seen.archived_twice = self.typed.texts().iter().any(|text| twice(text.body()));
        let people = ALL.map(|person| self.stage.address(person));
        let case = Case {
            people: &people,
            typed: &self.typed,
            archives: &archives,
            losses: &self.stage.losses(),
        };
        Ok(case.judge(windows))
    }

    /// Of what was sent since the first step, whether anything has reached the server and no more.
    fn last_states(&mut self) {
        for device in self.script.cast {
            let told = self.shown.get(device);
            let is_sent = |body: &str| {
                told.and_then(|told| told.get(body))
                    .is_some_and(|state| state == "sent")
            };
            let mut of_this = self
                .typed
                .texts()
                .iter()
                .skip(self.greeted)
                .filter(|text| text.device == *device as usize);
            let only = of_this.any(|text| is_sent(text.body()));
            if only {
                self.seen
                    .devices
                    .entry(*device)
                    .or_default()
                    .insert(Sight::SentOnly);
            }
        }
    }

    // ---- what windows tell

    fn pass(&mut self, time: Duration) -> Result<()> {
        let told = self.stage.pass(time)?;
        for told in told {
            self.hear(told);
        }
        Ok(())
    }

    fn hear(&mut self, told: Told) {
        let device = told.device;
        if !self.is_of_a_greeting(&told) {
            self.seen.told(device, &told);
        }
        match told.what {
            What::State { state, .. } => {
                self.states.insert(device, state);
            }
            What::Message { body, own, state } => {
                if own {
                    self.typed.told(device as usize, &body, &state, told.at);
                }
                self.shown.entry(device).or_default().insert(body, state);
            }
            What::CaughtUp { .. } => {}
            What::Kept => self.typed.kept(device as usize),
            What::Wrong(sentence) => self.wrong.push(sentence),
        }
        if self
            .states
            .get(&device)
            .is_some_and(|state| state == "catching-up")
        {
            self.caught_up.insert(device);
        }
    }

    fn is_of_a_greeting(&self, told: &Told) -> bool {
        let What::Message { body, .. } = &told.what else {
            return false;
        };
        let mut greetings = self.typed.texts().iter().take(self.greeted);
        greetings.any(|text| text.body() == body)
    }

    fn until(&mut self, what: &str, comes: impl Fn(&Self) -> bool) -> Result<()> {
        let end = self.stage.now() + PATIENCE;
        loop {
            self.pass(LOOK)?;
            if comes(self) {
                return Ok(());
            }
            if self.stage.now() > end {
                return Err(Failed(format!(
                    "not within {} s: {what}. The states: {:?}.",
                    PATIENCE.as_secs(),
                    self.states
                )));
            }
        }
    }

    fn is_live(&self, device: Device) -> bool {
        self.states.get(&device).is_some_and(|state| state == "live")
    }

    fn shows(&self, device: Device, words: &str) -> bool {
        self.shown
            .get(&device)
            .is_some_and(|shown| shown.contains_key(words))
    }

    fn has_kept(&self, device: Device) -> bool {
        let mut texts = self.typed.texts().iter();
        texts.all(|text| text.device != device as usize || text.promised)
    }

    fn has_sent(&self, device: Device) -> bool {
        let of_this = |text: &&Text| text.device == device as usize && text.to != Person::Nobody as usize;
        let mut own = self.typed.texts().iter().filter(of_this);
        own.all(|text| text.sent.is_some() || text.excused)
    }

    /// Whether what was typed to a contact is known to have been delivered.
    fn is_confirmed(&self, device: Device) -> bool {
        let stranger = Person::Carol as usize;
        let shown = self.shown.get(&device);
        let mut own = self
            .typed
            .texts()
            .iter()
            .filter(|text| text.device == device as usize);
        own.all(|text| {
            let state = shown.and_then(|shown| shown.get(text.body()));
            [text.from, text.to].contains(&stranger) || state.is_some_and(|state| state == "delivered")
        })
    }

    fn has_failed(&self, device: Device) -> bool {
        let nobody = Person::Nobody as usize;
        let shown = self.shown.get(&device);
        let mut to_nobody = self.typed.texts().iter().filter(|text| text.to == nobody);
        to_nobody.all(|text| {
            let state = shown.and_then(|shown| shown.get(text.body()));
            state.is_some_and(|state| state == "failed")
        })
    }

    /// Whether a device shows everything that was typed elsewhere to or by its person, whatever was made of it since.
    fn shows_all(&self, device: Device) -> bool {
        let person = device.owner() as usize;
        let mut elsewhere = self.typed.texts().iter().filter(|text| {
            text.device != device as usize && (text.to == person || text.from == person) && !text.excused
        });
        elsewhere.all(|text| text.versions.iter().any(|words| self.shows(device, words)))
    }
}
