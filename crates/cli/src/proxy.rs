//! Who we are to the proxy: from the environment, else from the OS keyring. Never an argument, never a file.

use anyhow::Result;
use dormouse_engine::model::BareJid;
use dormouse_engine::{Keyring, Secret};

/// The variable for programs that start this one: `user:password`.
const VARIABLE: &str = "DORMOUSE_PROXY_LOGIN";

/// User and password for the proxy that was given, if any are known. The system's proxies bring their own.
pub async fn login(account: &BareJid, proxy: &str, keyring_is_used: bool) -> Result<Option<Secret>> {
    if let Ok(login) = std::env::var(VARIABLE) {
        return Ok(Some(Secret::new(login)));
    }
    if matches!(proxy, "system" | "none") || !keyring_is_used {
        return Ok(None);
    }
    let address = account.clone();
    match tokio::task::spawn_blocking(move || Keyring.proxy_login(&address)).await? {
        Ok(login) => Ok(login),
        Err(error) => {
            tracing::info!(%error, "keyring");
            Ok(None)
        }
    }
}
