//! The frame log: what of it the window shows, and as a file.

use crate::protocol::{Frame, FrameDetail, FrameFormat, FrameLog};
use dormouse_diagnosis::exactly;
use dormouse_diagnosis::wire::{self, Detail, Direction};
use dormouse_engine::{Wire, now, write_private};
use std::io;
use std::path::{Path, PathBuf};

/// As many of the latest frames are shown; a file holds all that are kept.
const SHOWN: usize = 300;
/// The longest word that kinds are looked through for, in bytes.
const LONGEST_WORD: usize = 100;

/// Notes so much from now on.
pub fn set(wire: &Wire, detail: FrameDetail) {
    wire.set(match detail {
        FrameDetail::Off => None,
        FrameDetail::Kinds => Some(Detail::Kinds),
        FrameDetail::Content => Some(Detail::Content),
    });
}

/// The latest frames whose kind holds this word.
pub fn read(wire: &Wire, word: &str) -> FrameLog {
    let word = if word.len() > LONGEST_WORD { "" } else { word };
    let log = wire.log();
    let count = log.frames(word).count();
    FrameLog {
        detail: match log.detail() {
            None => FrameDetail::Off,
            Some(Detail::Kinds) => FrameDetail::Kinds,
            Some(Detail::Content) => FrameDetail::Content,
        },
        count,
        frames: log
            .frames(word)
            .skip(count.saturating_sub(SHOWN))
            .map(shown)
            .collect(),
    }
}

fn shown(frame: &wire::Frame) -> Frame {
    Frame {
        at: frame.at.0,
        connection: frame.conn.0,
        out: frame.direction == Direction::Out,
        opcode: frame.opcode.name().to_owned(),
        size: frame.size,
        name: frame.kind.clone(),
        content: frame.content.clone(),
    }
}

/// Writes all that are kept into a new file of this folder, which is made if it is not there. Blocks.
pub fn export(wire: &Wire, format: FrameFormat, folder: &Path) -> io::Result<PathBuf> {
    let (bytes, ending) = {
        let log = wire.log();
        match format {
            FrameFormat::Text => (wire::text::lines(log.frames("")).into_bytes(), "txt"),
            FrameFormat::Pcapng => (wire::pcapng::capture(log.frames("")), "pcapng"),
        }
    };
    std::fs::create_dir_all(folder)?;
    // Not every system takes a colon in a name.
    let moment = exactly(now().stamp).replace([':', '.'], "-");
    let path = folder.join(format!("dormouse-frames-{moment}.{ending}"));
    write_private(&path, &bytes)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dormouse_engine::model::{ConnId, Stamp};

    fn noted(detail: FrameDetail, frames: usize) -> Wire {
        let wire = Wire::default();
        set(&wire, detail);
        for n in 0..frames {
            let text = format!("<message xmlns='jabber:client'><body>secret {n}</body></message>");
            wire.log().text(Stamp(n as i64), ConnId(1), Direction::Out, &text);
        }
        wire
    }

    #[test]
    fn the_latest_frames_are_shown_and_all_of_them_counted() {
        let log = read(&noted(FrameDetail::Kinds, SHOWN + 5), "mess");
        assert_eq!((log.count, log.frames.len()), (SHOWN + 5, SHOWN));
        assert_eq!(log.frames.last().map(|frame| frame.at), Some(SHOWN as i64 + 4));
        assert_eq!(log.frames.first().map(|frame| frame.at), Some(5));
        assert!(
            log.frames
                .iter()
                .all(|frame| frame.content.is_none() && frame.out)
        );
        assert_eq!(read(&noted(FrameDetail::Kinds, 3), "iq").count, 0);
    }

    #[test]
    fn what_is_off_holds_nothing_and_what_is_shown_is_blacked_out() {
        let wire = noted(FrameDetail::Content, 1);
        let content = read(&wire, "").frames.remove(0).content.unwrap();
        assert!(
            content.contains("<body>") && !content.contains("secret"),
            "{content}"
        );
        set(&wire, FrameDetail::Off);
        let log = read(&wire, "");
        assert_eq!((log.detail, log.count), (FrameDetail::Off, 0));
    }

    #[test]
    fn either_file_is_written_where_it_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let wire = noted(FrameDetail::Content, 2);
        let text = export(&wire, FrameFormat::Text, &folder.path().join("new")).unwrap();
        let text = std::fs::read_to_string(text).unwrap();
        assert!(text.starts_with("1970-01-01T00:00:00.000Z 1 ->"), "{text}");
        assert!(!text.contains("secret"));
        let capture = export(&wire, FrameFormat::Pcapng, folder.path()).unwrap();
        assert_eq!(std::fs::read(capture).unwrap()[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
    }
}
