//! Rules that join the session with the rest: a server in a few words says what the account is told.
#![allow(clippy::unwrap_used)]

mod interruption;
mod people;
mod standing;

use dormouse_account::{Account, Command, Credentials, Input, Output, Settings};
use dormouse_model::{
    BareJid, BatchId, CannotDo, Cause, Change, Channel, ChatState, Closing, ConnId, ConnectionState,
    Endpoint, Network, Notice, Now, Random, Stamp, Tick, Transition, Way,
};
use std::collections::BTreeMap;
use std::time::Duration;

const OPEN: &str =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='home.example' id='1' version='1.0'/>";
const MECHANISMS: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const MECHANISMS_2: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism><inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:sm:3'/></inline></bind></inline></authentication></stream:features>";
const SUCCESS_2: &str = "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>me@home.example/here</authorization-identifier><bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/></bound></success>";
const FEATURES: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>";

struct Bench {
    account: Account,
    disk: BTreeMap<Vec<u8>, Vec<u8>>,
    now: u64,
    conn: ConnId,
    live: bool,
    /// What the window was told.
    changes: Vec<Change>,
    /// How the connection's state changed.
    transitions: Vec<Transition>,
    /// The journal's lines.
    journal: Vec<String>,
    /// The endpoint that was to be dialled last, if one was named.
    endpoint: Option<Endpoint>,
}

impl Bench {
    fn over(disk: BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        Self::with(disk, Some("secret"))
    }

    fn with(disk: BTreeMap<Vec<u8>, Vec<u8>>, password: Option<&str>) -> Self {
        let settings = Settings {
            address: BareJid::new("me@home.example").unwrap(),
            credentials: password.map(Credentials::password),
            token: None,
            first_batch: BatchId(1),
            durable: BatchId(0),
        };
        let account = Account::restore(settings, Random::from_seed([5; 32]), &disk).unwrap();
        Self {
            account,
            disk,
            now: 1_000,
            conn: ConnId(0),
            live: false,
            changes: Vec::new(),
            transitions: Vec::new(),
            journal: Vec::new(),
            endpoint: None,
        }
    }

    /// The frames that follow from an input, with every write on disk at once.
    fn take(&mut self, input: Input) -> Vec<String> {
        let mut inputs = vec![input];
        let mut frames = Vec::new();
        while let Some(input) = inputs.pop() {
            let now = Now {
                tick: Tick(self.now),
                stamp: Stamp(1_700_000_000_000),
            };
            for output in self.account.handle(now, input, &self.disk).unwrap() {
                if let Output::Change(change) = &output {
                    self.changes.push(change.clone());
                }
                match output {
                    Output::Write(batch) => {
                        batch.apply_to(&mut self.disk);
                        inputs.push(Input::Durable(batch.id));
                    }
                    Output::Dial { conn, endpoint, .. } => {
                        self.conn = conn;
                        self.endpoint = endpoint;
                    }
                    Output::Transition(transition) => self.transitions.push(*transition),
                    Output::Journal(entry) => self.journal.push(entry.text),
                    Output::Frame { text, .. } => frames.push(text),
                    Output::Change(Change::Connection(it)) => self.live = it.state == ConnectionState::Live,
                    _ => {}
                }
            }
        }
        frames
    }

    fn say(&mut self, text: &str) -> Vec<String> {
        self.take(Input::Frame {
            conn: self.conn,
            text: text.into(),
        })
    }

    /// The WebSocket is open.
    fn open(&mut self) -> Vec<String> {
        let channel = Channel {
            encrypted: true,
            ..Channel::default()
        };
        let endpoint = Endpoint("wss://home.example/ws".into());
        self.take(Input::Dialled {
            conn: self.conn,
            channel,
            endpoint,
            network: Network::default(),
        })
    }

    /// Up to the features after sign-in: all that the client says on the way.
    fn sign_in(&mut self) -> Vec<String> {
        let mut said = self.open();
        for text in [OPEN, MECHANISMS, SUCCESS, OPEN, FEATURES] {
            said.extend(self.say(text));
        }
        said
    }

    /// A fresh session; the question to the archive is returned unanswered.
    fn begin(&mut self) -> String {
        self.take(Input::Start);
        let said = self.bind();
        said.into_iter().find(|text| text.contains("queryid")).unwrap()
    }

    /// From the open socket to a fresh session: what the client says behind it.
    fn bind(&mut self) -> Vec<String> {
        let bind = self.sign_in();
        let id = id_of(bind.iter().find(|text| text.contains("xmpp-bind")).unwrap());
        self.bound(&id)
    }

    /// The server answers this request for a resource, and the session begins.
    fn bound(&mut self, id: &str) -> Vec<String> {
        let bound = format!(
            "<iq xmlns='jabber:client' type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>me@home.example/here</jid></bind></iq>"
        );
        let mut said = self.say(&bound);
        said.extend(self.say("<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>"));
        said
    }

    /// The server answers what it can do: these features.
    fn announce(&mut self, said: &[String], features: &[&str]) {
        let features: String = features
            .iter()
            .map(|it| format!("<feature var='{it}'/>"))
            .collect();
        for text in said {
            let payload = if text.contains("disco#info") {
                format!("<query xmlns='http://jabber.org/protocol/disco#info'>{features}</query>")
            } else if text.contains("prefs") {
                "<prefs xmlns='urn:xmpp:mam:2' default='always'/>".to_owned()
            } else {
                continue;
            };
            let id = id_of(text);
            self.say(&format!(
                "<iq xmlns='jabber:client' type='result' id='{id}'>{payload}</iq>"
            ));
        }
    }

    /// A session that is live, with an archive that is empty.
    fn live() -> Self {
        let mut bench = Self::over(BTreeMap::new());
        let question = bench.begin();
        bench.answer(&question);
        assert!(bench.live);
        bench
    }

    /// The socket ends.
    fn closed(&mut self, closing: Closing) {
        self.take(Input::Closed {
            conn: self.conn,
            closing,
        });
    }

    /// Time passes until something is dialled.
    fn until_it_dials(&mut self) {
        while self.account.status().connection.state.name() != "connecting" {
            self.now = self.account.deadline().unwrap().0;
            self.take(Input::Tick);
        }
    }

    fn shown(&self) -> (ConnectionState, Cause) {
        let connection = self.account.status().connection;
        (connection.state, connection.cause)
    }

    fn command(&mut self, command: Command) -> Vec<String> {
        self.take(Input::Command(command))
    }

    /// The archive is empty.
    fn answer(&mut self, question: &str) -> Vec<String> {
        let id = id_of(question);
        self.say(&format!(
            "<iq xmlns='jabber:client' type='result' id='{id}'><fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'/></fin></iq>"
        ))
    }
}

fn id_of(frame: &str) -> String {
    let at = frame.find(" id=").unwrap() + 5;
    let quote = frame.as_bytes()[at - 1] as char;
    frame[at..].split(quote).next().unwrap().to_owned()
}

#[test]
fn a_core_that_is_rebuilt_from_what_is_not_all_on_disk_waits_for_it_before_it_says_a_word() {
    let memory = BTreeMap::new();
    let settings = Settings {
        address: BareJid::new("me@home.example").unwrap(),
        credentials: Some(Credentials::password("secret")),
        token: None,
        first_batch: BatchId(8),
        durable: BatchId(5),
    };
    let mut account = Account::restore(settings, Random::from_seed([5; 32]), &memory).unwrap();
    let mut dials = |input: Input| {
        let outputs = account.handle(Now::default(), input, &memory).unwrap();
        outputs
            .iter()
            .filter(|it| matches!(it, Output::Dial { .. }))
            .count()
    };
    assert_eq!(dials(Input::Start), 0);
    assert_eq!(dials(Input::Durable(BatchId(6))), 0);
    assert_eq!(dials(Input::Command(Command::RetryNow)), 0, "not even if asked");
    assert_eq!(dials(Input::Durable(BatchId(7))), 1);
}

#[test]
fn a_session_bound_inside_the_sign_in_asks_for_the_newest_page_behind_presence_and_before_what_can_wait() {
    let mut bench = Bench::over(BTreeMap::new());
    bench.take(Input::Start);
    bench.open();
    bench.say(OPEN);
    bench.say(MECHANISMS_2);
    let said = bench.say(SUCCESS_2);
    let place = |word: &str| said.iter().position(|text| text.contains(word));
    let in_order = [
        // Whether ids of the archive are believed, and who is on the roster, decide what presence brings.
        place("to='me@home.example'").or(place("to=\"me@home.example\"")),
        place("jabber:iq:roster"),
        place("<presence"),
        place("queryid"),
        place("to='home.example'").or(place("to=\"home.example\"")),
        place("<prefs"),
    ];
    assert!(in_order.iter().all(Option::is_some), "{said:#?}");
    assert!(in_order.is_sorted(), "{said:#?}");
}

#[test]
fn a_receipt_waits_until_everything_missed_has_been_read() {
    let mut bench = Bench::over(BTreeMap::new());
    let question = bench.begin();
    bench.say("<iq xmlns='jabber:client' type='set' id='p1'><query xmlns='jabber:iq:roster'><item jid='bob@b.example' subscription='both'/></query></iq>");
    let message = "<message xmlns='jabber:client' type='chat' from='bob@b.example/x' to='me@home.example' id='m1'><body>hi</body><request xmlns='urn:xmpp:receipts'/></message>";
    let receipt = |said: &[String]| said.iter().any(|text| text.contains("<received"));
    assert!(!receipt(&bench.say(message)));
    assert!(receipt(&bench.answer(&question)));
}

#[test]
fn a_receipt_that_a_lost_session_never_confirmed_is_sent_again_behind_what_was_missed() {
    let mut bench = Bench::live();
    bench.say("<iq xmlns='jabber:client' type='set' id='p1'><query xmlns='jabber:iq:roster'><item jid='bob@b.example' subscription='both'/></query></iq>");
    let message = "<message xmlns='jabber:client' type='chat' from='bob@b.example/x' to='me@home.example' id='m1'><body>hi</body><request xmlns='urn:xmpp:receipts'/></message>";
    let receipts = |said: &[String]| said.iter().filter(|text| text.contains("<received")).count();
    assert_eq!(receipts(&bench.say(message)), 1);
    bench.closed(Closing::Eof);
    bench.until_it_dials();
    bench.sign_in();
    let bind = bench.say("<failed xmlns='urn:xmpp:sm:3'/>");
    let said = bench.bound(&id_of(&bind[0]));
    assert_eq!(receipts(&said), 0);
    let question = said.into_iter().find(|text| text.contains("queryid")).unwrap();
    assert_eq!(receipts(&bench.answer(&question)), 1);
}

#[test]
fn a_stream_that_was_closed_is_not_asked_for_at_the_next_start() {
    for closed in [false, true] {
        let mut bench = Bench::over(BTreeMap::new());
        let question = bench.begin();
        bench.answer(&question);
        if closed {
            let said = bench.take(Input::Command(Command::Quit));
            assert!(said.iter().any(|text| text.contains("<close")), "{said:?}");
        }
        let mut again = Bench::over(bench.disk);
        again.take(Input::Start);
        assert_eq!(
            again.sign_in().iter().any(|text| text.contains("<resume")),
            !closed
        );
    }
}

const REFUSED: &str = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";

fn bob() -> BareJid {
    BareJid::new("bob@b.example").unwrap()
}

#[test]
fn without_a_password_it_waits_for_one_and_keeps_what_is_typed() {
    let mut bench = Bench::with(BTreeMap::new(), None);
    bench.take(Input::Start);
    assert_eq!(bench.shown(), (ConnectionState::Stopped, Cause::NoPassword));
    bench.command(Command::Send {
        to: bob(),
        body: "later".into(),
        tag: None,
    });
    bench.command(Command::RetryNow);
    bench.take(Input::Resumed {
        slept: None,
        proven: true,
    });
    assert_eq!(
        bench.shown(),
        (ConnectionState::Stopped, Cause::NoPassword),
        "there is nothing to try"
    );
    assert_eq!((bench.conn, bench.account.status().outbox), (ConnId(0), 1));
    bench.take(Input::SignIn(Credentials::password("secret")));
    assert!(matches!(bench.shown().0, ConnectionState::Connecting { .. }));
    let mut said = bench.bind();
    let question = said
        .iter()
        .find(|text| text.contains("queryid"))
        .cloned()
        .unwrap();
    said.extend(bench.answer(&question));
    assert!(bench.live);
    assert!(said.iter().any(|text| text.contains("later")), "{said:?}");
}

#[test]
fn another_password_is_tried_at_once_where_one_was_refused() {
    let mut bench = Bench::over(BTreeMap::new());
    let open = |bench: &mut Bench| {
        bench.open();
        bench.say(OPEN);
        bench.say(MECHANISMS)
    };
    bench.take(Input::Start);
    open(&mut bench);
    bench.say(REFUSED);
    assert_eq!(bench.shown(), (ConnectionState::Stopped, Cause::WrongPassword));
    let first = bench.conn;
    bench.take(Input::SignIn(Credentials::password("second")));
    assert!(bench.conn > first, "a dial of its own");

    // A third is given while the second is being tried.
    let auth = open(&mut bench);
    let second = bench.conn;
    bench.take(Input::SignIn(Credentials::password("third")));
    assert!(bench.conn > second);
    bench.take(Input::Frame {
        conn: second,
        text: REFUSED.into(),
    });
    assert!(
        matches!(bench.shown().0, ConnectionState::Connecting { .. }),
        "the refusal of the second says nothing about the third"
    );
    let with_third = open(&mut bench);
    assert_ne!(auth, with_third);
    bench.say(SUCCESS);
    assert_eq!(bench.shown().0, ConnectionState::SigningIn);
}

#[test]
fn a_password_changes_nothing_for_a_connection_that_lives() {
    let mut bench = Bench::over(BTreeMap::new());
    let question = bench.begin();
    bench.answer(&question);
    let conn = bench.conn;
    assert!(
        bench
            .take(Input::SignIn(Credentials::password("other")))
            .is_empty()
    );
    assert!(bench.live && bench.conn == conn);
}

#[test]
fn a_conversation_is_told_once_per_input_behind_its_messages_and_is_in_the_snapshot() {
    let mut bench = Bench::over(BTreeMap::new());
    bench.begin();
    bench.command(Command::Draft {
        to: bob(),
        text: "and also".into(),
    });
    bench.changes.clear();
    bench.say("<message xmlns='jabber:client' type='chat' from='bob@b.example/x' to='me@home.example' id='m1'><body>hi</body></message>");
    let [Change::Message(message), Change::Conversation(told)] = &bench.changes[..] else {
        panic!("{:?}", bench.changes)
    };
    assert_eq!(told.last.as_ref(), Some(message.as_ref()));
    assert_eq!((told.unread, told.draft.as_str()), (1, "and also"));
    let again = Bench::over(bench.disk.clone());
    let snapshot = again.account.snapshot(&again.disk).unwrap();
    assert!(snapshot.contains(&Change::Conversation(told.clone())));
}

#[test]
fn the_way_to_the_server_is_remembered_once_a_session_stood_on_it() {
    let way = |endpoint: &str, address: &str| Way {
        endpoint: Endpoint(endpoint.into()),
        addresses: vec![address.parse().unwrap()],
    };
    let known = |disk: &BTreeMap<Vec<u8>, Vec<u8>>| {
        let mut bench = Bench::over(disk.clone());
        let now = Now {
            tick: Tick(1),
            stamp: Stamp(1_700_000_000_000),
        };
        let said = bench.account.handle(now, Input::Start, &bench.disk).unwrap();
        said.into_iter()
            .find_map(|output| match output {
                Output::Dial { known, .. } => Some(known),
                _ => None,
            })
            .unwrap()
    };
    let mut bench = Bench::over(BTreeMap::new());
    bench.take(Input::Start);
    let (conn, first) = (bench.conn, way("wss://home.example/ws", "192.0.2.1"));
    bench.take(Input::Reached {
        conn,
        way: first.clone(),
    });
    assert_eq!(known(&bench.disk), None, "somebody answered, and that is all");
    bench.bind();
    assert_eq!(known(&bench.disk), Some(first));
    let moved = way("wss://new.example/ws", "192.0.2.2");
    bench.take(Input::Reached {
        conn,
        way: moved.clone(),
    });
    assert_eq!(
        known(&bench.disk),
        Some(moved),
        "the session stands: put right at once"
    );
}
