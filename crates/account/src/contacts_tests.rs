use super::*;
use dormouse_model::{BatchId, Subscription};

fn bare(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

fn jid(text: &str) -> Jid {
    Jid::new(text).unwrap()
}

fn item(address: &str, subscription: Subscription) -> RosterItem {
    RosterItem {
        address: bare(address),
        name: None,
        subscription,
        asked: false,
        groups: Vec::new(),
    }
}

/// Runs one turn over a memory and keeps what it wrote.
fn turn<T>(kept: &mut BTreeMap<Vec<u8>, Vec<u8>>, act: impl FnOnce(&mut Draft) -> T) -> T {
    let (result, batch) = {
        let mut draft = Draft::over(kept);
        let result = act(&mut draft);
        (result, draft.into_batch(BatchId(1)))
    };
    batch.apply_to(kept);
    result
}

#[test]
fn after_a_fresh_sign_in_presence_is_unknown_until_it_is_told() {
    let mut kept = BTreeMap::new();
    let mut contacts = Contacts::default();
    turn(&mut kept, |draft| {
        contacts.roster(
            vec![
                item("bob@b", Subscription::Both),
                item("eve@e", Subscription::Both),
            ],
            true,
            draft,
        );
        contacts.presence(&jid("bob@b/home"), Availability::Online, draft);
    });
    let of = |contacts: &Contacts, who: &str| contacts.get(&bare(who)).unwrap().availability();
    assert_eq!(of(&contacts, "bob@b"), Availability::Online);
    assert_eq!(of(&contacts, "eve@e"), Availability::Unknown);
    turn(&mut kept, |draft| contacts.forget_presence(draft));
    assert_eq!(of(&contacts, "bob@b"), Availability::Unknown);
    turn(&mut kept, |draft| {
        contacts.presence(&jid("bob@b/home"), Availability::Away, draft);
        contacts.presence_complete(draft);
    });
    assert_eq!(of(&contacts, "bob@b"), Availability::Away);
    assert_eq!(of(&contacts, "eve@e"), Availability::Offline);
}

#[test]
fn roster_and_presence_survive_the_process_for_a_resumption() {
    let mut kept = BTreeMap::new();
    let mut contacts = Contacts::default();
    turn(&mut kept, |draft| {
        contacts.roster(vec![item("bob@b", Subscription::From)], true, draft);
        contacts.presence(&jid("bob@b/home"), Availability::DoNotDisturb, draft);
        contacts.asked(bare("new@n"), draft);
    });
    let restored = Contacts::restore(&kept).unwrap();
    assert_eq!(
        restored.get(&bare("bob@b")).unwrap().availability(),
        Availability::DoNotDisturb
    );
    assert!(restored.may_see_us(&bare("bob@b")));
    assert_eq!(restored.requests.iter().collect::<Vec<_>>(), [&bare("new@n")]);
}

#[test]
fn a_whole_roster_removes_whom_it_does_not_name() {
    let mut kept = BTreeMap::new();
    let mut contacts = Contacts::default();
    let changes = turn(&mut kept, |draft| {
        contacts.roster(
            vec![item("bob@b", Subscription::To), item("eve@e", Subscription::To)],
            true,
            draft,
        );
        contacts.roster(vec![item("eve@e", Subscription::To)], true, draft)
    });
    assert_eq!(changes, [Change::ContactRemoved(bare("bob@b"))]);
    assert_eq!(Contacts::restore(&kept).unwrap().people.len(), 1);
}

#[test]
fn a_request_is_said_once_and_not_by_somebody_who_sees_us_already() {
    let mut kept = BTreeMap::new();
    let mut contacts = Contacts::default();
    turn(&mut kept, |draft| {
        contacts.roster(vec![item("bob@b", Subscription::From)], true, draft);
        assert_eq!(contacts.asked(bare("bob@b"), draft), None);
        assert_eq!(
            contacts.asked(bare("new@n"), draft),
            Some(Change::Request(bare("new@n")))
        );
        assert_eq!(contacts.asked(bare("new@n"), draft), None);
        let gone = Change::RequestGone(bare("new@n"));
        assert_eq!(contacts.answered(&bare("new@n"), draft), Some(gone));
        assert_eq!(contacts.answered(&bare("new@n"), draft), None);
    });
    assert!(Contacts::restore(&kept).unwrap().requests.is_empty());
}

#[test]
fn presence_of_strangers_is_not_kept() {
    let mut kept = BTreeMap::new();
    let mut contacts = Contacts::default();
    let change = turn(&mut kept, |draft| {
        contacts.presence(&jid("who@w/x"), Availability::Online, draft)
    });
    assert_eq!(change, None);
    assert!(kept.is_empty());
}

#[test]
fn nobody_types_for_ever() {
    let mut contacts = Contacts::default();
    contacts.typing(&bare("bob@b"), true);
    contacts.typing(&bare("eve@e"), true);
    contacts.typing(&bare("eve@e"), false);
    assert_eq!(
        contacts.forget_typing(),
        [Change::ChatState {
            conversation: bare("bob@b"),
            state: None
        }]
    );
    assert!(contacts.forget_typing().is_empty());
}

#[test]
fn a_request_answered_elsewhere_is_gone_once_a_fresh_session_does_not_repeat_it() {
    let mut kept = BTreeMap::new();
    let mut contacts = Contacts::default();
    let gone = |who: &str| Change::RequestGone(bare(who));
    turn(&mut kept, |draft| {
        for who in ["accepted@a", "declined@d", "open@o", "withdrawn@w"] {
            contacts.asked(bare(who), draft);
        }
        let pushed = contacts.roster(vec![item("accepted@a", Subscription::From)], false, draft);
        assert!(pushed.contains(&gone("accepted@a")));
        contacts.requests_come_again();
        assert_eq!(
            contacts.asked(bare("open@o"), draft),
            None,
            "it is said no second time"
        );
        assert_eq!(
            contacts.answered(&bare("withdrawn@w"), draft),
            Some(gone("withdrawn@w"))
        );
        assert!(contacts.presence_complete(draft).contains(&gone("declined@d")));
        assert!(
            contacts.presence_complete(draft).is_empty(),
            "only once per fresh session"
        );
    });
    let restored = Contacts::restore(&kept).unwrap();
    assert_eq!(restored.requests, BTreeSet::from([bare("open@o")]));
}

#[test]
fn whom_the_server_blocks_is_kept_and_follows_its_list() {
    let mut kept = BTreeMap::new();
    let mut contacts = Contacts::default();
    let said = |who: &str, blocked| Change::Blocked {
        address: bare(who),
        blocked,
    };
    turn(&mut kept, |draft| {
        contacts.asked(bare("mal@m"), draft);
        assert_eq!(
            contacts.blocked(vec![bare("mal@m"), bare("old@o")], true, draft),
            [
                Change::RequestGone(bare("mal@m")),
                said("mal@m", true),
                said("old@o", true)
            ]
        );
        assert!(contacts.blocked(vec![bare("mal@m")], false, draft).is_empty());
        assert_eq!(
            contacts.blocked(vec![bare("mal@m"), bare("new@n")], true, draft),
            [said("old@o", false), said("new@n", true)]
        );
        let nobody = contacts.unblocked(Some(&[bare("who@w")]), draft);
        assert!(nobody.is_empty());
    });
    let mut restored = Contacts::restore(&kept).unwrap();
    let told: Vec<Change> = restored.snapshot().collect();
    assert_eq!(told, [said("mal@m", true), said("new@n", true)]);
    turn(&mut kept, |draft| restored.unblocked(None, draft));
    assert!(Contacts::restore(&kept).unwrap().blocked.is_empty());
}

/// Something was left aside, and why is said once.
fn left_aside(contacts: &mut Contacts) -> bool {
    let said = contacts.left_aside().is_some();
    assert_eq!(contacts.left_aside(), None);
    said
}

#[test]
fn requests_and_people_blocked_are_kept_up_to_a_number_and_the_rest_is_left_aside_with_a_reason() {
    let kept = BTreeMap::new();
    let mut contacts = Contacts::default();
    let mut draft = Draft::over(&kept);
    let anybody = |number: usize| bare(&format!("c{number}@spam.example"));
    for number in 0..MOST_REQUESTS {
        assert!(contacts.asked(anybody(number), &mut draft).is_some());
    }
    assert!(!left_aside(&mut contacts));
    assert_eq!(contacts.asked(anybody(MOST_REQUESTS), &mut draft), None);
    assert!(left_aside(&mut contacts));
    assert_eq!(contacts.requests.len(), MOST_REQUESTS);
    contacts.answered(&anybody(0), &mut draft);
    assert!(
        contacts.asked(anybody(MOST_REQUESTS), &mut draft).is_some(),
        "there is room again"
    );
    let all: Vec<BareJid> = (0..=MOST_BLOCKED).map(anybody).collect();
    contacts.blocked(all, true, &mut draft);
    assert!(left_aside(&mut contacts));
    assert_eq!(contacts.blocked.len(), MOST_BLOCKED);
    for number in 0..2 * MOST_TYPING {
        contacts.typing(&anybody(number), true);
    }
    assert_eq!(contacts.typing.len(), MOST_TYPING);
}

#[test]
fn a_roster_weighs_so_much_and_no_more_and_who_is_on_it_stays() {
    let mut kept = BTreeMap::new();
    let mut contacts = Contacts::default();
    let heavy = |number: usize| RosterItem {
        name: Some("x".repeat(1 << 20)),
        ..item(&format!("c{number}@b.example"), Subscription::Both)
    };
    turn(&mut kept, |draft| {
        for number in 0..40 {
            contacts.roster(vec![heavy(number)], false, draft);
        }
        assert!(left_aside(&mut contacts));
        assert_eq!(contacts.people.len(), 31);
        assert!(contacts.weight <= HEAVIEST_ROSTER);
        let known = bare("c0@b.example");
        let lighter = item("c0@b.example", Subscription::None);
        contacts.roster(vec![lighter], false, draft);
        assert_eq!(
            contacts.get(&known).unwrap().name,
            None,
            "who is there can change"
        );
        contacts.removed(&known, draft);
        contacts.roster(vec![heavy(50)], false, draft);
        assert!(!left_aside(&mut contacts), "there is room again");
    });
    let restored = Contacts::restore(&kept).unwrap();
    assert_eq!(restored.weight, contacts.weight);
    contacts.roster(Vec::new(), true, &mut Draft::over(&kept));
    assert_eq!(contacts.weight, 0);
}

#[test]
fn one_person_has_so_many_clients_and_no_more_and_those_known_are_followed() {
    let kept = BTreeMap::new();
    let mut contacts = Contacts::default();
    let mut draft = Draft::over(&kept);
    contacts.roster(vec![item("bob@b.example", Subscription::To)], true, &mut draft);
    let client = |number: usize| jid(&format!("bob@b.example/{number}"));
    for number in 0..MOST_CLIENTS {
        contacts.presence(&client(number), Availability::Away, &mut draft);
    }
    assert!(!left_aside(&mut contacts));
    assert_eq!(
        contacts.presence(&client(999), Availability::Online, &mut draft),
        None
    );
    assert!(left_aside(&mut contacts));
    assert!(
        contacts
            .presence(&client(0), Availability::Online, &mut draft)
            .is_some()
    );
    contacts.presence(&client(1), Availability::Offline, &mut draft);
    assert!(
        contacts
            .presence(&client(999), Availability::Online, &mut draft)
            .is_some()
    );
}

#[test]
fn a_roster_may_weigh_so_much_and_not_a_byte_more() {
    let kept = BTreeMap::new();
    let mut contacts = Contacts::default();
    let mut draft = Draft::over(&kept);
    let of = |weight: usize| {
        let address = bare("bob@b.example");
        let group = "Work".to_owned();
        let rest = 256 + address.as_str().len() + 64 + group.len();
        let mut contact = Contact::unknown(address);
        contact.name = Some("x".repeat(weight - rest));
        contact.groups = vec![group];
        contact
    };
    for weight in [HEAVIEST_ROSTER - 1, HEAVIEST_ROSTER] {
        assert!(contacts.keep(of(weight), &mut draft).is_some());
    }
    assert!(!left_aside(&mut contacts));
    assert!(contacts.keep(of(HEAVIEST_ROSTER + 1), &mut draft).is_none());
    assert!(left_aside(&mut contacts));
    assert!(
        contacts.keep(of(1_000), &mut draft).is_some(),
        "what grows lighter is always kept"
    );
}
