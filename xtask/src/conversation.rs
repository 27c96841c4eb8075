//! A scripted conversation with a sleep in it, held through `dormouse-cli run` (docs/cli.md) as any program could.
//!
//! Signs in, says something and is answered; sleeps, while the friend goes on talking; wakes, and must have what was
//! said meanwhile, once and in order. Every expectation that is not met within its time is an error.

use crate::run::{Result, duration, run};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const SIGN_IN: Duration = Duration::from_secs(60);
const ANSWER: Duration = Duration::from_secs(30);
const SLEEP: Duration = Duration::from_secs(10);
const MISSED: Duration = Duration::from_secs(30);
const GREETING: &str = "Hello there";

/// Holds the conversation with `friend` through the given command.
pub fn hold(command: &mut Command, friend: &str) -> Result<()> {
    hold_with_sleep(command, friend, SLEEP)
}

fn hold_with_sleep(command: &mut Command, friend: &str, sleep: Duration) -> Result<()> {
    let mut chat = Chat::open(command)?;

    let time = chat.wait_live("sign-in", SIGN_IN)?;
    println!("    Signed in after {}.", duration(time));

    chat.say(&json!({"command": "history", "with": friend, "limit": 100}))?;
    chat.wait("the history", ANSWER, |event| event["event"] == "history")?;
    println!(
        "    The history with {friend}: {} messages so far.",
        chat.from(friend).len()
    );

    let begun = Instant::now();
    let before: Vec<u64> = chat.from(friend).iter().map(|message| message.id).collect();
    chat.say(&json!({"command": "send", "to": friend, "body": GREETING, "tag": "hello"}))?;
    chat.until("the server's receipt of our message", ANSWER, |chat| {
        chat.has_reached_the_server("hello").then_some(())
    })?;
    println!(
        "    Our message reached the server after {}.",
        duration(begun.elapsed())
    );
    // The friend also talks unasked, but answers by repeating what was said.
    let answer = chat.until("the friend's answer", ANSWER, |chat| {
        chat.from(friend)
            .into_iter()
            .find(|it| !before.contains(&it.id) && it.body.contains(GREETING))
    })?;
    println!("    {friend} answered: {}", answer.body);

    chat.say(&json!({"command": "suspend"}))?;
    chat.wait("the end of preparing for sleep", ANSWER, |event| {
        event["event"] == "suspended"
    })?;
    chat.signal("STOP")?;
    // The server's stamps are whole seconds: what bears the second after this one was said in our sleep.
    let asleep = now_ms() / 1000 * 1000 + 1000;
    println!(
        "    Asleep for {} (the process is stopped); {friend} goes on talking.",
        duration(sleep)
    );
    std::thread::sleep(sleep);
    // Waiting messages are handed over in the first moment after waking, stamped with it if the server took us
    // for awake. The friend may say one more in that second, never two.
    let awake = now_ms() + 1000;
    chat.signal("CONT")?;

    chat.say(&json!({"command": "resume"}))?;
    let time = chat.wait_live("waking up", SIGN_IN)?;
    println!("    Awake and connected again after {}.", duration(time));
    // What the friend says after our waking proves that all before it must be here.
    chat.until("what the friend says after our waking", MISSED, |chat| {
        chat.from(friend)
            .iter()
            .any(|message| message.at > awake)
            .then_some(())
    })?;
    let all = chat.from(friend);
    let missed: Vec<&Message> = all
        .iter()
        .filter(|message| (asleep..=awake).contains(&message.at))
        .collect();
    if missed.len() < 2 {
        return Err(format!(
            "{friend} said something every few seconds, but of our sleep only {} messages have arrived.",
            missed.len()
        ));
    }
    for message in &missed {
        println!("    Missed and caught up: {}", message.body);
    }
    once_and_in_order(&all)?;
    println!(
        "    {} messages were said in our sleep; all {} are here once and in order.",
        missed.len(),
        all.len()
    );
    chat.quit()?;
    println!("    Said goodbye.");
    Ok(())
}

#[derive(Clone, Debug)]
struct Message {
    id: u64,
    body: String,
    at: u64,
    place: String,
    origin: Option<String>,
    archived: Vec<String>,
}

struct Chat {
    child: Child,
    commands: Option<ChildStdin>,
    events: Receiver<Value>,
    /// By local id: later events replace earlier ones.
    messages: BTreeMap<u64, (String, Message)>,
    /// The states of our own messages, by tag.
    own: BTreeMap<String, String>,
    /// The last states of the connection with their reasons, for the sentence of an error.
    states: Vec<String>,
}

impl Chat {
    fn open(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("dormouse-cli cannot be run: {error}"))?;
        let commands = child.stdin.take();
        let output = child.stdout.take().ok_or("dormouse-cli has no output")?;
        let (sender, events) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                match serde_json::from_str(&line) {
                    Ok(event) => {
                        if sender.send(event).is_err() {
                            return;
                        }
                    }
                    Err(error) => println!("    dormouse-cli said something that is not JSON ({error})"),
                }
            }
        });
        Ok(Self {
            child,
            commands,
            events,
            messages: BTreeMap::new(),
            own: BTreeMap::new(),
            states: Vec::new(),
        })
    }

    fn say(&mut self, command: &Value) -> Result<()> {
        let Some(commands) = &mut self.commands else {
            return Err("dormouse-cli takes no more commands".to_owned());
        };
        writeln!(commands, "{command}").map_err(|error| format!("dormouse-cli does not listen: {error}"))
    }

    fn wait_live(&mut self, what: &str, limit: Duration) -> Result<Duration> {
        let begun = Instant::now();
        self.wait(what, limit, |event| {
            event["event"] == "connection" && event["state"] == "live"
        })?;
        Ok(begun.elapsed())
    }

    /// The first event, from now on, that is the one waited for.
    fn wait(&mut self, what: &str, limit: Duration, is_it: impl Fn(&Value) -> bool) -> Result<Value> {
        let begun = Instant::now();
        loop {
            let event = self.hear(what, limit, begun)?;
            if is_it(&event) {
                return Ok(event);
            }
        }
    }

    /// The next event, noted; an error when the limit since `begun` is over or there will be none.
    fn hear(&mut self, what: &str, limit: Duration, begun: Instant) -> Result<Value> {
        let event = self
            .events
            .recv_timeout(limit.saturating_sub(begun.elapsed()))
            .map_err(|error| {
                let trouble = match error {
                    RecvTimeoutError::Timeout => format!("Waited {} for {what} in vain.", duration(limit)),
                    RecvTimeoutError::Disconnected => {
                        format!("dormouse-cli ended while we waited for {what}.")
                    }
                };
                format!("{trouble} {}", self.connection())
            })?;
        self.note(&event);
        if event["event"] == "connection" && event["state"] == "stopped" {
            return Err(format!(
                "The connection stopped while we waited for {what}. {}",
                self.connection()
            ));
        }
        Ok(event)
    }

    /// What is found in all that was heard so far, else in what is heard from now on.
    fn until<T>(&mut self, what: &str, limit: Duration, find: impl Fn(&Self) -> Option<T>) -> Result<T> {
        let begun = Instant::now();
        loop {
            if let Some(found) = find(self) {
                return Ok(found);
            }
            self.hear(what, limit, begun)?;
        }
    }

    /// Stops the whole process or lets it go on, as a sleep of the machine would.
    fn signal(&self, name: &str) -> Result<()> {
        run(Command::new("kill").args(["-s", name, &self.child.id().to_string()]))
    }

    fn has_reached_the_server(&self, tag: &str) -> bool {
        self.own
            .get(tag)
            .is_some_and(|state| matches!(state.as_str(), "sent" | "delivered" | "read"))
    }

    fn note(&mut self, event: &Value) {
        match event["event"].as_str() {
            Some("message") => self.keep(event),
            Some("history") => event["messages"]
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|message| self.keep(message)),
            Some("removed") => {
                if let Some(id) = event["id"].as_u64() {
                    self.messages.remove(&id);
                }
            }
            Some("connection") => {
                let word = |name: &str| event[name].as_str().unwrap_or("?").to_owned();
                self.states
                    .push(format!("{} ({})", word("state"), word("reason")));
            }
            Some("error") => println!("    dormouse-cli: {}", event["text"].as_str().unwrap_or_default()),
            _ => {}
        }
    }

    fn keep(&mut self, event: &Value) {
        let Some(id) = event["id"].as_u64() else { return };
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        if event["direction"] != "in" {
            if let (Some(tag), Some(state)) = (text("tag"), text("state")) {
                self.own.insert(tag, state);
            }
            return;
        }
        let archived = event["archive_ids"].as_array().into_iter().flatten();
        let message = Message {
            id,
            body: text("body").unwrap_or_default(),
            at: event["at"].as_u64().unwrap_or_default(),
            place: text("place").unwrap_or_default(),
            origin: text("origin_id"),
            archived: archived.filter_map(|id| id.as_str().map(str::to_owned)).collect(),
        };
        self.messages
            .insert(id, (text("conversation").unwrap_or_default(), message));
    }

    /// What this contact said, in the order of the timeline.
    fn from(&self, contact: &str) -> Vec<Message> {
        let mut found: Vec<Message> = self
            .messages
            .values()
            .filter(|(conversation, _)| conversation == contact)
            .map(|(_, message)| message.clone())
            .collect();
        found.sort_by(|a, b| a.place.cmp(&b.place));
        found
    }

    fn connection(&self) -> String {
        let last: Vec<&str> = self
            .states
            .iter()
            .rev()
            .take(4)
            .rev()
            .map(String::as_str)
            .collect();
        if last.is_empty() {
            return "It has said nothing about its connection.".to_owned();
        }
        format!("The connection's last states: {}.", last.join(", "))
    }

    fn quit(mut self) -> Result<()> {
        self.say(&json!({"command": "quit"}))?;
        self.commands = None;
        let begun = Instant::now();
        loop {
            match self
                .child
                .try_wait()
                .map_err(|error| format!("dormouse-cli cannot be waited for: {error}"))?
            {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("dormouse-cli ended badly after quit ({status}).")),
                None if begun.elapsed() > Duration::from_secs(15) => {
                    return Err("dormouse-cli did not end within 15 s of quit.".to_owned());
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The same message under two local ids, or times that run backwards by more than the stamps' whole second.
fn once_and_in_order(messages: &[Message]) -> Result<()> {
    for (index, message) in messages.iter().enumerate() {
        let is_same = |other: &Message| {
            (message.origin.is_some() && message.origin == other.origin)
                || message.archived.iter().any(|id| other.archived.contains(id))
        };
        if messages.iter().take(index).any(is_same) {
            return Err(format!("This message is here twice: {}", message.body));
        }
    }
    match messages
        .windows(2)
        .find(|pair| matches!(pair, [a, b] if a.at > b.at.saturating_add(1000)))
    {
        Some([a, b]) => Err(format!("These are in the wrong order: {} / {}", a.body, b.body)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: u64, at: u64, origin: &str) -> Message {
        let origin = Some(origin.to_owned());
        Message {
            id,
            body: format!("{id}"),
            at,
            place: String::new(),
            origin,
            archived: vec![format!("a-{id}")],
        }
    }

    /// A client by shell: prints the events given, and answers each command by the next group of events.
    fn scripted(groups: &[&[Value]]) -> Command {
        let mut script = String::new();
        for (index, group) in groups.iter().enumerate() {
            if index > 0 {
                script.push_str("read -r _ || exit 0\n");
            }
            for event in *group {
                script.push_str(&format!("echo '{event}'\n"));
            }
        }
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        command
    }

    #[test]
    fn a_message_under_two_local_ids_is_found() {
        let error = once_and_in_order(&[message(1, 1000, "x"), message(2, 1000, "x")]).unwrap_err();
        assert!(error.contains("twice"), "{error}");
        assert!(once_and_in_order(&[message(1, 1000, "x"), message(2, 1000, "y")]).is_ok());
    }

    #[test]
    fn times_that_run_backwards_by_more_than_a_second_are_found() {
        assert!(once_and_in_order(&[message(1, 9000, "x"), message(2, 8000, "y")]).is_ok());
        assert!(once_and_in_order(&[message(1, 9001, "x"), message(2, 8000, "y")]).is_err());
    }

    #[test]
    fn a_client_that_stops_is_an_error_with_its_reason() {
        let stopped =
            json!({"event": "connection", "state": "stopped", "reason": "The password was refused."});
        let error = hold(&mut scripted(&[&[stopped]]), "friend@localhost").unwrap_err();
        assert!(error.contains("The password was refused."), "{error}");
    }

    #[test]
    fn a_client_that_dies_is_an_error() {
        let error = hold(&mut scripted(&[]), "friend@localhost").unwrap_err();
        assert!(error.contains("ended while we waited for sign-in"), "{error}");
    }

    /// A client that does all that is expected; after `resume` it shows these messages: id, seconds after now.
    fn well_behaved(after_resume: &[(u64, i64)]) -> Command {
        let mut script = r#"
            said() {
                echo "{\"event\":\"message\",\"id\":$1,\"direction\":\"in\",\"conversation\":\"f@l\",\"body\":\"m$1 Hello there\",\"at\":$2000,\"place\":\"0$1\",\"archive_ids\":[\"a$3\"]}"
            }
            live() { echo '{"event":"connection","state":"live","reason":"."}'; }
            live
            read -r _; echo '{"event":"history","conversation":"f@l","messages":[]}'
            read -r _; echo '{"event":"message","id":9,"direction":"out","tag":"hello","state":"sent"}'
            said 1 $(date +%s) 1
            read -r _; echo '{"event":"suspended"}'
            read -r _; live; now=$(date +%s)
        "#
        .to_owned();
        for (id, seconds) in after_resume {
            // Ids from 20 on are second copies of those without the 2.
            script.push_str(&format!("said {id} $((now + {seconds})) {}\n", id % 20));
        }
        script.push_str("read -r _\n");
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        command
    }

    fn short(mut command: Command) -> Result<()> {
        hold_with_sleep(&mut command, "f@l", Duration::from_millis(2200))
    }

    #[test]
    fn a_conversation_in_which_everything_missed_arrives_succeeds() {
        short(well_behaved(&[(2, 0), (3, 0), (4, 3)])).unwrap();
    }

    #[test]
    fn a_client_that_shows_nothing_of_the_sleep_is_an_error() {
        let error = short(well_behaved(&[(4, 3)])).unwrap_err();
        assert!(error.contains("only 0 messages have arrived"), "{error}");
    }

    #[test]
    fn a_client_that_shows_a_missed_message_twice_is_an_error() {
        let error = short(well_behaved(&[(2, 0), (22, 0), (4, 3)])).unwrap_err();
        assert!(error.contains("twice"), "{error}");
    }
}
