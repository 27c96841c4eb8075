//! What the window may ask, as Tauri commands: each a line between its arguments and the [`Shell`].
//!
//! All of them are asynchronous, so none runs on the thread that paints. Their names stand in `build.rs`
//! and, as permissions, in `capabilities/main.json`; a test holds the three together.

use crate::links;
use crate::protocol::{
    Account, Action, CheckWish, ConnectionCheck, ConnectionReport, CrashReport, Event, FrameDetail,
    FrameFormat, FrameLog, Metrics, Part, Proxy, Refusal, Stretch,
};
use crate::shell::Shell;
use std::sync::Arc;
use tauri::State;
use tauri::ipc::Channel;

type Held<'a> = State<'a, Arc<Shell>>;

/// Makes this the window's channel.
#[tauri::command]
pub async fn open(shell: Held<'_>, events: Channel<Event>) -> Result<(), String> {
    shell.open(Box::new(move |event| events.send(event).is_ok()));
    Ok(())
}

/// Signs in to a new account.
#[tauri::command]
pub async fn sign_in(
    shell: Held<'_>,
    address: String,
    password: String,
    endpoint: Option<String>,
    proxy: Proxy,
) -> Result<Account, Refusal> {
    let endpoint = endpoint.as_deref();
    shell.sign_in(&address, &password, endpoint, &proxy).await
}

/// Gives the password for an account that wants one.
#[tauri::command]
pub async fn unlock(shell: Held<'_>, account: String, password: String) -> Result<(), Refusal> {
    shell.unlock(&account, &password).await
}

/// Signs out.
#[tauri::command]
pub async fn sign_out(shell: Held<'_>, account: String, forget: bool) -> Result<(), String> {
    shell.sign_out(&account, forget).await
}

/// Reads a part of a conversation from the cache.
#[tauri::command]
pub async fn stretch(
    shell: Held<'_>,
    account: String,
    with: String,
    part: Part,
    limit: usize,
) -> Result<Stretch, String> {
    shell.stretch(&account, &with, &part, limit).await
}

/// Tells what is known of the connection and its last week.
#[tauri::command]
pub async fn connection_report(shell: Held<'_>, account: String) -> Result<ConnectionReport, String> {
    shell.connection_report(&account).await
}

/// Begins a check of the connection, ends it, or just tells of the last one.
#[tauri::command]
pub async fn check_connection(
    shell: Held<'_>,
    account: String,
    wish: CheckWish,
) -> Result<Option<ConnectionCheck>, String> {
    shell.check_connection(&account, wish).await
}

/// The last check as a text that can be given away.
#[tauri::command]
pub async fn check_report(shell: Held<'_>, account: String, with_server: bool) -> Result<String, String> {
    shell.check_report(&account, with_server)
}

/// Tells whether metrics are given out.
#[tauri::command]
pub async fn metrics(shell: Held<'_>) -> Result<Metrics, String> {
    Ok(shell.metrics().await)
}

/// Gives out metrics at a port of this computer, or no longer.
#[tauri::command]
pub async fn give_out_metrics(shell: Held<'_>, port: Option<u32>) -> Result<Metrics, String> {
    shell.give_out_metrics(port).await
}

/// Has the server asked whether it is there after so many seconds of silence; without a number as each network allows.
#[tauri::command]
pub async fn set_interval(shell: Held<'_>, account: String, seconds: Option<u64>) -> Result<(), String> {
    shell.set_interval(&account, seconds)
}

/// Notes so much of each frame that passes from now on.
#[tauri::command]
pub async fn note_frames(shell: Held<'_>, account: String, detail: FrameDetail) -> Result<(), String> {
    shell.note_frames(&account, detail)
}

/// Tells the latest frames noted whose kind holds a word.
#[tauri::command]
pub async fn frames(shell: Held<'_>, account: String, word: String) -> Result<FrameLog, String> {
    shell.frames(&account, &word)
}

/// Writes the frames noted into a file; its path.
#[tauri::command]
pub async fn export_frames(shell: Held<'_>, account: String, format: FrameFormat) -> Result<String, String> {
    shell.export_frames(&account, format).await
}

/// Makes a report for whoever mends the program, without names, messages or secrets.
#[tauri::command]
pub async fn bug_report(shell: Held<'_>, account: String) -> Result<String, String> {
    shell.bug_report(&account).await
}

/// Tells of the latest crash, if there is a report of one.
#[tauri::command]
pub async fn crash(shell: Held<'_>) -> Result<Option<CrashReport>, String> {
    shell.crash().await
}

/// Removes the reports of crashes up to a moment.
#[tauri::command]
pub async fn forget_crashes(shell: Held<'_>, to: i64) -> Result<(), String> {
    shell.forget_crashes(to).await
}

/// Does what the user wants.
#[tauri::command]
pub async fn act(shell: Held<'_>, account: String, action: Action) -> Result<(), String> {
    shell.act(&account, action)
}

/// Opens a link outside the window.
#[tauri::command]
pub async fn open_link(shell: Held<'_>, url: String) -> Result<(), String> {
    let opened = tokio::task::spawn_blocking(move || links::open(&url)).await;
    match opened {
        Ok(opened) => opened.map_err(|error| {
            tracing::info!(%error, "a link was not opened");
            shell.words().link(&error)
        }),
        Err(_) => Err(shell.words().plain("ask-link-failed")),
    }
}

/// Tells which conversation the window shows.
#[tauri::command]
pub async fn look(shell: Held<'_>, account: Option<String>, with: Option<String>) -> Result<(), String> {
    shell.look(account.as_deref(), with.as_deref());
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_command_is_allowed_to_the_window_and_nothing_else_is() {
        let here = include_str!("commands.rs");
        let (here, _) = here.split_once("#[cfg(test)]").unwrap();
        let commands: Vec<&str> = here
            .split("#[tauri::command]\npub async fn ")
            .skip(1)
            .filter_map(|rest| rest.split_once('(').map(|(name, _)| name))
            .collect();
        assert!(commands.len() >= 8, "{commands:?}");
        let capabilities: serde_json::Value =
            serde_json::from_str(include_str!("../capabilities/main.json")).unwrap();
        let permissions: Vec<&str> = capabilities["permissions"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|permission| permission.as_str())
            .collect();
        let wanted: Vec<String> = commands
            .iter()
            .map(|name| format!("allow-{}", name.replace('_', "-")))
            .collect();
        assert_eq!(permissions, wanted);
        let build = include_str!("../build.rs");
        for command in commands {
            assert!(build.contains(&format!("\"{command}\"")), "{command}");
        }
    }
}
