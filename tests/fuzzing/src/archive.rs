//! What an archive answers, given to the whole core, one frame in each line.
//!
//! `{QUERY}` stands for the name of the latest question, `{ASKED}` for its id; an empty line lets time pass until
//! something is due. Whatever it answers: the history makes sense, what is kept is bounded by what was said, and it
//! makes the same account again.

use crate::core::Core;

/// Each byte said may lead to so many on disk, and each frame to so many more: a message of a few bytes
/// stands there under its number, its place twice and its names, each with its addresses.
const PER_BYTE: usize = 24;
const PER_FRAME: usize = 4096;
/// More lines than these prove nothing new, and take long.
const LINES: usize = 200;

/// A conversation, one frame in each line.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Err(error) = reading(text) {
        panic!("what was written cannot be read: {error}");
    }
}

fn reading(text: &str) -> Result<(), dormouse_model::ReadError> {
    let mut core = Core::over(Default::default())?;
    core.sign_in()?;
    assert!(core.is_ready(), "the script of the sign-in no longer fits");
    assert!(!core.question.0.is_empty(), "the archive was not asked");
    let mut allowed = core.kept();
    for line in text.lines().take(LINES) {
        let said = core.said;
        allowed += PER_BYTE * (line.len() + core.question.1.len()) + PER_FRAME;
        if line.is_empty() {
            core.wait()?;
        } else {
            core.say(line)?;
        }
        assert!(
            core.said - said <= 16 * 1024 + 6 * line.len(),
            "{} bytes for {line}",
            core.said - said
        );
        if !core.is_ready() {
            break;
        }
    }
    core.look()?;
    assert!(
        core.kept() <= allowed,
        "{} bytes kept of {}",
        core.kept(),
        text.len()
    );
    let kept = core.disk.clone();
    Core::over(kept)?.look()
}
