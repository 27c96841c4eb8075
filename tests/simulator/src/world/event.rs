//! What happens in a world, and what its users do.

use crate::fault::{Fault, Phase};
use crate::network::{Parcel, Way};
use crate::server::{Claim, LineId};
use dormouse_account::{Command, Input, Token};
use dormouse_model::{BatchId, ConnId};

/// Something that will happen.
#[derive(Debug, Clone)]
pub enum Event {
    /// Something arrives on a connection.
    Arrive {
        /// Which connection.
        line: LineId,
        /// Which end.
        way: Way,
        /// What.
        parcel: Parcel,
    },
    /// The server learns that a connection is gone.
    ServerNotices(LineId),
    /// A dial comes to its end.
    Dialled {
        /// Whose.
        client: usize,
        /// In which life.
        life: u64,
        /// Which.
        conn: ConnId,
        /// There was no network at its beginning.
        hopeless: bool,
    },
    /// A batch and all before it have reached the disk.
    Flushed {
        /// Whose.
        client: usize,
        /// In which life.
        life: u64,
        /// Up to which.
        to: BatchId,
    },
    /// A client's deadline.
    Tick {
        /// Whose.
        client: usize,
        /// In which life.
        life: u64,
    },
    /// The system tells a client something.
    Told {
        /// Whom.
        client: usize,
        /// In which life.
        life: u64,
        /// What.
        input: Input,
    },
    /// The keyring has taken a token.
    TokenKept {
        /// Whose.
        client: usize,
        /// In which life it was given.
        life: u64,
        /// Which.
        token: Token,
    },
    /// A user does something.
    User {
        /// At which client.
        client: usize,
        /// What.
        act: Act,
    },
    /// Something goes wrong.
    Strike {
        /// For whom.
        client: usize,
        /// What.
        fault: Fault,
    },
    /// A fault waits for a phase.
    Arm {
        /// For whom.
        client: usize,
        /// For which.
        phase: Phase,
        /// What.
        fault: Fault,
    },
    /// A machine falls asleep.
    FallAsleep {
        /// Which.
        client: usize,
        /// In which life.
        life: u64,
    },
    /// The network of a machine that has fallen asleep goes, too.
    NetworkSleeps {
        /// Whose.
        client: usize,
        /// In which life.
        life: u64,
        /// Whether the connections survive.
        survives: bool,
    },
    /// A machine wakes.
    Wake {
        /// Which.
        client: usize,
        /// In which life.
        life: u64,
        /// As the fault says.
        fault: Fault,
    },
    /// A process is started.
    Launch {
        /// Whose.
        client: usize,
        /// After which life.
        life: u64,
    },
    /// A user who quit is not waited for any longer.
    QuitOver {
        /// Whose.
        client: usize,
        /// In which life.
        life: u64,
    },
    /// The network of a client is back.
    NetworkBack {
        /// Whose.
        client: usize,
        /// Whether the system tells.
        seen: bool,
        /// Whether the connections survive.
        survives: bool,
    },
    /// A way of a connection opens again.
    Unstall {
        /// Which connection.
        line: LineId,
        /// Which way.
        way: Way,
    },
    /// The client's end of a connection breaks.
    Breaks(LineId),
    /// The path is fast again.
    Fast {
        /// Whose.
        client: usize,
    },
    /// The disk takes writes again.
    DiskWorks(usize),
    /// The server starts again.
    ServerStarts,
    /// Somebody with another client says something.
    Friend {
        /// To whom.
        to: usize,
        /// Under which number.
        number: u64,
    },
    /// Somebody claims to an account what they may not claim.
    Claimed {
        /// To whom.
        account: usize,
        /// About whom.
        other: usize,
        /// What.
        claim: Claim,
    },
    /// All faults end.
    Calm,
}

/// What a user does.
#[derive(Debug, Clone)]
pub enum Act {
    /// Types a message to an account.
    Type {
        /// To whom.
        to: usize,
        /// A text that has been typed before, on purpose.
        repeat: bool,
    },
    /// Anything that the checker need not know of.
    Command(Command),
    /// Reads a conversation.
    Read(usize),
    /// Replaces what an own message says.
    Edit,
    /// Withdraws an own message.
    Retract,
    /// Tries what failed again.
    Retry,
    /// Throws away what failed.
    Discard,
    /// Shows or hides the window.
    Visible(bool),
}

/// Whose event it is, if it needs a running process.
pub(super) fn concerns(event: &Event) -> Option<(usize, u64)> {
    match event {
        Event::Dialled { client, life, .. }
        | Event::Flushed { client, life, .. }
        | Event::Tick { client, life }
        | Event::Told { client, life, .. }
        | Event::TokenKept { client, life, .. }
        | Event::FallAsleep { client, life }
        | Event::QuitOver { client, life } => Some((*client, *life)),
        _ => None,
    }
}
