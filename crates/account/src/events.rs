//! What the session says, and whom it concerns.

use crate::Output;
use crate::account::Account;
use crate::turn::Turn;
use dormouse_link::Input as LinkInput;
use dormouse_model::{Arrival, BareJid, CannotDo, Change, ChatState, Notice, ReadError, Via};
use dormouse_xmpp::{Event, Features, Output as SessionOutput};
use std::time::Duration;

/// How long after a fresh sign-in people of whom the server said nothing count as offline.
const PRESENCE_TOLD: Duration = Duration::from_secs(10);

impl Account {
    pub(crate) fn session_said(
        &mut self,
        turn: &mut Turn,
        said: Vec<SessionOutput>,
    ) -> Result<(), ReadError> {
        for output in said {
            match output {
                SessionOutput::Frame(conn, text) => turn.out.push(Output::Frame { conn, text }),
                SessionOutput::Hangup(conn) => turn.out.push(Output::Hangup(conn)),
                SessionOutput::Event(event) => self.event(turn, event)?,
            }
        }
        Ok(())
    }

    fn event(&mut self, turn: &mut Turn, event: Event) -> Result<(), ReadError> {
        let now = turn.now;
        match event {
            Event::Resumed { conn, acked } => {
                let effects = self.timeline.acknowledged(&acked, &mut turn.draft)?;
                self.effects(turn, effects)?;
                self.stands(conn);
                self.chronicle.signed_in(true);
                self.link(turn, LinkInput::SignedIn { conn, resumed: true })?;
                // What the server held comes right behind <resumed/>, and nobody says how much it is: the
                // answer to the session's question comes behind the last of it.
                self.fence = Some(conn);
                self.session_began(turn, false)?;
                self.quiet.resumed(now.tick);
            }
            Event::SentAgain { conn, bytes } => self.link(turn, LinkInput::AckAwaited { conn, bytes })?,
            Event::Bound {
                conn,
                acked,
                doubtful,
                resumable,
            } => {
                let effects = self.timeline.acknowledged(&acked, &mut turn.draft)?;
                self.effects(turn, effects)?;
                self.timeline.doubtful(&doubtful);
                let changes = self.contacts.forget_presence(&mut turn.draft);
                turn.changes(changes);
                self.presence_told = Some(now.tick + PRESENCE_TOLD);
                self.contacts.requests_come_again();
                if resumable {
                    self.standing.end(turn, "no-resumption");
                } else {
                    self.standing.begin(turn, Notice::NoResumption);
                }
                self.quiet.fresh(now.tick);
                self.stands(conn);
                self.chronicle.signed_in(false);
                self.link(turn, LinkInput::SignedIn { conn, resumed: false })?;
                self.session_began(turn, true)?;
                // What was typed, and the newest page, are what people wait for: the rest is asked behind them.
                self.go_on(turn)?;
                let said = self.session.introduce();
                self.session_said(turn, said)?;
            }
            Event::Acked { conn, messages, all } => {
                let effects = self.timeline.acknowledged(&messages, &mut turn.draft)?;
                self.effects(turn, effects)?;
                if !messages.is_empty() {
                    self.quiet.stirred(now.tick);
                }
                self.link(turn, LinkInput::Acked { conn, all })?;
                self.link(turn, LinkInput::QuietAnswer(conn))?;
                if self.fence.take_if(|fence| *fence == conn).is_some() && self.timeline.caught_up() {
                    self.link(turn, LinkInput::CaughtUp(conn))?;
                }
            }
            Event::Token(token) => {
                self.tokens.given(token.clone());
                turn.out.push(Output::KeepToken(token));
            }
            Event::TokenRefused => {
                self.tokens.refused();
                turn.out.push(Output::ForgetToken);
            }
            Event::Pong { conn, probe } => self.link(turn, LinkInput::Answer(conn, probe))?,
            Event::Features(features) => self.features(turn, &features),
            Event::Message(arrival) => self.message(turn, arrival)?,
            Event::Page(page) => {
                let effects = self.timeline.page(now, page, &mut turn.draft)?;
                self.effects(turn, effects)?;
            }
            Event::ArchiveFailed { query, failure } => {
                let effects = self
                    .timeline
                    .archive_failed(now, query, failure, &mut turn.draft)?;
                self.effects(turn, effects)?;
            }
            Event::Roster { contacts, whole } => {
                let changes = self.contacts.roster(contacts, whole, &mut turn.draft);
                turn.changes(changes);
            }
            Event::RosterRemoved(address) => {
                let change = self.contacts.removed(&address, &mut turn.draft);
                turn.changes(change);
                let effects = self.timeline.contact_removed(&address, &mut turn.draft)?;
                self.effects(turn, effects)?;
            }
            Event::Presence { from, availability } => {
                let change = self.contacts.presence(&from, availability, &mut turn.draft);
                turn.changes(change);
            }
            Event::SubscriptionAsked(from) => {
                let change = self.contacts.asked(from, &mut turn.draft);
                turn.changes(change);
            }
            Event::SubscriptionWithdrawn(from) => {
                let change = self.contacts.answered(&from, &mut turn.draft);
                turn.changes(change);
            }
            Event::Blocked { addresses, whole } => {
                let changes = self.contacts.blocked(addresses, whole, &mut turn.draft);
                turn.changes(changes);
            }
            Event::Unblocked(addresses) => {
                let changes = self.contacts.unblocked(addresses.as_deref(), &mut turn.draft);
                turn.changes(changes);
            }
            Event::BlockingRefused(condition) => {
                self.note(
                    turn,
                    format!("The server refused to change the block list: {condition}."),
                );
                turn.change(Change::Notice(Notice::CannotDo(CannotDo::BlockingRefused)));
            }
            Event::Ended { conn, verdict } => self.connection_ended(turn, conn, verdict)?,
            Event::Refused(refusal) => {
                self.note_of_others(turn, format!("A stanza was dropped: {refusal}."));
            }
            Event::Journal(text) => {
                self.note_of_others(turn, text);
            }
            Event::Unreadable(what) => {
                self.unreadable += 1;
                // In a flood the number is told with the next one that is.
                if self.note_of_others(turn, format!("A stanza could not be read: {what}.")) {
                    turn.change(Change::Notice(Notice::Unreadable(self.unreadable)));
                }
            }
        }
        if let Some(what) = self.contacts.left_aside() {
            self.note_of_others(turn, format!("Left aside: {what}."));
        }
        Ok(())
    }

    /// A session has begun. That there is an archive is hoped for: what the server announces comes later
    /// than the first question, and a refusal says otherwise soon enough.
    fn session_began(&mut self, turn: &mut Turn, fresh: bool) -> Result<(), ReadError> {
        let effects = self.timeline.session(fresh, true, &mut turn.draft)?;
        self.effects(turn, effects)
    }

    /// A server that keeps no history is said once, and again only if it did in between.
    fn features(&mut self, turn: &mut Turn, features: &Features) {
        if features.archive {
            self.standing.end(turn, "no-archive");
        } else {
            self.standing.begin(turn, Notice::NoArchive);
        }
    }

    fn message(&mut self, turn: &mut Turn, arrival: Arrival) -> Result<(), ReadError> {
        let with = self.counterpart(&arrival);
        if arrival.via == Via::Live
            && let Some(state) = arrival.message.chat_state
            && arrival.message.from.to_bare() == with
        {
            self.contacts.typing(&with, state == ChatState::Composing);
            turn.change(Change::ChatState {
                conversation: with.clone(),
                state: Some(state),
            });
        }
        let may_see_us = self.contacts.may_see_us(&with);
        let effects = self
            .timeline
            .arrival(turn.now, arrival, may_see_us, &mut turn.draft)?;
        self.effects(turn, effects)?;
        self.quiet.stirred(turn.now.tick);
        Ok(())
    }

    /// The other side of a message, whoever wrote it.
    fn counterpart(&self, arrival: &Arrival) -> BareJid {
        let from = arrival.message.from.to_bare();
        if from == self.settings.address {
            arrival.message.to.to_bare()
        } else {
            from
        }
    }
}
