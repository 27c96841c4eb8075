//! What happens, as inputs of the core: what a window or a program asks for, what the system tells, what the lines bring.

use super::{Driver, Waiting, login};
use crate::check::Subject;
use crate::line::LineEvent;
use crate::path::Status;
use crate::present::now;
use crate::request::{Happening, Request, Subscription};
use crate::tokens::TokenNews;
use dormouse_account::{Command, Credentials, Input};
use dormouse_model::{ConnId, Network, Observation};
use dormouse_wake::{Event as WakeEvent, Proof, Reach, Screen};
use std::time::Duration;
use tokio::sync::mpsc::unbounded_channel;

impl Driver {
    pub(super) fn requested(&mut self, request: Request) {
        match request {
            Request::Command(command) => self.feed(Input::Command(command)),
            Request::Send { to, body, reply } => {
                let tag = self.next_tag;
                self.next_tag += 1;
                self.sends.insert(tag, reply);
                self.feed(Input::Command(Command::Send {
                    to,
                    body,
                    tag: Some(tag),
                }));
            }
            Request::SignIn(password) => {
                let credentials = Credentials::password(password.reveal());
                self.settings.password = Some(password);
                self.feed(Input::SignIn(credentials));
            }
            Request::ProxyLogin(secret) => self.dialler.sign_in_at_proxy(Some(login(&secret))),
            Request::Happened(happening) => self.feed(match happening {
                Happening::Suspending => Input::Suspending,
                Happening::Resumed(slept) => Input::Resumed { slept, proven: true },
                Happening::Network { up, route_lost } => Input::Network { up, route_lost },
                Happening::Visible(visible) => Input::Visible(visible),
            }),
            Request::Suspend { reply } => {
                self.waiting.push(Waiting::Reply(reply));
                self.feed(Input::Suspending);
            }
            Request::Subscribe { reply } => {
                let (sender, changes) = unbounded_channel();
                let snapshot = self.snapshot();
                if reply.send(Subscription { snapshot, changes }).is_ok() {
                    self.subscribers.push(sender);
                }
            }
            Request::Observe(observer) => self.observe(observer),
            Request::Status { reply } => {
                let _ = reply.send(Status {
                    account: self.account.status(),
                    path: self.paths.get(&self.current).cloned(),
                });
            }
            Request::Subject { reply } => {
                let _ = reply.send(Subject {
                    address: self.settings.address.clone(),
                    password: self.settings.password.clone(),
                    endpoint: self.endpoint.clone(),
                    known: self.account.known_way(),
                    dialler: self.dialler.clone(),
                });
            }
            Request::SimulateSleep { length, reply } => self.simulate_sleep(length, reply),
            Request::Leave => {
                self.waiting.push(Waiting::Leave);
                self.feed(Input::Suspending);
            }
        }
    }

    pub(super) fn token_news(&mut self, news: TokenNews) {
        match news {
            TokenNews::Found(Some(token)) => self.feed(Input::TokenFound(token)),
            TokenNews::Found(None) => {}
            TokenNews::Kept => self.feed(Input::TokenKept),
        }
    }

    pub(super) fn woken(&mut self, event: WakeEvent) {
        let Some(event) = self.unless_asleep(event) else {
            return;
        };
        match event {
            WakeEvent::Suspending(guard) => {
                self.waiting.push(Waiting::Sleep(guard));
                self.feed(Input::Suspending);
            }
            WakeEvent::Resumed { slept, proof } => {
                let proven =
                    proof == Proof::Clock || slept.is_none_or(|slept| slept > Duration::from_secs(1));
                self.feed(Input::Resumed { slept, proven });
            }
            WakeEvent::NetworkKnown(reach) => {
                if !self.reaches(reach) {
                    self.feed(Input::Network {
                        up: false,
                        route_lost: false,
                    });
                }
            }
            WakeEvent::NetworkChanged(change) => {
                let path = self.paths.get(&self.current);
                let route_lost = path.is_some_and(|path| change.lost.contains(&path.local.ip()));
                self.feed(Input::Network {
                    up: self.reaches(change.reach),
                    route_lost,
                });
            }
            // Deadlines are on a clock that does not jump.
            WakeEvent::WallClockJumped { by_ms } => tracing::info!(by_ms, "the wall clock was set"),
            WakeEvent::Screen(Screen::Unlocked) => self.feed(Input::Unlocked),
            // Nobody looks; what else it means is told as a sleep, if it is one.
            WakeEvent::Screen(Screen::Locked) => tracing::debug!("the screen is locked"),
            WakeEvent::Source { source, state } => tracing::info!(?source, ?state, "source of wake events"),
        }
    }

    /// Whether the server may be reached: one on this machine always.
    fn reaches(&self, reach: Reach) -> bool {
        reach > Reach::Host
            || self
                .endpoint
                .as_ref()
                .is_some_and(dormouse_dial::endpoint::is_loopback)
    }

    pub(super) fn line_told(&mut self, conn: ConnId, event: LineEvent) {
        if !self.lines.contains_key(&conn) {
            return; // Given up meanwhile: what it still delivers is not read.
        }
        if let LineEvent::Frame(_) | LineEvent::Activity = &event
            && let Some(path) = self.paths.get_mut(&conn)
        {
            path.heard = now().stamp;
        }
        match event {
            LineEvent::Dialled { channel, path, way } => {
                let network = Network::around(path.local.ip());
                self.paths.insert(conn, path);
                let endpoint = way.endpoint.clone();
                self.feed(Input::Reached { conn, way });
                self.feed(Input::Dialled {
                    conn,
                    channel,
                    endpoint,
                    network,
                });
            }
            LineEvent::Moved(way) => self.feed(Input::Reached { conn, way }),
            LineEvent::Failed(failure) => {
                self.hang_up(conn);
                self.observers.tell(Observation::DialFailed(conn, &failure));
                self.feed(Input::DialFailed { conn, failure });
            }
            LineEvent::Frame(text) => self.feed(Input::Frame { conn, text }),
            LineEvent::Activity => self.feed(Input::Activity(conn)),
            LineEvent::Closed(closing) => {
                self.hang_up(conn);
                self.observers.tell(Observation::Closed(conn, &closing));
                self.feed(Input::Closed { conn, closing });
            }
        }
    }

    /// Whoever counts is told, unless it has ended already.
    pub(super) fn given_up(&mut self, conn: ConnId) {
        if self.lines.contains_key(&conn) {
            self.observers.tell(Observation::GivenUp(conn));
        }
    }

    pub(super) fn hang_up(&mut self, conn: ConnId) {
        self.lines.remove(&conn);
        self.paths.remove(&conn);
    }
}
