use super::*;
use dormouse_model::Memory;
use proptest::prelude::*;
use std::collections::BTreeMap;

type Disk = BTreeMap<Vec<u8>, Vec<u8>>;

fn session(handled: u32, acked: u32) -> Managed {
    let record = Record {
        id: Some("s".into()),
        location: None,
        max: None,
        address: "me@home.example/x".into(),
        handled,
        acked,
        heard: Stamp::default(),
    };
    let mut managed = Managed::restored(record, Vec::new());
    managed.resume().unwrap();
    managed.resumed(acked).unwrap();
    managed
}

/// A stanza with a message in it that somebody waits for.
fn message(stanza: &str, number: u64) -> Unacked {
    Unacked {
        stanza: stanza.to_owned(),
        token: Some(MessageId(number)),
        courtesy: false,
    }
}

/// One input's writes, as batch `number`.
fn commit(managed: &mut Managed, disk: &mut Disk, number: u64) {
    let batch = {
        let mut draft = Draft::over(&*disk);
        managed.save(&mut draft);
        draft.put(&Key::Session, managed.record());
        draft.into_batch(BatchId(number))
    };
    batch.apply_to(disk);
    managed.issued(BatchId(number));
}

fn told(managed: &mut Managed) -> Option<u32> {
    h(&managed.answer())
}

#[test]
fn only_what_is_on_disk_is_told() {
    let mut disk = Disk::new();
    let mut managed = session(0, 0);
    managed.handled();
    assert_eq!(told(&mut managed), Some(0));
    commit(&mut managed, &mut disk, 1);
    managed.handled();
    commit(&mut managed, &mut disk, 2);
    assert_eq!(told(&mut managed), Some(0));
    assert!(managed.durable(BatchId(1)));
    assert_eq!(told(&mut managed), Some(1));
    assert!(!managed.durable(BatchId(1)), "the server is told once");
    assert!(managed.durable(BatchId(7)));
    assert_eq!(told(&mut managed), Some(2));
}

#[test]
fn a_resumption_tells_what_is_on_disk_and_counts_on_from_there() {
    let mut disk = Disk::new();
    let mut managed = session(5, 0);
    managed.handled();
    managed.handled();
    commit(&mut managed, &mut disk, 1);
    assert_eq!(h(&managed.resume().unwrap()), Some(5));
    managed.resumed(0).unwrap();
    managed.durable(BatchId(1));
    managed.handled();
    assert_eq!(
        told(&mut managed),
        Some(5),
        "a batch of the old connection covers nothing of the new one"
    );
    commit(&mut managed, &mut disk, 2);
    managed.durable(BatchId(2));
    assert_eq!(told(&mut managed), Some(6));
}

#[test]
fn the_counters_wrap() {
    let mut managed = session(u32::MAX, u32::MAX - 1);
    for number in 0..4 {
        managed.sent(message(&format!("<message id='{number}'/>"), number));
    }
    assert_eq!(managed.confirmed(u32::MAX), Ok(vec![MessageId(0)]));
    assert_eq!(managed.confirmed(1), Ok(vec![MessageId(1), MessageId(2)]));
    assert_eq!(managed.confirmed(3), Err(TooHigh));
    assert_eq!(
        managed.confirmed(0),
        Err(TooHigh),
        "a count that goes back is as wrong"
    );
    assert!(!managed.all_confirmed());
    assert_eq!(managed.confirmed(2), Ok(vec![MessageId(3)]));
    managed.handled();
    assert_eq!(managed.record().handled, 0);
}

#[test]
fn after_a_restart_a_higher_count_is_adopted_and_later_none() {
    let record = session(0, 10).record().clone();
    let mut managed = Managed::restored(record, vec![(11, message("<message/>", 1))]);
    managed.resume().unwrap();
    assert_eq!(managed.resumed(13), Ok(vec![MessageId(1)]));
    managed.sent(message("<message/>", 2));
    assert_eq!(managed.confirmed(15), Err(TooHigh));
    assert_eq!(managed.confirmed(14), Ok(vec![MessageId(2)]));
}

#[test]
fn a_session_that_is_not_resumable_is_known_as_such() {
    let enabled = |attributes: &str| -> Option<String> {
        let element: Element = format!("<enabled xmlns='{NS}' {attributes}/>").parse().unwrap();
        Managed::enabled(&element, String::new(), Vec::new())
            .resumption_id()
            .map(str::to_owned)
    };
    assert_eq!(enabled("id='a' resume='true' max='300'").as_deref(), Some("a"));
    assert_eq!(enabled("id='a' resume='1'").as_deref(), Some("a"));
    assert_eq!(enabled("id='a'"), None);
    assert_eq!(enabled("resume='true'"), None);
}

#[derive(Debug, Clone)]
enum Step {
    Send,
    Confirm(usize),
    Save,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Send),
        2 => (0_usize..6).prop_map(Step::Confirm),
        3 => Just(Step::Save),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    /// Against a naive model: a list of everything sent, with 64-bit positions.
    #[test]
    fn the_queue_is_what_was_sent_and_not_confirmed(
        start in prop_oneof![Just(0_u32), Just(u32::MAX - 3), any::<u32>()],
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let mut disk = Disk::new();
        let mut managed = session(0, start);
        commit(&mut managed, &mut disk, 0);
        let mut sent: Vec<u64> = Vec::new();
        let mut confirmed = 0_usize;
        let mut saved: (Vec<u64>, usize) = (Vec::new(), 0);
        for (number, step) in (1_u64..).zip(steps) {
            match step {
                Step::Send => {
                    managed.sent(message(&format!("<message id='{number}'/>"), number));
                    sent.push(number);
                }
                Step::Confirm(more) => {
                    let now = (confirmed + more).min(sent.len());
                    let count = start.wrapping_add(u32::try_from(now).unwrap());
                    let acked = managed.confirmed(count).unwrap();
                    let expected: Vec<MessageId> = sent[confirmed..now].iter().map(|id| MessageId(*id)).collect();
                    prop_assert_eq!(acked, expected);
                    confirmed = now;
                }
                Step::Save => {
                    commit(&mut managed, &mut disk, number);
                    saved = (sent.clone(), confirmed);
                }
                Step::Restart => {
                    let memory: &dyn Memory = &disk;
                    let record = memory.read::<Record>(&Key::Session).unwrap().unwrap();
                    let (from, to) = Key::Unacked(0).kind_range();
                    let queue = memory
                        .range(&from, &to, dormouse_model::Walk::Forwards, usize::MAX).unwrap()
                        .into_iter()
                        .map(|(key, value)| {
                            let count = u32::from_be_bytes(key[1..].try_into().unwrap());
                            (count, dormouse_model::record::decode(&value).unwrap())
                        })
                        .collect();
                    managed = Managed::restored(record, queue);
                    (sent, confirmed) = saved.clone();
                    managed.resume().unwrap();
                    let h = start.wrapping_add(u32::try_from(confirmed).unwrap());
                    prop_assert_eq!(managed.resumed(h), Ok(Vec::new()));
                }
            }
            let queue: Vec<u64> = managed.queue().filter_map(|u| u.token).map(|id| id.0).collect();
            prop_assert_eq!(&queue, &sent[confirmed..]);
        }
    }
}

#[test]
fn a_name_that_would_be_written_with_each_stanza_is_not_as_long_as_a_frame() {
    let endless = "x".repeat(100_000);
    let text = format!("<enabled xmlns='{NS}' resume='true' id='{endless}' location='{endless}'/>");
    let element = crate::frame::read(&text, &crate::frame::Limits::default())
        .unwrap()
        .unwrap();
    let managed = Managed::enabled(&element, "me@home.example/here".to_owned(), Vec::new());
    assert_eq!(managed.resumption_id(), None);
    assert_eq!(managed.record().location, None);
}

#[test]
fn what_is_asked_and_answered_all_day_is_read_as_the_parser_reads_it() {
    for text in [
        "<r xmlns='urn:xmpp:sm:3'/>",
        "<r xmlns=\"urn:xmpp:sm:3\"/>",
        "<a xmlns='urn:xmpp:sm:3' h='7'/>",
        "<a h='4294967295' xmlns='urn:xmpp:sm:3'/>",
        "<a xmlns='urn:xmpp:sm:3'/>",
        "<a xmlns='urn:xmpp:sm:3' h=''/>",
    ] {
        let read = read_plainly(text);
        assert_eq!(read, text.parse().ok(), "{text}");
        assert!(read.is_some(), "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_is_read_plainly_is_read_so_by_the_parser_too(
        text in "<[ra][ /]{0,2}((xmlns|h|x)[ =]{1,2}['\"](urn:xmpp:sm:3|[0-9]{0,3}|-1|&lt;)['\"] ?){0,3}/?>[ <]?"
    ) {
        if let Some(element) = read_plainly(&text) {
            prop_assert_eq!(Some(element), text.parse().ok(), "{}", text);
        }
    }
}

#[test]
fn what_is_read_plainly_says_neither_more_nor_less_than_it_should() {
    for text in [
        "<a xmlns='urn:xmpp:sm:3' h='&lt;'/>",
        "<a xmlns='urn:xmpp:sm:3' h='x'/>",
        "<a xmlns='urn:xmpp:sm:3' h='1' h='2'/>",
        "<a h='7'xmlns='urn:xmpp:sm:3'/>",
        "<a xmlns='urn:xmpp:sm:3' h='7' />",
    ] {
        assert_eq!(read_plainly(text), None, "{text}");
    }
}

#[test]
fn a_session_is_expected_for_as_long_as_the_server_keeps_it_from_when_it_was_last_heard() {
    let mut record = session(0, 0).record().clone();
    record.max = Some(300);
    let mut managed = Managed::restored(record, Vec::new());
    managed.heard(Stamp(1_000_000));
    assert!(managed.is_expected(Stamp(1_299_999)));
    assert!(!managed.is_expected(Stamp(1_300_000)));
}

#[test]
fn there_is_something_to_write_only_where_something_has_changed() {
    let record = session(0, 10).record().clone();
    let unacked = || Unacked {
        stanza: "<message/>".into(),
        token: None,
        courtesy: false,
    };
    let mut disk = Disk::new();
    let mut managed = Managed::restored(record.clone(), vec![(11, unacked())]);
    assert!(!managed.has_changed());
    managed.handled();
    assert!(managed.has_changed());
    commit(&mut managed, &mut disk, 1);
    assert!(!managed.has_changed());
    // A record that belongs to no row is to be deleted.
    assert!(Managed::restored(record, vec![(17, unacked())]).has_changed());
}
