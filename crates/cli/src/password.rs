//! Where the password comes from: the OS keyring, else the person at the terminal, else the
//! environment. Never an argument (other users see those), never a file.

use anyhow::{Context, Result, bail};
use dormouse_engine::model::BareJid;
use dormouse_engine::{Keyring, Secret};
use std::io::IsTerminal;

/// The variable for programs that start this one.
const VARIABLE: &str = "DORMOUSE_PASSWORD";

/// A password, and where it is kept.
pub struct Found {
    /// The password.
    pub secret: Secret,
    /// It is in the OS keyring.
    pub from_keyring: bool,
}

impl Found {
    fn elsewhere(secret: Secret) -> Self {
        Self {
            secret,
            from_keyring: false,
        }
    }
}

/// Finds the password of this account. What the keyring had to say if it failed is told on standard error.
pub async fn find(account: &BareJid) -> Result<Found> {
    // A program that gives the password means it: the keyring may not even be there.
    if let Ok(password) = std::env::var(VARIABLE)
        && !std::io::stdin().is_terminal()
    {
        return Ok(Found::elsewhere(Secret::new(password)));
    }
    let address = account.clone();
    match tokio::task::spawn_blocking(move || Keyring.password(&address)).await? {
        Ok(Some(secret)) => {
            return Ok(Found {
                secret,
                from_keyring: true,
            });
        }
        Ok(None) => {}
        Err(error) => tracing::info!(%error, "keyring"),
    }
    if let Ok(password) = std::env::var(VARIABLE) {
        return Ok(Found::elsewhere(Secret::new(password)));
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "No password for {account}: sign in once with `dormouse-cli login {account}`, or set {VARIABLE}."
        );
    }
    ask(account).await.map(Found::elsewhere)
}

/// Asks the person at the terminal.
pub async fn ask(account: &BareJid) -> Result<Secret> {
    let prompt = format!("Password of {account}: ");
    let password = tokio::task::spawn_blocking(move || rpassword::prompt_password(prompt))
        .await?
        .context("The password could not be read from the terminal")?;
    Ok(Secret::new(password))
}
