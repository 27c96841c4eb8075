//! `dormouse-cli test`: what it says of real servers, and of what stands before them or is not there.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod between;
mod discovery;

use anyhow::{Context, ensure};
use dormouse_scenarios::client::Client;
use dormouse_scenarios::server::{Make, Person, Plan, SOON, Server, befriend, passes};
use dormouse_scenarios::{Result, program, with_both_servers};
use dormouse_servers::{Authority, Nginx};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// The names of the steps that every check has, as they are shown.
const STEPS: [&str; 10] = [
    "Name",
    "Discovery",
    "TCP",
    "Proxy",
    "TLS",
    "WebSocket",
    "Sign-in",
    "Resumption",
    "Archive",
    "Round trip",
];
/// Signs that are no trouble.
const WELL: [&str; 2] = ["✓", "-"];

/// A check that is being made.
struct Checking {
    child: Child,
    out: BufReader<ChildStdout>,
    lines: Vec<String>,
}

/// A check that is over.
struct Checked {
    lines: Vec<String>,
    well: bool,
}

impl Checking {
    fn start(
        person: &Person,
        endpoint: &str,
        arguments: &[&str],
        environment: &[(&str, &Path)],
    ) -> Result<Self> {
        let given = [&["--endpoint", endpoint], arguments].concat();
        Self::by(Command::new(program::cli()?), person, &given, environment)
    }

    /// The program is started by this command.
    fn by(
        mut command: Command,
        person: &Person,
        arguments: &[&str],
        environment: &[(&str, &Path)],
    ) -> Result<Self> {
        let mut child = command
            .args(["test", &person.address, "--no-wake"])
            .args(arguments)
            .env("DORMOUSE_PASSWORD", &person.password)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().context("no output")?;
        Ok(Self {
            child,
            out: BufReader::new(out),
            lines: Vec::new(),
        })
    }

    /// Reads until the line of a step.
    fn until(&mut self, step: &str) -> Result<()> {
        loop {
            let mut line = String::new();
            let read = self.out.read_line(&mut line)?;
            ensure!(read > 0, "it ended before “{step}”: {:#?}", self.lines);
            self.lines.push(line.trim_end().to_owned());
            if line.contains(step) {
                return Ok(());
            }
        }
    }

    fn end(mut self) -> Result<Checked> {
        for line in self.out.by_ref().lines() {
            self.lines.push(line?);
        }
        let output = self.child.wait_with_output()?;
        let complaints = String::from_utf8(output.stderr)?;
        self.lines.extend(complaints.lines().map(str::to_owned));
        Ok(Checked {
            lines: self.lines,
            well: output.status.success(),
        })
    }
}

impl Checked {
    /// The line of a step: its sign, and what it says.
    fn step(&self, title: &str) -> Result<(&str, &str)> {
        let found = self.lines.iter().find_map(|line| {
            let (sign, rest) = line.split_once(' ')?;
            let sentence = rest.strip_prefix(title)?.strip_prefix(' ')?;
            Some((sign, sentence.trim()))
        });
        found.with_context(|| format!("no “{title}” in {:#?}", self.lines))
    }

    fn all_is_well(&self) -> Result<()> {
        ensure!(self.well, "{:#?}", self.lines);
        for title in STEPS {
            let (sign, _) = self.step(title)?;
            ensure!(WELL.contains(&sign), "{title}: {:#?}", self.lines);
        }
        Ok(())
    }

    /// This step failed with these words, and what needs it was not tried.
    fn fails_at(&self, title: &str, words: &str) -> Result<()> {
        ensure!(!self.well, "{:#?}", self.lines);
        let (sign, sentence) = self.step(title)?;
        ensure!(sign == "✗" && sentence.contains(words), "{:#?}", self.lines);
        let behind = STEPS.iter().skip_while(|it| **it != title).skip(1);
        for later in behind {
            let (sign, sentence) = self.step(later)?;
            ensure!(
                sign == "·" && sentence.contains("Not tried"),
                "{later}: {:#?}",
                self.lines
            );
        }
        Ok(())
    }

    fn says(&self, title: &str, sign: &str, words: &str) -> Result<()> {
        let (found, sentence) = self.step(title)?;
        ensure!(
            found == sign && sentence.contains(words),
            "{title}: {:#?}",
            self.lines
        );
        Ok(())
    }
}

fn check(server: &Server, person: &Person, arguments: &[&str]) -> Result<Checked> {
    Checking::start(person, &server.ws_endpoint(), arguments, &[])?.end()
}

fn a_server_that_works_is_green_and_the_account_is_not_disturbed(make: Make) -> Result<()> {
    let server = Plan::new(make).start()?;
    let (alice, bob) = (server.person("alice")?, server.person("bob")?);
    let (mut running, mut friend) = (server.live(&alice)?, server.live(&bob)?);
    befriend(&mut running, &mut friend)?;
    // What becoming contacts brings has all come.
    friend.wait_for("alice, online", SOON, |event| {
        event.kind() == "contact"
            && event.text("address") == alice.address
            && event.text("availability") == "online"
    })?;
    let folder = tempfile::tempdir()?;
    let report = folder.path().join("report.txt");
    let mark = running.mark();
    let seen = friend.mark();
    let report_argument = report.to_str().context("a path")?;
    let checked = check(&server, &alice, &["--idle", "2", "--report", report_argument])?;
    checked.all_is_well()?;
    checked.says("Sign-in", "✓", "SCRAM-SHA-")?;
    checked.says("Resumption", "✓", "taken up again")?;
    checked.says("Archive", "✓", "archive")?;
    checked.says("Round trip", "✓", "of 10")?;
    checked.says(
        "Silence",
        "✓",
        "After 2 s of silence the connection still answers.",
    )?;

    // Nobody has noticed: neither the running account nor its friend.
    friend.send(&alice.address, "said after it")?;
    running.wait_until_received(&["said after it".to_owned()], SOON)?;
    let states = running
        .since(mark)
        .iter()
        .filter(|it| it.kind() == "connection")
        .count();
    ensure!(states == 0, "{}", running.dump());
    let presence = friend
        .since(seen)
        .iter()
        .filter(|it| it.kind() == "contact")
        .count();
    ensure!(presence == 0, "{}", friend.dump());

    let text = std::fs::read_to_string(&report)?;
    ensure!(text.contains("What was tried works."), "{text}");
    for secret in [
        &alice.user,
        &alice.password,
        "localhost",
        "127.0.0.1",
        "said after it",
    ] {
        ensure!(!text.contains(secret), "{secret} in {text}");
    }
    Ok(())
}

fn what_waits_at_the_server_is_not_taken_by_a_check(make: Make) -> Result<()> {
    let server = Plan::new(make).without_archive().start()?;
    let (alice, bob) = (server.person("alice")?, server.person("bob")?);
    let mut friend = server.live(&bob)?;
    friend.send(&alice.address, "said while nobody was there")?;
    friend.wait_until_sent(&["said while nobody was there".to_owned()], &["sent"], SOON)?;
    let checked = check(&server, &alice, &[])?;
    ensure!(checked.well, "{:#?}", checked.lines);
    checked.says("Archive", "!", "keeps no archive")?;
    let client = server.live(&alice)?;
    client.wait_until_received(&["said while nobody was there".to_owned()], SOON)?;
    Ok(())
}

fn a_wrong_password_is_named_and_the_rest_is_not_tried(make: Make) -> Result<()> {
    let server = Plan::new(make).start()?;
    let mut alice = server.person("alice")?;
    alice.password = "another".to_owned();
    let checked = check(&server, &alice, &[])?;
    checked.says("WebSocket", "✓", "101")?;
    checked.fails_at("Sign-in", "The server refused the password.")
}

fn what_was_said_while_the_account_slept_by_itself_arrives_after(make: Make) -> Result<()> {
    const SECONDS: u64 = 8;
    let server = Plan::new(make).start()?;
    let (alice, bob) = (server.person("alice")?, server.person("bob")?);
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_str().context("a path")?;
    let mut friend = server.live(&bob)?;
    // The account is there already: a first sign-in reads nothing of what was before it.
    server
        .client(&alice)
        .data_dir(folder.path())
        .start()?
        .wait_until_live(SOON)?;
    let sleep = SECONDS.to_string();
    let mut checking = Checking::start(
        &alice,
        &server.ws_endpoint(),
        &["--data-dir", data, "--sleep", &sleep],
        &[],
    )?;
    checking.until("Round trip")?;
    let asleep = Instant::now();
    // It has to be cut off before.
    std::thread::sleep(Duration::from_secs(2));
    friend.send(&alice.address, "said meanwhile")?;
    let checked = checking.end()?;
    ensure!(
        asleep.elapsed() >= Duration::from_secs(SECONDS),
        "it did not sleep"
    );
    ensure!(checked.well, "{:#?}", checked.lines);
    checked.says(
        "Simulated sleep",
        "✓",
        &format!("Cut off for {SECONDS} s; back after"),
    )?;
    checked.says("Simulated sleep", "✓", "with 1 message of others")?;
    for told in [
        "A simulated sleep: Dormouse has cut itself off",
        "The simulated sleep is over.",
    ] {
        ensure!(
            checked.lines.iter().any(|line| line.contains(told)),
            "{:#?}",
            checked.lines
        );
    }
    // And it is on the disk.
    let client = server.client(&alice).data_dir(folder.path()).start()?;
    client.wait_until_live(SOON)?;
    let kept = client_messages(client, &bob.address)?;
    ensure!(
        kept.iter().filter(|body| *body == "said meanwhile").count() == 1,
        "{kept:?}"
    );
    Ok(())
}

fn client_messages(mut client: Client, with: &str) -> Result<Vec<String>> {
    let messages = client.messages(with)?;
    Ok(messages.into_iter().map(|message| message.body).collect())
}

with_both_servers!(
    a_server_that_works_is_green_and_the_account_is_not_disturbed,
    what_waits_at_the_server_is_not_taken_by_a_check,
    a_wrong_password_is_named_and_the_rest_is_not_tried,
    what_was_said_while_the_account_slept_by_itself_arrives_after,
);

#[test]
fn where_nobody_listens_it_says_so() {
    passes((|| {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?
            .local_addr()?
            .port();
        let nobody = Person {
            user: "alice".into(),
            address: "alice@localhost".into(),
            password: "x".into(),
        };
        let endpoint = format!("ws://127.0.0.1:{port}/xmpp-websocket");
        let checked = Checking::start(&nobody, &endpoint, &[], &[])?.end()?;
        checked.fails_at("TCP", "Nobody listens at")
    })());
}

#[test]
fn a_name_that_does_not_exist_is_the_first_step_and_the_last() {
    passes((|| {
        let nobody = Person {
            user: "alice".into(),
            address: "alice@localhost".into(),
            password: "x".into(),
        };
        let checked = Checking::start(&nobody, "wss://nobody.invalid/ws", &[], &[])?.end()?;
        // Without a network the resolver can't know.
        let (_, sentence) = checked.step("Name")?;
        let known = sentence.contains("no such name as in wss://nobody.invalid")
            || sentence.contains("No name can be looked up");
        ensure!(known, "{sentence}");
        checked.fails_at("Name", "name")
    })());
}

#[test]
fn a_certificate_that_nobody_trusts_ends_it_and_one_that_is_trusted_names_its_issuer() {
    passes((|| {
        let authority = Authority::new()?;
        let server = Plan::new(Make::Prosody)
            .tls(&authority.issue(&["localhost"])?)
            .start()?;
        let alice = server.person("alice")?;
        let endpoint = server.wss_endpoint();
        let checked = Checking::start(&alice, &endpoint, &[], &[])?.end()?;
        checked.fails_at("TLS", "nobody this computer trusts has signed it")?;
        let file = authority.file();
        let checked = Checking::start(&alice, &endpoint, &[], &[("SSL_CERT_FILE", &file)])?.end()?;
        checked.all_is_well()?;
        checked.says(
            "TLS",
            "✓",
            "TLS 1.3; the certificate is one that this computer trusts",
        )?;
        checked.says("TLS", "✓", "was issued by")
    })());
}

#[test]
fn a_proxy_that_ends_what_is_idle_is_named_as_such() {
    passes((|| {
        let server = Plan::new(Make::Prosody).start()?;
        let alice = server.person("alice")?;
        let nginx = Nginx::builder().server(server.ws_port()).idle(3).start()?;
        let checked = Checking::start(&alice, &nginx.ws_endpoint(), &["--idle", "20"], &[])?.end()?;
        ensure!(!checked.well, "{:#?}", checked.lines);
        let (sign, sentence) = checked.step("Silence")?;
        ensure!(
            sign == "✗" && sentence.contains("idle timeout of a proxy"),
            "{sentence}"
        );
        ensure!(
            sentence.contains("after 3 s") || sentence.contains("after 4 s"),
            "{sentence}"
        );
        checked.says("Round trip", "✓", "of 10")
    })());
}

#[test]
fn a_server_without_stream_management_lacks_it_and_the_rest_is_tried() {
    passes((|| {
        let server = Plan::new(Make::Prosody).without_stream_management().start()?;
        let alice = server.person("alice")?;
        let checked = check(&server, &alice, &[])?;
        ensure!(checked.well, "{:#?}", checked.lines);
        checked.says("Resumption", "!", "does not hold sessions")?;
        checked.says("Archive", "✓", "archive")
    })());
}

#[test]
fn a_check_that_is_interrupted_ends_in_good_order() {
    passes((|| {
        let server = Plan::new(Make::Prosody).start()?;
        let alice = server.person("alice")?;
        let mut checking = Checking::start(&alice, &server.ws_endpoint(), &["--idle", "600"], &[])?;
        checking.until("Round trip")?;
        let process = rustix::process::Pid::from_raw(i32::try_from(checking.child.id())?).context("a pid")?;
        rustix::process::kill_process(process, rustix::process::Signal::INT)?;
        let begun = Instant::now();
        let checked = checking.end()?;
        ensure!(begun.elapsed() < Duration::from_secs(10), "it went on");
        ensure!(!checked.well, "{:#?}", checked.lines);
        checked.says("Silence", "·", "ended before")
    })());
}
