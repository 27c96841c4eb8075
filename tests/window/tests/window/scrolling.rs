//! A hundred thousand messages, and a text that never moves under the reader.

use anyhow::ensure;
use dormouse_window_tests::Result;
use dormouse_window_tests::cache::{Said, fill};
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, alice, friends, somebody};
use dormouse_window_tests::wait::{LATER, SOON};
use dormouse_window_tests::window::Window;
use serde_json::Value;

const MANY: usize = 100_000;
/// The end of the conversation: 2026-01-01.
const UNTIL: i64 = 1_767_225_600_000;
/// What the page may hold of it.
const ELEMENTS: u64 = 400;

fn many() -> impl ExactSizeIterator<Item = Said> {
    (0..MANY).map(|number| Said {
        by: (if number % 7 < 3 { ALICE } else { BOB }).to_owned(),
        body: match number % 11 {
            0 => format!(
                "{number} {}",
                "and so it went on and on, as talk does. ".repeat(12)
            ),
            5 => format!("{number}\nwith\nlines"),
            _ => format!("{number} says little"),
        },
    })
}

/// The numbers of the messages in the page, in order.
fn numbers(window: &Window<'_>) -> Result<Vec<u64>> {
    let numbers = window.script(
        "return [...document.querySelectorAll('#timeline .message .body')].map(it => parseInt(it.textContent))",
        Vec::new(),
    )?;
    Ok(serde_json::from_value(numbers)?)
}

fn check_page(window: &Window<'_>) -> Result<(u64, u64)> {
    let numbers = numbers(window)?;
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
        anyhow::bail!("no message is on the page");
    };
    ensure!(
        numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "a message is missing, double or out of order: {numbers:?}"
    );
    ensure!(
        numbers.len() as u64 <= ELEMENTS,
        "{} messages are in the page",
        numbers.len()
    );
    Ok((*first, *last))
}

#[test]
fn a_hundred_thousand_messages_open_at_once_and_scroll_without_stutter_gap_or_jump() -> Result<()> {
    let server = friends().start()?;
    let desktop = Desktop::start()?;
    fill(&desktop.app_home(), BOB, UNTIL, many())?;
    let window = alice(&desktop, &server)?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline .body", &format!("{}", MANY - 1))?;
    let (oldest, last) = check_page(&window)?;
    ensure!(last == MANY as u64 - 1);

    // Upwards by the wheel's steps. In every frame, what is in the middle of the view must have moved by what was
    // scrolled and by nothing else.
    let told = window.script_async(
        "const view = document.querySelector('#timeline');
         const frame = () => new Promise(done => requestAnimationFrame(done));
         const inTheMiddle = () => {
             const box = view.getBoundingClientRect();
             const middle = box.top + box.height / 2;
             return [...view.querySelectorAll('.message')].find(it => it.getBoundingClientRect().bottom > middle);
         };
         const gaps = [];
         let worst = 0;
         let before = performance.now();
         const begun = before;
         while (performance.now() - begun < 8000) {
             const anchor = inTheMiddle();
             const top = anchor.getBoundingClientRect().top;
             const step = Math.min(120, view.scrollTop);
             view.scrollTop -= step;
             const moved = anchor.getBoundingClientRect().top - top;
             await frame();
             await frame();
             if (anchor.isConnected) {
                 const jump = Math.abs(anchor.getBoundingClientRect().top - top - moved);
                 worst = Math.max(worst, jump);
             }
             const now = performance.now();
             gaps.push(now - before);
             before = now;
         }
         gaps.sort((a, b) => a - b);
         const at = (share) => gaps[Math.floor((gaps.length - 1) * share)];
         return { steps: gaps.length, median: at(0.5), most: at(0.95), longest: at(1), worst };",
    )?;
    let number = |name: &str| told[name].as_f64().unwrap_or(f64::INFINITY);
    ensure!(number("worst") <= 2.0, "the text jumped under the reader: {told}");
    ensure!(
        number("median") <= 100.0 && number("most") <= 400.0,
        "scrolling stutters: {told}"
    );
    let (first, _) = check_page(&window)?;
    ensure!(
        first < oldest,
        "scrolling up loaded nothing older: the first is {first}, {told}"
    );

    // And from far above back to the newest at once.
    window.click("#jump")?;
    window.wait_for("the newest message", SOON, || {
        Ok((check_page(&window)?.1 == MANY as u64 - 1).then_some(()))
    })?;
    window.wait_until_gone("#jump")
}

#[test]
fn what_one_reads_stays_where_it_is_when_something_arrives_and_is_counted() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::start()?;
    fill(
        &desktop.app_home(),
        BOB,
        UNTIL,
        many().take(300).collect::<Vec<_>>().into_iter(),
    )?;
    let window = alice(&desktop, &server)?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline .body", "299")?;
    window.script(
        "const view = document.querySelector('#timeline');
         view.scrollTop = view.scrollHeight - 2.5 * view.clientHeight;",
        Vec::new(),
    )?;
    window.wait_until_shown("#jump")?;
    let look = "const view = document.querySelector('#timeline');
         const box = view.getBoundingClientRect();
         const it = [...view.querySelectorAll('.message')].find(it => it.getBoundingClientRect().top > box.top);
         return { id: it.dataset.id, top: it.getBoundingClientRect().top };";
    let settled = window.wait_for("a view at rest", SOON, || {
        let (one, two) = (
            window.script(look, Vec::new())?,
            window.script_async("await new Promise(done => setTimeout(done, 150)); return null")?,
        );
        let _: Value = two;
        Ok((window.script(look, Vec::new())? == one).then_some(one))
    })?;
    for body in ["news", "more news"] {
        bob.send(ALICE, body)?;
    }
    window.wait_for("two are counted", LATER, || {
        Ok(window.text("#jump .count")?.contains('2').then_some(()))
    })?;
    let after = window.script(
        "const it = document.querySelector(`#timeline .message[data-id='${arguments[0]}']`);
         return { id: it.dataset.id, top: it.getBoundingClientRect().top };",
        vec![settled["id"].clone()],
    )?;
    let moved = after["top"].as_f64().unwrap_or(f64::MAX) - settled["top"].as_f64().unwrap_or(0.0);
    ensure!(
        moved.abs() <= 1.0,
        "the text moved by {moved} pixels: {settled} {after}"
    );
    window.click("#jump")?;
    window.wait_for_text("#timeline .body", "more news")?;
    window.wait_until_gone("#jump")
}
