//! A machine sleeps, or only stands still, and wakes: what it is told of it, and what has become of its connections.

use super::{Event, World};
use crate::client::{Ending, Power};
use crate::fault::{AfterSleep, Fault};
use crate::network::Way;
use dormouse_account::Input;
use std::time::Duration;

/// No connection survives a longer sleep: the server has given it up.
const SURVIVES: Duration = Duration::from_secs(900);
/// Programs stand still before the network does, by so many milliseconds at most: what comes in between waits in the
/// system's buffers, and is read when they go on.
pub(super) const FREEZING: u64 = 400;

impl World {
    /// The machine falls asleep: nothing is executed until it wakes.
    pub(super) fn fall_asleep(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let Some(Ending::Sleep(fault)) = client.ending.take() else {
            return;
        };
        if client.power != Power::Running {
            return;
        }
        client.power = Power::Asleep;
        client.asleep_since = self.now;
        let (name, life) = (client.name.clone(), client.life);
        self.note(&name, "stands still", "");
        let length = match &fault {
            Fault::Throttled(length) => *length,
            Fault::Sleep { length, after, .. } => {
                let survives = *length < SURVIVES && matches!(after, AfterSleep::Alive | AfterSleep::Mute(_));
                let soon = self.some(0, FREEZING);
                self.after(
                    soon,
                    Event::NetworkSleeps {
                        client: number,
                        life,
                        survives,
                    },
                );
                *length
            }
            _ => Duration::ZERO,
        };
        self.after(
            length,
            Event::Wake {
                client: number,
                life,
                fault,
            },
        );
    }

    /// Its network falls asleep behind its programs.
    pub(super) fn network_sleeps(&mut self, number: usize, life: u64, survives: bool) {
        let client = &self.clients[number];
        if client.power == Power::Asleep && client.life == life {
            self.cut_off(number, survives);
        }
    }

    /// It wakes.
    pub(super) fn wake(&mut self, number: usize, fault: &Fault) {
        let client = &mut self.clients[number];
        if client.power != Power::Asleep {
            return;
        }
        client.power = Power::Running;
        client.slept += self.now.since(client.asleep_since);
        let (name, life, latency) = (client.name.clone(), client.life, client.latency);
        let deferred = std::mem::take(&mut client.deferred);
        self.note(&name, "goes on", "");
        if let Fault::Sleep {
            length,
            told,
            after,
            network_late,
            ..
        } = fault
        {
            if *network_late > Duration::ZERO {
                let until = self.now + *network_late;
                let client = &mut self.clients[number];
                client.network_down_until = client.network_down_until.max(until);
            }
            let back = Event::NetworkBack {
                client: number,
                seen: *network_late > Duration::ZERO,
                survives: true,
            };
            self.after(*network_late, back);
            for line in self.network.of_client(number) {
                match after {
                    AfterSleep::Mute(mute) => {
                        let until = self.now + *network_late + *mute;
                        if let Some(line) = self.network.line(line) {
                            line.mute_until = until;
                        }
                        self.at(until, Event::Unstall { line, way: Way::Down });
                    }
                    AfterSleep::Broken => {
                        let soon = self.some(1, 2000);
                        self.after(*network_late + soon, Event::Breaks(line));
                    }
                    AfterSleep::Alive | AfterSleep::Dead => {}
                }
            }
            if let Some(late) = told {
                let known = self.random.below(2) == 0;
                let input = Input::Resumed {
                    slept: known.then_some(*length),
                    proven: true,
                };
                self.after(
                    *late,
                    Event::Told {
                        client: number,
                        life,
                        input,
                    },
                );
            }
        } else if self.random.below(2) == 0 {
            let input = Input::Resumed {
                slept: None,
                proven: false,
            };
            self.after(
                Duration::ZERO,
                Event::Told {
                    client: number,
                    life,
                    input,
                },
            );
        }
        // What waited comes at once, in its old order, and nothing overtakes it.
        self.clients[number].reads_on = self.now + latency / 8;
        for event in deferred {
            self.after(latency / 8, event);
        }
        self.watch_truth(number);
    }
}
