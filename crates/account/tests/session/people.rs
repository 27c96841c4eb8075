//! What the user wishes of people, and what people are seen to do.

use super::*;

#[test]
fn a_contact_is_renamed_and_not_asked_again() {
    let mut bench = Bench::over(BTreeMap::new());
    bench.begin();
    let add = |name: Option<&str>| Command::Add {
        address: bob(),
        name: name.map(str::to_owned),
    };
    let said = bench.command(add(Some("Bob")));
    assert!(said.iter().any(|text| text.contains("subscribe")), "{said:?}");
    bench.say("<iq xmlns='jabber:client' type='set' id='p1'><query xmlns='jabber:iq:roster'><item jid='bob@b.example' name='Bob' subscription='to'><group>Work</group></item></query></iq>");
    for (name, shown) in [
        (Some("Robert"), Some("Robert")),
        (None, Some("Bob")),
        (Some(" "), None),
    ] {
        let said = bench.command(add(name)).join(" ").replace('"', "'");
        assert!(!said.contains("type='subscribe'"), "{said}");
        assert!(said.contains("<group>Work</group>"), "{said}");
        match shown {
            Some(shown) => assert!(said.contains(&format!("name='{shown}'")), "{said}"),
            None => assert!(!said.contains("name="), "{said}"),
        }
    }
}

#[test]
fn where_the_server_can_not_block_the_user_is_told() {
    for (features, asked) in [(&[][..], false), (&["urn:xmpp:blocking"][..], true)] {
        let mut bench = Bench::over(BTreeMap::new());
        bench.take(Input::Start);
        let said = bench.bind();
        bench.announce(&said, features);
        bench.changes.clear();
        let said = bench.command(Command::Block(bob()));
        assert_eq!(said.iter().any(|text| text.contains("<block")), asked);
        let told = |change: &Change| matches!(change, Change::Notice(Notice::CannotDo(CannotDo::NoBlocking)));
        assert_eq!(bench.changes.iter().any(told), !asked);
    }
}

#[test]
fn whom_one_blocks_is_known_while_offline_too() {
    let mut bench = Bench::over(BTreeMap::new());
    bench.begin();
    bench.say("<iq xmlns='jabber:client' type='set' id='p1'><block xmlns='urn:xmpp:blocking'><item jid='bob@b.example'/></block></iq>");
    let blocked = Change::Blocked {
        address: bob(),
        blocked: true,
    };
    assert!(bench.changes.contains(&blocked));
    let offline = Bench::over(bench.disk);
    let snapshot = offline.account.snapshot(&offline.disk).unwrap();
    assert!(snapshot.contains(&blocked));
}

impl Bench {
    /// What the server says of bob on the roster.
    fn roster(&mut self, subscription: &str) {
        self.say(&format!("<iq xmlns='jabber:client' type='set' id='p1'><query xmlns='jabber:iq:roster'><item jid='bob@b.example' subscription='{subscription}'/></query></iq>"));
    }

    /// What was told last of bob's typing, if anything was.
    fn typing(&self) -> Option<Option<ChatState>> {
        self.changes.iter().rev().find_map(|change| match change {
            Change::ChatState { conversation, state } if *conversation == bob() => Some(*state),
            _ => None,
        })
    }
}

#[test]
fn whom_one_lets_see_oneself_one_wants_to_see_unless_one_does_already() {
    for (subscription, wants) in [("none", true), ("to", false)] {
        let mut bench = Bench::live();
        bench.roster(subscription);
        bench.say("<presence xmlns='jabber:client' type='subscribe' from='bob@b.example'/>");
        let said = bench.command(Command::Accept(bob())).join(" ").replace('"', "'");
        assert!(said.contains("type='subscribed'"), "{said}");
        assert_eq!(said.contains("type='subscribe'"), wants, "{said}");
    }
}

#[test]
fn people_are_declined_removed_and_unblocked_at_the_server() {
    let mut bench = Bench::live();
    bench.roster("both");
    for (command, words) in [
        (Command::Decline(bob()), "type='unsubscribed'"),
        (Command::Remove(bob()), "subscription='remove'"),
        (Command::Unblock(bob()), "<unblock"),
    ] {
        let said = bench.command(command).join(" ").replace('"', "'");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn that_one_types_is_told_only_to_whoever_may_see_one_and_only_while_stanzas_flow() {
    let typing = Command::Typing {
        to: bob(),
        typing: true,
    };
    for (subscription, told) in [("both", true), ("none", false)] {
        let mut bench = Bench::live();
        bench.roster(subscription);
        let said = bench.command(typing.clone());
        assert_eq!(said.iter().any(|text| text.contains("<composing")), told);
        bench.closed(Closing::Eof);
        assert!(bench.command(typing.clone()).is_empty());
        bench.until_it_dials();
        bench.open();
        assert!(
            !bench
                .command(typing.clone())
                .iter()
                .any(|text| text.contains("<composing"))
        );
    }
}

const COMPOSING: &str = "<message xmlns='jabber:client' type='chat' from='bob@b.example/x' to='me@home.example'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>";

#[test]
fn that_the_other_side_types_is_shown_until_it_stops_or_the_link_is_in_doubt() {
    let mut bench = Bench::live();
    bench.say(COMPOSING);
    assert_eq!(bench.typing(), Some(Some(ChatState::Composing)));
    bench.say(&COMPOSING.replace("composing", "paused"));
    assert_eq!(bench.typing(), Some(Some(ChatState::Paused)));
    bench.changes.clear();
    bench.closed(Closing::Eof);
    assert_eq!(bench.typing(), None, "it was not shown any more");

    let mut bench = Bench::live();
    bench.say(COMPOSING);
    bench.closed(Closing::Eof);
    assert_eq!(
        bench.typing(),
        Some(None),
        "nobody is known to type on a connection that is gone"
    );

    let mut bench = Bench::live();
    bench.say(COMPOSING);
    bench.now += 60_000;
    bench.take(Input::Resumed {
        slept: None,
        proven: true,
    });
    assert_eq!(bench.typing(), Some(None), "nor on one in doubt");
}

#[test]
fn that_one_types_on_another_client_is_not_shown_as_theirs() {
    let mut bench = Bench::live();
    bench.say("<message xmlns='jabber:client' type='chat' from='me@home.example/other' to='bob@b.example'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>");
    assert_eq!(bench.typing(), None);
}

#[test]
fn whom_a_fresh_session_says_nothing_of_is_known_to_be_offline_after_10_s() {
    let mut bench = Bench::live();
    bench.roster("both");
    bench.say("<presence xmlns='jabber:client' from='bob@b.example/x'/>");
    let known = |bench: &Bench| {
        bench.changes.iter().rev().find_map(|change| match change {
            Change::Contact(contact) if contact.address == bob() => {
                Some((contact.presence_known, contact.presence.is_empty()))
            }
            _ => None,
        })
    };
    assert_eq!(known(&bench), Some((true, false)));
    bench.closed(Closing::Eof);
    bench.until_it_dials();
    bench.sign_in();
    let bind = bench.say("<failed xmlns='urn:xmpp:sm:3'/>");
    let id = id_of(bind.iter().find(|text| text.contains("xmpp-bind")).unwrap());
    bench.bound(&id);
    assert_eq!(known(&bench), Some((false, true)));
    let fresh = bench.now;
    bench.now = fresh + 9_999;
    bench.take(Input::Tick);
    assert_eq!(known(&bench), Some((false, true)), "it may still be told");
    bench.now = fresh + 10_000;
    bench.take(Input::Tick);
    assert_eq!(known(&bench), Some((true, true)));
}
