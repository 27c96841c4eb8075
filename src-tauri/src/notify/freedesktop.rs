//! Linux and the BSDs: the notification server of the session bus.
//!
//! Where it offers a field for an answer (`inline-reply` among its capabilities: Plasma, and others after it) it tells what was
//! typed there with a signal of its own, which notify-rust does not listen for: [`Replies`] does.

use super::{Actions, Response, Shown};
use futures_util::StreamExt;
use notify_rust::{Hint, Notification, NotificationHandle, NotificationResponse};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zbus::{Connection, MatchRule, MessageStream, message};

/// The action by which a conversation is taken for read.
const READ: &str = "mark-read";
/// The action that is a field for an answer: its name says so to the server.
const REPLY: &str = "inline-reply";
/// Who shows notifications, and the interface by which.
const SERVER: &str = "org.freedesktop.Notifications";
/// A notification that was answered is closed by the server. That comes on another connection than the answer, and may come before it.
const LATE_ANSWER: Duration = Duration::from_millis(500);

enum Wish {
    Replace(Shown),
    Withdraw,
}

/// A notification that stands. Its own connection to the bus lives as long as it does: some desktops
/// take a notification away when its sender leaves.
pub(super) struct Standing {
    wishes: UnboundedSender<Wish>,
}

impl Standing {
    /// Whether it could be replaced; false if it has gone meanwhile.
    pub(super) fn replace(&self, shown: &Shown) -> bool {
        self.wishes.send(Wish::Replace(shown.clone())).is_ok()
    }

    pub(super) fn withdraw(self) {
        let _ = self.wishes.send(Wish::Withdraw);
    }
}

pub(super) fn show(
    shown: &Shown,
    outcome: impl FnOnce(Option<Response>) + Send + 'static,
) -> Result<Standing, String> {
    let capabilities = notify_rust::get_capabilities().map_err(|error| error.to_string())?;
    let can = |what: &str| capabilities.iter().any(|capability| capability == what);
    let markup = can("body-markup");
    let mut notification = Notification::new();
    filled(&mut notification, shown, markup)
        // The click on the notification itself.
        .action("default", &shown.open);
    let mut replies = None;
    if let Some(Actions { read, reply }) = shown.actions.as_ref().filter(|_| can("actions")) {
        if can(REPLY) {
            // Before there is anything that could be answered.
            match Replies::listen() {
                Ok(listening) => {
                    notification.action(REPLY, reply);
                    replies = Some(listening);
                }
                Err(error) => tracing::debug!(%error, "answers to a notification can't be heard"),
            }
        }
        notification.action(READ, read);
    }
    let handle = notification.show().map_err(|error| error.to_string())?;
    let (wishes, inbox) = unbounded_channel();
    std::thread::Builder::new()
        .name("dormouse-notification".into())
        .spawn(move || outcome(attend(handle, inbox, replies, markup)))
        .map_err(|error| error.to_string())?;
    Ok(Standing { wishes })
}

fn filled<'a>(notification: &'a mut Notification, shown: &Shown, markup: bool) -> &'a mut Notification {
    let body = if markup {
        super::escaped(&shown.body)
    } else {
        shown.body.clone()
    };
    notification
        .appname("Dormouse")
        .icon("im.dormouse.Dormouse")
        .summary(&shown.title)
        .body(&body)
        .hint(Hint::Category("im.received".into()))
        .hint(Hint::DesktopEntry("im.dormouse.Dormouse".into()))
        .hint(if shown.sound {
            Hint::SoundName("message-new-instant".into())
        } else {
            Hint::SuppressSound(true)
        })
}

/// What users type into notifications.
struct Replies(MessageStream);

impl Replies {
    /// All that are told from now on.
    fn listen() -> zbus::Result<Self> {
        let rule = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .sender(SERVER)
            .interface(SERVER)
            .member("NotificationReplied")
            .build()?;
        zbus::block_on(async {
            let connection = Connection::session().await?;
            MessageStream::for_match_rule(rule, &connection, None).await
        })
        .map(Self)
    }

    /// What is typed into this notification.
    async fn to(&mut self, id: u32) -> String {
        while let Some(Ok(message)) = self.0.next().await {
            if let Ok((to, text)) = message.body().deserialize::<(u32, String)>()
                && to == id
            {
                return text;
            }
        }
        // The bus is gone; what else listens there ends this.
        std::future::pending().await
    }
}

/// What is typed into it; nothing ever, where nothing can be.
async fn reply(replies: &mut Option<Replies>, id: u32) -> String {
    match replies {
        Some(replies) => replies.to(id).await,
        None => std::future::pending().await,
    }
}

enum News {
    Wish(Option<Wish>),
    Replied(String),
    Responded(Option<NotificationResponse>),
}

/// Waits for a click, an answer or the end, and does meanwhile what is wished.
fn attend(
    mut handle: NotificationHandle,
    mut wishes: UnboundedReceiver<Wish>,
    mut replies: Option<Replies>,
    markup: bool,
) -> Option<Response> {
    loop {
        let mut response = None;
        let id = handle.id();
        let news = zbus::block_on(async {
            tokio::select! {
                () = handle.wait_for_action_async(|told| response = Some(told.clone())) => None,
                text = reply(&mut replies, id) => Some(News::Replied(text)),
                wish = wishes.recv() => Some(News::Wish(wish)),
            }
        });
        match news.unwrap_or(News::Responded(response)) {
            News::Wish(Some(Wish::Replace(shown))) => {
                filled(&mut handle, &shown, markup);
                if let Err(error) = handle.update() {
                    tracing::debug!(%error, "a notification could not be replaced");
                }
            }
            News::Wish(Some(Wish::Withdraw) | None) => {
                handle.close();
                return None;
            }
            News::Replied(text) => {
                handle.close();
                return Some(Response::Replied(text));
            }
            News::Responded(Some(NotificationResponse::Action(name))) if name == READ => {
                handle.close();
                return Some(Response::Read);
            }
            // Beside the answer itself, some servers tell that its field was used.
            News::Responded(Some(NotificationResponse::Action(name))) if name == REPLY => {}
            News::Responded(Some(NotificationResponse::Default | NotificationResponse::Action(_))) => {
                // Not every desktop takes away what has been clicked.
                handle.close();
                return Some(Response::Clicked);
            }
            News::Responded(_) => {
                replies.as_ref()?;
                let late = async { tokio::time::timeout(LATE_ANSWER, reply(&mut replies, id)).await };
                return zbus::block_on(late).ok().map(Response::Replied);
            }
        }
    }
}
