//! `dormouse-cli chat`: a plain terminal chat. A typing line at the bottom, everything else scrolls by
//! above it.

use crate::open::{Open, Place};
use crate::words::{self, say, tame};
use anyhow::{Context, Result};
use dormouse_engine::model::{
    Availability, BareJid, Change, ChatState, Connection, ConnectionState, Contact, MessageId, Notice,
};
use dormouse_engine::{Command, Engine, Part, now};
use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor, ExternalPrinter};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;

const HELP: &str = "\
Type a text and press Enter to send it.
  /to ADDRESS       talk to somebody          /contacts         who is there
  /history [N]      the last N messages       /older            read older ones from the server
  /add ADDRESS      add a contact             /remove ADDRESS   remove a contact
  /accept ADDRESS   let them see you          /decline ADDRESS  don't
  /block ADDRESS    hear nothing of them      /unblock ADDRESS  hear of them again
  /edit N TEXT      replace your message #N   /retract N        withdraw it
  /retry N          send a failed one again   /discard N        give it up
  /status           how the connection is     /journal [N]      what happened to it
  /now              connect without waiting   /quit             close";

/// What is known of the others, to be shown on demand.
#[derive(Default)]
struct Screen {
    with: Option<BareJid>,
    contacts: BTreeMap<BareJid, Contact>,
    requests: BTreeSet<BareJid>,
    connection: Option<Connection>,
    shown: BTreeMap<MessageId, String>,
    catching_up: bool,
    typing: bool,
    /// The first look at everything is over: what comes now is news.
    begun: bool,
}

/// Chats until the person quits.
pub async fn chat(place: Place) -> Result<()> {
    let address = place.address.clone();
    let Open {
        engine,
        metrics,
        _log,
    } = place.open().await?;
    let mut subscription = engine.subscribe().await.context("The engine has ended")?;
    let (mut lines, mut printer) = typing_line()?;
    let mut screen = Screen::default();
    let mut print = move |text: String| {
        if printer.print(format!("{text}\n")).is_err() {
            say(&text);
        }
    };
    print(format!("This is {address}. /help says what can be done."));
    if let Some(listener) = &metrics {
        print(format!("Metrics: {listener}"));
    }
    for change in std::mem::take(&mut subscription.snapshot) {
        screen.take(&engine, change, &mut print);
    }
    screen.open_first(&engine, &mut print);
    loop {
        tokio::select! {
            change = subscription.changes.recv() => match change {
                Some(change) => screen.take(&engine, change, &mut print),
                None => break,
            },
            line = lines.recv() => match line {
                Some((line, next)) => {
                    let go_on = screen.typed(&engine, line.trim(), &mut print).await;
                    if !go_on {
                        break;
                    }
                    // The typing line comes back only after its answer was printed.
                    let _ = next.send(());
                }
                None => break,
            },
        }
    }
    engine.quit().await;
    Ok(())
}

type TypedLines = UnboundedReceiver<(String, oneshot::Sender<()>)>;

/// The typing line, on a thread of its own: reading a terminal blocks.
fn typing_line() -> Result<(TypedLines, impl ExternalPrinter)> {
    let config = Config::builder().auto_add_history(true).build();
    let mut editor = DefaultEditor::with_config(config).context("This terminal can't be used")?;
    let printer = editor
        .create_external_printer()
        .context("This terminal can't be used")?;
    let (typed, lines) = unbounded_channel();
    std::thread::Builder::new()
        .name("typing-line".into())
        .spawn(move || {
            loop {
                match editor.readline("> ") {
                    Ok(line) => {
                        let (next, answered) = oneshot::channel();
                        if typed.send((line, next)).is_err() || answered.blocking_recv().is_err() {
                            return;
                        }
                    }
                    Err(ReadlineError::Interrupted | ReadlineError::Eof) => return,
                    Err(error) => {
                        words::complain(&format!("The terminal can't be read: {error}."));
                        return;
                    }
                }
            }
        })?;
    Ok((lines, printer))
}

impl Screen {
    /// Opens the conversation there is most reason to open.
    fn open_first(&mut self, engine: &Engine, print: &mut impl FnMut(String)) {
        self.begun = true;
        let online = |contact: &&Contact| contact.availability() < Availability::Offline;
        let first = self
            .contacts
            .values()
            .find(online)
            .or_else(|| self.contacts.values().next());
        match first.map(|contact| contact.address.clone()) {
            Some(address) => self.open(engine, address, print),
            None => print(
                "Nobody is on your list yet. /add ADDRESS adds somebody; /to ADDRESS writes to them.".into(),
            ),
        }
    }

    fn open(&mut self, engine: &Engine, address: BareJid, print: &mut impl FnMut(String)) {
        print(format!("— {} —", self.name(&address)));
        self.with = Some(address.clone());
        self.history(engine, &address, 20, print);
    }

    fn history(&mut self, engine: &Engine, with: &BareJid, limit: usize, print: &mut impl FnMut(String)) {
        match engine.history(with, Part::Latest, limit) {
            Ok(stretch) => {
                if stretch.more {
                    print("(older messages: /history N, /older)".into());
                }
                for message in &stretch.messages {
                    let line = words::message(message);
                    self.shown.insert(message.id, line.clone());
                    print(line);
                }
                if stretch.hole.is_some() {
                    print("(messages are missing here; they are being read from the server)".into());
                }
                engine.command(Command::Read(with.clone()));
            }
            Err(error) => print(format!("The history can't be read: {error}.")),
        }
    }

    fn name(&self, address: &BareJid) -> String {
        match self
            .contacts
            .get(address)
            .and_then(|contact| contact.name.as_deref())
        {
            Some(name) => format!("{} <{address}>", tame(name)),
            None => address.to_string(),
        }
    }

    fn take(&mut self, engine: &Engine, change: Change, print: &mut impl FnMut(String)) {
        match change {
            Change::Connection(connection) => {
                let news = self
                    .connection
                    .as_ref()
                    .is_none_or(|old| old.state.name() != connection.state.name());
                if news {
                    print(format!("* {}", state(&connection)));
                }
                self.connection = Some(connection);
            }
            Change::Message(message) => {
                let mut line = words::message(&message);
                let here = self.with.as_ref() == Some(&message.conversation);
                if !here {
                    line = format!("[{}] {line}", self.name(&message.conversation));
                }
                let before = self.shown.insert(message.id, line.clone());
                match (&before, message.delivery()) {
                    _ if self.catching_up => {}
                    (Some(before), _) if *before == line => {}
                    // Of a message that stands there already only its mark is new.
                    (Some(before), Some(delivery)) if same_words(before, &line) => {
                        print(format!("  #{} {}", message.id, words::delivery(delivery)));
                    }
                    _ => print(line),
                }
                if here && message.delivery().is_none() {
                    engine.command(Command::Read(message.conversation.clone()));
                }
            }
            Change::Removed { id, .. } => {
                if self.shown.remove(&id).is_some() {
                    print(format!("* #{id} is gone"));
                }
            }
            Change::Contact(contact) => {
                let before = self.contacts.get(&contact.address).map(Contact::availability);
                let after = contact.availability();
                if before.is_some_and(|before| before != after && before != Availability::Unknown) {
                    print(format!(
                        "* {} is {}",
                        self.name(&contact.address),
                        available(after)
                    ));
                }
                let address = contact.address.clone();
                self.contacts.insert(address.clone(), contact);
                if self.with.is_none() && self.begun {
                    self.open(engine, address, print);
                }
            }
            Change::ContactRemoved(address) => {
                print(format!("* {} is no longer on your list", self.name(&address)));
                self.contacts.remove(&address);
            }
            Change::Request(from) => {
                print(format!(
                    "* {from} wants to see when you are online: /accept {from} or /decline {from}"
                ));
                self.requests.insert(from);
            }
            Change::RequestGone(from) => {
                self.requests.remove(&from);
            }
            Change::Blocked { address, blocked } => {
                let what = if blocked { "is" } else { "is no longer" };
                print(format!("* {} {what} blocked", self.name(&address)));
            }
            // One conversation at a time is on a terminal, and it has no list of them.
            Change::Conversation(_) | Change::NoticeGone(_) | Change::RoundTrip(_) | Change::Stored => {}
            Change::ChatState { conversation, state } => {
                let typing = state == Some(ChatState::Composing);
                let here = self.with.as_ref() == Some(&conversation);
                if std::mem::replace(&mut self.typing, typing && here) != typing && typing && here {
                    print(format!("* {} is typing…", self.name(&conversation)));
                }
            }
            Change::CatchUp { stored, done, .. } => {
                if done && self.catching_up && stored > 0 {
                    print(format!("* {stored} missed messages were read."));
                }
                let finished = done && self.catching_up;
                self.catching_up = !done;
                if finished && let Some(with) = self.with.clone() {
                    self.news(engine, &with, print);
                }
            }
            Change::Older { more, .. } => print(if more {
                "* Older messages were read: /history N shows them.".into()
            } else {
                "* There is nothing older on the server.".into()
            }),
            Change::Notice(notice) => print(format!("* {}", notice_words(&notice))),
        }
    }

    /// Prints what a catch-up brought into the open conversation, in order.
    fn news(&mut self, engine: &Engine, with: &BareJid, print: &mut impl FnMut(String)) {
        let Ok(stretch) = engine.history(with, Part::Latest, 200) else {
            return;
        };
        for message in &stretch.messages {
            let line = words::message(message);
            if self.shown.insert(message.id, line.clone()).as_ref() != Some(&line)
                || message.delivery().is_none()
            {
                print(line);
            }
        }
    }

    /// Does what was typed; false to quit.
    async fn typed(&mut self, engine: &Engine, line: &str, print: &mut impl FnMut(String)) -> bool {
        let Some(words) = line.strip_prefix('/') else {
            if !line.is_empty() {
                match self.with.clone() {
                    Some(to) => drop(engine.send(to, line.to_owned()).await),
                    None => print("To whom? /to ADDRESS".into()),
                }
            }
            return true;
        };
        let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
        match (verb, rest.trim()) {
            ("quit" | "q", _) => return false,
            ("help", _) => print(HELP.into()),
            ("contacts", _) => self.list(print),
            ("status", _) => print(match &self.connection {
                Some(connection) => format!("* {}", state(connection)),
                None => "* Not started.".into(),
            }),
            ("now", _) => engine.command(Command::RetryNow),
            ("journal", n) => match engine.journal(n.parse().unwrap_or(20)) {
                Ok(lines) => lines
                    .iter()
                    .for_each(|line| print(format!("  {}", tame(&line.text)))),
                Err(error) => print(format!("The journal can't be read: {error}.")),
            },
            ("history", n) => match self.with.clone() {
                Some(with) => self.history(engine, &with, n.parse().unwrap_or(50), print),
                None => print("Of whom? /to ADDRESS".into()),
            },
            ("older", _) => match self.with.clone() {
                Some(with) => engine.command(Command::Older(with)),
                None => print("Of whom? /to ADDRESS".into()),
            },
            ("to" | "add" | "remove" | "accept" | "decline" | "block" | "unblock", address) => {
                match BareJid::new(address) {
                    Ok(address) => self.about(engine, verb, address, print),
                    Err(_) => print(format!(
                        "“{address}” is no address. An address looks like name@example.org."
                    )),
                }
            }
            ("edit" | "retract" | "retry" | "discard", rest) => {
                let (number, text) = rest.split_once(' ').unwrap_or((rest, ""));
                match number.trim_start_matches('#').parse() {
                    Ok(id) => own_message(engine, verb, MessageId(id), text, print),
                    Err(_) => print(format!("Which one? /{verb} N, with the number behind the #")),
                }
            }
            _ => print(format!("/{verb} is unknown. /help says what can be done.")),
        }
        true
    }

    fn about(&mut self, engine: &Engine, verb: &str, address: BareJid, print: &mut impl FnMut(String)) {
        match verb {
            "to" => self.open(engine, address, print),
            "add" => engine.command(Command::Add { address, name: None }),
            "remove" => engine.command(Command::Remove(address)),
            "accept" => engine.command(Command::Accept(address)),
            "block" => engine.command(Command::Block(address)),
            "unblock" => engine.command(Command::Unblock(address)),
            _ => engine.command(Command::Decline(address)),
        }
    }

    fn list(&self, print: &mut impl FnMut(String)) {
        for contact in self.contacts.values() {
            print(format!(
                "  {} — {}",
                self.name(&contact.address),
                available(contact.availability())
            ));
        }
        for request in &self.requests {
            print(format!("  {request} — wants to see when you are online"));
        }
    }
}

/// Whether two lines differ in nothing but the mark at the end.
fn same_words(one: &str, other: &str) -> bool {
    let words = |line: &str| line.rsplit_once("  ").map(|(words, _)| words.to_owned());
    words(one).is_some() && words(one) == words(other)
}

fn own_message(engine: &Engine, verb: &str, id: MessageId, text: &str, print: &mut impl FnMut(String)) {
    match verb {
        "edit" if text.is_empty() => print("What shall it say? /edit N TEXT".into()),
        "edit" => engine.command(Command::Edit {
            id,
            body: text.to_owned(),
        }),
        "retract" => engine.command(Command::Retract(id)),
        "retry" => engine.command(Command::Retry(id)),
        _ => engine.command(Command::Discard(id)),
    }
}

fn available(availability: Availability) -> &'static str {
    match availability {
        Availability::Online => "online",
        Availability::Away => "away",
        Availability::DoNotDisturb => "not to be disturbed",
        Availability::ExtendedAway => "away for longer",
        Availability::Offline => "offline",
        Availability::Unknown => "not known yet",
    }
}

/// The connection in words.
fn state(connection: &Connection) -> String {
    let why = tame(&connection.cause.sentence());
    match connection.state {
        ConnectionState::Live => "Connected.".into(),
        ConnectionState::Connecting { attempt: 1 } => "Connecting…".into(),
        ConnectionState::Connecting { attempt } => format!("Connecting, attempt {attempt}…"),
        ConnectionState::SigningIn => "Signing in…".into(),
        ConnectionState::CatchingUp => "Signed in; reading what was missed…".into(),
        ConnectionState::Suspect => format!("Checking the connection: {why}"),
        ConnectionState::Asleep => "Asleep.".into(),
        ConnectionState::Offline => "No network.".into(),
        ConnectionState::Stopped => format!("Stopped: {why}"),
        ConnectionState::Waiting { until, .. } => {
            let left = until.since(now().tick).max(Duration::from_secs(1)).as_secs();
            format!("{why} Trying again in {left} s; /now doesn't wait.")
        }
    }
}

fn notice_words(notice: &Notice) -> String {
    tame(&notice.sentence())
}
