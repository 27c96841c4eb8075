//! Notifications of the desktop, by notify-rust: what [`crate::notifications`] orders, shown, replaced and
//! withdrawn.
//!
//! Every call may block for as long as the desktop takes, so all of it happens on threads of its own: one
//! that takes orders, and one per notification that waits for a click. Where there is no notification
//! server, that is said once in the log and nothing more is tried for a while.

#[cfg(all(unix, not(target_os = "macos")))]
mod freedesktop;
#[cfg(not(all(unix, not(target_os = "macos"))))]
mod native;

use crate::notifications::Subject;
#[cfg(all(unix, not(target_os = "macos")))]
use freedesktop as platform;
#[cfg(not(all(unix, not(target_os = "macos"))))]
use native as platform;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// How long a desktop that could not show a notification is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(60);

/// A notification, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What it is about.
    pub subject: Subject,
    /// Its title: plain text.
    pub title: String,
    /// Its body: plain text.
    pub body: String,
    /// What the click's action is called where a desktop shows it.
    pub open: String,
    /// What can be done besides, where a desktop offers it: nothing with a summary.
    pub actions: Option<Actions>,
    /// It makes a sound, where a desktop makes any.
    pub sound: bool,
}

/// What the actions of a conversation's notification are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actions {
    /// Takes all of it for read.
    pub read: String,
    /// Answers without the window.
    pub reply: String,
}

/// What the user did with a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// Clicked it.
    Clicked,
    /// Takes the conversation for read.
    Read,
    /// Answered.
    Replied(String),
}

/// What comes of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The user did something with it.
    Answered(Subject, Response),
    /// It is gone.
    Gone(Subject),
}

enum Order {
    Show(Shown),
    Withdraw(Subject),
    Gone(Subject, u64),
}

/// The desktop's notifications.
pub struct Desktop {
    orders: Sender<Order>,
}

impl Desktop {
    /// Starts the thread; `told` gets what comes of the notifications, on other threads.
    pub fn start(told: impl Fn(Outcome) + Send + Sync + 'static) -> std::io::Result<Self> {
        let (orders, inbox) = channel();
        let back = orders.clone();
        thread::Builder::new()
            .name("dormouse-notify".into())
            .spawn(move || serve(&inbox, &back, std::sync::Arc::new(told)))?;
        Ok(Self { orders })
    }

    /// Shows a notification, in place of an earlier one of the same conversation.
    pub fn show(&self, shown: Shown) {
        // Without its thread there is nobody to show it; that has been logged.
        let _ = self.orders.send(Order::Show(shown));
    }

    /// Takes it away.
    pub fn withdraw(&self, subject: Subject) {
        let _ = self.orders.send(Order::Withdraw(subject));
    }
}

type Told = std::sync::Arc<dyn Fn(Outcome) + Send + Sync>;

fn serve(inbox: &Receiver<Order>, back: &Sender<Order>, told: Told) {
    let mut standing: BTreeMap<Subject, (u64, platform::Standing)> = BTreeMap::new();
    let mut next = 0_u64;
    let mut refused: Option<Instant> = None;
    let mut said = false;
    while let Ok(order) = inbox.recv() {
        match order {
            Order::Show(shown) => {
                if refused.is_some_and(|at| at.elapsed() < LEFT_ALONE) {
                    told(Outcome::Gone(shown.subject));
                    continue;
                }
                if let Some((_, earlier)) = standing.get(&shown.subject)
                    && earlier.replace(&shown)
                {
                    continue;
                }
                next += 1;
                let number = next;
                let subject = shown.subject.clone();
                let outcome = {
                    let (told, back, subject) = (std::sync::Arc::clone(&told), back.clone(), subject.clone());
                    move |response: Option<Response>| {
                        if let Some(response) = response {
                            told(Outcome::Answered(subject.clone(), response));
                        }
                        let _ = back.send(Order::Gone(subject, number));
                    }
                };
                match platform::show(&shown, outcome) {
                    Ok(new) => {
                        refused = None;
                        standing.insert(subject, (number, new));
                    }
                    Err(why) => {
                        refused = Some(Instant::now());
                        if !std::mem::replace(&mut said, true) {
                            warn!(why, "notifications can't be shown on this desktop");
                        }
                        told(Outcome::Gone(subject));
                    }
                }
            }
            Order::Withdraw(subject) => {
                if let Some((_, gone)) = standing.remove(&subject) {
                    gone.withdraw();
                }
            }
            Order::Gone(subject, number) => {
                // One that has been replaced since is not the one that stands.
                if standing
                    .get(&subject)
                    .is_some_and(|(current, _)| *current == number)
                {
                    standing.remove(&subject);
                    told(Outcome::Gone(subject));
                }
            }
        }
    }
    info!("no more notifications are shown");
}

/// Text for a server that reads markup in bodies: nothing in it is markup.
#[cfg_attr(not(all(unix, not(target_os = "macos"))), allow(dead_code))]
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_message_is_shown_as_it_was_typed() {
        assert_eq!(
            escaped("<b>bold</b> & <img src=\"http://evil.example/x\">"),
            "&lt;b&gt;bold&lt;/b&gt; &amp; &lt;img src=\"http://evil.example/x\"&gt;"
        );
    }
}
