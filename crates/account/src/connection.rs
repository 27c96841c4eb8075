//! The connection, between the policy that decides about it and the session that runs on it.

use crate::Output;
use crate::account::Account;
use crate::turn::Turn;
use dormouse_link::{Input as LinkInput, Output as LinkOutput, Probe};
use dormouse_model::{Cause, Change, ConnId, ConnectionState, Endpoint, ReadError, Verdict};

/// How often a server may send us elsewhere before we go back to where we began (RFC 7395 section 3.6.1).
const HOPS: u32 = 3;

impl Account {
    /// A connection ended, whoever noticed.
    pub(crate) fn connection_ended(
        &mut self,
        turn: &mut Turn,
        conn: ConnId,
        verdict: Verdict,
    ) -> Result<(), ReadError> {
        if let Cause::SeeOther(target) = &verdict.cause {
            let hops = self.elsewhere.as_ref().map_or(0, |(_, hops)| *hops) + 1;
            self.elsewhere =
                (hops <= HOPS && target.starts_with("wss://")).then(|| (Endpoint(target.clone()), hops));
        }
        self.lost(turn, conn);
        self.link(turn, LinkInput::Closed(conn, verdict))
    }

    /// Nothing more comes of this connection.
    fn lost(&mut self, turn: &mut Turn, conn: ConnId) {
        self.open.remove(&conn);
        if self.current == Some(conn) {
            self.current = None;
            self.fence = None;
            self.quiet.forget();
            let changes = self.contacts.forget_typing();
            turn.changes(changes);
        }
    }

    /// Tells the link something and does what it says.
    pub(crate) fn link(&mut self, turn: &mut Turn, input: LinkInput) -> Result<(), ReadError> {
        if self.begins_after.is_some() {
            return Ok(());
        }
        for output in self.link.handle(turn.now, input) {
            match output {
                LinkOutput::Dial { conn, .. } => {
                    let endpoint = self.elsewhere.as_ref().map(|(endpoint, _)| endpoint.clone());
                    turn.out.push(Output::Dial {
                        conn,
                        endpoint,
                        known: self.ways.known(),
                    });
                }
                LinkOutput::Use(conn) => {
                    let Some(channel) = self.open.remove(&conn) else {
                        continue;
                    };
                    if let Some(old) = self.current {
                        self.lost(turn, old);
                    }
                    let Some(credentials) = &self.settings.credentials else {
                        continue;
                    };
                    self.current = Some(conn);
                    let token = self.tokens.usable();
                    let said = self.session.begin(turn.now, conn, &channel, credentials, token);
                    self.session_said(turn, said)?;
                }
                LinkOutput::Hangup(conn) => {
                    if self.current == Some(conn) {
                        self.session.give_up(turn.now, conn);
                    }
                    self.lost(turn, conn);
                    turn.out.push(Output::Abort(conn));
                }
                LinkOutput::Probe(conn, probe) => {
                    if self.current == Some(conn) {
                        let said = match probe {
                            Probe::Quiet => self.session.request_ack(),
                            Probe::Numbered(number) => self.session.ping(number),
                        };
                        self.session_said(turn, said)?;
                    }
                }
                LinkOutput::State(connection) => {
                    self.note(
                        turn,
                        format!("{}: {}", connection.state.name(), connection.cause.sentence()),
                    );
                    let transition = self.chronicle.entered(turn.now, &connection, &mut turn.draft);
                    turn.out.push(Output::Transition(Box::new(transition)));
                    if connection.state == ConnectionState::Suspect {
                        let changes = self.contacts.forget_typing();
                        turn.changes(changes);
                    }
                    turn.change(Change::Connection(connection));
                }
                LinkOutput::Journal(text) => self.note(turn, text),
                LinkOutput::RoundTrip(took) => {
                    self.round_trips.note(took);
                    if let Some(summary) = self.round_trips.summary() {
                        turn.change(Change::RoundTrip(summary));
                    }
                }
            }
        }
        Ok(())
    }
}
