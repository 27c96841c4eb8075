//! From a key or a click to the frame that shows what came of it, measured in the page with its own clock.
//!
//! The document is looked at behind each painting, not in the frame's own callback: the page's callbacks come after
//! ours and may write what is painted then. WebKit's clock goes in steps of a millisecond.

use crate::figure::Figure;
use anyhow::{Context, Result};
use dormouse_window_tests::wait::{LATER, until};
use dormouse_window_tests::window::Window;
use serde_json::Value;

/// Where things are in a page.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// Where one types.
    pub box_: &'static str,
    /// What holds the messages.
    pub messages: &'static str,
}

/// What a person waits for.
#[derive(Debug, Clone, Default)]
pub struct Waits {
    /// In milliseconds.
    pub time: Figure,
    /// In frames; one is the next.
    pub frames: Figure,
}

/// Watches for an event, then counts frames until a text stands in an element.
const WATCH: &str = "
    const [event, key, css, text] = arguments;
    window.benchResult = null;
    const watch = happened => {
        if (key && happened.key !== key) return;
        removeEventListener(event, watch, true);
        const begun = performance.now();
        let frames = 0;
        const look = () => {
            frames += 1;
            const painted = new MessageChannel();
            painted.port1.onmessage = () => {
                if (document.querySelector(css)?.textContent.includes(text)) {
                    window.benchResult = [performance.now() - begun, frames];
                } else {
                    requestAnimationFrame(look);
                }
            };
            painted.port2.postMessage(null);
        };
        requestAnimationFrame(look);
    };
    addEventListener(event, watch, true);
";

/// Types a text and presses Enter; waits until it stands among the messages.
///
/// # Errors
/// When it does not.
pub fn send(window: &Window<'_>, places: Places, text: &str, waits: &mut Waits) -> Result<()> {
    window.type_into(places.box_, text)?;
    watch(window, "keydown", "Enter", places.messages, text)?;
    window.type_into(places.box_, "\u{E007}")?;
    result(window, waits).with_context(|| format!("{text:?} did not come on screen"))
}

/// Clicks something; waits until a text stands among the messages.
///
/// # Errors
/// When it does not.
pub fn switch(window: &Window<'_>, places: Places, click: &str, text: &str, waits: &mut Waits) -> Result<()> {
    watch(window, "click", "", places.messages, text)?;
    window.click(click)?;
    result(window, waits).with_context(|| format!("{click} did not show {text:?}"))
}

fn watch(window: &Window<'_>, event: &str, key: &str, css: &str, text: &str) -> Result<()> {
    window.script(WATCH, vec![event.into(), key.into(), css.into(), text.into()])?;
    Ok(())
}

fn result(window: &Window<'_>, waits: &mut Waits) -> Result<()> {
    let found = until(LATER, || {
        let value = window.script("return window.benchResult ?? null", Vec::new())?;
        Ok((!value.is_null()).then_some(value))
    })?;
    let number = |index: usize| found.get(index).and_then(Value::as_f64);
    waits.time.add(number(0).context("no time was measured")?);
    waits.frames.add(number(1).context("no frames were counted")?);
    Ok(())
}
