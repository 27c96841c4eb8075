//! `dormouse-friend`: somebody to talk to while trying Dormouse, on the same engine. Answers what is
//! said, and now and then says something.

mod open;
mod password;
mod proxy;

use anyhow::{Context, Result};
use clap::Parser;
use dormouse_engine::model::{BareJid, Change, Content, Message};
use dormouse_engine::{Command, Engine};
use open::{Open, Place};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

#[derive(Parser)]
#[command(name = "dormouse-friend", about = "A friend who talks, to try Dormouse with")]
struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Whom to talk to.
    #[arg(long)]
    talk_to: BareJid,
    /// Write this many messages of an earlier conversation first.
    #[arg(long, default_value_t = 0)]
    seed_history: usize,
    /// Say something every so many seconds; 0: only answer.
    #[arg(long, default_value_t = 90)]
    say_every: u64,
}

/// What a friend tells who has read too much about dormice.
const SAYINGS: &[&str] = &[
    "Did you know that a dormouse sleeps for seven months and wakes up to the same world?",
    "I just saw the first hazelnuts of the year.",
    "Close the lid for a while. I'll go on talking; you won't miss a word.",
    "The edible dormouse lives up to nine years. Most messengers don't.",
    "It is raining here. Good weather to stay in.",
    "I moved my nest a branch higher; the view is better.",
    "Pull the network cable if you like. I have time.",
    "Have you had tea yet?",
];

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let Open {
        engine,
        metrics: _metrics,
        _log,
    } = arguments.place.clone().open().await?;
    let ended = tokio::select! {
        ended = talk(&engine, &arguments) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
        () = terminated() => Ok(()),
    };
    engine.leave().await;
    ended
}

async fn talk(engine: &Engine, arguments: &Arguments) -> Result<()> {
    let you = &arguments.talk_to;
    let mut subscription = engine.subscribe().await.context("The engine has ended")?;
    for request in &subscription.snapshot {
        welcome(engine, request);
    }
    for number in 0..arguments.seed_history {
        engine.send(you.clone(), saying(number).to_owned()).await;
    }
    let mut said = arguments.seed_history;
    // A message is told again when it changes (its place, its archive id).
    let mut answered = BTreeSet::new();
    let mut idle = interval(Duration::from_secs(arguments.say_every.max(1)));
    idle.set_missed_tick_behavior(MissedTickBehavior::Delay);
    idle.tick().await;
    loop {
        tokio::select! {
            change = subscription.changes.recv() => {
                let change = change.context("The engine has ended")?;
                welcome(engine, &change);
                if let Change::Message(message) = &change
                    && let Some(answer) = answer(message, you)
                    && answered.insert(message.id)
                {
                    engine.command(Command::Read(you.clone()));
                    engine.command(Command::Typing { to: you.clone(), typing: true });
                    tokio::time::sleep(Duration::from_millis(700)).await;
                    engine.send(you.clone(), answer).await;
                }
            }
            _ = idle.tick(), if arguments.say_every > 0 => {
                engine.send(you.clone(), saying(said).to_owned()).await;
                said += 1;
            }
        }
    }
}

/// Lets everybody see our presence who asks: this is a toy account on a local server.
fn welcome(engine: &Engine, change: &Change) {
    if let Change::Request(from) = change {
        engine.command(Command::Accept(from.clone()));
    }
}

fn saying(number: usize) -> &'static str {
    SAYINGS.get(number % SAYINGS.len()).copied().unwrap_or_default()
}

/// What to say to a message of theirs, if anything.
fn answer(message: &Message, you: &BareJid) -> Option<String> {
    if message.conversation != *you || message.delivery().is_some() || message.edited.is_some() {
        return None;
    }
    let Content::Text(text) = &message.content else {
        return None;
    };
    Some(match text.trim() {
        question if question.ends_with('?') => "Good question. I'd sleep on it.".to_owned(),
        text if text.chars().count() < 60 => format!("“{text}”, you say? Tell me more."),
        _ => "That is a lot to take in. I like it.".to_owned(),
    })
}

/// Ends when the system asks the program to end.
async fn terminated() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut signal) = signal(SignalKind::terminate()) {
            signal.recv().await;
            return;
        }
    }
    std::future::pending::<()>().await;
}
