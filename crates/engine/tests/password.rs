//! An engine whose password comes later, over a real store; nobody listens where it dials.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use dormouse_engine::model::{BareJid, Cause, Change, Connection, ConnectionState, Conversation};
use dormouse_engine::{Engine, Folder, Part, Secret, Settings, Subscription};
use std::time::Duration;

fn start(folder: Folder, password: Option<Secret>) -> Engine {
    Engine::start(Settings {
        address: BareJid::new("me@home.example").unwrap(),
        password,
        keyring: false,
        folder,
        // The port of the discard service, on this machine: refused at once.
        endpoint: Some("ws://127.0.0.1:9/ws".into()),
        proxy: None,
        proxy_login: None,
        watch_system: false,
    })
    .unwrap()
}

async fn next<T>(subscription: &mut Subscription, wanted: impl Fn(&Change) -> Option<T>) -> T {
    let found = async {
        loop {
            let change = subscription.changes.recv().await.unwrap();
            if let Some(found) = wanted(&change) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found)
        .await
        .unwrap()
}

fn connection(changes: &[Change]) -> Option<&Connection> {
    changes.iter().find_map(|change| match change {
        Change::Connection(connection) => Some(connection),
        _ => None,
    })
}

fn conversation(change: &Change) -> Option<Conversation> {
    match change {
        Change::Conversation(it) => Some((**it).clone()),
        _ => None,
    }
}

#[tokio::test]
async fn without_a_password_the_cache_is_there_and_with_one_it_dials() {
    let home = tempfile::tempdir().unwrap();
    let folder = Folder::at(home.path().join("account"));
    let bob = BareJid::new("bob@b.example").unwrap();

    let engine = start(folder.clone(), None);
    let mut told = engine.subscribe().await.unwrap();
    let shown = connection(&told.snapshot).unwrap();
    assert_eq!(
        (shown.state, &shown.cause),
        (ConnectionState::Stopped, &Cause::NoPassword)
    );
    engine.send(bob.clone(), "typed offline".into()).await.unwrap();
    let listed = next(&mut told, conversation).await;
    let kept = engine.history(&bob, Part::Latest, 10).unwrap().messages;
    assert_eq!((listed.last.as_ref(), kept.len()), (kept.first(), 1));
    engine.leave().await;

    let engine = start(folder.clone(), None);
    let mut told = engine.subscribe().await.unwrap();
    let listed: Vec<Conversation> = told.snapshot.iter().filter_map(conversation).collect();
    assert_eq!(listed.len(), 1, "{:?}", told.snapshot);
    assert_eq!(
        listed[0].last.as_ref().map(|last| last.id),
        kept.first().map(|it| it.id)
    );
    engine.sign_in(Secret::new("secret"));
    next(&mut told, |change| match change {
        Change::Connection(it) if matches!(it.state, ConnectionState::Connecting { .. }) => Some(()),
        _ => None,
    })
    .await;
    assert_ne!(
        engine.status().await.unwrap().account.connection.cause,
        Cause::NoPassword
    );
    engine.leave().await;

    folder.clone().forget().unwrap();
    assert!(!folder.path().exists());
}
