//! What happens to people and their devices, as data; where it is played is somebody else's business.
//!
//! The simulator's model server is only as good as it is honest. So the same [`script`]s are played by the same
//! [`director`] on two kinds of [`stage`]: the model world (`tests/simulator`) and real servers behind a proxy that fails
//! as it is told (`tests/chaos`). The same [`verdict`] must hold on each, and what could be [`seen`] of a real server must be
//! something that the model shows, too.
//!
//! ```text
//!   library ──> script ──> director ──> stage: model world │ real servers
//!                             │                 │
//!                          typed, seen <── what windows tell
//!                             │
//!                          verdict <── what windows show, what archives hold
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`script`] | the words of a script |
//! | [`library`] | the scripts |
//! | [`stage`] | where one is played |
//! | [`director`] | plays it: one step after the other, then calm, then the verdict |
//! | [`typed`] | what was typed, and what became of it as the windows told it |
//! | [`archive`] | what the archives hold |
//! | [`message`] | a message as a window shows it |
//! | [`checker`] | a conversation against what was typed: nothing lost, nothing twice |
//! | [`verdict`] | every conversation against what was typed and archived, and what the servers lost themselves |
//! | [`seen`] | what could be seen of the way back, and of the server |

pub mod archive;
pub mod checker;
pub mod director;
pub mod library;
pub mod message;
pub mod script;
pub mod seen;
pub mod stage;
pub mod typed;
pub mod verdict;

use std::fmt;

/// Why a play could not go on, in sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed(pub String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

/// What a play comes to.
pub type Result<T> = std::result::Result<T, Failed>;
