//! Two thousand lives go well; the same seed lives the same life; and the checker bites.

// A helper of the tests may panic, as the tests themselves do.
#![allow(clippy::panic)]

use dormouse_simulator::{Outcome, Sabotage, Sum, World};

/// Seeds lived in the tests.
const LIVES: u64 = 2000;

/// Lives a range of seeds; panics with the story of the first that goes wrong.
fn live(seeds: std::ops::Range<u64>) -> Sum {
    let mut sum = Sum::default();
    for seed in seeds {
        let outcome = World::live(seed, false, None);
        assert!(outcome.findings.is_empty(), "{}", story(seed, None));
        sum.add(&outcome);
    }
    sum
}

/// The end of a failing life, to be read.
fn story(seed: u64, sabotage: Option<Sabotage>) -> String {
    let outcome = World::live(seed, true, sabotage);
    let from = outcome.story.len().saturating_sub(60);
    let mut text = outcome.story[from..].join("\n");
    for finding in &outcome.findings {
        text.push_str(&format!(
            "\n{} ms, {}: {}",
            finding.at.0, finding.who, finding.what
        ));
    }
    text.push_str(&format!(
        "\nreplay: cargo run -p dormouse-simulator -- --from {seed} --seeds 1 --trace"
    ));
    text
}

#[test]
fn two_thousand_lives_lose_nothing_double_nothing_and_show_nothing_untrue() {
    let halves = [0..LIVES / 2, LIVES / 2..LIVES];
    let threads = halves.map(|seeds| std::thread::spawn(move || live(seeds)));
    let mut all = Sum::default();
    for thread in threads {
        match thread.join() {
            Ok(part) => all.join(&part),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    let life = all.average();
    assert!(
        life.clients >= 3.0 && life.messages >= 30.0 && life.faults >= 4.0 && life.hours >= 6.0,
        "a life holds too little: {life:?}"
    );
    assert_eq!(
        all.coverage.empty_cells(),
        [],
        "{}",
        all.coverage.table().join("\n")
    );
}

#[test]
fn the_same_seed_lives_the_same_life() {
    for seed in [1, 7, 42] {
        let (one, two) = (World::live(seed, false, None), World::live(seed, false, None));
        assert_eq!((one.hash, one.steps), (two.hash, two.steps), "seed {seed}");
        let told = World::live(seed, true, None);
        assert_eq!(one.hash, told.hash, "watching changes nothing");
    }
    assert_ne!(World::live(1, false, None).hash, World::live(2, false, None).hash);
}

/// The first seed, of a hundred, in which a deliberate mistake is found, and by which words.
fn caught(sabotage: Sabotage, word: &str) -> Outcome {
    for seed in 0..100 {
        let outcome = World::live(seed, false, Some(sabotage));
        if outcome.findings.iter().any(|finding| finding.what.contains(word)) {
            return outcome;
        }
    }
    panic!("{sabotage:?} was not caught in a hundred lives");
}

#[test]
fn durability_told_before_it_is_true_is_caught() {
    caught(Sabotage::DurableTooEarly, "");
}

#[test]
fn frames_of_a_connection_that_was_given_up_are_caught_if_they_are_read() {
    caught(Sabotage::OldConnectionRead, "");
}

#[test]
fn a_message_that_nobody_typed_is_caught() {
    caught(Sabotage::Forgery, "nobody typed");
}

#[test]
fn a_message_shown_twice_is_caught() {
    caught(Sabotage::ShownTwice, "too often");
}

#[test]
fn a_disk_that_forgets_is_caught() {
    caught(Sabotage::ForgottenBatch, "");
}

#[test]
fn a_core_whose_deadlines_are_not_met_is_caught() {
    caught(Sabotage::NoTicks, "live");
}
