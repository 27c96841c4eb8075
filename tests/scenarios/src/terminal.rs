//! Logging in at a terminal: the shipped program asks for the password, and keeps it in the keyring of its session.

use crate::{Result, program};
use anyhow::{Context, ensure};
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The interpreter that [`log_in`] runs in.
pub const PYTHON: &str = "/usr/bin/python3";

/// What a program wrote.
pub fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Logs in, typing this password. `python`: the command that starts [`PYTHON`], here or somewhere special.
///
/// # Errors
/// When the program does not ask, or shows what is typed. That the server refused is in its output.
pub fn log_in(
    mut python: Command,
    address: &str,
    endpoint: &str,
    typed: &str,
    session: &[(&'static str, OsString)],
) -> Result<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/terminal.py");
    let output = python
        .arg(script)
        .arg("Password of")
        .arg(program::cli()?)
        .args(["login", address, "--endpoint", endpoint])
        .envs(session.iter().cloned())
        .env_remove("DORMOUSE_PASSWORD")
        .env("TYPED", typed)
        .stdin(Stdio::null())
        .output()
        .context("python3 can't be run")?;
    let said = text(&output);
    ensure!(said.contains("Password of"), "it did not ask: {said}");
    ensure!(
        !said.contains(typed),
        "the password is shown as it is typed: {said}"
    );
    Ok(output)
}
