//! What is told of the account and its server.

use super::*;

#[test]
fn a_server_without_history_is_told_to_each_window_until_it_keeps_one() {
    let mut bench = Bench::over(BTreeMap::new());
    bench.take(Input::Start);
    let said = bench.bind();
    bench.announce(&said, &[]);
    assert!(bench.changes.contains(&Change::Notice(Notice::NoArchive)));
    let snapshot = bench.account.snapshot(&bench.disk).unwrap();
    assert!(snapshot.contains(&Change::Notice(Notice::NoArchive)));
    bench.closed(Closing::Eof);
    bench.until_it_dials();
    let resume = bench.sign_in();
    assert!(resume.iter().any(|text| text.contains("<resume")));
    let bind = bench.say("<failed xmlns='urn:xmpp:sm:3'/>");
    let id = id_of(bind.iter().find(|text| text.contains("xmpp-bind")).unwrap());
    let said = bench.say(&format!(
        "<iq xmlns='jabber:client' type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>me@home.example/here</jid></bind></iq>"
    ));
    bench.announce(&said, &["urn:xmpp:mam:2"]);
    assert!(bench.changes.contains(&Change::NoticeGone("no-archive")));
    let snapshot = bench.account.snapshot(&bench.disk).unwrap();
    assert!(!snapshot.contains(&Change::Notice(Notice::NoArchive)));
}

#[test]
fn the_status_tells_what_waits_how_it_was_signed_in_and_whose_interval_holds() {
    let mut bench = Bench::over(BTreeMap::new());
    bench.take(Input::Start);
    assert_eq!(bench.account.unsettled(), (0, false));
    bench.command(Command::Send {
        to: bob(),
        body: "hello".into(),
        tag: None,
    });
    assert_eq!(bench.account.unsettled(), (1, false));
    assert_eq!(bench.account.signed_in(), None);

    let mut bench = Bench::live();
    assert_eq!(bench.account.unsettled(), (0, true));
    assert_eq!(bench.account.signed_in().unwrap().mechanism, "PLAIN");
    assert!(!bench.account.status().interval_learnt);
    let shorter = bench.account.status().interval / 2;
    bench.command(Command::Interval(Some(shorter)));
    let status = bench.account.status();
    assert_eq!((status.interval, status.interval_given), (shorter, Some(shorter)));
    assert!(!status.interval_learnt, "the user has said so");
}

#[test]
fn what_is_dropped_or_can_not_be_read_is_in_the_journal_and_what_can_not_is_counted() {
    let mut bench = Bench::live();
    bench.journal.clear();
    bench.say("<iq xmlns='jabber:client' type='result' id='never-asked' from='mallory@evil.example'/>");
    assert!(
        bench
            .journal
            .iter()
            .any(|line| line.starts_with("A stanza was dropped: "))
    );
    for count in 1..=2 {
        bench.changes.clear();
        bench.say("<iq xmlns='jabber:client' type='neither'/>");
        assert!(bench.changes.contains(&Change::Notice(Notice::Unreadable(count))));
    }
    assert!(
        bench
            .journal
            .iter()
            .any(|line| line.starts_with("A stanza could not be read: "))
    );
    let kept = dormouse_account::journal::last(&bench.disk, 100).unwrap();
    assert!(
        kept.iter()
            .any(|line| line.text.starts_with("A stanza could not be read: "))
    );
}

#[test]
fn what_cannot_be_read_without_end_is_not_told_without_end() {
    let mut bench = Bench::live();
    bench.changes.clear();
    for _ in 0..1_000 {
        bench.say("<iq xmlns='jabber:client' type='neither'/>");
    }
    let told = bench
        .changes
        .iter()
        .filter(|change| matches!(change, Change::Notice(Notice::Unreadable(_))));
    assert!(told.count() < 100);
}

#[test]
fn until_when_the_program_ran_is_known_behind_its_end() {
    let mut bench = Bench::live();
    bench.command(Command::Quit);
    let ran_until = dormouse_account::chronicle::ran_until(&bench.disk);
    assert_eq!(ran_until.unwrap(), Some(Stamp(1_700_000_000_000)));
}

#[test]
fn an_interval_that_two_deaths_in_silence_have_taught_is_told_as_learnt() {
    let mut bench = Bench::live();
    let ordinary = bench.account.status().interval;
    for (death, learnt) in [(1, false), (2, true)] {
        bench.now += 12_000;
        bench.closed(Closing::Eof);
        let status = bench.account.status();
        assert_eq!(status.interval_learnt, learnt, "after {death}");
        assert_eq!(status.interval < ordinary, learnt, "after {death}");
        bench.until_it_dials();
        bench.sign_in();
        bench.say("<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>");
        bench.say("<a xmlns='urn:xmpp:sm:3' h='0'/>");
    }
    assert_eq!(bench.account.status().interval_given, None);
    bench.command(Command::Interval(Some(ordinary)));
    assert!(
        !bench.account.status().interval_learnt,
        "the user has said otherwise"
    );
}
