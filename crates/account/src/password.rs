//! Signing in with a password that comes later: at the start there may be none (no keyring, a locked one), and one
//! that the server refused is followed by another.

use crate::account::Account;
use crate::turn::Turn;
use dormouse_link::Input as LinkInput;
use dormouse_model::{Action, Cause, Change, ConnectionState, ReadError, Verdict};
use dormouse_xmpp::Credentials;

impl Account {
    /// The account shall be online, if it can be.
    pub(crate) fn start(&mut self, turn: &mut Turn) -> Result<(), ReadError> {
        if self.without_password.is_none() {
            return self.link(turn, LinkInput::Start);
        }
        self.without_password = Some(turn.now.stamp);
        self.note(turn, "There is no password to sign in with.".into());
        let connection = self.connection();
        self.chronicle.entered(turn.now, &connection, &mut turn.draft);
        turn.change(Change::Connection(connection));
        Ok(())
    }

    /// A connection that lives needs no password; any other state is left for an attempt with this one.
    pub(crate) fn sign_in(&mut self, turn: &mut Turn, credentials: Credentials) -> Result<(), ReadError> {
        self.settings.credentials = Some(credentials);
        self.without_password = None;
        match self.link.connection().state {
            ConnectionState::Stopped | ConnectionState::Waiting { .. } | ConnectionState::Offline => {
                self.link(turn, LinkInput::RetryNow)
            }
            // What is being tried is the earlier one: its refusal would say nothing about this.
            ConnectionState::SigningIn => {
                let Some(conn) = self.current else { return Ok(()) };
                self.session.give_up(turn.now, conn);
                turn.out.push(crate::Output::Abort(conn));
                self.connection_ended(turn, conn, Verdict::new(Action::Retry, Cause::UserAsked))?;
                self.link(turn, LinkInput::RetryNow)
            }
            _ => Ok(()),
        }
    }
}
