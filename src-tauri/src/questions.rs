//! What the window's page may ask, and who answers: each a line between a question and the [`Shell`].
//!
//! Their names stand in `build.rs` and, as permissions, in `capabilities/main.json`; a test holds the three
//! together.

use crate::links;
use crate::protocol::{
    Action, CheckWish, DesktopWish, FrameDetail, FrameFormat, Part, Proxy, UpdateWish, WhenClosed,
};
use crate::shell::Shell;
use crate::wire::Answer;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;

/// A question. Nothing shows it: passwords are in some.
#[derive(Deserialize)]
#[serde(
    tag = "command",
    content = "arguments",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
#[allow(
    missing_docs,
    reason = "their fields are called as what they are passed on to"
)]
pub enum Question {
    /// Signs in to a new account.
    SignIn {
        address: String,
        password: String,
        endpoint: Option<String>,
        proxy: Proxy,
    },
    /// Gives the password for an account that wants one.
    Unlock { account: String, password: String },
    /// Signs out.
    SignOut { account: String, forget: bool },
    /// Reads a part of a conversation from the cache.
    Stretch {
        account: String,
        with: String,
        part: Part,
        limit: usize,
    },
    /// Tells what is known of the connection and its last week.
    ConnectionReport { account: String },
    /// Begins a check of the connection, ends it, or just tells of the last one.
    CheckConnection { account: String, wish: CheckWish },
    /// The last check as a text that can be given away.
    CheckReport { account: String, with_server: bool },
    /// Tells whether metrics are given out.
    Metrics {},
    /// Gives out metrics at a port of this computer, or no longer.
    GiveOutMetrics { port: Option<u32> },
    /// Has the server asked whether it is there after so many seconds of silence; without a number as each network
    /// allows.
    SetInterval { account: String, seconds: Option<u64> },
    /// Notes so much of each frame that passes from now on.
    NoteFrames { account: String, detail: FrameDetail },
    /// Tells the latest frames noted whose kind holds a word.
    Frames { account: String, word: String },
    /// Writes the frames noted into a file; its path.
    ExportFrames { account: String, format: FrameFormat },
    /// Makes a report for whoever mends the program, without names, messages or secrets.
    BugReport { account: String },
    /// Tells of the latest crash, if there is a report of one.
    Crash {},
    /// Removes the reports of crashes up to a moment.
    ForgetCrashes { to: i64 },
    /// Does what the user wants.
    Act { account: String, action: Action },
    /// Opens a link outside the window.
    OpenLink { url: String },
    /// Tells which conversation the window shows.
    Look {
        account: Option<String>,
        with: Option<String>,
    },
    /// What closing the window means on a desktop without a tray, now and from now on; none: the user has chosen nothing.
    Closing { means: Option<WhenClosed> },
    /// Ends the program.
    Quit {},
    /// Tells how Dormouse sits on the desktop.
    Desktop {},
    /// Changes that.
    SetDesktop { wish: DesktopWish },
    /// Notifies of what comes in a conversation no longer, or again.
    Mute {
        account: String,
        with: String,
        muted: bool,
    },
    /// What the user wants with the new version of the program that is offered.
    Update { wish: UpdateWish },
}

/// A question as the page wrote it: a command and its arguments.
pub fn written(command: &str, arguments: &impl Serialize) -> serde_json::Result<Box<RawValue>> {
    #[derive(Serialize)]
    struct Written<'a, A> {
        command: &'a str,
        arguments: &'a A,
    }
    to_raw_value(&Written { command, arguments })
}

/// Answers a question.
pub async fn answer(shell: &Arc<Shell>, question: &RawValue) -> Answer {
    let question = match serde_json::from_str(question.get()) {
        Ok(question) => question,
        // The page is ours: that it asks nonsense is a mistake to be mended, and has the mender's words.
        Err(error) => return refused(&error.to_string()),
    };
    match question {
        Question::SignIn {
            address,
            password,
            endpoint,
            proxy,
        } => {
            let endpoint = endpoint.as_deref();
            told(shell.sign_in(&address, &password, endpoint, &proxy).await)
        }
        Question::Unlock { account, password } => told(shell.unlock(&account, &password).await),
        Question::SignOut { account, forget } => told(shell.sign_out(&account, forget).await),
        Question::Stretch {
            account,
            with,
            part,
            limit,
        } => told(shell.stretch(&account, &with, &part, limit).await),
        Question::ConnectionReport { account } => told(shell.connection_report(&account).await),
        Question::CheckConnection { account, wish } => told(shell.check_connection(&account, wish).await),
        Question::CheckReport { account, with_server } => told(shell.check_report(&account, with_server)),
        Question::Metrics {} => here(&shell.metrics().await),
        Question::GiveOutMetrics { port } => told(shell.give_out_metrics(port).await),
        Question::SetInterval { account, seconds } => told(shell.set_interval(&account, seconds)),
        Question::NoteFrames { account, detail } => told(shell.note_frames(&account, detail)),
        Question::Frames { account, word } => told(shell.frames(&account, &word)),
        Question::ExportFrames { account, format } => told(shell.export_frames(&account, format).await),
        Question::BugReport { account } => told(shell.bug_report(&account).await),
        Question::Crash {} => told(shell.crash().await),
        Question::ForgetCrashes { to } => told(shell.forget_crashes(to).await),
        Question::Act { account, action } => told(shell.act(&account, action)),
        Question::OpenLink { url } => told(open_link(shell, url).await),
        Question::Look { account, with } => {
            shell.look(account.as_deref(), with.as_deref());
            here(&())
        }
        Question::Closing { means } => told(shell.closing_means(means).await),
        Question::Desktop {} => here(&shell.desktop().await),
        Question::SetDesktop { wish } => told(shell.set_desktop(wish).await),
        Question::Mute { account, with, muted } => told(shell.mute(&account, &with, muted).await),
        Question::Update { wish } => told(shell.update(wish)),
        Question::Quit {} => {
            shell.quit();
            here(&())
        }
    }
}

async fn open_link(shell: &Shell, url: String) -> Result<(), String> {
    let opened = tokio::task::spawn_blocking(move || links::open(&url)).await;
    match opened {
        Ok(opened) => opened.map_err(|error| {
            tracing::info!(%error, "a link was not opened");
            shell.words().link(&error)
        }),
        Err(_) => Err(shell.words().plain("ask-link-failed")),
    }
}

fn told<T: Serialize, E: Serialize>(outcome: Result<T, E>) -> Answer {
    match outcome {
        Ok(value) => here(&value),
        Err(why) => refused(&why),
    }
}

fn here(value: &impl Serialize) -> Answer {
    match to_raw_value(value) {
        Ok(value) => Answer::Here(value),
        Err(error) => refused(&error.to_string()),
    }
}

fn refused<T: Serialize + ?Sized>(why: &T) -> Answer {
    Answer::Refused(to_raw_value(why).unwrap_or_else(|_| RawValue::NULL.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Registry;
    use crate::home::Home;
    use crate::translations::Translations;
    use crate::words::Words;
    use serde_json::{Value, json};

    /// The names of all questions, as serde knows them.
    fn names() -> Vec<String> {
        let nonsense = r#"{"command":"?"}"#;
        let error = serde_json::from_str::<Question>(nonsense)
            .err()
            .unwrap()
            .to_string();
        error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn every_question_is_allowed_to_the_window_and_nothing_else_is() {
        let mut wanted = vec!["open".to_owned()];
        wanted.extend(names());
        assert!(wanted.len() > 20, "{wanted:?}");
        let capabilities: Value = serde_json::from_str(include_str!("../capabilities/main.json")).unwrap();
        let permissions: Vec<&str> = capabilities["permissions"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|permission| permission.as_str())
            .collect();
        let allowed: Vec<String> = wanted
            .iter()
            .map(|name| format!("allow-{}", name.replace('_', "-")))
            .collect();
        assert_eq!(permissions, allowed);
        let build = include_str!("../build.rs");
        for name in wanted {
            assert!(build.contains(&format!("\"{name}\"")), "{name}");
        }
    }

    fn shell(folder: &tempfile::TempDir) -> Arc<Shell> {
        let home = Home::find(Some(folder.path().into())).unwrap();
        let registry = Registry::read(home.registry()).unwrap();
        let words = Arc::new(Words::new(Translations::of("en").unwrap()));
        let (wanted, _) = tokio::sync::mpsc::unbounded_channel();
        Arc::new(Shell::new(home, registry, words, wanted, false))
    }

    async fn asked(shell: &Arc<Shell>, command: &str, arguments: Value) -> Result<Value, Value> {
        let question = written(command, &arguments).unwrap();
        let value = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap();
        match answer(shell, &question).await {
            Answer::Here(raw) => Ok(value(&raw)),
            Answer::Refused(raw) => Err(value(&raw)),
        }
    }

    #[tokio::test]
    async fn questions_are_answered_and_refused_as_the_page_knows_it() {
        let folder = tempfile::tempdir().unwrap();
        let shell = shell(&folder);
        assert_eq!(asked(&shell, "crash", json!({})).await, Ok(Value::Null));
        let metrics = asked(&shell, "metrics", json!({})).await.unwrap();
        assert_eq!(metrics["port"], Value::Null);
        let why = asked(
            &shell,
            "act",
            json!({"account": "romeo@example.org", "action": {"kind": "retry-now"}}),
        );
        let why = why.await.unwrap_err();
        assert!(why.as_str().unwrap().contains("romeo@example.org"), "{why}");
        let proxy = json!({"address": "system", "user": "", "password": ""});
        let form = json!({"address": "@", "password": "x", "endpoint": null, "proxy": proxy});
        let refusal = asked(&shell, "sign_in", form).await.unwrap_err();
        assert_eq!(refusal["field"], "address");
    }

    #[tokio::test]
    async fn what_is_no_question_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let shell = shell(&folder);
        assert!(asked(&shell, "format_disk", json!({})).await.is_err());
        assert!(asked(&shell, "frames", json!({"account": 5})).await.is_err());
        assert!(asked(&shell, "act", Value::Null).await.is_err());
    }
}
