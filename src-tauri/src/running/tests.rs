//! An account between its engine and a window: a real engine on a real disk, and a server that is not there.

use super::*;
use crate::protocol::Event;
use crate::protocol::{Change as Shown, ConnectionState as State, Content};
use crate::translations::Translations;
use dormouse_engine::model::BareJid;
use dormouse_engine::{Command, Folder};
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

fn context() -> Context {
    let words = Arc::new(Words::new(Translations::of("en").unwrap()));
    Context {
        alerts: Arc::new(Alerts::new(Arc::clone(&words))),
        outlet: Arc::new(Outlet::default()),
        metrics: Metrics::new("0"),
        words,
    }
}

fn settings(home: &Path) -> Settings {
    let address = BareJid::new("romeo@example.org").unwrap();
    Settings {
        folder: Folder::within(home, &address),
        address,
        password: None,
        keyring: false,
        endpoint: Some("ws://127.0.0.1:9/nobody".into()),
        proxy: None,
        proxy_login: None,
        watch_system: false,
    }
}

/// A window: what it hears.
fn window(context: &Context) -> (Generation, UnboundedReceiver<Event>) {
    let (tell, hear) = unbounded_channel();
    let opened = Event::Opened {
        language: "en".into(),
        texts: std::collections::BTreeMap::default(),
        accounts: Vec::new(),
        version: "0".into(),
    };
    let generation = context
        .outlet
        .open(Box::new(move |event| tell.send(event).is_ok()), opened);
    (generation, hear)
}

async fn heard(window: &mut UnboundedReceiver<Event>) -> Event {
    tokio::time::timeout(Duration::from_secs(20), window.recv())
        .await
        .expect("the window hears something in time")
        .expect("the window is there")
}

/// The next snapshot.
async fn snapshot(window: &mut UnboundedReceiver<Event>) -> Vec<Shown> {
    loop {
        match heard(window).await {
            Event::Snapshot { changes, .. } => return changes,
            Event::Changes { changes, .. } => panic!("changes before a snapshot: {changes:?}"),
            _ => {}
        }
    }
}

/// Waits for a change that is wanted; the changes before it as well.
async fn until(window: &mut UnboundedReceiver<Event>, wanted: impl Fn(&Shown) -> bool) -> Vec<Shown> {
    let mut all = Vec::new();
    loop {
        if let Event::Changes { changes, .. } = heard(window).await {
            let found = changes.iter().any(&wanted);
            all.extend(changes);
            if found {
                return all;
            }
        }
    }
}

async fn until_it_wants_a_password(running: &Running) {
    let wants = async {
        while running.account().wants_password.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), wants).await;
    waited.expect("a password is wanted in time");
}

fn connection(changes: &[Shown]) -> State {
    let mut states = changes.iter().filter_map(|change| match change {
        Shown::Connection(connection) => Some(connection.state),
        _ => None,
    });
    states.next().expect("a snapshot tells the connection")
}

fn send(body: &str, tag: &str) -> Wish {
    Wish::Send {
        to: BareJid::new("juliet@example.org").unwrap(),
        body: body.into(),
        tag: tag.into(),
    }
}

fn is_text(change: &Shown, text: &str) -> bool {
    matches!(change, Shown::Message(message) if message.content == Content::Text { body: text.into() })
}

#[tokio::test]
async fn a_message_typed_without_a_password_bears_its_tag_from_its_first_change_on() {
    let home = tempfile::tempdir().unwrap();
    let context = context();
    let (_, mut hear) = window(&context);
    let running = Running::start(settings(home.path()), None, Password::None, true, context);
    assert_eq!(connection(&snapshot(&mut hear).await), State::Stopped);
    for number in 0..20 {
        running.wish(send(&format!("message {number}"), &format!("tag {number}")));
    }
    let changes = until(&mut hear, |change| is_text(change, "message 19")).await;
    let mut seen = 0;
    for change in &changes {
        if let Shown::Message(message) = change {
            assert!(message.tag.is_some(), "{message:?}");
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen}");
    running.end(End::Quit).await.unwrap();
}

#[tokio::test]
async fn a_second_window_hears_everything_from_nothing_and_the_first_no_more() {
    let home = tempfile::tempdir().unwrap();
    let context = context();
    let (_, mut first) = window(&context);
    let running = Running::start(settings(home.path()), None, Password::None, true, context.clone());
    snapshot(&mut first).await;
    running.wish(send("hello", "1"));
    until(&mut first, |change| matches!(change, Shown::Conversation(_))).await;
    let (generation, mut second) = window(&context);
    running.open(generation);
    let changes = snapshot(&mut second).await;
    let conversation = changes.iter().find_map(|change| match change {
        Shown::Conversation(conversation) => Some(conversation),
        _ => None,
    });
    assert_eq!(conversation.unwrap().person.address, "juliet@example.org");
    while first.try_recv().is_ok() {}
    running.wish(send("again", "2"));
    until(&mut second, |change| is_text(change, "again")).await;
    assert!(first.try_recv().is_err());
    running.end(End::Quit).await.unwrap();
}

#[tokio::test]
async fn what_was_typed_is_there_at_the_next_start() {
    let home = tempfile::tempdir().unwrap();
    let first = context();
    let (_, mut hear) = window(&first);
    let running = Running::start(settings(home.path()), None, Password::None, true, first);
    snapshot(&mut hear).await;
    running.wish(send("hello", "1"));
    running.wish(Wish::Command(Command::Draft {
        to: BareJid::new("nurse@example.org").unwrap(),
        text: "half a".into(),
    }));
    until(
        &mut hear,
        |change| matches!(change, Shown::Conversation(conversation) if conversation.draft == "half a"),
    )
    .await;
    running.end(End::Leave).await.unwrap();

    let second = context();
    let (_, mut hear) = window(&second);
    let running = Running::start(settings(home.path()), None, Password::None, true, second);
    let changes = snapshot(&mut hear).await;
    let conversations: Vec<_> = changes
        .iter()
        .filter_map(|change| match change {
            Shown::Conversation(conversation) => Some((
                conversation.person.address.as_str(),
                conversation.last.is_some(),
                conversation.draft.as_str(),
            )),
            _ => None,
        })
        .collect();
    assert!(
        conversations.contains(&("juliet@example.org", true, "")),
        "{conversations:?}"
    );
    assert!(
        conversations.contains(&("nurse@example.org", false, "half a")),
        "{conversations:?}"
    );
    running.end(End::Leave).await.unwrap();
}

#[tokio::test]
async fn a_store_in_use_is_told_in_a_sentence_and_tried_again_when_asked() {
    let home = tempfile::tempdir().unwrap();
    let other = Engine::start(settings(home.path())).unwrap();
    let context = context();
    let (_, mut hear) = window(&context);
    let running = Running::start(settings(home.path()), None, Password::None, true, context);
    let changes = snapshot(&mut hear).await;
    let [Shown::Connection(told)] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    assert_eq!(told.state, State::Stopped);
    assert!(told.cause.contains("Another Dormouse"), "{}", told.cause);
    assert!(running.engine().is_none());
    // What it wants is not a password.
    assert_eq!(running.account().wants_password, None);
    other.quit().await;
    running.wish(Wish::Command(Command::RetryNow));
    snapshot(&mut hear).await;
    assert!(running.engine().is_some());
    until_it_wants_a_password(&running).await;
    running.end(End::Quit).await.unwrap();
}

#[tokio::test]
async fn a_store_that_a_dormouse_just_ending_still_holds_is_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let ending = Engine::start(settings(home.path())).unwrap();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        ending.quit().await;
    });
    let context = context();
    let (_, mut hear) = window(&context);
    let running = Running::start(settings(home.path()), None, Password::None, true, context);
    snapshot(&mut hear).await;
    assert!(running.engine().is_some());
    running.end(End::Quit).await.unwrap();
}

#[tokio::test]
async fn a_password_that_can_not_be_tried_now_is_taken_and_the_account_goes_online() {
    let home = tempfile::tempdir().unwrap();
    let context = context();
    let (_, mut hear) = window(&context);
    let running = Running::start(settings(home.path()), None, Password::None, true, context);
    snapshot(&mut hear).await;
    until_it_wants_a_password(&running).await;
    let answer = running.unlock(Secret::new("secret"));
    until(
        &mut hear,
        |change| matches!(change, Shown::Connection(connection) if connection.state == State::Waiting),
    )
    .await;
    assert_eq!(answer.await.unwrap(), Ok(()));
    assert_eq!(running.account().wants_password, None);
    running.end(End::Quit).await.unwrap();
}

#[tokio::test]
async fn an_ended_account_gives_its_folder_back() {
    let home = tempfile::tempdir().unwrap();
    let context = context();
    let (_, mut hear) = window(&context);
    let running = Running::start(settings(home.path()), None, Password::None, true, context);
    snapshot(&mut hear).await;
    running.end(End::Leave).await.unwrap();
    assert!(running.engine().is_none());
    let again = Engine::start(settings(home.path())).unwrap();
    again.quit().await;
}
