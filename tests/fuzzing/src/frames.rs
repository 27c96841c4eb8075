//! One text frame of any content.
//!
//! It is read or refused; what was read is written, and read back as the same.

use dormouse_xmpp::frame::{Limits, read, write};

/// One frame.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
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
