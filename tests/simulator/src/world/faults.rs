//! Makes things go wrong.

use super::{Event, World};
use crate::client::{Ending, Power};
use crate::fault::{Fault, Phase};
use crate::network::{Flow, Way};
use crate::server::Trouble;
use dormouse_account::{Command, Input};
use dormouse_model::Random;
use std::time::Duration;

/// The longest that a system waits for programs that are told of a sleep (logind's default).
const GRACE: Duration = Duration::from_secs(5);

impl World {
    /// Something goes wrong.
    pub(super) fn strike(&mut self, number: usize, fault: Fault) {
        if self.calm {
            return;
        }
        let client = &self.clients[number];
        let of_server = matches!(
            fault,
            Fault::ServerStop { .. } | Fault::ServerKill(_) | Fault::SessionsLost
        );
        if !of_server && (client.power != Power::Running || client.ending.is_some()) {
            return;
        }
        let (phase, name, life, account) = (client.phase(), client.name.clone(), client.life, client.account);
        self.coverage.count(&fault, phase);
        let detail = format!("{fault:?}");
        self.note(&name, "FAULT", &detail);
        let lines = self.network.of_client(number);
        match fault {
            Fault::Sleep { announced, .. } => {
                self.about_to_stop(number, Ending::Sleep(fault));
                if announced {
                    self.after(GRACE, Event::FallAsleep { client: number, life });
                    self.feed(number, Input::Suspending);
                } else {
                    self.fall_asleep(number);
                }
            }
            Fault::Drop { up, down } => {
                for line in lines {
                    for (way, dies) in [(Way::Up, up), (Way::Down, down)] {
                        if dies {
                            self.network.set(line, way, Flow::Dead);
                        }
                    }
                    self.server_notices_late(line);
                }
                self.watch_truth(number);
            }
            Fault::Stall(length) => {
                for line in lines {
                    for way in [Way::Up, Way::Down] {
                        self.network.set(line, way, Flow::Stalled);
                        self.after(length, Event::Unstall { line, way });
                    }
                }
                self.watch_truth(number);
            }
            Fault::Reset => {
                for line in lines {
                    self.reset(line);
                }
            }
            Fault::HalfOpen => {
                for line in lines {
                    self.network.set(line, Way::Up, Flow::Dead);
                    self.breaks(line);
                    self.server_notices_late(line);
                }
            }
            Fault::NetworkDown {
                length,
                seen,
                survives,
            } => {
                let until = self.now + length;
                let client = &mut self.clients[number];
                client.network_down_until = client.network_down_until.max(until);
                self.cut_off(number, survives);
                self.after(
                    length,
                    Event::NetworkBack {
                        client: number,
                        seen,
                        survives,
                    },
                );
                if seen {
                    self.feed(
                        number,
                        Input::Network {
                            up: false,
                            route_lost: !survives,
                        },
                    );
                }
                self.watch_truth(number);
            }
            Fault::Slow(length) => {
                let latency = self.clients[number].latency;
                let client = &mut self.clients[number];
                if client.fast.is_none() {
                    client.fast = Some(latency);
                    client.latency = latency * 12;
                    self.after(length, Event::Fast { client: number });
                    for line in lines {
                        self.network.slow(line, latency * 12);
                    }
                }
            }
            Fault::Kill(length) => self.kill(number, length),
            Fault::Quit(length) => {
                self.about_to_stop(number, Ending::Quit(length));
                // Who waits no longer for a program that does not end kills it.
                self.after(Duration::from_secs(60), Event::QuitOver { client: number, life });
                self.feed(number, Input::Command(Command::Quit));
            }
            Fault::StoreFails(length) => {
                self.clients[number].disk.refuses = true;
                self.maybe_killed(number, length);
                self.after(length, Event::DiskWorks(number));
            }
            Fault::ReadFails(after) => self.clients[number].disk.fail_reading(Some(after)),
            Fault::Throttled(length) => {
                self.clients[number].ending = Some(Ending::Sleep(Fault::Throttled(length)));
                self.fall_asleep(number);
            }
            Fault::ClockSet(by) => self.clients[number].clock += by,
            Fault::ServerStop {
                length,
                keeps_sessions,
            } => self.server_ends(length, false, keeps_sessions),
            Fault::ServerKill(length) => self.server_ends(length, true, false),
            Fault::SessionsLost => {
                for line in lines {
                    self.reset(line);
                    self.server_notices(line);
                }
                let said = self.server.forget_sessions(self.now);
                self.say(said);
            }
            Fault::SignInFails(times) => self.trouble(account, number, |trouble| trouble.sign_in = times),
            Fault::SignInSilent => self.trouble(account, number, |trouble| trouble.silence = 1),
            Fault::PageBreaks => self.trouble(account, number, |trouble| trouble.broken_pages = 1),
            Fault::PageRefused => self.trouble(account, number, |trouble| trouble.refused_pages = 1),
            Fault::IdForgotten => self.trouble(account, number, |trouble| trouble.forgotten_ids = 1),
            Fault::ArchiveLags(length) => {
                let until = self.now + length;
                let since = self.server.stamp_at(self.now);
                self.trouble(account, number, |trouble| trouble.hidden = Some((since, until)));
            }
            Fault::ResumeRefused => {
                self.trouble_resuming(account, number, |trouble| trouble.refused_resumes = 1)
            }
            Fault::ResumeUnheard => {
                self.trouble_resuming(account, number, |trouble| trouble.unheard_resumes = 1)
            }
            Fault::FrameTorn(frames) => {
                for line in lines {
                    self.server.tear(line, frames);
                }
                self.trouble_resuming(account, number, |_| {});
            }
            Fault::TokensExpire => {
                self.server.expire_tokens(account);
                self.trouble_resuming(account, number, |_| {});
            }
            Fault::CountersWrap => {
                self.kill(number, Duration::from_secs(2));
                // What is still on its way bears the counts of today.
                for line in lines {
                    self.network.set(line, Way::Up, Flow::Dead);
                    self.server_notices(line);
                }
                self.age(number);
            }
            Fault::CarbonsDoubled => self.server.trouble[account].doubled_carbons += 6,
            Fault::CarbonsLost => self.server.trouble[account].lost_carbons += 6,
            Fault::Overtaken(by) => {
                let latency = self.clients[number].latency + by;
                for line in lines {
                    self.network.slow(line, latency);
                }
            }
            Fault::DiskFull(length) => {
                let disk = &mut self.clients[number].disk;
                disk.refuses = true;
                disk.takes_a_part = true;
                self.maybe_killed(number, length);
                self.after(length, Event::DiskWorks(number));
            }
        }
    }

    /// A session becomes so old that its counters are about to wrap, on the client's disk and at the server alike.
    fn age(&mut self, number: usize) {
        let short_of = |random: &mut Random| u32::try_from(random.below(6)).unwrap_or(0);
        let (up, down) = (short_of(&mut self.random), short_of(&mut self.random));
        let Some(aged) = self.clients[number].disk.aged(up, down) else {
            return;
        };
        if self.server.age(&aged) {
            self.clients[number].disk.age(&aged);
        }
    }

    /// Who sees that a disk is full ends programs, some the hard way.
    fn maybe_killed(&mut self, number: usize, within: Duration) {
        if self.random.below(3) == 0 {
            let (at, length) = (self.random.up_to(within), self.some(1000, 30_000));
            let fault = Fault::Kill(length);
            self.after(
                at,
                Event::Strike {
                    client: number,
                    fault,
                },
            );
        }
    }

    pub(super) fn about_to_stop(&mut self, number: usize, ending: Ending) {
        let client = &mut self.clients[number];
        client.ending = Some(ending);
        client.must_be_durable = client.disk.waiting();
    }

    /// A fault waits for a phase. A sleep while all is well waits for more: until the link has just been asked
    /// whether it lives, so that the answer may wait in the machine's buffers when it wakes. Half of those come so suddenly
    /// that the answer is still on its way, and the machine says that it has slept before anything is read.
    pub(super) fn arm(&mut self, number: usize, phase: Phase, mut fault: Fault) {
        let client = &mut self.clients[number];
        match (phase, &mut fault) {
            _ if self.calm => {}
            (Phase::Live, Fault::Sleep { announced, told, .. }) => {
                if self.random.below(2) == 0 {
                    (*announced, *told) = (false, Some(Duration::ZERO));
                }
                client.at_heartbeat.push(fault);
            }
            // That a system says that there is no network would be too rare to wait for.
            (Phase::Away, _) => {
                let outage = Fault::NetworkDown {
                    length: self.some(5_000, 120_000),
                    seen: true,
                    survives: false,
                };
                self.strike(number, outage);
                let soon = self.some(500, 4_000);
                self.after(
                    soon,
                    Event::Strike {
                        client: number,
                        fault,
                    },
                );
            }
            _ => client.armed.push((phase, fault)),
        }
    }

    /// Trouble that is met on the way back to a session that is still there: the connection breaks.
    fn trouble_resuming(&mut self, account: usize, number: usize, make: impl FnOnce(&mut Trouble)) {
        make(&mut self.server.trouble[account]);
        for line in self.network.of_client(number) {
            self.reset(line);
            self.server_notices(line);
        }
    }

    /// Trouble that is met on the way back: the connection breaks, and sometimes the session is lost too.
    fn trouble(&mut self, account: usize, number: usize, make: impl FnOnce(&mut Trouble)) {
        self.trouble_resuming(account, number, make);
        if self.random.below(2) == 0 {
            let said = self.server.forget_sessions(self.now);
            self.say(said);
        }
    }

    fn server_ends(&mut self, length: Duration, killed: bool, keeps_sessions: bool) {
        if !self.server.up {
            return;
        }
        let said = self.server.stop(self.now, killed, keeps_sessions);
        self.say(said);
        self.after(length, Event::ServerStarts);
    }
}
