//! What passes on the connection, for whoever looks for a fault: off by default, in memory only, bounded.
//!
//! A [`Log`] notes each frame's time, direction, size and kind. Its content only where that was asked for, and then with
//! every text and every secret [blacked out](redaction) before it is kept: what is not in memory can't be
//! exported. The log is written out [as text](text) or [as pcapng](pcapng), which Wireshark reads.

mod log;
pub mod pcapng;
pub mod redaction;
pub mod text;

pub use log::{Detail, Direction, Frame, Log, Opcode};
