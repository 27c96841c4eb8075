//! Passwords: in memory under a lid, at rest in the OS keyring and nowhere else.

use dormouse_account::Token;
use dormouse_model::BareJid;
use keyring::v1::{Entry, Error};
use std::fmt;
use zeroize::Zeroizing;

/// The keyring's name for what belongs to Dormouse.
const SERVICE: &str = "Dormouse";

/// A password. Wiped from memory when dropped; never shown by `Debug`.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The password itself, for signing in.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why the keyring could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is no keyring service in this session.
    #[error(
        "This session has no keyring, so the password can't be kept. On Linux, a desktop such as GNOME or KDE brings one; Dormouse asks for the password at each start instead."
    )]
    Missing,
    /// It is there and did not open.
    #[error("The keyring is locked and could not be opened. Unlock it and try again.")]
    Locked,
    /// It failed otherwise.
    #[error("The keyring failed: {0}.")]
    Failed(String),
}

impl From<Error> for KeyringError {
    fn from(error: Error) -> Self {
        match error {
            Error::NoDefaultStore => KeyringError::Missing,
            Error::NoStorageAccess(_) => KeyringError::Locked,
            // The error's own words may quote what was stored: only its kind is told.
            Error::BadEncoding(_) => KeyringError::Failed("the entry is not text".into()),
            other => KeyringError::Failed(format!("{:?}", std::mem::discriminant(&other))),
        }
    }
}

/// The OS keyring. Every call may block for as long as the user takes to unlock it: never call it on a
/// thread that has other things to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keyring;

impl Keyring {
    /// The password kept for this account, if there is one.
    pub fn password(self, account: &BareJid) -> Result<Option<Secret>, KeyringError> {
        found(account.as_str())
    }

    /// Keeps a password. Found out by reading it back: some keyrings say yes and keep nothing.
    pub fn keep(self, account: &BareJid, password: &Secret) -> Result<(), KeyringError> {
        keep(account.as_str(), password)
    }

    /// User and password (`user:password`) for this account's proxy, if they are kept.
    pub fn proxy_login(self, account: &BareJid) -> Result<Option<Secret>, KeyringError> {
        found(&proxy_of(account))
    }

    /// Keeps user and password for this account's proxy, as [`Keyring::keep`] does.
    pub fn keep_proxy_login(self, account: &BareJid, login: &Secret) -> Result<(), KeyringError> {
        keep(&proxy_of(account), login)
    }

    /// Forgets the password of this account, what stood in for it, and who it is to its proxy.
    pub fn forget(self, account: &BareJid) -> Result<(), KeyringError> {
        let token = self.forget_token(account);
        let proxy = delete(&proxy_of(account));
        delete(account.as_str())?;
        token.and(proxy)
    }

    /// The token kept for this account, if there is one that can be read.
    pub fn token(self, account: &BareJid) -> Result<Option<Token>, KeyringError> {
        match Entry::new(SERVICE, &token_of(account)).and_then(|entry| entry.get_password()) {
            Ok(line) => Ok(Token::from_line(&Zeroizing::new(line))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps a token in place of the one before.
    pub fn keep_token(self, account: &BareJid, token: &Token) -> Result<(), KeyringError> {
        let entry = Entry::new(SERVICE, &token_of(account))?;
        entry.set_password(&token.to_line())?;
        Ok(())
    }

    /// Forgets the token of this account.
    pub fn forget_token(self, account: &BareJid) -> Result<(), KeyringError> {
        delete(&token_of(account))
    }
}

/// An address has no blank in it: the name is nobody's account.
fn token_of(account: &BareJid) -> String {
    format!("{account} (token)")
}

fn proxy_of(account: &BareJid) -> String {
    format!("{account} (proxy)")
}

fn found(name: &str) -> Result<Option<Secret>, KeyringError> {
    match Entry::new(SERVICE, name).and_then(|entry| entry.get_password()) {
        Ok(secret) => Ok(Some(Secret::new(secret))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn keep(name: &str, secret: &Secret) -> Result<(), KeyringError> {
    let entry = Entry::new(SERVICE, name)?;
    entry.set_password(secret.reveal())?;
    let kept = Zeroizing::new(entry.get_password()?);
    if kept.as_str() == secret.reveal() {
        Ok(())
    } else {
        Err(KeyringError::Failed("what was stored did not come back".into()))
    }
}

fn delete(name: &str) -> Result<(), KeyringError> {
    match Entry::new(SERVICE, name).and_then(|entry| entry.delete_credential()) {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown_by_debug() {
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }
}
