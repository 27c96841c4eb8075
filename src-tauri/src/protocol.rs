//! What the window and the shell say to each other: [`Event`]s one way, over one ordered channel, and
//! [`Action`]s and a few questions the other.
//!
//! These types are the whole contract. `ui/protocol.d.ts` is made from them, and a test fails where the two differ,
//! so the window's code is checked against them too. Sentences come ready in the user's language; the window
//! never puts words to codes, only to its own buttons. Everything in them is data: text, never markup.

mod check;
mod crash;
mod frames;
mod report;
mod update;

pub use check::{CheckMark, CheckStep, CheckWish, ConnectionCheck};
pub use crash::CrashReport;
pub use frames::{Frame, FrameDetail, FrameFormat, FrameLog};
pub use report::{ConnectionReport, Dropped, HistoryStretch, Path, StretchKind, Transition};
pub use update::{Update, UpdateStage, UpdateWish};

pub use crate::quiet::Quiet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
#[cfg(test)]
use ts_rs::TS;

/// What the shell tells the window.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// The first event of a channel.
    Opened {
        /// The language of all sentences, as a BCP 47 tag.
        language: String,
        /// The window's own words.
        #[cfg_attr(test, ts(type = "Record<string, Text>"))]
        texts: BTreeMap<String, Text>,
        /// The accounts there are; each that runs is followed by its snapshot.
        accounts: Vec<Account>,
        /// The program's version.
        version: String,
    },
    /// An account is new or looks different now.
    Account {
        /// The account.
        account: Account,
    },
    /// An account was signed out.
    AccountRemoved {
        /// Its address.
        account: String,
    },
    /// Everything that is, as changes from nothing. What was known of this account is to be forgotten.
    Snapshot {
        /// Whose.
        account: String,
        /// In order.
        changes: Vec<Change>,
    },
    /// What is different now.
    Changes {
        /// Whose.
        account: String,
        /// In order.
        changes: Vec<Change>,
    },
    /// A check of the connection has gone further.
    Check {
        /// Whose.
        account: String,
        /// How far.
        check: ConnectionCheck,
    },
    /// The user closes the window, and there is no tray from which it could be opened again: what do they want?
    AskClosing,
    /// A link from outside asks for something: the user is to be asked.
    Link {
        /// For what.
        request: LinkRequest,
    },
    /// What is known of a new version of the program is different now.
    Update {
        /// What is known; none: there is nothing to be said.
        update: Option<Update>,
    },
    /// The user asked, outside the window, for this conversation.
    Show {
        /// Whose.
        account: String,
        /// With whom.
        with: String,
    },
}

/// A text of the window in the user's language, by plural category of its one number (CLDR; `other` is always
/// there). Arguments stand in it as `{name}`.
pub type Text = BTreeMap<String, String>;

/// An account, as the window knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Its address.
    pub address: String,
    /// Where it connects, if the user said so.
    pub endpoint: Option<String>,
    /// Its proxy, if it is not the system's: `none`, or a URL.
    pub proxy: Option<String>,
    /// It wants its password typed: why, in a sentence.
    pub wants_password: Option<String>,
    /// The password can't be kept on this computer: why, in a sentence.
    pub not_kept: Option<String>,
    /// With whom the conversations are of which nothing is notified.
    pub muted: Vec<String>,
}

/// How Dormouse sits on the desktop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Desktop {
    /// It starts with the session.
    pub autostart: bool,
    /// Why that can't be known, in a sentence.
    pub problem: Option<String>,
    /// Notifications make a sound, where the desktop makes any.
    pub sound: bool,
    /// When nothing is notified.
    pub quiet: Option<Quiet>,
    /// What closing the window means where there is no tray; none: the user is asked.
    pub closing: Option<WhenClosed>,
}

/// What is to be different about it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum DesktopWish {
    /// Start with the session, or don't.
    Autostart {
        /// Which of the two.
        on: bool,
    },
    /// Make a sound, or don't.
    Sound {
        /// Which of the two.
        on: bool,
    },
    /// Notify of nothing in these hours; none: there are none.
    Quiet {
        /// From when to when.
        hours: Option<Quiet>,
    },
    /// What closing the window is to mean where there is no tray; none: ask.
    Closing {
        /// What.
        means: Option<WhenClosed>,
    },
}

/// What a link from outside asks for. Nothing of it is done before the user says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct LinkRequest {
    /// What it asks for, in a sentence, or why that can't be done.
    pub sentence: String,
    /// What is done if the user wants it.
    pub intent: LinkIntent,
    /// With whom.
    pub address: String,
    /// The text that is to stand in the composer, or the name of the contact.
    pub text: Option<String>,
}

/// What is done if the user wants what a link asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum LinkIntent {
    /// The conversation is opened, its composer filled.
    Write,
    /// The form for a new contact is opened.
    Add,
    /// Nothing: Dormouse can't.
    Nothing,
}

/// What closing the window means where there is no tray from which it could be opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum WhenClosed {
    /// The program ends.
    Quit,
    /// The window is minimised.
    Minimise,
}

/// Whether metrics of all accounts are given out to whoever asks on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// The port that the user wants; none: they are given to nobody.
    pub port: Option<u16>,
    /// Where they can be read.
    pub address: Option<String>,
    /// Why they can't, though they should: a sentence.
    pub problem: Option<String>,
}

/// One change of what is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Change {
    /// The connection's state.
    Connection(Connection),
    /// The server answered: how long answers took lately.
    RoundTrip(RoundTrip),
    /// A conversation of the list.
    Conversation(Conversation),
    /// A message that is new or looks different now.
    Message(Message),
    /// A message is no longer there.
    Removed {
        /// Which.
        #[cfg_attr(test, ts(type = "number"))]
        id: u64,
        /// Where.
        with: String,
    },
    /// Somebody on the roster.
    Contact(Contact),
    /// Somebody is no longer on the roster.
    ContactRemoved {
        /// Who.
        address: String,
    },
    /// Somebody asks to see our presence.
    Request {
        /// Who.
        person: Person,
    },
    /// A request has been answered, here or elsewhere.
    RequestGone {
        /// Whose.
        address: String,
    },
    /// Somebody was blocked or no longer is.
    Blocked {
        /// Who.
        address: String,
        /// Which of the two.
        blocked: bool,
    },
    /// Somebody types, or stopped.
    Typing {
        /// Who.
        with: String,
        /// Which of the two.
        typing: bool,
    },
    /// How far the catch-up is.
    CatchUp {
        /// Messages read so far.
        #[cfg_attr(test, ts(type = "number"))]
        stored: u64,
        /// How many there will be, where the server says so.
        #[cfg_attr(test, ts(type = "number | null"))]
        expected: Option<u64>,
        /// It is over.
        done: bool,
    },
    /// The archive was asked for older messages of a conversation.
    Older {
        /// Which.
        with: String,
        /// There may be still older ones.
        more: bool,
    },
    /// Something to be said once, plainly.
    Notice {
        /// Which kind: the same kind replaces an earlier one.
        name: String,
        /// The sentence; none takes an earlier one back.
        text: Option<String>,
    },
}

/// The connection's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Which.
    pub state: ConnectionState,
    /// Since when (milliseconds since 1970).
    #[cfg_attr(test, ts(type = "number"))]
    pub since: i64,
    /// Why, in a sentence.
    pub cause: String,
    /// When the next attempt will be (milliseconds since 1970), while waiting.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub retry_at: Option<i64>,
    /// Its end was of a kind that only a new password can mend.
    pub password_refused: bool,
}

/// How long the server's answers took lately, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct RoundTrip {
    /// The last one.
    #[cfg_attr(test, ts(type = "number"))]
    pub now: u64,
    /// The median.
    #[cfg_attr(test, ts(type = "number"))]
    pub median: u64,
    /// The longest.
    #[cfg_attr(test, ts(type = "number"))]
    pub worst: u64,
    /// When the last one was measured (milliseconds since 1970).
    #[cfg_attr(test, ts(type = "number"))]
    pub at: i64,
}

/// The states of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionState {
    /// The machine sleeps or is about to.
    Asleep,
    /// No network.
    Offline,
    /// Dialling.
    Connecting,
    /// Signing in or resuming.
    SigningIn,
    /// Reading what was missed.
    CatchingUp,
    /// All is read and the link answers.
    Live,
    /// Its life is being checked.
    Suspect,
    /// Waiting to dial again.
    Waiting,
    /// Needs the user.
    Stopped,
}

/// Somebody, with what makes an imitation visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The bare address.
    pub address: String,
    /// What to call them: the name the user gave them, made harmless, or the address.
    pub name: String,
    /// One or two letters for the avatar.
    pub initials: String,
    /// The hue of their colour in degrees (XEP-0392).
    pub hue: u16,
    /// Not on the roster.
    pub stranger: bool,
    /// What is suspicious about name or address, in a sentence.
    pub warning: Option<String>,
}

/// Somebody on the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Who.
    pub person: Person,
    /// Whether they are there.
    pub availability: Availability,
    /// We see their presence.
    pub we_see_them: bool,
    /// They see ours.
    pub they_see_us: bool,
    /// We asked to see theirs and have no answer.
    pub asked: bool,
}

/// How available somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum Availability {
    /// There.
    Online,
    /// Away for a moment.
    Away,
    /// Wants no disturbance.
    DoNotDisturb,
    /// Away for longer.
    ExtendedAway,
    /// Not connected.
    Offline,
    /// Not told.
    Unknown,
}

/// A conversation of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// With whom.
    pub person: Person,
    /// Its last message, its text cut to what a list shows.
    pub last: Option<Message>,
    /// Messages not read yet.
    #[cfg_attr(test, ts(type = "number"))]
    pub unread: u64,
    /// The place of the last message that was read; messages of theirs behind it are new.
    pub read_up_to: Option<String>,
    /// What was typed and not sent; empty if nothing.
    pub draft: String,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Our own number for it.
    #[cfg_attr(test, ts(type = "number"))]
    pub id: u64,
    /// The other side's address.
    pub with: String,
    /// Where it stands: compare as text.
    pub place: String,
    /// Ours.
    pub own: bool,
    /// When it was written (milliseconds since 1970).
    #[cfg_attr(test, ts(type = "number"))]
    pub at: i64,
    /// What it says, or what stands for it.
    pub content: Content,
    /// Its sender has replaced its text.
    pub edited: bool,
    /// How far an own message has come.
    pub delivery: Option<Delivery>,
    /// What the window called it when it was sent.
    pub tag: Option<String>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Content {
    /// Text, as it came.
    Text {
        /// The text.
        body: String,
    },
    /// Something that can't be shown: what, in a sentence.
    Unshowable {
        /// The sentence.
        sentence: String,
    },
    /// Withdrawn by its sender.
    Retracted,
}

/// How far an own message has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "state", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Delivery {
    /// Written, not confirmed by the server.
    Queued,
    /// The server has it.
    Sent,
    /// One of their clients has it.
    Delivered,
    /// They have displayed it.
    Read,
    /// It came back or can't be sent.
    Failed {
        /// Why, in a sentence.
        why: String,
    },
}

/// Which part of a conversation is wanted. Places are [`Message::place`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(
    tag = "from",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Part {
    /// The newest messages.
    Latest,
    /// The newest before this place.
    Before {
        /// The place.
        place: String,
    },
    /// The oldest after this place.
    After {
        /// The place.
        place: String,
    },
}

/// A part of a conversation, from the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Stretch {
    /// Oldest first.
    pub messages: Vec<Message>,
    /// There are older ones in the cache.
    pub older: bool,
    /// There are newer ones in the cache.
    pub newer: bool,
    /// The archive holds nothing older than the cache.
    pub beginning: bool,
    /// Between these two places the archive may hold more that is being read.
    pub gap: Option<(String, String)>,
}

/// What the user wants, in one account. What can't be done comes back as a [`Change::Notice`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Action {
    /// Send a text. Works the same offline.
    Send {
        /// To whom.
        to: String,
        /// What.
        body: String,
        /// Comes back with the message.
        tag: String,
    },
    /// Keep what is typed; empty: keep nothing.
    Draft {
        /// In which conversation.
        to: String,
        /// What.
        text: String,
    },
    /// The user types, or stopped.
    Typing {
        /// In which conversation.
        to: String,
        /// Which of the two.
        typing: bool,
    },
    /// The user has seen everything in this conversation.
    Read {
        /// Which.
        with: String,
    },
    /// Ask the archive for older messages.
    Older {
        /// Of which conversation.
        with: String,
    },
    /// Send a failed message again.
    Retry {
        /// Which.
        id: u64,
    },
    /// Give up a message that was not sent.
    Discard {
        /// Which.
        id: u64,
    },
    /// Replace the text of an own message.
    Edit {
        /// Which.
        id: u64,
        /// The new text.
        body: String,
    },
    /// Withdraw an own message.
    Retract {
        /// Which.
        id: u64,
    },
    /// Put somebody on the roster, and ask to see their presence.
    Add {
        /// Whom.
        address: String,
        /// What to call them.
        name: Option<String>,
    },
    /// Let somebody see our presence.
    Accept {
        /// Whom.
        address: String,
    },
    /// Don't.
    Decline {
        /// Whom.
        address: String,
    },
    /// Take somebody off the roster.
    Remove {
        /// Whom.
        address: String,
    },
    /// Hear nothing of somebody any more.
    Block {
        /// Whom.
        address: String,
    },
    /// Hear of them again.
    Unblock {
        /// Whom.
        address: String,
    },
    /// Don't wait for the next attempt.
    RetryNow,
}

/// Which proxy a new account goes through, as the form has it. Nothing shows it: there is a password in it.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Proxy {
    /// `system`, `none`, or a URL.
    pub address: String,
    /// Who we are to it; empty for nobody.
    pub user: String,
    /// The password there.
    pub password: String,
}

/// Why a sign-in came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Which field of the form it is about.
    pub field: Option<Field>,
    /// What happened and what to do, in a sentence or two.
    pub sentence: String,
}

/// A field of the sign-in form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The address.
    Address,
    /// The password.
    Password,
    /// The endpoint under "advanced".
    Endpoint,
    /// The proxy's address, there too.
    Proxy,
    /// Who we are to it.
    ProxyUser,
}
