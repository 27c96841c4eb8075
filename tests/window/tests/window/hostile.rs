//! Messages and names that want more than to be read.

use anyhow::{Context, ensure};
use dormouse_window_tests::Result;
use dormouse_window_tests::cache::{Said, fill};
use dormouse_window_tests::desktop::Desktop;
use dormouse_window_tests::people::{ALICE, BOB, PASSWORD, alice, friends, somebody};
use dormouse_window_tests::window::Window;

const UNTIL: i64 = 1_767_225_600_000;

/// Each would set `window.stolen`, open a dialog or leave the page if any of it were taken for more than text.
const MARKUP: [&str; 8] = [
    "<script>window.stolen = 1</script>",
    "<img src=x onerror=\"window.stolen = 1; alert(1)\">",
    "\"><svg onload=window.stolen=1><iframe srcdoc='<script>parent.stolen=1</script>'></iframe>",
    "javascript:window.stolen=1 JaVaScRiPt:alert(1) data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd file://localhost/etc/passwd vbscript:x tauri://localhost/ ipc://localhost/ about:blank",
    "https://example.org/\"onmouseover=\"window.stolen=1 https://example.org/<b>x</b>",
    "[click](javascript:window.stolen=1) <a href=\"javascript:window.stolen=1\">click</a>",
    "{{constructor.constructor('window.stolen=1')()}} ${window.stolen=1} &lt;b&gt;x&lt;/b&gt; %3Cscript%3E",
];

fn nothing_happened(window: &Window<'_>, home: &str) -> Result<()> {
    let told = window.script(
        "return {
             stolen: typeof window.stolen,
             elements: document.querySelectorAll('#timeline :is(script, img, iframe, object, embed, b, form)').length,
             handlers: [...document.querySelectorAll('#timeline *, #conversations *')]
                 .filter(it => [...it.attributes].some(at => at.name.startsWith('on') && at.name !== 'on')).length,
             schemes: [...document.querySelectorAll('#timeline a')].map(it => new URL(it.href, 'https://none.invalid').protocol)
                 .filter(it => !['https:', 'http:', 'mailto:', 'xmpp:'].includes(it)),
             home: location.href,
         }",
        Vec::new(),
    )?;
    ensure!(told["stolen"] == "undefined", "a script of a message ran");
    ensure!(
        told["elements"] == 0,
        "markup of a message became elements: {told}"
    );
    ensure!(
        told["handlers"] == 0,
        "markup of a message became handlers: {told}"
    );
    ensure!(
        told["schemes"].as_array().is_some_and(Vec::is_empty),
        "a link of another kind: {told}"
    );
    ensure!(told["home"] == home, "the page was left: {told}");
    Ok(())
}

fn home(window: &Window<'_>) -> Result<String> {
    let home = window.script("return location.href", Vec::new())?;
    Ok(home.as_str().unwrap_or_default().to_owned())
}

#[test]
fn markup_and_links_of_other_kinds_are_text() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    let home = home(&window)?;
    for body in MARKUP {
        bob.send(ALICE, body)?;
    }
    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline .body", "constructor.constructor")?;
    let shown = window.script(
        "return [...document.querySelectorAll('#timeline .message .body')].map(it => it.textContent)",
        Vec::new(),
    )?;
    ensure!(
        shown == serde_json::json!(MARKUP),
        "not as it was written: {shown}"
    );
    nothing_happened(&window, &home)?;
    // Everything that looks like it could be clicked is.
    let clicked = window.script(
        "const all = [...document.querySelectorAll('#timeline .body, #timeline .body *')];
         for (const it of all) for (const kind of ['mouseover', 'click', 'auxclick', 'dblclick'])
             it.dispatchEvent(new MouseEvent(kind, { bubbles: true, cancelable: true }));
         return all.length",
        Vec::new(),
    )?;
    ensure!(clicked.as_u64() >= Some(MARKUP.len() as u64));
    nothing_happened(&window, &home)?;
    window.wait_for_text("#timeline .body", "constructor.constructor")?;
    let opened = desktop.opened().all();
    ensure!(
        opened.iter().all(|url| url.starts_with("https://example.org/")),
        "opened outside: {opened:?}"
    );
    Ok(())
}

#[test]
fn the_page_can_neither_be_left_nor_fetch_nor_ask_the_shell_for_more_than_it_offers() -> Result<()> {
    let server = friends().start()?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    let home = home(&window)?;
    // As if an attacker's script ran: the walls behind the first one.
    let told = window.script_async(
        "const tried = {};
         tried.window = window.open('https://example.org/') === null;
         try { window.eval('window.stolen = 1'); tried.eval = false } catch { tried.eval = true }
         const script = document.createElement('script');
         script.textContent = 'window.stolen = 1';
         document.head.append(script);
         tried.inline = typeof window.stolen === 'undefined';
         tried.fetch = await fetch('https://example.org/').then(() => false, () => true);
         const picture = new Image();
         tried.picture = await new Promise(done => {
             picture.onload = () => done(false);
             picture.onerror = () => done(true);
             picture.src = 'https://example.org/x.png';
         });
         const ask = (command, given) => window.__TAURI_INTERNALS__.invoke(command, given).then(() => false, () => true);
         tried.file = await ask('open_link', { url: 'file:///etc/passwd' });
         tried.script = await ask('open_link', { url: 'javascript:alert(1)' });
         tried.option = await ask('open_link', { url: '--help' });
         tried.core = await ask('plugin:webview|create_webview_window', { options: { label: 'x', url: 'https://example.org' } });
         tried.shell = await ask('plugin:shell|execute', { program: 'sh', args: [] });
         const drop = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: new DataTransfer() });
         document.body.dispatchEvent(drop);
         tried.drop = drop.defaultPrevented;
         return tried;",
    )?;
    let open: Vec<&String> = told
        .as_object()
        .map(|tried| {
            tried
                .iter()
                .filter(|(_, held)| **held != true)
                .map(|(name, _)| name)
                .collect()
        })
        .unwrap_or_default();
    ensure!(open.is_empty(), "these walls did not hold: {open:?}");
    for target in [
        "https://example.org/",
        "file:///etc/passwd",
        "data:text/html,x",
        "javascript:window.stolen=1",
    ] {
        window.script("location.href = arguments[0]", vec![target.into()])?;
        window.wait_until_shown("#session")?;
        nothing_happened(&window, &home)?;
    }
    window.wait_until_live()?;
    ensure!(desktop.opened().all().is_empty(), "{:?}", desktop.opened().all());
    Ok(())
}

#[test]
fn direction_tricks_turn_nothing_but_themselves() -> Result<()> {
    let server = friends().start()?;
    let mut bob = somebody(&server, BOB)?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    bob.send(ALICE, "\u{202E}gnihtyreve nruT \u{2066}\u{2067} never closed")?;
    bob.send(ALICE, "https://example.org/\u{202E}cod.exe after it")?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline .body", "after it")?;
    let isolated = window.script(
        "return [...document.querySelectorAll('#timeline .body, .conversation .last, .conversation .name')]
             .every(it => {
                 for (let at = it; at && at !== document.body; at = at.parentElement)
                     if (/isolate|plaintext/.test(getComputedStyle(at).unicodeBidi)) return true;
                 return false;
             })",
        Vec::new(),
    )?;
    ensure!(isolated == true, "a text can turn what stands beside it");
    let link = window.script(
        "return document.querySelector('#timeline .body a')?.textContent ?? ''",
        Vec::new(),
    )?;
    ensure!(
        !link.as_str().unwrap_or_default().contains('\u{202E}'),
        "a link is shown turned: {link}"
    );
    Ok(())
}

#[test]
fn a_megabyte_and_ten_thousand_emoji_are_shown_without_freezing() -> Result<()> {
    let server = friends().start()?;
    let desktop = Desktop::start()?;
    let body = "All work and no play makes a dull dormouse. ".repeat(24_000);
    ensure!(body.len() > 1_000_000);
    let messages = vec![
        Said {
            by: BOB.to_owned(),
            body,
        },
        Said {
            by: BOB.to_owned(),
            body: "🐭👩‍👩‍👧‍👦🏳️‍🌈🇩🇪👍🏽".repeat(2_000),
        },
        Said {
            by: BOB.to_owned(),
            body: "W".repeat(5_000),
        },
        Said {
            by: BOB.to_owned(),
            body: "the last".to_owned(),
        },
    ];
    fill(&desktop.app_home(), BOB, UNTIL, messages.into_iter())?;
    let window = alice(&desktop, &server)?;
    window.open_conversation(BOB)?;
    window.wait_for_text("#timeline .body", "the last")?;
    let characters = window.script(
        "return Math.max(...[...document.querySelectorAll('#timeline .body')].map(it => it.textContent.length))",
        Vec::new(),
    )?;
    ensure!(
        characters.as_u64().is_some_and(|length| length < 200_000),
        "{characters} characters are on screen at once"
    );
    window.script(
        "document.querySelector('#timeline .show-all').scrollIntoView()",
        Vec::new(),
    )?;
    window.wait_for_frames()?;
    let told = window.script_async(
        "const gaps = [];
         let before = performance.now();
         document.querySelector('#timeline .show-all').click();
         for (const begun = before; before - begun < 5000;) {
             await new Promise(done => requestAnimationFrame(done));
             gaps.push(Math.round(performance.now() - before));
             before = performance.now();
         }
         return gaps;",
    )?;
    let gaps: Vec<u64> = serde_json::from_value(told)?;
    ensure!(
        gaps.iter().all(|gap| *gap < 2000),
        "frozen, by the milliseconds between frames: {gaps:?}"
    );
    let wide = window.script(
        "const it = document.querySelector('#timeline'); return it.scrollWidth - it.clientWidth",
        Vec::new(),
    )?;
    ensure!(
        wide.as_i64().is_some_and(|over| over <= 0),
        "the page grew wide: {wide}"
    );
    window.send("still here")?;
    window.wait_for_delivery("still here", "sent")
}

#[test]
fn a_stranger_who_looks_like_a_contact_is_marked_and_shown_with_their_address() -> Result<()> {
    let server = friends().start()?;
    // A Cyrillic o.
    let imitation = "b\u{43e}b@localhost";
    server.register("b\u{43e}b", PASSWORD)?;
    let mut stranger = somebody(&server, imitation)?;
    let desktop = Desktop::start()?;
    let window = alice(&desktop, &server)?;
    stranger.send(ALICE, "It's me, Bob. What was the password again?")?;
    let row = format!(".conversation[data-with='{imitation}']");
    window.wait_until_shown(&format!("{row} .stranger"))?;
    window.wait_until_shown(&format!("{row} .warning"))?;
    window.open_conversation(imitation)?;
    let warning = window.wait_for_text("#person-warning", "")?;
    ensure!(!warning.trim().is_empty(), "the warning has no words");
    window.wait_until_shown("#person-stranger")?;
    ensure!(!window.shows(&format!(".conversation[data-with='{BOB}'] .warning"))?);
    Ok(())
}

/// The address of a mapping as the kernel writes it.
fn address(text: &str) -> Result<u64> {
    Ok(u64::from_str_radix(text, 16)?)
}

#[test]
fn the_page_has_no_room_for_code_that_is_made_while_it_runs() -> Result<()> {
    let desktop = Desktop::builder().start()?;
    let server = friends().start()?;
    let window = alice(&desktop, &server)?;
    let memory = window.memory_of_the_page()?;
    ensure!(
        memory.contains("libjavascriptcore"),
        "this is not the page: {memory}"
    );
    // Drawing without a graphics card has ten MiB of its own; JavaScript's would be a thousand.
    let mut largest = 0;
    for line in memory.lines() {
        let mut words = line.split_whitespace();
        let (Some(range), Some(rights)) = (words.next(), words.next()) else {
            continue;
        };
        if rights.starts_with("rwx") {
            let (from, to) = range.split_once('-').context("a range")?;
            largest = largest.max(address(to)? - address(from)?);
        }
    }
    ensure!(largest < 64 << 20, "{largest} bytes may be both written and run");
    window.terminate()
}
