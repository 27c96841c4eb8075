//! A disk that is full, and a store that has been damaged.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test"
)]

use anyhow::{Context, bail, ensure};
use dormouse_scenarios::Result;
use dormouse_scenarios::client::Client;
use dormouse_scenarios::event::Mark;
use dormouse_scenarios::peer::{ACCOUNT, Act, CONTACT, PASSWORD, Peer, Upgrade};
use dormouse_scripts::message::Message;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(30);

/// A small file system, unmounted at the end.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// None where the tests were told to do without.
    fn mount() -> Result<Option<Self>> {
        if std::env::var("DORMOUSE_SKIP").is_ok_and(|skip| skip.split(',').any(|part| part == "mounts")) {
            println!("skipped: mounts");
            return Ok(None);
        }
        let folder = tempfile::tempdir()?;
        let mut mount = Command::new("mount");
        let status = mount
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(folder.path())
            .status()?;
        ensure!(
            status.success(),
            "mounting a small tmpfs needs root; DORMOUSE_SKIP=mounts leaves this test out"
        );
        Ok(Some(Self { folder }))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }

    /// Takes all the room there is.
    fn fill(&self) -> Result<()> {
        let mut file = File::options().create(true).append(true).open(self.ballast())?;
        while file.write_all(&[0; 4096]).is_ok() {}
        while file.write_all(&[0]).is_ok() {}
        Ok(())
    }

    /// Gives it back.
    fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

fn client(peer: &Peer, folder: &Path) -> Result<Client> {
    Client::builder(ACCOUNT, PASSWORD)
        .endpoint(peer.endpoint())
        .data_dir(folder)
        .no_wake()
        .start()
}

fn bodies(messages: &[Message], own: bool) -> Vec<String> {
    let these = messages.iter().filter(|message| message.own == own);
    these.map(|message| message.body.clone()).collect()
}

/// What was said and typed is shown, each once and in order, and what was typed was sent once.
fn check(client: &mut Client, peer: &Peer, said: &[String], typed: &[String]) -> Result<()> {
    let start = Instant::now();
    loop {
        let shown = client.messages(CONTACT)?;
        let all = bodies(&shown, false) == said && bodies(&shown, true) == typed;
        let sent = shown
            .iter()
            .filter(|message| message.own)
            .all(|message| message.state.as_deref() == Some("sent"));
        let copies = typed
            .iter()
            .all(|body| peer.seen(|state| state.copies(body)) == 1);
        if all && sent && copies {
            return Ok(());
        }
        if start.elapsed() > SOON {
            let heard = peer.seen(|state| state.heard.clone());
            bail!(
                "said {said:?}\ntyped {typed:?}\nheard {heard:?}\nshown {shown:#?}\n{}",
                client.dump()
            );
        }
        thread::sleep(Duration::from_millis(200));
    }
}

fn notice(client: &Client, since: Mark, kind: &str) -> Result<()> {
    let what = format!("the notice `{kind}`");
    client.wait_for_since(since, &what, SOON, |event| {
        event.kind() == "notice" && event.text("kind") == kind
    })?;
    Ok(())
}

/// A client that is live on a small disk, which is then filled while messages come.
struct Full {
    peer: Peer,
    disk: SmallDisk,
    client: Client,
    said: Vec<String>,
    typed: Vec<String>,
    /// The count told last while there was room.
    stored: u32,
}

fn full() -> Result<Option<Full>> {
    let Some(disk) = SmallDisk::mount()? else {
        return Ok(None);
    };
    let peer = Peer::start()?;
    let client = client(&peer, &disk.data())?;
    client.wait_until_live(SOON)?;
    let mut full = Full {
        peer,
        disk,
        client,
        said: Vec::new(),
        typed: Vec::new(),
        stored: 0,
    };
    for number in 0..5 {
        full.says(&format!("said with room {number}"));
    }
    full.types("typed with room")?;
    full.client.wait_until_received(&full.said, SOON)?;
    full.client.wait_until_sent(&full.typed, &["sent"], SOON)?;
    full.peer.wait("all acknowledged", SOON, |state| {
        (state.told == state.sent()).then_some(())
    })?;

    let mark = full.client.mark();
    full.disk.fill()?;
    // What sled has already taken from the file system lasts for a while.
    for number in 0.. {
        full.says(&format!("said into the full {number}: {}", "x".repeat(3_000)));
        thread::sleep(Duration::from_millis(20));
        let events = full.client.since(mark);
        if events
            .iter()
            .any(|event| event.kind() == "notice" && event.text("kind") == "store-failed")
        {
            break;
        }
        ensure!(number < 2_000, "the disk never filled\n{}", full.client.dump());
    }
    thread::sleep(Duration::from_millis(500));
    full.stored = full.peer.seen(|state| state.told);
    for number in 0..30 {
        full.says(&format!("said while nothing can be stored {number}"));
    }
    full.types("typed while nothing can be stored")?;
    // Whatever of it can be shown, the server hears the old count when it asks.
    for _ in 0..3 {
        full.peer.act(Act::Text("<r xmlns='urn:xmpp:sm:3'/>".into()));
        thread::sleep(Duration::from_millis(300));
    }
    let told = full.peer.seen(|state| state.told);
    ensure!(
        told == full.stored,
        "{told} was told, although nothing after {} can have been stored",
        full.stored
    );
    let typed = "typed while nothing can be stored";
    let sent = full
        .client
        .since(mark)
        .iter()
        .any(|event| event.text("tag") == typed && event.text("state") == "sent");
    ensure!(!sent, "a message that is not on disk is shown as sent");
    Ok(Some(full))
}

impl Full {
    fn says(&mut self, body: &str) {
        self.peer.says(body);
        self.said.push(body.to_owned());
    }

    fn types(&mut self, body: &str) -> Result<()> {
        self.typed.push(body.to_owned());
        self.client.send(CONTACT, body)
    }
}

fn passes(result: Result<()>) {
    if let Err(error) = result {
        panic!("{error:#}");
    }
}

#[test]
fn a_full_disk_is_said_and_everything_is_stored_and_sent_once_when_there_is_room() {
    passes((|| {
        let Some(mut full) = full()? else { return Ok(()) };
        let mark = full.client.mark();
        full.disk.free()?;
        notice(&full.client, mark, "store-recovered")?;
        full.peer.wait("all acknowledged", SOON, |state| {
            (state.told == state.sent()).then_some(())
        })?;
        check(&mut full.client, &full.peer, &full.said, &full.typed).context("after recovery")?;
        full.client.kill9();
        let mut again = client(&full.peer, &full.disk.data())?;
        again.wait_until_live(SOON)?;
        check(&mut again, &full.peer, &full.said, &full.typed).context("after a restart")?;
        again.quit()
    })());
}

#[test]
fn killed_while_the_disk_is_full_everything_received_is_there_once_after_a_restart_with_room() {
    passes((|| {
        let Some(full) = full()? else { return Ok(()) };
        let Full {
            client: killed,
            disk,
            peer,
            said,
            typed,
            ..
        } = full;
        killed.kill9();
        disk.free()?;
        let mut again = client(&peer, &disk.data())?;
        again.wait_until_live(SOON)?;
        // What was typed while nothing could be stored was never shown as more than waiting.
        check(&mut again, &peer, &said, &typed[..1])?;
        again.quit()
    })());
}

/// What is done to the database's files.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Truncated,
    Zeroed,
    Flipped,
    Gone,
}

fn damage(store: &Path, how: Damage) -> Result<()> {
    let db = store.join("cache").join("db");
    let mut bytes = fs::read(&db).with_context(|| db.display().to_string())?;
    let used = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .context("an empty database")?;
    match how {
        Damage::Truncated => bytes.truncate(used / 2),
        Damage::Zeroed => bytes[used / 4..used * 3 / 4].fill(0),
        Damage::Flipped => bytes[..=used]
            .iter_mut()
            .step_by(61)
            .for_each(|byte| *byte ^= 0x55),
        Damage::Gone => {
            fs::remove_dir_all(store.join("cache"))?;
            return Ok(());
        }
    }
    Ok(fs::write(db, bytes)?)
}

fn survives(how: Damage, noticed: bool) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let peer = Peer::start()?;
    let mut first = client(&peer, folder.path())?;
    first.wait_until_live(SOON)?;
    let said: Vec<String> = (0..60).map(|number| format!("said before {number}")).collect();
    said.iter().for_each(|body| peer.says(body));
    first.wait_until_received(&said, SOON)?;
    let mut typed = vec!["typed before".to_owned()];
    first.send(CONTACT, &typed[0])?;
    first.wait_until_sent(&typed, &["sent"], SOON)?;
    peer.wait("all acknowledged", SOON, |state| {
        (state.told == state.sent()).then_some(())
    })?;

    // A message that can't leave, and then the power goes.
    peer.conduct(|conduct| conduct.upgrade = Upgrade::Status(503, None));
    peer.act(Act::Eof);
    first.wait_for("a failed attempt", SOON, |event| {
        event.text("reason").contains("503")
    })?;
    typed.push("typed and not sent".to_owned());
    first.send(CONTACT, &typed[1])?;
    first.wait_until_sent(&typed[1..], &["queued"], SOON)?;
    thread::sleep(Duration::from_millis(500));
    first.kill9();

    damage(&folder.path().join("store"), how)?;
    peer.mend();
    let mut second = client(&peer, folder.path())?;
    second.wait_until_live(SOON)?;
    if noticed {
        notice(&second, Mark::START, "cache-set-aside")?;
    }
    check(&mut second, &peer, &said, &typed)?;
    second.quit()?;
    let mut third = client(&peer, folder.path())?;
    third.wait_until_live(SOON)?;
    check(&mut third, &peer, &said, &typed).context("a run later")?;
    third.quit()
}

// Where sled finds an older state that is whole, the store opens as if the rest had never been, and nobody is told:
// the archive has it all.

#[test]
fn a_cache_that_lost_its_newest_half_is_filled_from_the_archive_and_what_was_not_sent_is_sent_once() {
    passes(survives(Damage::Truncated, false));
}

#[test]
fn a_cache_with_a_hole_is_filled_from_the_archive_and_what_was_not_sent_is_sent_once() {
    passes(survives(Damage::Zeroed, false));
}

#[test]
fn a_garbled_cache_is_set_aside_and_rebuilt_and_what_was_not_sent_is_sent_once() {
    passes(survives(Damage::Flipped, true));
}

#[test]
fn a_cache_that_is_gone_is_rebuilt_and_what_was_not_sent_is_sent_once() {
    passes(survives(Damage::Gone, true));
}
