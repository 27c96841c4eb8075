//! What happens when. It follows from the seed, the length and how many there are of everything.
//!
//! Four kinds of happenings go on beside each other, each drawn for itself: people type, a device's network fails, a
//! device's program ends, a server goes down. Of one device's faults and of the servers only one is
//! under way at a time. Now and then everybody is quiet for longer than any proxy remembers an idle
//! connection. Before the end everything is whole again.

use dormouse_scenarios::dice::Dice;
use std::fmt;
use std::time::Duration;

/// Longer than two times twenty seconds and what lies between: a path that kills silence shows it twice.
const QUIET: Duration = Duration::from_secs(55);
/// From one quiet time to the next.
const LOUD: Duration = Duration::from_secs(150);

/// A way of the bytes through a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What happens to a device's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing gets through, either way; what was under way arrives when it is over, as TCP would have it.
    Drop,
    /// Nothing gets through this way.
    DropOneWay(Way),
    /// Everything takes so much longer.
    Delay(Duration),
    /// Connections are refused, those that are open are reset.
    Refuse,
    /// The connection ends after so many more bytes this way: in the midst of a frame, if there is one.
    Cut(Way, usize),
    /// The connection is reset.
    Reset,
    /// The server's side ends, the client never hears of it: half open.
    ForgetClient,
    /// The client's side is reset, the server never hears of it.
    ForgetServer,
    /// Connections that stand lose all that is sent on these ways, and nobody is told; new ones are whole.
    Silence {
        /// What the client sends.
        up: bool,
        /// What the server sends.
        down: bool,
    },
}

impl Fault {
    /// Whether it goes on until it is mended.
    pub fn lasts(self) -> bool {
        matches!(
            self,
            Self::Drop | Self::DropOneWay(_) | Self::Delay(_) | Self::Refuse
        )
    }
}

/// How a program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `kill -9`.
    Kill,
    /// In good order, by a signal.
    Stop,
    /// In good order, by its user; of a client only.
    Quit,
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// On this device something is typed to this person.
    Type {
        /// On which device.
        device: usize,
        /// To whom.
        to: usize,
    },
    /// This device's network fails.
    Break(usize, Fault),
    /// This device's network is whole again.
    Mend(usize),
    /// The program on this device ends.
    EndClient(usize, End),
    /// It is started again.
    StartClient(usize),
    /// This server goes down.
    EndServer(usize, End),
    /// It comes back.
    StartServer(usize),
}

/// What there is.
#[derive(Debug, Clone)]
pub struct Cast {
    /// Of each device: whose it is.
    pub owners: Vec<usize>,
    /// People.
    pub people: usize,
    /// Servers of which one may be down at a time.
    pub servers: usize,
}

/// What happens, in order, each with its time from the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// All of it.
    pub deeds: Vec<(Duration, Deed)>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, deed) in &self.deeds {
            writeln!(f, "{:9.3} {deed:?}", at.as_secs_f64())?;
        }
        Ok(())
    }
}

impl Plan {
    /// What this seed means.
    pub fn new(seed: u64, length: Duration, cast: &Cast) -> Self {
        let mut dice = Dice::new(seed);
        let mut deeds = Vec::new();
        for device in 0..cast.owners.len() {
            typing(&mut dice, length, cast, device, &mut deeds);
            faults(&mut dice, length, device, &mut deeds);
            client_ends(&mut dice, length, device, &mut deeds);
        }
        server_ends(&mut dice, length, cast.servers, &mut deeds);
        // Stable: of one moment the order of drawing holds.
        deeds.sort_by_key(|(at, _)| *at);
        Self { deeds }
    }
}

/// Whether everybody is quiet then.
fn is_quiet(at: Duration) -> bool {
    let round = LOUD + QUIET;
    let into = Duration::from_millis((at.as_millis() % round.as_millis()) as u64);
    into >= LOUD
}

fn ms(length: u64) -> Duration {
    Duration::from_millis(length)
}

fn typing(dice: &mut Dice, length: Duration, cast: &Cast, device: usize, deeds: &mut Vec<(Duration, Deed)>) {
    let mut at = Duration::ZERO;
    loop {
        // Bursts, and pauses of some seconds.
        at += match dice.below(4) {
            0 => dice.between(ms(1_500), ms(7_000)),
            1 => dice.between(ms(400), ms(1_500)),
            _ => dice.between(ms(20), ms(300)),
        };
        if at >= length {
            return;
        }
        let others: Vec<usize> = (0..cast.people)
            .filter(|person| cast.owners.get(device) != Some(person))
            .collect();
        let Some(to) = others.get(dice.index(others.len())).copied() else {
            return;
        };
        if !is_quiet(at) {
            deeds.push((at, Deed::Type { device, to }));
        }
    }
}

fn faults(dice: &mut Dice, length: Duration, device: usize, deeds: &mut Vec<(Duration, Deed)>) {
    let mut at = dice.between(ms(2_000), ms(12_000));
    while at < length {
        let fault = match dice.below(12) {
            0 | 1 => Fault::Drop,
            2 => Fault::DropOneWay(Way::Up),
            3 => Fault::DropOneWay(Way::Down),
            4 | 5 => Fault::Delay(dice.between(ms(30), ms(900))),
            6 => Fault::Refuse,
            7 => Fault::Cut(Way::Up, dice.index(400)),
            8 => Fault::Cut(Way::Down, dice.index(1_500)),
            9 => Fault::Reset,
            10 => Fault::ForgetClient,
            _ => Fault::ForgetServer,
        };
        // Mostly short; now and then longer than it takes to notice.
        let lasting = match (fault.lasts(), dice.below(8)) {
            (false, _) => Duration::ZERO,
            (true, 0) => dice.between(ms(20_000), ms(45_000)),
            (true, 1 | 2) => dice.between(ms(6_000), ms(15_000)),
            (true, _) => dice.between(ms(200), ms(5_000)),
        };
        if !is_quiet(at) {
            deeds.push((at, Deed::Break(device, fault)));
            at = (at + lasting).min(length);
            if fault.lasts() {
                deeds.push((at, Deed::Mend(device)));
            }
        }
        at += dice.between(ms(3_000), ms(20_000));
    }
}

fn client_ends(dice: &mut Dice, length: Duration, device: usize, deeds: &mut Vec<(Duration, Deed)>) {
    let mut at = dice.between(ms(5_000), ms(30_000));
    while at < length {
        let end = match dice.below(6) {
            0 => End::Quit,
            1 | 2 => End::Stop,
            _ => End::Kill,
        };
        let away = match dice.below(6) {
            // Longer than its session is kept.
            0 => dice.between(ms(20_000), ms(40_000)),
            1 | 2 => dice.between(ms(2_000), ms(10_000)),
            _ => dice.between(ms(0), ms(1_500)),
        };
        if !is_quiet(at) {
            deeds.push((at, Deed::EndClient(device, end)));
            at = (at + away).min(length);
            deeds.push((at, Deed::StartClient(device)));
        }
        // Some lives are hardly begun.
        at += match dice.below(4) {
            0 => dice.between(ms(100), ms(3_000)),
            _ => dice.between(ms(10_000), ms(50_000)),
        };
    }
}

fn server_ends(dice: &mut Dice, length: Duration, servers: usize, deeds: &mut Vec<(Duration, Deed)>) {
    let mut at = dice.between(ms(12_000), ms(30_000));
    while at < length {
        let server = dice.index(servers);
        let end = if dice.below(3) == 0 { End::Stop } else { End::Kill };
        let away = match dice.below(4) {
            0 => dice.between(ms(5_000), ms(20_000)),
            _ => dice.between(ms(0), ms(4_000)),
        };
        if !is_quiet(at) {
            deeds.push((at, Deed::EndServer(server, end)));
            at = (at + away).min(length);
            deeds.push((at, Deed::StartServer(server)));
        }
        at += dice.between(ms(20_000), ms(60_000));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cast() -> Cast {
        Cast {
            owners: vec![0, 0, 1, 2],
            people: 3,
            servers: 2,
        }
    }

    fn plan(seed: u64) -> Plan {
        Plan::new(seed, Duration::from_secs(600), &cast())
    }

    #[test]
    fn a_seed_means_one_plan_and_another_seed_another() {
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }

    #[test]
    fn at_the_end_every_network_is_whole_every_program_runs_and_every_server_is_up() {
        for seed in 0..200 {
            let plan = plan(seed);
            let mut broken = [false; 4];
            let mut gone = [false; 4];
            let mut down = [false; 2];
            for (_, deed) in &plan.deeds {
                match *deed {
                    Deed::Break(device, fault) => broken[device] = fault.lasts(),
                    Deed::Mend(device) => broken[device] = false,
                    Deed::EndClient(device, _) => gone[device] = true,
                    Deed::StartClient(device) => gone[device] = false,
                    Deed::EndServer(server, _) => {
                        assert_eq!(down, [false; 2], "of the servers one is down at a time");
                        down[server] = true;
                    }
                    Deed::StartServer(server) => down[server] = false,
                    Deed::Type { .. } => {}
                }
            }
            assert_eq!((broken, gone, down), ([false; 4], [false; 4], [false; 2]));
        }
    }

    #[test]
    fn nobody_writes_to_themselves_and_quiet_times_are_quiet() {
        let plan = plan(3);
        let begins =
            |deed: &Deed| !matches!(deed, Deed::Mend(_) | Deed::StartClient(_) | Deed::StartServer(_));
        for (at, deed) in &plan.deeds {
            assert!(!is_quiet(*at) || !begins(deed), "{at:?} {deed:?}");
            if let Deed::Type { device, to } = deed {
                assert_ne!(cast().owners[*device], *to);
            }
        }
    }

    #[test]
    fn ten_minutes_hold_every_kind_of_fault() {
        let plans: Vec<Plan> = (0..5).map(plan).collect();
        let all = plans.iter().flat_map(|plan| &plan.deeds);
        let kinds: std::collections::BTreeSet<String> = all
            .filter_map(|(_, deed)| match deed {
                Deed::Break(_, fault) => Some(format!("{fault:?}").split('(').next()?.to_owned()),
                _ => None,
            })
            .collect();
        assert_eq!(kinds.len(), 8, "{kinds:?}");
    }
}
