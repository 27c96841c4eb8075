//! The frame log as lines of text.

use super::{Direction, Frame};
use crate::exactly;
use std::fmt::Write;

/// One line a frame: time (UTC), connection, direction, size, kind; the content behind it, where it was kept.
pub fn lines<'f>(frames: impl Iterator<Item = &'f Frame>) -> String {
    let mut text = String::new();
    for frame in frames {
        let way = match frame.direction {
            Direction::Out => "->",
            Direction::In => "<-",
        };
        // Writing into a string can't fail.
        let _ = write!(
            text,
            "{} {} {way} {:>6} {:5} {}",
            exactly(frame.at),
            frame.conn.0,
            frame.size,
            frame.opcode.name(),
            frame.kind
        );
        if let Some(content) = &frame.content {
            let _ = write!(text, "  {content}");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Detail, Log};
    use dormouse_model::{ConnId, Stamp};

    #[test]
    fn each_frame_is_a_line() {
        let mut log = Log::default();
        log.set(Some(Detail::Content));
        log.text(Stamp(5), ConnId(2), Direction::Out, "<r xmlns='urn:xmpp:sm:3'/>");
        let text = lines(log.frames(""));
        let line = "1970-01-01T00:00:00.005Z 2 ->     26 text  r  <r xmlns=";
        assert!(text.starts_with(line), "{text}");
        assert_eq!(text.lines().count(), 1);
    }
}
