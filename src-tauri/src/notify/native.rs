//! macOS and Windows: a notification is shown and waited for; taking it back or replacing it is not offered
//! there by the library, so a further message is a further notification.

use super::{Response, Shown};
use notify_rust::{Notification, NotificationResponse};

/// The action by which a conversation is taken for read.
const READ: &str = "mark-read";

pub(super) struct Standing;

impl Standing {
    pub(super) fn replace(&self, _shown: &Shown) -> bool {
        false
    }

    pub(super) fn withdraw(self) {}
}

pub(super) fn show(
    shown: &Shown,
    outcome: impl FnOnce(Option<Response>) + Send + 'static,
) -> Result<Standing, String> {
    let mut notification = Notification::new();
    notification
        .appname("Dormouse")
        .summary(&shown.title)
        .body(&shown.body);
    #[cfg(target_os = "windows")]
    notification.app_id("im.dormouse.Dormouse");
    if let Some(actions) = &shown.actions {
        notification.action(READ, &actions.read);
        #[cfg(target_os = "macos")]
        notification.reply(&actions.reply);
    }
    if shown.sound {
        notification.sound_name("Default");
    }
    std::thread::Builder::new()
        .name("dormouse-notification".into())
        .spawn(move || {
            let mut answer = None;
            match notification.show() {
                Ok(handle) => {
                    let waited = handle.wait_for_response(|response: &NotificationResponse| {
                        answer = match response {
                            NotificationResponse::Action(name) if name == READ => Some(Response::Read),
                            NotificationResponse::Default | NotificationResponse::Action(_) => {
                                Some(Response::Clicked)
                            }
                            NotificationResponse::Reply(text) => Some(Response::Replied(text.clone())),
                            _ => None,
                        };
                    });
                    drop(waited);
                }
                Err(error) => tracing::debug!(%error, "a notification could not be shown"),
            }
            outcome(answer);
        })
        .map_err(|error| error.to_string())?;
    Ok(Standing)
}
