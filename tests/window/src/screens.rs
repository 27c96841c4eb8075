//! What a user of this app does, in the app's own terms: signs in, opens a conversation, sends, looks at a message.

use crate::Result;
use crate::wait::{LATER, SOON};
use crate::window::Window;
use fantoccini::key::Key;
use serde_json::json;

impl Window<'_> {
    /// Fills the sign-in form and sends it off.
    ///
    /// # Errors
    /// When there is no form.
    pub fn fill_sign_in(&self, address: &str, password: &str, endpoint: &str) -> Result<()> {
        self.fill("#address", address)?;
        self.fill("#password", password)?;
        if !self.shows("#endpoint")? {
            self.click("#advanced summary")?;
        }
        self.fill("#endpoint", endpoint)?;
        self.click("#sign-in-submit")
    }

    /// Signs in through the form.
    ///
    /// # Errors
    /// When the conversations don't open.
    pub fn sign_in(&self, address: &str, password: &str, endpoint: &str) -> Result<()> {
        self.fill_sign_in(address, password, endpoint)?;
        self.wait_for("the conversations open", LATER, || {
            Ok(self.shows("#session")?.then_some(()))
        })
    }

    /// Opens the conversation with somebody of the list.
    ///
    /// # Errors
    /// When they are not on it.
    pub fn open_conversation(&self, with: &str) -> Result<()> {
        self.leave_conversation()?;
        self.wait_for(&format!("{with} is in the list"), LATER, || {
            Ok(self
                .shows(&format!(".conversation[data-with='{with}']"))?
                .then_some(()))
        })?;
        self.click(&format!(".conversation[data-with='{with}']"))?;
        self.wait_until_open(with)?;
        self.wait_until_shown("#composer-text, #composer-blocked")
    }

    /// Back to the list, where only one of the two is shown.
    ///
    /// # Errors
    /// When the list does not come.
    pub fn leave_conversation(&self) -> Result<()> {
        if self.shows("#back")? {
            self.click("#back")?;
            self.wait_until_shown("#conversations")?;
        }
        Ok(())
    }

    /// Waits until the conversation with somebody is the open one.
    ///
    /// # Errors
    /// When it is not.
    pub fn wait_until_open(&self, with: &str) -> Result<()> {
        self.wait_for_script(
            &format!("the conversation with {with} is open"),
            &format!(
                "return document.querySelector(\".conversation[data-with='{with}']\")?.ariaSelected === 'true' || null"
            ),
        )
        .map(drop)
    }

    /// Types a message and sends it by Enter.
    ///
    /// # Errors
    /// When there is no composer.
    pub fn send(&self, text: &str) -> Result<()> {
        self.type_into("#composer-text", text)?;
        self.press(&[Key::Enter])
    }

    /// Waits until an own message with this text has come at least so far.
    ///
    /// # Errors
    /// When it has not: with what is on screen.
    pub fn wait_for_delivery(&self, text: &str, state: &str) -> Result<()> {
        const STEPS: [&str; 4] = ["queued", "sent", "delivered", "read"];
        let script = "return [...document.querySelectorAll('#timeline .message[data-own=\"true\"]')]
            .filter(it => it.querySelector('.body')?.textContent === arguments[0])
            .map(it => it.dataset.state)";
        let wanted = STEPS.iter().position(|step| *step == state);
        let what = format!("the own message {text:?} is {state}");
        self.wait_for(&what, LATER, || {
            let states = self.script(script, vec![text.into()])?;
            let reached = |now: &str| {
                if state == "queued" || state == "failed" {
                    now == state
                } else {
                    STEPS.iter().position(|step| *step == now) >= wanted
                }
            };
            let [now] = states.as_array().map(Vec::as_slice).unwrap_or_default() else {
                return Ok(None);
            };
            Ok(now.as_str().is_some_and(reached).then_some(()))
        })
    }

    /// Opens the menu of the open conversation and chooses.
    ///
    /// # Errors
    /// When it is not in the menu.
    pub fn choose_in_menu(&self, command: &str) -> Result<()> {
        self.click("#conversation-menu-button")?;
        self.click(&format!("#conversation-menu [data-command='{command}']"))
    }

    /// Opens the menu of the own message that stands last.
    ///
    /// # Errors
    /// When there is none.
    pub fn open_message_menu(&self) -> Result<()> {
        let last = "#timeline .message[data-own='true']:not(:has(~ .message[data-own='true']))";
        self.hover(&format!("{last} .body"))?;
        self.click(&format!("{last} .more"))?;
        self.wait_until_shown("#message-menu")
    }

    /// All words that are shown or read out: texts, labels, titles, placeholders.
    ///
    /// # Errors
    /// When the page is gone.
    pub fn words(&self) -> Result<Vec<String>> {
        let script = "
            const words = new Set();
            const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const text = walker.currentNode.textContent.trim();
                if (text && walker.currentNode.parentElement.checkVisibility()) words.add(text);
            }
            for (const it of document.querySelectorAll('*'))
                if (it.checkVisibility())
                    for (const name of ['aria-label', 'title', 'placeholder', 'aria-description'])
                        if (it.getAttribute(name)?.trim()) words.add(it.getAttribute(name).trim());
            return [...words];";
        Ok(serde_json::from_value(self.script(script, Vec::new())?)?)
    }

    /// Waits until nothing moves any more: transitions and animations are over.
    ///
    /// # Errors
    /// When something moves for ever.
    pub fn wait_until_still(&self) -> Result<()> {
        // What has just been opened begins to move in the next frame only.
        self.wait_for_frames()?;
        self.wait_for("nothing moves", SOON, || {
            let running = self.script(
                "return document.getAnimations().filter(it => it.playState === 'running'
                     && it.effect?.getComputedTiming().iterations !== Infinity).length",
                Vec::new(),
            )?;
            Ok((running == json!(0)).then_some(()))
        })?;
        self.wait_for_frames()
    }
}
