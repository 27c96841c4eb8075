//! Where a script is played: a world with people, devices, a network and a server, real or not.

use crate::Result;
use crate::archive::Archives;
use crate::message::Message;
use crate::script::{Device, End, Flow, Network, Person, Power};
use crate::verdict::Losses;
use std::time::Duration;

/// Something that a window has told.
#[derive(Debug, Clone)]
pub struct Told {
    /// Which.
    pub device: Device,
    /// When, since the stage was set.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// What a window tells.
#[derive(Debug, Clone)]
pub enum What {
    /// The connection's state (by its name in `docs/cli.md`), and why it is so, in a sentence.
    State {
        /// The name.
        state: String,
        /// The sentence.
        reason: String,
    },
    /// A message is new or changed.
    Message {
        /// What it says; nothing once it is withdrawn.
        body: String,
        /// Whether this account wrote it.
        own: bool,
        /// Its state, if it is an own one.
        state: String,
    },
    /// What was missed has been read.
    CaughtUp {
        /// So many messages of it.
        stored: u64,
    },
    /// Everything told before this is on disk.
    Kept,
    /// Something that must not be, in a sentence.
    Wrong(String),
}

/// One thing that is done. What it takes does not show before time passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A text is typed.
    Type(Device, Person, String),
    /// The message that says the one thing in the conversation with this person is made to say the other.
    Edit(Device, Person, String, String),
    /// It is taken back.
    Withdraw(Device, Person, String),
    /// The network changes.
    Network(Device, Network),
    /// The machine falls asleep: it is told that it will, does what is to be done, and stands.
    Sleep(Device, Flow),
    /// It wakes, and is told that it has slept.
    Wake(Device, Flow),
    /// The program ends.
    End(Device, End),
    /// The program starts, if it does not run.
    Start(Device),
    /// The server notices that none of this device's connections is there any more.
    Noticed(Device),
    /// The server ends or starts.
    Server(Power),
}

/// A stage. Alice and Bob are each other's contacts; all programs run.
pub trait Stage {
    /// How long it is since the stage was set.
    fn now(&self) -> Duration;

    /// Time passes, and windows tell.
    ///
    /// # Errors
    /// When the play can't go on.
    fn pass(&mut self, time: Duration) -> Result<Vec<Told>>;

    /// Something is done.
    ///
    /// # Errors
    /// When it can't be.
    fn perform(&mut self, deed: &Deed) -> Result<()>;

    /// The whole conversation with somebody as this device's window has it now, oldest first.
    ///
    /// # Errors
    /// When the program does not answer.
    fn window(&mut self, device: Device, with: Person) -> Result<Vec<Message>>;

    /// What the archives hold of everybody who can have an account, in the order of [`Person`]; nothing of whom is not there.
    ///
    /// # Errors
    /// When the server does not answer.
    fn archives(&mut self) -> Result<Archives>;

    /// Somebody's address.
    fn address(&self, person: Person) -> String;

    /// How long the server holds a session whose connection it has lost.
    fn hold(&self) -> Duration;

    /// What the server may lose by itself, and when it was killed.
    fn losses(&self) -> Losses;
}
