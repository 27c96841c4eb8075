//! An account's core, all of it, before a server that says anything.
//!
//! Every write is on disk at once. What is on disk is looked at as a window would.

use dormouse_account::{Account, Credentials, Input, Output, Part, Settings, history};
use dormouse_model::{
    BareJid, BatchId, Change, Channel, ConnId, Endpoint, Key, Message, Network, Now, Random, ReadError,
    Stamp, Tick,
};
use std::collections::{BTreeMap, BTreeSet};

/// The server's side of a sign-in, up to the features behind which a resource is bound.
pub const SIGN_IN: [&str; 5] = [
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='home.example' id='1' version='1.0'/>",
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
    "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='home.example' id='2' version='1.0'/>",
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/></stream:features>",
];
/// The answer to the request for a resource.
pub const BOUND: &str = "<iq xmlns='jabber:client' type='result' id='{ID}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>me@home.example/here</jid></bind></iq>";
/// Stream management is on.
pub const ENABLED: &str = "<enabled xmlns='urn:xmpp:sm:3' id='s-1' resume='true' max='600'/>";

/// Whose account it is.
pub fn account() -> BareJid {
    match BareJid::new("me@home.example") {
        Ok(address) => address,
        Err(error) => panic!("{error}"),
    }
}

/// The id of the request in this frame, if it is one.
pub fn id_of(frame: &str) -> Option<String> {
    frame.starts_with("<iq").then(|| attribute(frame, " id="))?
}

/// The name of the question to the archive in this frame, if it is one.
pub fn query_of(frame: &str) -> Option<String> {
    attribute(frame, " queryid=")
}

/// The value of an attribute, in what we have written ourselves.
fn attribute(frame: &str, name: &str) -> Option<String> {
    let (_, behind) = frame.split_once(name)?;
    let quote = behind.chars().next()?;
    behind.get(1..)?.split(quote).next().map(str::to_owned)
}

/// A conversation's messages, and the last one as the list of conversations has it.
pub type Shown = (Vec<Message>, Option<Message>);

/// The core and what it runs on.
pub struct Core {
    account: Account,
    /// What is on disk.
    pub disk: BTreeMap<Vec<u8>, Vec<u8>>,
    now: u64,
    conn: ConnId,
    /// The id of the latest request.
    pub id: String,
    /// The id and the name of the latest question to the archive.
    pub question: (String, String),
    /// How many bytes were said to the server.
    pub said: usize,
}

impl Core {
    /// The core as this disk has it.
    ///
    /// # Errors
    /// The disk holds what can't be read.
    pub fn over(disk: BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Self, ReadError> {
        let settings = Settings {
            address: account(),
            credentials: Some(Credentials::password("secret")),
            token: None,
            first_batch: BatchId(1),
            durable: BatchId(0),
        };
        Ok(Self {
            account: Account::restore(settings, Random::from_seed([5; 32]), &disk)?,
            disk,
            now: 1_000,
            conn: ConnId(0),
            id: String::new(),
            question: (String::new(), String::new()),
            said: 0,
        })
    }

    /// One input and what follows from it.
    ///
    /// # Errors
    /// The disk holds what can't be read.
    pub fn take(&mut self, input: Input) -> Result<(), ReadError> {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let now = Now {
                tick: Tick(self.now),
                stamp: Stamp(1_700_000_000_000 + i64::try_from(self.now).unwrap_or_default()),
            };
            for output in self.account.handle(now, input, &self.disk)? {
                match output {
                    Output::Write(batch) => {
                        batch.apply_to(&mut self.disk);
                        inputs.push(Input::Durable(batch.id));
                    }
                    Output::Dial { conn, .. } => self.conn = conn,
                    Output::Frame { text, .. } => {
                        self.said += text.len();
                        self.id = id_of(&text).unwrap_or(std::mem::take(&mut self.id));
                        if let (Some(id), Some(query)) = (id_of(&text), query_of(&text)) {
                            self.question = (id, query);
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The server says this. `{ID}` stands for the id of our latest request; `{ASKED}` and `{QUERY}` for the id and
    /// the name of our latest question to the archive.
    ///
    /// # Errors
    /// The disk holds what can't be read.
    pub fn say(&mut self, text: &str) -> Result<(), ReadError> {
        let text = text
            .replace("{ID}", &self.id)
            .replace("{ASKED}", &self.question.0)
            .replace("{QUERY}", &self.question.1);
        self.take(Input::Frame {
            conn: self.conn,
            text,
        })
    }

    /// Time passes until something is due.
    ///
    /// # Errors
    /// The disk holds what can't be read.
    pub fn wait(&mut self) -> Result<(), ReadError> {
        if let Some(due) = self.account.deadline() {
            self.now = self.now.max(due.0);
            self.take(Input::Tick)?;
        }
        Ok(())
    }

    /// From the beginning to a bound session.
    ///
    /// # Errors
    /// The disk holds what can't be read.
    pub fn sign_in(&mut self) -> Result<(), ReadError> {
        self.take(Input::Start)?;
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
        })?;
        for text in SIGN_IN {
            self.say(text)?;
        }
        self.say(BOUND)?;
        self.say(ENABLED)
    }

    /// Whether stanzas flow.
    pub fn is_ready(&self) -> bool {
        self.account.status().session_ready
    }

    /// Everything that a window could show, each conversation's messages in its order.
    ///
    /// # Errors
    /// The disk holds what can't be read.
    pub fn shown(&self) -> Result<Vec<Shown>, ReadError> {
        let mut shown = Vec::new();
        for change in self.account.snapshot(&self.disk)? {
            if let Change::Conversation(conversation) = change {
                let with = &conversation.with;
                let all = history(&self.disk, &account(), with, Part::Latest, usize::MAX)?;
                shown.push((all.messages, conversation.last));
            }
        }
        Ok(shown)
    }

    /// Looks at everything that a window could show, and that it makes sense: places rise, no message stands twice,
    /// and no two are one in the archive.
    ///
    /// # Errors
    /// The disk holds what can't be read.
    pub fn look(&self) -> Result<(), ReadError> {
        let mut archived = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for (messages, last) in self.shown()? {
            assert_eq!(messages.last(), last.as_ref());
            assert!(
                messages.is_sorted_by(|one, next| one.place < next.place),
                "two in one place"
            );
            for message in messages {
                assert!(seen.insert(message.id), "one message twice");
                for id in message.names.archive {
                    assert!(archived.insert(id), "two messages are one in the archive");
                }
            }
        }
        Ok(())
    }

    /// How many bytes are on disk, without the journal, which forgets its oldest lines.
    pub fn kept(&self) -> usize {
        let (from, to) = Key::Journal(0).kind_range();
        let sizes = |(key, value): (&Vec<u8>, &Vec<u8>)| key.len() + value.len();
        self.disk.iter().map(sizes).sum::<usize>() - self.disk.range(from..to).map(sizes).sum::<usize>()
    }
}
