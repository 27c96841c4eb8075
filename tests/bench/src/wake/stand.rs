//! A laptop behind the relay, a server and a friend beyond it, and one sleep after the other.

use crate::wake::Wake;
use crate::wake::case::{Case, Make, What};
use anyhow::{Context, Result, ensure};
use dormouse_scenarios::client::Client;
use dormouse_scenarios::event::{Event, Mark};
use dormouse_scenarios::program;
use dormouse_scenarios::server::Server;
use dormouse_scenarios::terminal;
use dormouse_servers::{
    Authority, Certificate, Ejabberd, MockLogind, Place, Prosody, Release, SecretService, Storage,
};
use dormouse_sleep_lab::{Lab, NetworkReturn};
use serde_json::json;
use std::ffi::OsString;
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const LAPTOP: &str = "alice@localhost";
const FRIEND: &str = "bob@localhost";
const PASSWORD: &str = "correct horse";
/// How many messages a sleep misses.
const MISSED: usize = 20;
/// The shortest sleep.
const SLEEP: Duration = Duration::from_secs(2);
/// How long anything may take that is not measured.
const PATIENCE: Duration = Duration::from_secs(60);
/// A wake that takes longer shows what the laptop said of it.
const SLOW: Duration = Duration::from_secs(10);
/// For so many seconds a server holds a session where a night is to be longer than that, and says so.
const HELD: u32 = 1;
/// Between two sleeps: what the last one left to do is done.
const QUIET: Duration = Duration::from_millis(1_500);

/// Everything of one case.
pub struct Stand {
    // Dropped in this order: programs before servers, all before the lab.
    laptop: Option<Client>,
    friend: Client,
    server: Server,
    logind: MockLogind,
    /// Where a process that starts again finds its password and its token.
    keyring: Option<SecretService>,
    lab: Lab,
    authority: Authority,
    data: TempDir,
    case: Case,
}

impl Stand {
    /// Sets it up: both live.
    pub fn new(case: Case, rtt: Duration, nagle: bool) -> Result<Self> {
        let lab = Lab::new()?;
        let address = IpAddr::V4(lab.server_address());
        let authority = Authority::new()?;
        let certificate = authority.issue(&[&address.to_string()])?;
        let place = Place::namespace(lab.server_ns(), address);
        let server = start(case, &certificate, place, nagle)?;
        let logind = MockLogind::start()?;
        lab.relay().delay(rtt / 2);
        let friend = Client::builder(FRIEND, PASSWORD)
            .endpoint(endpoint(&server))
            .command(lab.server_command(program::cli()?)?)
            .env("SSL_CERT_FILE", authority.file())
            .no_wake()
            .start()?;
        let data = TempDir::new()?;
        let keyring = match case.what {
            What::Start => Some(SecretService::start()?),
            _ => None,
        };
        let mut stand = Self {
            laptop: None,
            friend,
            server,
            logind,
            keyring,
            lab,
            authority,
            data,
            case,
        };
        stand.log_in()?;
        stand.laptop = Some(stand.start_laptop()?);
        stand.friend.wait_until_live(PATIENCE)?;
        stand.say("the first", 1)?;
        let first = vec!["the first 1".to_owned()];
        stand.laptop()?.wait_until_received(&first, PATIENCE)?;
        Ok(stand)
    }

    /// The laptop's session: with a keyring, if it has one.
    fn session(&self) -> Vec<(&'static str, OsString)> {
        let keyring = self.keyring.as_ref().map(SecretService::environment);
        let mut session = keyring.unwrap_or_default();
        session.push(("SSL_CERT_FILE", self.authority.file().into()));
        session
    }

    /// Puts the password into the keyring, if there is one.
    fn log_in(&self) -> Result<()> {
        if self.keyring.is_some() {
            let python = self.lab.client_command(terminal::PYTHON)?;
            let endpoint = endpoint(&self.server);
            let done = terminal::log_in(python, LAPTOP, &endpoint, PASSWORD, &self.session())?;
            let said = terminal::text(&done);
            ensure!(done.status.success(), "nobody is logged in: {said}");
        }
        Ok(())
    }

    fn start_laptop(&self) -> Result<Client> {
        let mut builder = Client::builder(LAPTOP, PASSWORD)
            .endpoint(endpoint(&self.server))
            .command(self.lab.client_command(program::cli()?)?)
            .env("DBUS_SYSTEM_BUS_ADDRESS", self.logind.address())
            .data_dir(self.data.path());
        for (name, value) in self.session() {
            builder = builder.env(name, value);
        }
        if self.keyring.is_some() {
            builder = builder.password_in_keyring();
        }
        builder.start()
    }

    fn laptop(&self) -> Result<&Client> {
        self.laptop.as_ref().context("there is no laptop")
    }

    /// The friend sends so many messages, and the server has them.
    fn say(&mut self, what: &str, many: usize) -> Result<Vec<String>> {
        let bodies: Vec<String> = (1..=many).map(|number| format!("{what} {number}")).collect();
        self.friend.wait_until_live(PATIENCE)?;
        for body in &bodies {
            self.friend.send(LAPTOP, body)?;
        }
        self.friend
            .wait_until_sent(&bodies, &["sent", "delivered"], PATIENCE)?;
        Ok(bodies)
    }

    /// One sleep and what follows it.
    pub fn wake(&mut self, run: usize, loss: u8) -> Result<Wake> {
        self.laptop()?.wait_until_live(PATIENCE)?;
        thread::sleep(QUIET);
        let missed = match self.case.what {
            What::Alive => 0,
            _ => MISSED,
        };
        let seed = u64::try_from(run)?;
        let (mark, woke) = if self.case.what == What::Start {
            self.laptop.take().context("there is no laptop")?.terminate()?;
            self.say(&format!("missed {run}"), missed)?;
            self.lab.relay().loss(f64::from(loss) / 100.0, seed);
            self.lab.relay().count_round_trips();
            let woke = Instant::now();
            self.laptop = Some(self.start_laptop()?);
            (Mark::START, woke)
        } else {
            self.sleep(run, missed, f64::from(loss) / 100.0)?
        };
        let bodies: Vec<String> = (1..=missed)
            .map(|number| format!("missed {run} {number}"))
            .collect();
        let relay = self.lab.relay().clone();
        // The events are looked at as each of them comes: the count is of that moment.
        let (seen, round_trips) = self
            .laptop()?
            .wait(mark, "all that was missed", PATIENCE, |events| {
                Some((seen(events, &bodies)?, relay.round_trips()))
            })?;
        self.lab.relay().loss(0.0, seed);
        let since = |at: Instant| at.saturating_duration_since(woke);
        if let Some(first) = self
            .laptop()?
            .since(mark)
            .iter()
            .find(|event| event.kind() == "error")
        {
            anyhow::bail!("the laptop says: {}", first.json);
        }
        if since(seen.done) > SLOW {
            eprintln!(
                "{:.1} s:\n{}",
                since(seen.done).as_secs_f64(),
                self.laptop()?.dump()
            );
        }
        Ok(Wake {
            done: since(seen.done),
            bound: seen.bound.map(since),
            newest: seen.newest.map(since),
            round_trips,
        })
    }

    fn sleep(&mut self, run: usize, missed: usize, loss: f64) -> Result<(Mark, Instant)> {
        let laptop = self.laptop()?;
        let before = laptop.mark();
        self.logind.prepare_for_sleep(true)?;
        laptop.wait_for_since(before, "the state `asleep`", PATIENCE, |event| {
            event.state() == Some("asleep")
        })?;
        // What it said last has been answered.
        thread::sleep(Duration::from_millis(700));
        let mut sleeper = self.lab.sleeper(laptop.id());
        let asleep = sleeper.suspend()?;
        match self.case.what {
            What::Dead | What::Night => drop(self.lab.relay().kill_flows()),
            What::Mute => drop(self.lab.relay().mute_flows()),
            What::Alive | What::Start => {}
        }
        // A session is held for minutes, a night is hours: what comes in it comes for somebody who is gone.
        if self.case.what == What::Night {
            self.forget_session()?;
        }
        self.say(&format!("missed {run}"), missed)?;
        thread::sleep(SLEEP.saturating_sub(asleep.slept()));
        let relay = self.lab.relay();
        relay.loss(loss, u64::try_from(run)?);
        let mark = self.laptop()?.mark();
        relay.count_round_trips();
        let woke = Instant::now();
        asleep.resume(NetworkReturn::AtOnce)?;
        self.logind.prepare_for_sleep(false)?;
        Ok((mark, woke))
    }
}

impl Stand {
    /// The server forgets the laptop's session, as it does long before the morning.
    fn forget_session(&mut self) -> Result<()> {
        match &mut self.server {
            Server::Prosody(it) => {
                it.restart()?;
                self.friend_returns()?;
            }
            // Quicker than a start of its machine.
            Server::Ejabberd(it) => {
                let (user, host) = LAPTOP.split_once('@').context("no address")?;
                it.api("kick_user", &[("user", user), ("host", host)])?;
            }
        }
        Ok(())
    }
}

impl Stand {
    /// The friend is back as soon as the server is: nobody measures how patient the friend is.
    fn friend_returns(&mut self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.friend.state() != "live" && Instant::now() < end {
            self.friend.send_command(&json!({"command": "retry-now"}))?;
            thread::sleep(Duration::from_millis(500));
        }
        self.friend.wait_until_live(PATIENCE)
    }
}

fn endpoint(server: &Server) -> String {
    match server {
        Server::Prosody(it) => it.wss_endpoint(),
        Server::Ejabberd(it) => it.wss_endpoint(),
    }
}

fn start(case: Case, certificate: &Certificate, place: Place, nagle: bool) -> Result<Server> {
    let held = (case.what == What::Night).then_some(HELD);
    let accounts = [("alice", PASSWORD), ("bob", PASSWORD)];
    let prosody = |release| -> Result<Server> {
        let mut builder = Prosody::builder()
            .release(release)
            .accounts(accounts)
            .shared_contacts([(LAPTOP, "Alice"), (FRIEND, "Bob")])
            .storage(Storage::Sqlite)
            // How fast the server's disk syncs is not what is measured.
            .in_memory()
            .tls(certificate)
            .place(place.clone());
        if !nagle {
            builder = builder.without_nagle();
        }
        if let Some(seconds) = held {
            builder = builder.hibernation(seconds);
        }
        Ok(Server::Prosody(builder.start()?))
    };
    let ejabberd = |release| -> Result<Server> {
        let mut builder = Ejabberd::builder()
            .release(release)
            .accounts(accounts)
            .tls(certificate)
            .place(place.clone());
        if let Some(seconds) = held {
            builder = builder.resume_timeout(seconds);
        }
        Ok(Server::Ejabberd(builder.start()?))
    };
    match case.make {
        Make::Prosody13 => prosody(Release::Trixie),
        Make::Prosody012 => prosody(Release::Bookworm),
        Make::Ejabberd2412 => ejabberd(Release::Trixie),
        Make::Ejabberd2301 => ejabberd(Release::Bookworm),
    }
}

/// Moments among the events after a wake.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    done: Instant,
    bound: Option<Instant>,
    newest: Option<Instant>,
}

/// None while something is missing.
fn seen(events: &[Event], bodies: &[String]) -> Option<Seen> {
    let bound = events
        .iter()
        .find(|event| event.state() == Some("catching-up"))
        .map(|event| event.at);
    let Some(last) = bodies.last() else {
        let live = events.iter().find(|event| event.state() == Some("live"))?;
        return Some(Seen {
            done: live.at,
            bound,
            newest: None,
        });
    };
    let shown = |body: &String| {
        events
            .iter()
            .position(|event| event.received() == Some(body.as_str()))
    };
    let stored = |place: usize| {
        let behind = events.iter().skip(place);
        let event = behind.into_iter().find(|event| event.kind() == "stored")?;
        Some(event.at)
    };
    let places: Option<Vec<usize>> = bodies.iter().map(shown).collect();
    Some(Seen {
        done: stored(places?.into_iter().max()?)?,
        bound,
        newest: Some(stored(shown(last)?)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn what_is_shown_is_done_when_it_is_stored() {
        let start = Instant::now();
        let at = |number: u64| start + Duration::from_millis(number);
        let told = |lines: &[Value]| -> Vec<Event> {
            let numbered = (1..).zip(lines);
            numbered
                .map(|(number, json)| Event {
                    at: at(number),
                    json: json.clone(),
                })
                .collect()
        };
        let message = |body: &str| json!({"event": "message", "direction": "in", "body": body});
        let bodies = ["a".to_owned(), "b".to_owned()];
        let mut lines = vec![
            json!({"event": "connection", "state": "catching-up"}),
            json!({"event": "stored"}),
            message("b"),
            json!({"event": "stored"}),
            message("a"),
        ];
        assert_eq!(seen(&told(&lines), &bodies), None, "shown and not stored");
        lines.push(json!({"event": "stored"}));
        let expected = Seen {
            done: at(6),
            bound: Some(at(1)),
            newest: Some(at(4)),
        };
        assert_eq!(seen(&told(&lines), &bodies), Some(expected));
    }
}
