//! The password of a running account: where it comes from, whether the server takes it, and keeping it.
//!
//! An account of the list starts without one, so that its cache is on screen before the keyring has
//! answered; the keyring's password follows when it comes. One that the user types is kept in the keyring
//! as soon as the server has taken it, and no earlier.

use super::task::Task;
use crate::protocol::{Field, Refusal};
use crate::sign_in::refusal;
use crate::view::wants_password;
use dormouse_engine::model::{BareJid, Cause, Connection, ConnectionState};
use dormouse_engine::{Keyring, KeyringError, Secret, Settings};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tracing::info;

/// How long the keyring may think before the user is offered to type the password.
const KEYRING_PATIENCE: Duration = Duration::from_secs(3);

/// How an account gets its password and keeps it.
#[derive(Debug, Clone)]
pub enum Password {
    /// The keyring is asked.
    FromKeyring,
    /// The user has just typed it, and the server has taken it: to be kept.
    Typed(Secret),
    /// Given for this run and never kept.
    Given(Secret),
    /// The keyring is empty, and not asked. Tests.
    #[cfg(test)]
    None,
}

/// What the keyring has of an account.
#[derive(Default)]
pub(super) struct Kept {
    password: Option<Secret>,
    /// Who it is to its proxy.
    proxy_login: Option<Secret>,
}

/// What came of the keyring.
pub(super) enum Heard {
    /// It has a password, or none, or failed.
    Found(Result<Kept, KeyringError>),
    /// It keeps the password, or does not.
    Kept(Result<(), KeyringError>),
    /// It has not answered for a while.
    Slow,
}

/// A password that the server has not taken yet.
struct Unproven {
    password: Secret,
    reply: Option<oneshot::Sender<Result<(), Refusal>>>,
    /// The engine has begun to try it: what becomes of the connection from now on is the answer.
    tried: bool,
}

/// What is known of an account's password.
pub(super) struct Passwords {
    address: BareJid,
    /// Who it is to its proxy, to be kept with a password.
    proxy_login: Option<Secret>,
    /// Those that the user types are kept in the keyring.
    keeps: bool,
    /// The one in use, for an engine that has to be started again.
    pub(super) given: Option<Secret>,
    /// The keyring is asked for one, and since when it may be called slow.
    asked: Option<JoinHandle<Result<Kept, KeyringError>>>,
    slow: Option<Instant>,
    /// Why there is none, until there is one.
    lacking: Option<String>,
    keeping: Option<JoinHandle<Result<(), KeyringError>>>,
    /// The handle is told when the keyring has said whether it keeps the first one.
    still_keeping: Arc<AtomicBool>,
    unproven: Option<Unproven>,
}

impl Passwords {
    /// Begins as told; the keyring is asked at once.
    pub(super) fn new(settings: &Settings, password: Password, still_keeping: Arc<AtomicBool>) -> Self {
        let mut passwords = Self {
            address: settings.address.clone(),
            proxy_login: settings.proxy_login.clone(),
            keeps: !matches!(password, Password::Given(_)),
            given: None,
            asked: None,
            slow: None,
            lacking: None,
            keeping: None,
            still_keeping,
            unproven: None,
        };
        match password {
            Password::FromKeyring => {
                let address = passwords.address.clone();
                let has_proxy = settings.proxy.as_deref().is_some_and(|proxy| proxy != "none");
                passwords.asked = Some(tokio::task::spawn_blocking(move || {
                    let proxy_login = if has_proxy {
                        Keyring.proxy_login(&address)?
                    } else {
                        None
                    };
                    let password = Keyring.password(&address)?;
                    Ok(Kept {
                        password,
                        proxy_login,
                    })
                }));
                passwords.slow = Some(Instant::now() + KEYRING_PATIENCE);
            }
            Password::Typed(secret) => {
                passwords.given = Some(secret.clone());
                passwords.keep(secret);
            }
            Password::Given(secret) => passwords.given = Some(secret),
            #[cfg(test)]
            Password::None => passwords.asked = Some(tokio::task::spawn_blocking(|| Ok(Kept::default()))),
        }
        passwords
    }

    /// The next that is heard of the keyring. May be dropped and called again.
    pub(super) async fn heard(&mut self) -> Heard {
        let slow = self.slow;
        tokio::select! {
            biased;
            found = joined(&mut self.asked) => {
                self.asked = None;
                self.slow = None;
                Heard::Found(found.unwrap_or_else(Err))
            }
            kept = joined(&mut self.keeping) => {
                self.keeping = None;
                Heard::Kept(kept.unwrap_or_else(Err))
            }
            () = sleep_until(slow.unwrap_or_else(Instant::now)), if slow.is_some() => {
                self.slow = None;
                Heard::Slow
            }
        }
    }

    /// Whether the keyring is where this account's secrets go.
    pub(super) fn in_keyring(&self) -> bool {
        self.keeps
    }

    fn keep(&mut self, password: Secret) {
        if self.keeps {
            let address = self.address.clone();
            let proxy_login = self.proxy_login.clone();
            let keep = move || {
                if let Some(login) = proxy_login {
                    Keyring.keep_proxy_login(&address, &login)?;
                }
                Keyring.keep(&address, &password)
            };
            self.keeping = Some(tokio::task::spawn_blocking(keep));
        }
    }

    /// Nobody tries any more: why, for whoever waits.
    pub(super) fn give_up(&mut self, why: &str) {
        if let Some(reply) = self.unproven.take().and_then(|unproven| unproven.reply) {
            let _ = reply.send(Err(refusal(None, why.to_owned())));
        }
    }
}

impl Task {
    /// The user has typed a password.
    pub(super) fn unlock(&mut self, password: Secret, reply: oneshot::Sender<Result<(), Refusal>>) {
        if let Some(stopped) = &self.stopped {
            let _ = reply.send(Err(refusal(None, stopped.cause.clone())));
            return;
        }
        let passwords = &mut self.passwords;
        // What the keyring may still answer comes too late.
        passwords.asked = None;
        passwords.slow = None;
        passwords.lacking = None;
        passwords.given = Some(password.clone());
        passwords.unproven = Some(Unproven {
            password: password.clone(),
            reply: Some(reply),
            tried: false,
        });
        self.with_engine(|engine| engine.sign_in(password));
    }

    /// What the keyring said.
    pub(super) fn keyring(&mut self, heard: Heard) {
        let words = Arc::clone(&self.context.words);
        let account = self.settings.address.clone();
        match heard {
            Heard::Slow => self.lacks(words.plain("keyring-slow")),
            Heard::Found(Ok(kept)) => {
                if let Some(login) = kept.proxy_login {
                    self.settings.proxy_login = Some(login.clone());
                    self.with_engine(|engine| engine.sign_in_at_proxy(login));
                }
                let Some(password) = kept.password else {
                    return self.lacks(words.plain("keyring-empty"));
                };
                self.passwords.lacking = None;
                self.passwords.given = Some(password.clone());
                self.with_engine(|engine| engine.sign_in(password));
            }
            Heard::Found(Err(error)) => {
                info!(%account, %error, "no password from the keyring");
                self.lacks(words.wants_password(&error));
            }
            Heard::Kept(kept) => {
                let not_kept = kept.err().map(|error| {
                    info!(%account, %error, "the password is not kept");
                    words.not_kept(&error)
                });
                self.describe(|account| account.not_kept = not_kept);
                self.passwords.still_keeping.store(false, Ordering::Relaxed);
            }
        }
    }

    /// There is no password: why, for the user who is to type it. An account that can't be started has no
    /// use for one.
    fn lacks(&mut self, why: String) {
        if self.stopped.is_none() {
            self.describe(|account| account.wants_password = Some(why.clone()));
        }
        self.passwords.lacking = Some(why);
    }

    /// The engine runs: if it lacks a password, that is said now.
    pub(super) fn ask_for_what_is_lacking(&mut self) {
        if let Some(why) = self.passwords.lacking.take() {
            self.lacks(why);
        }
    }

    /// What the connection's state says of the password.
    pub(super) fn password_heeds(&mut self, connection: &Connection) {
        let refused = wants_password(connection);
        if !refused {
            self.describe(|account| account.wants_password = None);
        } else if connection.cause == Cause::WrongPassword {
            let why = self.context.words.cause(&connection.cause);
            self.describe(|account| account.wants_password = Some(why));
        }
        let Some(mut unproven) = self.passwords.unproven.take() else {
            return;
        };
        let answer = match connection.state {
            ConnectionState::CatchingUp | ConnectionState::Live if unproven.tried => Some(Ok(())),
            ConnectionState::Stopped if unproven.tried => Some(Err(refusal(
                refused.then_some(Field::Password),
                self.context.words.cause(&connection.cause),
            ))),
            ConnectionState::Connecting { .. } | ConnectionState::SigningIn => {
                unproven.tried = true;
                None
            }
            ConnectionState::Waiting { .. } | ConnectionState::Offline => {
                // The server can't be asked now. It is tried when it can, and kept when it has been taken.
                if let Some(reply) = unproven.reply.take() {
                    let _ = reply.send(Ok(()));
                }
                None
            }
            // Still what was before it.
            _ => None,
        };
        let Some(answer) = answer else {
            self.passwords.unproven = Some(unproven);
            return;
        };
        if answer.is_ok() {
            self.passwords.keep(unproven.password);
        }
        if let Some(reply) = unproven.reply {
            let _ = reply.send(answer);
        }
    }
}

/// What a task that may be there came to; never if there is none.
async fn joined<T>(handle: &mut Option<JoinHandle<T>>) -> Result<T, KeyringError> {
    match handle {
        Some(handle) => handle
            .await
            .map_err(|_| KeyringError::Failed("it broke off".into())),
        None => std::future::pending().await,
    }
}
