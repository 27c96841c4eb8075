//! Where the password comes from: the OS keyring, else the person at the terminal, else the
//! environment. Never an argument (other users see those), never a file.

use anyhow::{Context, Result, bail};
use dormouse_engine::model::BareJid;
use dormouse_engine::{Keyring, Secret};
use std::io::IsTerminal;

/// The variable for programs that start this one.
const VARIABLE: &str = "DORMOUSE_PASSWORD";

/// Finds the password of this account. What the keyring had to say if it failed is told on standard error.
pub async fn find(account: &BareJid) -> Result<Secret> {
    // A program that gives the password means it: the keyring may not even be there.
    if let Ok(password) = std::env::var(VARIABLE)
        && !std::io::stdin().is_terminal()
    {
        return Ok(Secret::new(password));
    }
    let address = account.clone();
    match tokio::task::spawn_blocking(move || Keyring.password(&address)).await? {
        Ok(Some(password)) => return Ok(password),
        Ok(None) => {}
        Err(error) => tracing::info!(%error, "keyring"),
    }
    if let Ok(password) = std::env::var(VARIABLE) {
        return Ok(Secret::new(password));
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "No password for {account}: sign in once with `dormouse-cli login {account}`, or set {VARIABLE}."
        );
    }
    ask(account).await
}

/// Asks the person at the terminal.
pub async fn ask(account: &BareJid) -> Result<Secret> {
    let prompt = format!("Password of {account}: ");
    let password = tokio::task::spawn_blocking(move || rpassword::prompt_password(prompt))
        .await?
        .context("The password could not be read from the terminal")?;
    Ok(Secret::new(password))
}
