//! What goes wrong, and in which phase of a connection it struck.

use dormouse_model::{ConnectionState, Random};
use std::collections::BTreeMap;
use std::time::Duration;

/// Something that goes wrong for one client, or for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The machine sleeps.
    Sleep {
        /// For how long.
        length: Duration,
        /// Whether the system says so before.
        announced: bool,
        /// Whether the system says so after, and how late; none if it never does.
        told: Option<Duration>,
        /// What has become of its connections.
        after: AfterSleep,
        /// The network comes back that much later.
        network_late: Duration,
    },
    /// The connection loses what is sent, on one way or both, and nobody is told.
    Drop {
        /// From the client.
        up: bool,
        /// To the client.
        down: bool,
    },
    /// The connection carries nothing for a while, and then all of it.
    Stall(Duration),
    /// The connection breaks, and both ends learn of it.
    Reset,
    /// The client's end breaks; the server doesn't learn of it for long.
    HalfOpen,
    /// The client's machine has no network.
    NetworkDown {
        /// For how long.
        length: Duration,
        /// Whether the system tells.
        seen: bool,
        /// Whether the connections survive.
        survives: bool,
    },
    /// The path gets slow.
    Slow(Duration),
    /// The program is killed, and started again later.
    Kill(Duration),
    /// The user quits, and starts it again later.
    Quit(Duration),
    /// The disk refuses writes.
    StoreFails(Duration),
    /// The disk can't be read once, after so many look-ups.
    ReadFails(u32),
    /// The program is held up without sleep, and the system is unsure what it was.
    Throttled(Duration),
    /// The wall clock is set.
    ClockSet(i64),
    /// The server ends in an orderly way, and starts again later.
    ServerStop {
        /// For how long.
        length: Duration,
        /// Whether it keeps the sessions (a cluster whose other node has them).
        keeps_sessions: bool,
    },
    /// The server is killed, and starts again later.
    ServerKill(Duration),
    /// The server forgets all sessions that wait to be resumed, and every connection breaks.
    SessionsLost,
    /// Sign-ins fail for a passing reason.
    SignInFails(u32),
    /// A sign-in is never answered.
    SignInSilent,
    /// An archive page breaks off in its middle.
    PageBreaks,
    /// An archive page is refused.
    PageRefused,
    /// The archive does not know the id that is asked for.
    IdForgotten,
    /// What is on its way on the connections that stand is overtaken by what is sent on new ones.
    Overtaken(Duration),
    /// The disk gets full: part of what waits is written, the rest refused, and nobody is told how much.
    DiskFull(Duration),
    /// A resumption is refused, although the session is still held.
    ResumeRefused,
    /// A resumption is granted, and the connection breaks before anybody hears of it.
    ResumeUnheard,
    /// The connection breaks in the middle of a frame, and on whichever resumes its session Prosody takes so many for parts of
    /// that one.
    FrameTorn(u32),
    /// Carbons come twice for a while.
    CarbonsDoubled,
    /// Carbons are left out for a while.
    CarbonsLost,
    /// The archive shows what it was given only later: who looks at once does not find it, and what is sent
    /// again gets another id.
    ArchiveLags(Duration),
    /// The tokens given out for signing in are not taken any more.
    TokensExpire,
    /// The program is started again on the four hundredth day of a busy session: its counters are about to wrap
    /// (XEP-0198 section 4).
    CountersWrap,
}

/// What a sleep does to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterSleep {
    /// They still work.
    Alive,
    /// They are dead, and nobody says so.
    Dead,
    /// They are broken, and say so when used.
    Broken,
    /// They work, but say nothing for so long.
    Mute(Duration),
}

impl Fault {
    /// All names in the coverage table.
    pub const NAMES: [&'static str; 34] = [
        "sleep, announced",
        "sleep, told after",
        "sleep, untold",
        "silent drop",
        "one-way drop",
        "stall",
        "reset",
        "half-open",
        "overtaken",
        "network down",
        "slow path",
        "kill",
        "quit",
        "disk refuses",
        "disk full",
        "read error",
        "throttled",
        "clock set",
        "server stop",
        "server kill",
        "sessions lost",
        "resume refused",
        "resume unheard",
        "frame torn",
        "sign-in fails",
        "sign-in silent",
        "tokens expire",
        "page breaks",
        "page refused",
        "id forgotten",
        "archive lags",
        "carbons doubled",
        "carbons lost",
        "counters wrap",
    ];

    /// Its name in the coverage table.
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Sleep { announced: true, .. } => "sleep, announced",
            Fault::Sleep { told: Some(_), .. } => "sleep, told after",
            Fault::Sleep { .. } => "sleep, untold",
            Fault::Drop { up: true, down: true } => "silent drop",
            Fault::Drop { .. } => "one-way drop",
            Fault::Stall(_) => "stall",
            Fault::Reset => "reset",
            Fault::HalfOpen => "half-open",
            Fault::NetworkDown { .. } => "network down",
            Fault::Slow(_) => "slow path",
            Fault::Kill(_) => "kill",
            Fault::Quit(_) => "quit",
            Fault::StoreFails(_) => "disk refuses",
            Fault::ReadFails(_) => "read error",
            Fault::Throttled(_) => "throttled",
            Fault::ClockSet(_) => "clock set",
            Fault::ServerStop { .. } => "server stop",
            Fault::ServerKill(_) => "server kill",
            Fault::SessionsLost => "sessions lost",
            Fault::SignInFails(_) => "sign-in fails",
            Fault::SignInSilent => "sign-in silent",
            Fault::PageBreaks => "page breaks",
            Fault::PageRefused => "page refused",
            Fault::IdForgotten => "id forgotten",
            Fault::Overtaken(_) => "overtaken",
            Fault::DiskFull(_) => "disk full",
            Fault::ResumeRefused => "resume refused",
            Fault::ResumeUnheard => "resume unheard",
            Fault::FrameTorn(_) => "frame torn",
            Fault::CarbonsDoubled => "carbons doubled",
            Fault::CarbonsLost => "carbons lost",
            Fault::ArchiveLags(_) => "archive lags",
            Fault::TokensExpire => "tokens expire",
            Fault::CountersWrap => "counters wrap",
        }
    }

    /// One by chance.
    pub fn draw(random: &mut Random) -> Self {
        let seconds = |random: &mut Random, most: u64| Duration::from_millis(200 + random.below(most * 1000));
        let one_of = |random: &mut Random, most: &[u64]| {
            let number = random.below(most.len() as u64) as usize;
            seconds(random, most[number])
        };
        match random.below(42) {
            0..=6 => Fault::draw_sleep(random),
            7 => Fault::Drop { up: true, down: true },
            8 => Fault::Drop {
                up: true,
                down: false,
            },
            9 => Fault::Drop {
                up: false,
                down: true,
            },
            10 => Fault::Stall(seconds(random, 60)),
            11 => Fault::Reset,
            12 => Fault::HalfOpen,
            13 | 14 => Fault::NetworkDown {
                length: one_of(random, &[10, 120, 3600]),
                seen: random.below(2) == 0,
                survives: random.below(3) == 0,
            },
            15 => Fault::Slow(seconds(random, 120)),
            16 | 17 => Fault::Kill(one_of(random, &[3, 60, 7200])),
            18 => Fault::Quit(one_of(random, &[3, 600])),
            19 => Fault::StoreFails(seconds(random, 90)),
            20 => Fault::ReadFails(u32::try_from(random.below(40)).unwrap_or(0)),
            21 => Fault::Throttled(seconds(random, 20)),
            22 => Fault::ClockSet(i64::try_from(random.below(7_200_000)).unwrap_or(0) - 3_600_000),
            23 => Fault::ServerStop {
                length: one_of(random, &[60, 60, 60, 1800]),
                keeps_sessions: random.below(2) == 0,
            },
            24 => Fault::ServerKill(one_of(random, &[60, 60, 60, 1800])),
            25 => Fault::SessionsLost,
            26 => Fault::SignInFails(1 + u32::try_from(random.below(2)).unwrap_or(0)),
            27 => Fault::SignInSilent,
            28 => Fault::PageBreaks,
            29 => Fault::PageRefused,
            30 => Fault::IdForgotten,
            31 => Fault::Overtaken(seconds(random, 20)),
            32 => Fault::DiskFull(seconds(random, 90)),
            33 => Fault::ResumeRefused,
            34 | 35 => Fault::ResumeUnheard,
            36 => Fault::CarbonsDoubled,
            37 => Fault::CarbonsLost,
            38 => Fault::ArchiveLags(seconds(random, 8)),
            39 => Fault::CountersWrap,
            40 => Fault::FrameTorn(1 + u32::try_from(random.below(40)).unwrap_or(0)),
            _ => Fault::TokensExpire,
        }
    }

    fn draw_sleep(random: &mut Random) -> Self {
        let most = [20, 300, 3600, 36_000][random.below(4) as usize];
        let length = Duration::from_millis(1000 + random.below(most * 1000));
        let after = match random.below(4) {
            0 => AfterSleep::Alive,
            1 => AfterSleep::Dead,
            2 => AfterSleep::Broken,
            _ => AfterSleep::Mute(Duration::from_millis(random.below(30_000))),
        };
        Fault::Sleep {
            length,
            announced: random.below(2) == 0,
            // At once, before anything is read that waits in the system's buffers, or some time after.
            told: (random.below(4) != 0)
                .then(|| Duration::from_millis([0, random.below(3000)][random.below(2) as usize])),
            after,
            network_late: Duration::from_millis([0, 0, 4000, 15_000][random.below(4) as usize]),
        }
    }
}

/// The states of a connection, as far as faults strike differently in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Dialling.
    Connecting,
    /// Signing in.
    SigningIn,
    /// Reading back.
    CatchingUp,
    /// All well.
    Live,
    /// In doubt.
    Suspect,
    /// Waiting to dial.
    Waiting,
    /// Without network, asleep, or not running: what strikes only a running program strikes it without network.
    Away,
}

impl Phase {
    /// All, in the order of the table.
    pub const ALL: [Phase; 7] = [
        Phase::Connecting,
        Phase::SigningIn,
        Phase::CatchingUp,
        Phase::Live,
        Phase::Suspect,
        Phase::Waiting,
        Phase::Away,
    ];

    /// Of a state.
    pub fn of(state: &ConnectionState) -> Self {
        match state {
            ConnectionState::Connecting { .. } => Phase::Connecting,
            ConnectionState::SigningIn => Phase::SigningIn,
            ConnectionState::CatchingUp => Phase::CatchingUp,
            ConnectionState::Live => Phase::Live,
            ConnectionState::Suspect => Phase::Suspect,
            ConnectionState::Waiting { .. } => Phase::Waiting,
            ConnectionState::Asleep | ConnectionState::Offline | ConnectionState::Stopped => Phase::Away,
        }
    }
}

/// How often each fault struck in each phase.
#[derive(Debug, Default, Clone)]
pub struct Coverage(BTreeMap<(&'static str, Phase), u64>);

impl Coverage {
    /// A fault struck.
    pub fn count(&mut self, fault: &Fault, phase: Phase) {
        *self.0.entry((fault.name(), phase)).or_default() += 1;
    }

    /// Adds another life's.
    pub fn add(&mut self, other: &Coverage) {
        for (cell, count) in &other.0 {
            *self.0.entry(*cell).or_default() += count;
        }
    }

    /// How many faults struck.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The table, as lines.
    pub fn table(&self) -> Vec<String> {
        let mut head = format!("{:<18}", "fault");
        for phase in Phase::ALL {
            head.push_str(&format!("{:>12}", format!("{phase:?}")));
        }
        let mut lines = vec![head];
        for name in Fault::NAMES {
            let mut line = format!("{name:<18}");
            for phase in Phase::ALL {
                let count = self.0.get(&(name, phase)).copied().unwrap_or(0);
                line.push_str(&format!("{count:>12}"));
            }
            lines.push(line);
        }
        lines
    }

    /// The cells in which nothing has struck.
    pub fn empty_cells(&self) -> Vec<(&'static str, Phase)> {
        let cells = Fault::NAMES
            .into_iter()
            .flat_map(|name| Phase::ALL.map(|phase| (name, phase)));
        cells.filter(|cell| !self.0.contains_key(cell)).collect()
    }
}
