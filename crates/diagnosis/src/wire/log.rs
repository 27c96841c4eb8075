//! The frames that are kept: the latest ones.

use super::redaction;
use dormouse_model::{ConnId, Stamp};
use std::collections::VecDeque;

/// As many frames are kept.
const FRAMES: usize = 5_000;
/// So many bytes of content are kept.
const CONTENT: usize = 4 * 1024 * 1024;

/// How much of each frame is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// When, which way, how large and what kind.
    Kinds,
    /// Its content as well, blacked out.
    Content,
}

/// Which way a frame went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Out,
    /// From the server.
    In,
}

/// What kind of frame it was on the WebSocket (RFC 6455 section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// Text: a stanza or another element of the stream.
    Text,
    /// The connection was closed.
    Close,
    /// Somebody asks whether we live.
    Ping,
    /// Somebody says that they do.
    Pong,
}

impl Opcode {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Opcode::Text => "text",
            Opcode::Close => "close",
            Opcode::Ping => "ping",
            Opcode::Pong => "pong",
        }
    }

    /// Its number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Opcode::Text => 1,
            Opcode::Close => 8,
            Opcode::Ping => 9,
            Opcode::Pong => 10,
        }
    }
}

/// A frame that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When.
    pub at: Stamp,
    /// On which connection.
    pub conn: ConnId,
    /// Which way.
    pub direction: Direction,
    /// What kind of frame.
    pub opcode: Opcode,
    /// Its payload in bytes.
    pub size: usize,
    /// What it is: the element's name, with its type where it has one. Nothing that anybody wrote.
    pub kind: String,
    /// Its content, blacked out; none where that was not asked for.
    pub content: Option<String>,
}

/// The frames that are kept.
#[derive(Debug, Default)]
pub struct Log {
    detail: Option<Detail>,
    frames: VecDeque<Frame>,
    content: usize,
}

impl Log {
    /// Begins to note, or notes more or less than before; none: stops, and forgets all.
    pub fn set(&mut self, detail: Option<Detail>) {
        self.detail = detail;
        if detail.is_none() {
            *self = Self::default();
        }
    }

    /// What is noted; none: nothing.
    pub fn detail(&self) -> Option<Detail> {
        self.detail
    }

    /// A text frame passed.
    pub fn text(&mut self, at: Stamp, conn: ConnId, direction: Direction, text: &str) {
        let Some(detail) = self.detail else { return };
        let read = redaction::read(text);
        self.push(Frame {
            at,
            conn,
            direction,
            opcode: Opcode::Text,
            size: text.len(),
            kind: read.kind,
            content: (detail == Detail::Content).then_some(read.content),
        });
    }

    /// Another frame passed: a close with its code, a ping, a pong.
    pub fn control(
        &mut self,
        at: Stamp,
        conn: ConnId,
        direction: Direction,
        opcode: Opcode,
        code: Option<u16>,
    ) {
        if self.detail.is_none() {
            return;
        }
        let kind = match code {
            Some(code) => format!("{} {code}", opcode.name()),
            None => opcode.name().to_owned(),
        };
        self.push(Frame {
            at,
            conn,
            direction,
            opcode,
            size: code.map_or(0, |_| 2),
            kind,
            content: None,
        });
    }

    fn push(&mut self, frame: Frame) {
        let length = |frame: &Frame| frame.content.as_ref().map_or(0, String::len);
        self.content += length(&frame);
        self.frames.push_back(frame);
        while self.frames.len() > FRAMES || self.content > CONTENT {
            let Some(oldest) = self.frames.pop_front() else {
                break;
            };
            self.content -= length(&oldest);
        }
    }

    /// The frames, oldest first, whose kind holds this word; all for an empty one.
    pub fn frames(&self, word: &str) -> impl Iterator<Item = &Frame> {
        self.frames.iter().filter(move |frame| frame.kind.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(detail: Option<Detail>) -> Log {
        let mut log = Log::default();
        log.set(detail);
        log
    }

    fn note(log: &mut Log, text: &str) {
        log.text(Stamp(0), ConnId(1), Direction::In, text);
    }

    #[test]
    fn nothing_is_noted_until_it_is_asked_for_and_nothing_is_left_when_it_ends() {
        let mut log = Log::default();
        note(&mut log, "<a xmlns='x'/>");
        log.control(Stamp(0), ConnId(1), Direction::In, Opcode::Ping, None);
        assert_eq!(log.frames("").count(), 0);
        log.set(Some(Detail::Kinds));
        note(&mut log, "<a xmlns='x'/>");
        assert_eq!(log.frames("").count(), 1);
        log.set(None);
        assert_eq!(log.frames("").count(), 0);
    }

    #[test]
    fn what_is_kept_is_the_kind_and_the_content_only_where_it_was_asked_for() {
        let message = "<message xmlns='jabber:client' type='chat'><body>secret</body></message>";
        let mut kinds = log(Some(Detail::Kinds));
        note(&mut kinds, message);
        let frame = kinds.frames("").next().unwrap();
        assert_eq!((frame.kind.as_str(), frame.size), ("message chat", message.len()));
        assert_eq!(frame.content, None);
        let mut content = log(Some(Detail::Content));
        note(&mut content, message);
        let kept = content.frames("").next().unwrap().content.clone().unwrap();
        assert!(kept.contains("<body>") && !kept.contains("secret"), "{kept}");
    }

    #[test]
    fn the_oldest_are_forgotten_by_number_and_by_size() {
        let mut log = log(Some(Detail::Kinds));
        for _ in 0..FRAMES + 10 {
            note(&mut log, "<a xmlns='x'/>");
        }
        assert_eq!(log.frames("").count(), FRAMES);
        log.set(None);
        log.set(Some(Detail::Content));
        let long = format!(
            "<message xmlns='jabber:client'><body>{}</body></message>",
            "x".repeat(60_000)
        );
        for _ in 0..200 {
            note(&mut log, &long);
        }
        let kept: usize = log
            .frames("")
            .filter_map(|it| it.content.as_ref())
            .map(String::len)
            .sum();
        assert!(kept <= CONTENT && log.frames("").count() > 5, "{kept}");
    }

    #[test]
    fn frames_are_found_by_a_word_of_their_kind() {
        let mut log = log(Some(Detail::Kinds));
        note(&mut log, "<r xmlns='urn:xmpp:sm:3'/>");
        note(&mut log, "<iq xmlns='jabber:client' type='result'/>");
        log.control(Stamp(0), ConnId(1), Direction::In, Opcode::Close, Some(1001));
        let found: Vec<_> = log.frames("iq").map(|it| it.kind.as_str()).collect();
        assert_eq!(found, ["iq result"]);
        assert_eq!(log.frames("1001").count(), 1);
    }
}
