//! What a server says on a bound session, one frame in each line.
//!
//! `{ID}` stands for the id of our latest request, `{QUERY}` for the name of our latest question to the archive.
//! Whatever comes: each stanza is counted once and nothing else is; an answer is bounded by its question, and can be
//! read itself; what is on disk makes the same session again.

use crate::core::{id_of, query_of};
use dormouse_model::{ArchiveQuery, BatchId, Channel, ConnId, Draft, Now, PageWanted, QueryId, Random};
use dormouse_xmpp::frame::{self, Broken, Limits};
use dormouse_xmpp::{Credentials, Output, Session, Settings};
use std::collections::BTreeMap;

const CONN: ConnId = ConnId(1);
const SM: &str = "urn:xmpp:sm:3";

struct Bench {
    session: Session,
    disk: BTreeMap<Vec<u8>, Vec<u8>>,
    batch: BatchId,
    id: String,
    query: String,
    over: bool,
}

impl Bench {
    fn new() -> Self {
        let disk = BTreeMap::new();
        let Ok(session) = restore(&disk) else {
            panic!("an empty disk is readable");
        };
        Self {
            session,
            disk,
            batch: BatchId(0),
            id: String::new(),
            query: String::new(),
            over: false,
        }
    }

    /// Says one frame to the session; how many bytes it answered, and its count if it told one.
    fn say(&mut self, text: &str) -> (usize, Option<u32>) {
        let text = text.replace("{ID}", &self.id).replace("{QUERY}", &self.query);
        let kept = self.disk.clone();
        let mut draft = Draft::over(&kept);
        let Ok(out) = self.session.frame(Now::default(), CONN, &text, &mut draft) else {
            panic!("the disk is readable");
        };
        let (mut bytes, mut told) = self.take(&out);
        self.batch = self.batch.next();
        draft.into_batch(self.batch).apply_to(&mut self.disk);
        self.session.issued(self.batch);
        let out = self.session.durable(self.batch);
        let (more, last) = self.take(&out);
        bytes += more;
        told = last.or(told);
        (bytes, told)
    }

    fn take(&mut self, out: &[Output]) -> (usize, Option<u32>) {
        let (mut bytes, mut told) = (0, None);
        for output in out {
            match output {
                Output::Frame(conn, text) => {
                    assert_eq!(*conn, CONN);
                    bytes += text.len();
                    let Ok(Some(element)) = frame::read(text, &Limits::default()) else {
                        panic!("we said what cannot be read: {text}");
                    };
                    if element.is("a", SM) {
                        told = element.attr("h").and_then(|h| h.parse().ok());
                    }
                    self.id = id_of(text).unwrap_or(std::mem::take(&mut self.id));
                    self.query = query_of(text).unwrap_or(std::mem::take(&mut self.query));
                }
                Output::Hangup(conn) => {
                    assert_eq!(*conn, CONN);
                    self.over = true;
                }
                Output::Event(_) => {}
            }
        }
        (bytes, told)
    }

    /// What has been counted.
    fn count(&mut self) -> Option<u32> {
        self.say(&format!("<r xmlns='{SM}'/>")).1
    }
}

fn restore(disk: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Session, dormouse_model::ReadError> {
    let account = crate::core::account();
    Session::restore(account, Settings::default(), Random::from_seed([3; 32]), disk)
}

/// A session that is bound and managed, with a question to the archive in flight.
fn bound() -> Bench {
    let mut bench = Bench::new();
    let channel = Channel {
        encrypted: true,
        ..Channel::default()
    };
    let credentials = Credentials::password("secret");
    let out = bench
        .session
        .begin(Now::default(), CONN, &channel, &credentials, None);
    bench.take(&out);
    for text in crate::core::SIGN_IN {
        bench.say(text);
    }
    bench.say(crate::core::BOUND);
    bench.say(crate::core::ENABLED);
    let query = ArchiveQuery {
        id: QueryId(0),
        with: None,
        page: PageWanted::Newest,
        since: None,
        max: 3,
    };
    let kept = bench.disk.clone();
    let mut draft = Draft::over(&kept);
    let out = bench.session.ask(&query, &mut draft);
    bench.take(&out);
    assert!(
        bench.session.is_ready(),
        "the script of the sign-in no longer fits"
    );
    bench
}

/// A conversation, one frame in each line.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut bench = bound();
    let Some(mut counted) = bench.count() else {
        panic!("the session tells no count");
    };
    for line in text.lines() {
        let length = line.len() + bench.id.len() + bench.query.len();
        let stanza = is_stanza(&line.replace("{ID}", &bench.id).replace("{QUERY}", &bench.query));
        let (answered, _) = bench.say(line);
        // What we can do is told in two thousand bytes; an address or an id is said back escaped.
        assert!(
            answered <= 4096 + 6 * length,
            "{answered} bytes for {length}: {line}"
        );
        if bench.over || !bench.session.is_ready() {
            break;
        }
        let Some(now) = bench.count() else {
            break;
        };
        assert_eq!(now, counted + u32::from(stanza), "{line}");
        counted = now;
    }
    let restored = restore(&bench.disk);
    assert!(restored.is_ok(), "what was written cannot be read");
}

fn is_stanza(text: &str) -> bool {
    match frame::read(text, &Limits::default()) {
        Ok(Some(element)) => {
            element.has_ns("jabber:client") && matches!(element.name(), "message" | "presence" | "iq")
        }
        Ok(None) | Err(Broken::Malformed(_)) => false,
        Err(Broken::Beyond { stanza, .. }) => stanza,
    }
}
