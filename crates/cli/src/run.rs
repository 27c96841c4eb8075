//! `dormouse-cli run`: commands in, events out, one JSON object a line.

use crate::command::{Format, Line};
use crate::event::{self, Tags};
use crate::open::{self, Open, PROGRAM};
use dormouse_diagnosis::findings;
use dormouse_diagnosis::wire::{self, Detail};
use dormouse_engine::model::{BareJid, Change, MessageId, Place, ReadError, Transition};
use dormouse_engine::{Batches, Command, Engine, Happening, Part, Program, Subscription, now, write_private};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc::UnboundedReceiver;

/// How the run ended.
enum End {
    /// The user quits: close the stream.
    Quit,
    /// The system ends us: leave the stream open, the next start resumes.
    Leave,
    /// The engine ended by itself.
    Gone,
}

/// What changes.
enum Changes {
    /// One by one.
    Each(UnboundedReceiver<Change>),
    /// As a window gets them.
    Gathered(Batches),
}

impl Changes {
    async fn next(&mut self) -> Option<Vec<Change>> {
        match self {
            Changes::Each(changes) => changes.recv().await.map(|change| vec![change]),
            Changes::Gathered(batches) => batches.next().await,
        }
    }
}

/// Runs until told to quit, end of input or a signal.
pub async fn run(place: open::Place, gathered: bool) -> ExitCode {
    let Open {
        engine,
        metrics,
        _log,
    } = match place.open().await {
        Ok(open) => open,
        Err(error) => {
            write(&json!({"event": "error", "text": format!("{error:#}")}));
            return ExitCode::FAILURE;
        }
    };
    if let Some(listener) = &metrics {
        write(&json!({"event": "metrics", "at": listener.to_string()}));
    }
    match talk(&engine, gathered).await {
        End::Quit => engine.quit().await,
        End::Leave => engine.leave().await,
        End::Gone => return ExitCode::FAILURE,
    }
    ExitCode::SUCCESS
}

async fn talk(engine: &Engine, gathered: bool) -> End {
    let Some(subscription) = engine.subscribe().await else {
        return End::Gone;
    };
    let (snapshot, mut changes) = if gathered {
        let (snapshot, batches) = subscription.batches();
        (snapshot, Changes::Gathered(batches))
    } else {
        let Subscription { snapshot, changes } = subscription;
        (snapshot, Changes::Each(changes))
    };
    let mut tags = Tags::new();
    tell(&snapshot, &tags);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut terminated = std::pin::pin!(terminated());
    loop {
        tokio::select! {
            biased;
            () = &mut terminated => return End::Leave,
            told = changes.next() => match told {
                Some(told) => {
                    tell(&told, &tags);
                    if gathered {
                        write(&json!({"event": "batch", "changes": told.len()}));
                    }
                }
                None => return End::Gone,
            },
            line = lines.next_line() => match line {
                Ok(Some(line)) if line.trim().is_empty() => {}
                Ok(Some(line)) => match serde_json::from_str(&line) {
                    Ok(Line::Quit {}) => return End::Quit,
                    Ok(line) => obey(engine, line, &mut tags).await,
                    Err(error) => write(&json!({"event": "error", "text": format!("This line is no command: {error}.")})),
                },
                Ok(None) => return End::Quit,
                Err(error) => {
                    write(&json!({"event": "error", "text": format!("Standard input can't be read: {error}.")}));
                    return End::Quit;
                }
            },
        }
    }
}

fn tell(changes: &[Change], tags: &Tags) {
    for change in changes {
        write(&event::change(change, tags, now()));
    }
}

async fn obey(engine: &Engine, line: Line, tags: &mut Tags) {
    let id = MessageId;
    let command = match line {
        Line::Send { to, body, tag } => {
            // The id comes before the message's first event: the tag is on every event of it.
            if let (Some(id), Some(tag)) = (engine.send(to, body).await, tag) {
                tags.insert(id, tag);
            }
            return;
        }
        Line::History {
            with,
            limit,
            before,
            after,
        } => return history(engine, &with, limit, (before, after), tags),
        Line::Status {} => {
            if let Some(status) = engine.status().await {
                write(&event::status(&status));
            }
            return;
        }
        Line::Journal { limit } => return journal(engine, limit),
        Line::Transitions { limit } => {
            return of_history(engine, limit.unwrap_or(100), |it| {
                it.iter().map(event::transition).collect()
            });
        }
        Line::Wire { on, content } => {
            let detail = if content { Detail::Content } else { Detail::Kinds };
            return engine.wire().set(on.then_some(detail));
        }
        Line::Frames { kind } => {
            let log = engine.wire().log();
            return log.frames(&kind).for_each(|frame| write(&event::frame(frame)));
        }
        Line::ExportFrames { to, format } => return export(engine, &to, format),
        Line::Diagnose {} => {
            let found = |it: &[Transition]| findings(it, now().stamp).iter().map(event::finding).collect();
            return of_history(engine, usize::MAX, found);
        }
        Line::Report {} => return report(engine).await,
        Line::Suspend {} => {
            engine.suspend().await;
            write(&json!({"event": "suspended"}));
            return;
        }
        Line::Resume { slept_ms } => {
            return engine.happened(Happening::Resumed(slept_ms.map(Duration::from_millis)));
        }
        Line::Visible {} => return engine.happened(Happening::Visible(true)),
        Line::Hidden {} => return engine.happened(Happening::Visible(false)),
        Line::Network { up, route_lost } => return engine.happened(Happening::Network { up, route_lost }),
        Line::Typing { to, typing } => Command::Typing { to, typing },
        Line::Draft { to, text } => Command::Draft { to, text },
        Line::Read { with } => Command::Read(with),
        Line::Older { with } => Command::Older(with),
        Line::Retry { id: it } => Command::Retry(id(it)),
        Line::Discard { id: it } => Command::Discard(id(it)),
        Line::Edit { id: it, body } => Command::Edit { id: id(it), body },
        Line::Retract { id: it } => Command::Retract(id(it)),
        Line::Add { address, name } => Command::Add { address, name },
        Line::Accept { address } => Command::Accept(address),
        Line::Decline { address } => Command::Decline(address),
        Line::Remove { address } => Command::Remove(address),
        Line::Block { address } => Command::Block(address),
        Line::Unblock { address } => Command::Unblock(address),
        Line::RetryNow {} => Command::RetryNow,
        Line::Interval { seconds } => Command::Interval(seconds.map(Duration::from_secs)),
        Line::Quit {} => Command::Quit,
    };
    engine.command(command);
}

fn history(
    engine: &Engine,
    with: &BareJid,
    limit: Option<usize>,
    (before, after): (Option<u64>, Option<u64>),
    tags: &Tags,
) {
    let place = |id: Option<u64>| -> Result<Option<Place>, ReadError> {
        let message = id.map(|id| engine.message(MessageId(id))).transpose()?;
        Ok(message.flatten().map(|message| message.place))
    };
    let found = place(before).and_then(|before| {
        let part = match (before, place(after)?) {
            (Some(place), _) => Part::Before(place),
            (None, Some(place)) => Part::After(place),
            (None, None) => Part::Latest,
        };
        engine.history(with, part, limit.unwrap_or(50))
    });
    write(&match found {
        Ok(stretch) => event::history(with.as_str(), &stretch, tags),
        Err(error) => json!({"event": "error", "text": format!("The history can't be read: {error}.")}),
    });
}

fn journal(engine: &Engine, limit: Option<usize>) {
    match engine.journal(limit.unwrap_or(100)) {
        Ok(lines) => {
            for line in lines {
                write(&json!({"event": "journal", "at": line.at.0, "text": line.text}));
            }
        }
        Err(error) => {
            write(&json!({"event": "error", "text": format!("The journal can't be read: {error}.")}));
        }
    }
}

/// What is to be told of the connection's last transitions.
fn of_history(engine: &Engine, limit: usize, told: impl FnOnce(&[Transition]) -> Vec<Value>) {
    match engine.transitions(limit) {
        Ok(transitions) => told(&transitions).iter().for_each(write),
        Err(error) => {
            write(
                &json!({"event": "error", "text": format!("The connection's history can't be read: {error}.")}),
            );
        }
    }
}

/// A report for whoever mends the program.
async fn report(engine: &Engine) {
    let program = Program {
        name: PROGRAM.to_owned(),
        ..Program::default()
    };
    match engine.bug_report(&program).await {
        Ok(Some(text)) => write(&json!({"event": "report", "text": text})),
        Ok(None) => {}
        Err(error) => {
            write(&json!({"event": "error", "text": format!("The report can't be made: {error}.")}));
        }
    }
}

/// Writes the frames noted into a new file that nobody else may read.
fn export(engine: &Engine, to: &Path, format: Format) {
    let bytes = {
        let log = engine.wire().log();
        match format {
            Format::Text => wire::text::lines(log.frames("")).into_bytes(),
            Format::Pcapng => wire::pcapng::capture(log.frames("")),
        }
    };
    write(&match write_private(to, &bytes) {
        Ok(()) => json!({"event": "exported", "to": to, "bytes": bytes.len()}),
        Err(error) => {
            json!({"event": "error", "text": format!("{} can't be written: {error}. Give the path of a new file.", to.display())})
        }
    });
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

fn write(event: &Value) {
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: the end of input follows and ends the run.
    let _ = writeln!(out, "{event}").and_then(|()| out.flush());
}
