//! The password in the OS keyring: kept once it has worked, used at each start, forgotten when asked.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use anyhow::{Context, ensure};
use dormouse_scenarios::server::{Make, Person, Plan, SOON, Server, passes};
use dormouse_scenarios::terminal::{self, text};
use dormouse_scenarios::{Result, program};
use dormouse_servers::{Release, SecretService};
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

type Environment = Vec<(&'static str, OsString)>;

/// A session without any keyring.
fn no_keyring() -> Environment {
    vec![(
        "DBUS_SESSION_BUS_ADDRESS",
        "unix:path=/nonexistent/dormouse-no-bus".into(),
    )]
}

/// `dormouse-cli` with these words, in this session, with no password in its environment.
fn cli(words: &[&str], session: &Environment) -> Result<Command> {
    let mut command = Command::new(program::cli()?);
    command
        .args(words)
        .envs(session.iter().cloned())
        .env_remove("DORMOUSE_PASSWORD");
    Ok(command)
}

/// Logs in at a terminal, typing this password.
fn log_in(server: &Server, person: &Person, typed: &str, session: &Environment) -> Result<Output> {
    let python = Command::new(terminal::PYTHON);
    terminal::log_in(python, &person.address, &server.ws_endpoint(), typed, session)
}

/// Runs the account without telling it a password: the first state or error that decides whether it had one.
fn runs(server: &Server, person: &Person, session: &Environment) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let endpoint = server.ws_endpoint();
    let data = folder.path().to_string_lossy().into_owned();
    let words = [
        "run",
        &person.address,
        "--endpoint",
        &endpoint,
        "--no-wake",
        "--data-dir",
        &data,
    ];
    let mut child = cli(&words, session)?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = child.stdout.take().context("no output")?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let decides = |line: &String| {
            line.contains("\"error\"") || line.contains("\"live\"") || line.contains("\"stopped\"")
        };
        let found = BufReader::new(output)
            .lines()
            .map_while(|line| line.ok())
            .find(decides);
        let _ = tell.send(found.unwrap_or_default());
    });
    let decided = told.recv_timeout(SOON);
    let _ = child.kill();
    let _ = child.wait();
    decided.context("it neither got live nor said why not")
}

#[test]
fn a_password_that_worked_is_kept_used_at_each_start_and_forgotten_when_asked() {
    passes((|| {
        let keyring = SecretService::start()?;
        let session = keyring.environment();
        let server = Plan::new(Make::Prosody).start()?;
        let (alice, bob) = (server.person("alice")?, server.person("bob")?);
        let before = runs(&server, &alice, &session)?;
        ensure!(before.contains("No password for"), "{before}");

        let done = log_in(&server, &alice, &alice.password, &session)?;
        ensure!(done.status.success(), "login failed: {}", text(&done));
        ensure!(text(&done).contains("kept in the keyring"), "{}", text(&done));
        for _ in 0..2 {
            let outcome = runs(&server, &alice, &session)?;
            ensure!(outcome.contains("\"live\""), "{outcome}");
        }
        // It is this account's alone.
        let other = runs(&server, &bob, &session)?;
        ensure!(other.contains("No password for"), "{other}");

        let done = cli(&["logout", &alice.address], &session)?.output()?;
        ensure!(
            done.status.success() && text(&done).contains("forgotten"),
            "{}",
            text(&done)
        );
        let after = runs(&server, &alice, &session)?;
        ensure!(after.contains("No password for"), "{after}");
        // To forget what is not kept is no mistake.
        let again = cli(&["logout", &alice.address], &session)?.output()?;
        ensure!(again.status.success(), "{}", text(&again));
        Ok(())
    })());
}

#[test]
fn the_token_of_the_last_process_signs_the_next_one_in_and_is_forgotten_with_the_password() {
    passes((|| {
        let keyring = SecretService::start()?;
        let session = keyring.environment();
        for make in [Make::Prosody, Make::Ejabberd] {
            let server = Plan::new(make).release(Release::Trixie).start()?;
            let alice = server.person("alice")?;
            log_in(&server, &alice, &alice.password, &session)?;
            let folder = tempfile::tempdir()?;
            let start = || {
                let mut client = server
                    .client(&alice)
                    .data_dir(folder.path())
                    .password_in_keyring();
                for (name, value) in &session {
                    client = client.env(name, value);
                }
                let mut client = client.start()?;
                client.wait_until_live(SOON)?;
                anyhow::Ok(client.journal()?).map(|journal| (client, journal))
            };
            let (client, _) = start()?;
            until_kept(&alice, &session)?;
            client.kill9();
            let (client, journal) = start()?;
            let last = journal.iter().rfind(|line| line.starts_with("signing in with"));
            let last = last.context("nobody signed in")?;
            ensure!(last.contains("HT-SHA-256-"), "{make:?}: {journal:#?}");
            ensure!(
                last.contains("without waiting to be asked"),
                "{make:?}: {journal:#?}"
            );
            let resumed = journal.iter().rfind(|line| line.contains("resumed: "));
            ensure!(
                resumed.is_some_and(|line| line.contains("resumed: true")),
                "{make:?}: {journal:#?}"
            );
            client.terminate()?;
            cli(&["logout", &alice.address], &session)?.output()?;
            ensure!(
                !token_is_kept(&alice, &session)?,
                "the token outlives the password"
            );
        }
        Ok(())
    })());
}

fn token_is_kept(person: &Person, session: &Environment) -> Result<bool> {
    let found = Command::new("secret-tool")
        .args(["lookup", "service", "Dormouse", "username"])
        .arg(format!("{} (token)", person.address))
        .envs(session.iter().cloned())
        .output()
        .context("secret-tool can't be run")?;
    Ok(found.status.success() && !found.stdout.is_empty())
}

fn until_kept(person: &Person, session: &Environment) -> Result<()> {
    let end = Instant::now() + SOON;
    while !token_is_kept(person, session)? {
        ensure!(Instant::now() < end, "no token is kept in the keyring");
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

#[test]
fn a_wrong_password_is_told_and_not_kept() {
    passes((|| {
        let keyring = SecretService::start()?;
        let session = keyring.environment();
        let server = Plan::new(Make::Prosody).start()?;
        let alice = server.person("alice")?;
        let refused = log_in(&server, &alice, "not this one", &session)?;
        ensure!(
            !refused.status.success(),
            "a wrong password was taken: {}",
            text(&refused)
        );
        ensure!(
            text(&refused).contains("refused the password"),
            "{}",
            text(&refused)
        );
        let outcome = runs(&server, &alice, &session)?;
        ensure!(outcome.contains("No password for"), "{outcome}");
        // Nor does it replace one that works.
        log_in(&server, &alice, &alice.password, &session)?;
        let refused = log_in(&server, &alice, "not this one", &session)?;
        ensure!(!refused.status.success(), "{}", text(&refused));
        let outcome = runs(&server, &alice, &session)?;
        ensure!(outcome.contains("\"live\""), "{outcome}");
        Ok(())
    })());
}

#[test]
fn without_a_keyring_login_says_so_and_nothing_is_kept() {
    passes((|| {
        let session = no_keyring();
        let server = Plan::new(Make::Prosody).start()?;
        let alice = server.person("alice")?;
        let refused = log_in(&server, &alice, &alice.password, &session)?;
        ensure!(!refused.status.success(), "{}", text(&refused));
        ensure!(text(&refused).contains("no keyring"), "{}", text(&refused));
        let outcome = runs(&server, &alice, &session)?;
        ensure!(outcome.contains("No password for"), "{outcome}");
        ensure!(
            outcome.contains("DORMOUSE_PASSWORD"),
            "what to do is not said: {outcome}"
        );
        // The password in the environment is all that it takes then.
        let mut client = server.client(&alice);
        for (name, value) in &session {
            client = client.env(name, value);
        }
        client.start()?.wait_until_live(SOON)
    })());
}
