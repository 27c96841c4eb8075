//! One text frame of any content.
//!
//! It is read or refused; what was read is written, and read back as the same. Before that it is noted in the frame log, blacked out.

use dormouse_diagnosis::wire::{Detail, Direction, Log};
use dormouse_model::{ConnId, Stamp};
use dormouse_xmpp::frame::{Limits, read, write};

/// One frame.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut log = Log::default();
    log.set(Some(Detail::Content));
    log.text(Stamp(0), ConnId(1), Direction::In, text);
    for frame in log.frames("") {
        let noted = frame.content.as_deref().unwrap_or_default();
        // A black sign is three bytes, a quotation mark is escaped by six.
        assert!(noted.len() <= 6 * text.len() + 64, "{noted}");
    }
    let limits = Limits::default();
    let Ok(Some(element)) = read(text, &limits) else {
        return;
    };
    let Some(written) = write(&element) else {
        assert!(element.has_ns(""), "what was read cannot be written");
        return;
    };
    // Where a namespace was declared once and is used by many, each says it again.
    assert!(
        written.len() <= limits.tree,
        "{} bytes became {}",
        text.len(),
        written.len()
    );
    let roomy = Limits {
        size: limits.tree,
        tree: usize::MAX,
        ..limits
    };
    assert_eq!(read(&written, &roomy), Ok(Some(element)), "{written}");
}
