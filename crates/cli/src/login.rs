//! Keeping a password in the OS keyring, and forgetting it.

use crate::{password, words};
use anyhow::{Context, Result, bail};
use dormouse_engine::model::{BareJid, Change, ConnectionState};
use dormouse_engine::{Engine, Folder, Keyring, Secret, Settings};
use std::time::Duration;

/// How long a sign-in may take before we say that the server can't be reached.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks, tries, keeps.
pub async fn login(
    address: BareJid,
    endpoint: Option<String>,
    through: String,
    signs_in_there: bool,
) -> Result<()> {
    let secret = password::ask(&address).await?;
    let proxy_login = if signs_in_there {
        Some(ask_for_proxy(&through).await?)
    } else {
        None
    };
    // Tried in a folder of its own: the account's cache may be in use by a running Dormouse.
    let folder = tempfile::tempdir().context("No temporary folder can be made")?;
    let engine = Engine::start(Settings {
        address: address.clone(),
        password: Some(secret.clone()),
        keyring: false,
        folder: Folder::at(folder.path()),
        endpoint,
        proxy: Some(through),
        proxy_login: proxy_login.clone(),
        watch_system: false,
    })?;
    let tried = tokio::time::timeout(PATIENCE, signed_in(&engine)).await;
    engine.quit().await;
    match tried {
        Ok(outcome) => outcome?,
        Err(_) => bail!("The server could not be reached within a minute. The password was not kept."),
    }
    tokio::task::spawn_blocking({
        let address = address.clone();
        move || {
            if let Some(login) = proxy_login {
                Keyring.keep_proxy_login(&address, &login)?;
            }
            Keyring.keep(&address, &secret)
        }
    })
    .await??;
    words::say(&format!(
        "Signed in. The password of {address} is kept in the keyring."
    ));
    Ok(())
}

/// Asks for user and password of the proxy.
async fn ask_for_proxy(proxy: &str) -> Result<Secret> {
    if matches!(proxy, "system" | "none") {
        bail!("Give the proxy too, with --proxy: its user and password are asked for.");
    }
    let prompt = format!("User and password at {proxy}, with a colon between them: ");
    let login = tokio::task::spawn_blocking(move || rpassword::prompt_password(prompt))
        .await?
        .context("User and password could not be read from the terminal")?;
    Ok(Secret::new(login))
}

/// Waits until the server accepted the sign-in, or the user is needed.
async fn signed_in(engine: &Engine) -> Result<()> {
    let mut subscription = engine.subscribe().await.context("The engine has ended")?;
    let mut waiting = std::mem::take(&mut subscription.snapshot);
    loop {
        for change in waiting.drain(..) {
            if let Change::Connection(connection) = change {
                match connection.state {
                    ConnectionState::CatchingUp | ConnectionState::Live => return Ok(()),
                    ConnectionState::Stopped => bail!("{}", connection.cause.sentence()),
                    _ => {}
                }
            }
        }
        waiting.push(
            subscription
                .changes
                .recv()
                .await
                .context("The engine has ended")?,
        );
    }
}

/// Forgets.
pub async fn logout(address: BareJid) -> Result<()> {
    let account = address.clone();
    tokio::task::spawn_blocking(move || Keyring.forget(&account)).await??;
    words::say(&format!(
        "The password of {address} is forgotten. The cache is still there."
    ));
    Ok(())
}
