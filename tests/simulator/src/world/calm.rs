//! The end of all faults: whatever is wrong is put right, and everybody is let be.

use super::{Event, World};
use crate::client::{Ending, Power};
use crate::fault::{AfterSleep, Fault};
use crate::server::Trouble;
use dormouse_account::Input;
use dormouse_model::Tick;
use std::time::Duration;

impl World {
    /// All faults end.
    pub(super) fn calm_down(&mut self) {
        self.calm = true;
        self.note("all", "CALM", "");
        self.server.trouble.fill(Trouble::default());
        if !self.server.up {
            self.server.start(self.now);
        }
        for number in 0..self.clients.len() {
            let client = &mut self.clients[number];
            client.armed.clear();
            client.at_heartbeat.clear();
            client.disk.works();
            client.disk.fail_reading(None);
            // Who had a network has it still: nothing tells that the rest of the world is well again.
            let was_down = client.network_down_until > self.now;
            client.network_down_until = Tick(0);
            self.fast(number);
            let latency = self.clients[number].latency;
            for id in self.network.of_client(number) {
                // A connection that was overtaken is no slower any more than those that overtook it; no answer on it is
                // late any more, and nothing waits for a retransmission.
                self.network.slow(id, latency);
                if let Some(line) = self.network.line(id) {
                    line.mute_until = Tick(0);
                }
            }
            let client = &mut self.clients[number];
            match client.ending {
                Some(Ending::Quit(_)) => self.kill(number, Duration::ZERO),
                // The sleep that was announced does not come about.
                Some(Ending::Sleep(_)) if client.power == Power::Running => {
                    client.ending = None;
                    self.feed(
                        number,
                        Input::Resumed {
                            slept: None,
                            proven: true,
                        },
                    );
                }
                _ => {}
            }
            if self.clients[number].power == Power::Off {
                self.launch(number);
            }
            if self.clients[number].power == Power::Asleep {
                let fault = Fault::Sleep {
                    length: self.now.since(self.clients[number].asleep_since),
                    announced: true,
                    told: Some(Duration::ZERO),
                    after: AfterSleep::Alive,
                    network_late: Duration::ZERO,
                };
                self.wake(number, &fault);
            }
            self.after(
                Duration::ZERO,
                Event::NetworkBack {
                    client: number,
                    seen: was_down,
                    survives: true,
                },
            );
        }
    }
}
