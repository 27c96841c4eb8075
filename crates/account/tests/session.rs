//! Rules that join the session with the rest: a server in a few words says what the account is told.
#![allow(clippy::unwrap_used)]

use dormouse_account::{Account, Command, Credentials, Input, Output, Settings};
use dormouse_model::{
    BareJid, BatchId, Change, Channel, Closing, ConnId, ConnectionState, Endpoint, Now, Random, Stamp, Tick,
};
use std::collections::BTreeMap;

const OPEN: &str =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='home.example' id='1' version='1.0'/>";
const MECHANISMS: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const SUCCESS: &str = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const FEATURES: &str = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>";

struct Bench {
    account: Account,
    disk: BTreeMap<Vec<u8>, Vec<u8>>,
    now: u64,
    conn: ConnId,
    live: bool,
}

impl Bench {
    fn over(disk: BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        let settings = Settings {
            address: BareJid::new("me@home.example").unwrap(),
            credentials: Some(Credentials::password("secret")),
            first_batch: BatchId(1),
        };
        let account = Account::restore(settings, Random::from_seed([5; 32]), &disk).unwrap();
        Self {
            account,
            disk,
            now: 1_000,
            conn: ConnId(0),
            live: false,
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
                match output {
                    Output::Write(batch) => {
                        batch.apply_to(&mut self.disk);
                        inputs.push(Input::Durable(batch.id));
                    }
                    Output::Dial { conn, .. } => self.conn = conn,
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

    /// Up to the features after sign-in: what the client says to them.
    fn sign_in(&mut self) -> Vec<String> {
        let channel = Channel {
            encrypted: true,
            ..Channel::default()
        };
        let endpoint = Endpoint("wss://home.example/ws".into());
        self.take(Input::Dialled {
            conn: self.conn,
            channel,
            endpoint,
        });
        for text in [OPEN, MECHANISMS, SUCCESS, OPEN] {
            self.say(text);
        }
        self.say(FEATURES)
    }

    /// A fresh session; the question to the archive is returned unanswered.
    fn begin(&mut self) -> String {
        self.take(Input::Start);
        let bind = self.sign_in();
        let id = id_of(bind.iter().find(|text| text.contains("xmpp-bind")).unwrap());
        let bound = format!(
            "<iq xmlns='jabber:client' type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>me@home.example/here</jid></bind></iq>"
        );
        let mut said = self.say(&bound);
        said.extend(self.say("<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true'/>"));
        said.into_iter().find(|text| text.contains("queryid")).unwrap()
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
fn a_resumed_session_is_live_only_behind_all_that_the_server_held() {
    let mut bench = Bench::over(BTreeMap::new());
    let question = bench.begin();
    bench.answer(&question);
    assert!(
        bench.live,
        "a fresh session is live once the archive has been read"
    );
    bench.take(Input::Closed {
        conn: bench.conn,
        closing: Closing::Eof,
    });
    while bench.account.status().connection.state.name() != "connecting" {
        bench.now = bench.account.deadline().unwrap().0;
        bench.take(Input::Tick);
    }
    assert!(bench.sign_in().iter().any(|text| text.contains("<resume")));
    let said = bench.say("<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>");
    assert!(
        said.iter()
            .any(|text| text.contains("<r ") || text.contains("<r/")),
        "{said:?}"
    );
    assert!(!bench.live, "nobody has said yet that this was all");
    bench.say("<a xmlns='urn:xmpp:sm:3' h='0'/>");
    assert!(bench.live);
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
