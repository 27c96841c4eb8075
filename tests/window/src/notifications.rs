//! The desktop's notification service, as python-dbusmock imitates it: what was shown, replaced and withdrawn, and a
//! user who clicks.
//!
//! The mock numbers notifications from 1 in the order in which they are new, and keeps every call; what is on
//! screen is worked out from those calls.

use crate::Result;
use crate::wait::{SOON, until};
use anyhow::{Context, bail};
use dormouse_servers::Foreground;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::runtime::Runtime;
use zbus::{Connection, OwnedVariant};

const NAME: &str = "org.freedesktop.Notifications";
const OBJECT: &str = "/org/freedesktop/Notifications";
const MOCK: &str = "org.freedesktop.DBus.Mock";
/// Why a notification was closed: the user did it.
const DISMISSED: u32 = 2;

/// A notification, as the service was told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The service's number for it.
    pub id: u32,
    /// Its title.
    pub title: String,
    /// Its text, as markup where the service understands markup.
    pub body: String,
    /// Keys and labels of what can be clicked.
    pub actions: Vec<String>,
}

/// The service, on the desktop's bus.
#[derive(Debug)]
pub struct Notifications {
    _service: Foreground,
    connection: Connection,
    // After the connection, whose tasks it runs.
    runtime: Runtime,
}

/// What came of the calls so far.
#[derive(Debug, Default)]
struct Story {
    shown: BTreeMap<u32, Notification>,
    all: Vec<Notification>,
    next: u32,
}

impl Notifications {
    pub(crate) fn start(bus: &str, folder: &Path) -> Result<Self> {
        let mut command = Command::new("/usr/bin/python3");
        command
            .args(["-m", "dbusmock", "--session", "--template", "notification_daemon"])
            .args([
                "--parameters",
                r#"{"capabilities": "actions body body-markup inline-reply sound"}"#,
            ])
            .env("DBUS_SESSION_BUS_ADDRESS", bus);
        let log = folder.join("notifications.log");
        let name = "dbusmock (package python3-dbusmock)";
        let mut service = Foreground::spawn(name, command, &log, Stdio::null())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let connection = runtime.block_on(async { zbus::connection::Builder::address(bus).build().await })?;
        let answers = || {
            let call = connection.call_method(Some(NAME), OBJECT, Some(NAME), "GetServerInformation", &());
            runtime.block_on(call).is_ok()
        };
        service
            .wait_until(Duration::from_secs(20), answers)
            .map_err(|error| error.with_log(&log))?;
        Ok(Self {
            _service: service,
            connection,
            runtime,
        })
    }

    /// What is on screen now, oldest first.
    ///
    /// # Errors
    /// When the service does not answer.
    pub fn shown(&self) -> Result<Vec<Notification>> {
        Ok(self.story()?.shown.into_values().collect())
    }

    /// Everything that was ever shown, replacements included, in order.
    ///
    /// # Errors
    /// When the service does not answer.
    pub fn all(&self) -> Result<Vec<Notification>> {
        Ok(self.story()?.all)
    }

    /// Waits until what is on screen is right, and returns it.
    ///
    /// # Errors
    /// When it is not in time: with what was there.
    pub fn wait_until(
        &self,
        what: &str,
        mut right: impl FnMut(&[Notification]) -> bool,
    ) -> Result<Vec<Notification>> {
        until(SOON, || {
            let shown = self.shown()?;
            Ok(right(&shown).then_some(shown))
        })
        .with_context(|| {
            format!(
                "{what}; on screen were {:?}, ever {:?}",
                self.shown().ok(),
                self.all().ok()
            )
        })
    }

    /// The user clicks on it.
    ///
    /// # Errors
    /// When it can't be clicked.
    pub fn click(&self, notification: &Notification) -> Result<()> {
        self.choose(notification, "default")
    }

    /// The user chooses one of its actions.
    ///
    /// # Errors
    /// When it has no such action.
    pub fn choose(&self, notification: &Notification, action: &str) -> Result<()> {
        if !notification.actions.iter().any(|each| each == action) {
            bail!("This notification has no action {action}: {notification:?}");
        }
        let details: Vec<zbus::Variant<'_>> = vec![notification.id.into(), action.into()];
        let arguments = (NAME, "ActionInvoked", "us", details);
        self.call("EmitSignal", &arguments).map(drop)
    }

    /// The user types into its field; the service takes it away then, as Plasma's does.
    ///
    /// # Errors
    /// When it has no such field.
    pub fn reply(&self, notification: &Notification, text: &str) -> Result<()> {
        self.replied(notification, text)?;
        self.dismissed(notification)
    }

    /// As [`reply`](Self::reply), but that it is gone is told before what was typed.
    ///
    /// # Errors
    /// When it has no such field.
    pub fn reply_after_its_end(&self, notification: &Notification, text: &str) -> Result<()> {
        self.dismissed(notification)?;
        self.replied(notification, text)
    }

    fn replied(&self, notification: &Notification, text: &str) -> Result<()> {
        if !notification.actions.iter().any(|each| each == "inline-reply") {
            bail!("This notification can't be answered: {notification:?}");
        }
        let details: Vec<zbus::Variant<'_>> = vec![notification.id.into(), text.into()];
        self.call("EmitSignal", &(NAME, "NotificationReplied", "us", details))
            .map(drop)
    }

    fn dismissed(&self, notification: &Notification) -> Result<()> {
        let details: Vec<zbus::Variant<'_>> = vec![notification.id.into(), DISMISSED.into()];
        self.call("EmitSignal", &(NAME, "NotificationClosed", "uu", details))
            .map(drop)
    }

    fn story(&self) -> Result<Story> {
        let answer = self.call("GetCalls", &())?;
        let body = answer.body();
        let calls: Vec<(u64, String, Vec<OwnedVariant>)> = body.deserialize()?;
        let mut story = Story {
            next: 1,
            ..Story::default()
        };
        for (_, name, arguments) in calls {
            match name.as_str() {
                "Notify" => story.notify(&arguments)?,
                "CloseNotification" => {
                    let id = arguments.first().context("CloseNotification without a number")?;
                    story.shown.remove(&number(id)?);
                }
                _ => {}
            }
        }
        Ok(story)
    }

    fn call<B>(&self, method: &str, arguments: &B) -> Result<zbus::Message>
    where
        B: zbus::export::serde::ser::Serialize + zbus::zvariant::DynamicType,
    {
        let call = self
            .connection
            .call_method(Some(NAME), OBJECT, Some(MOCK), method, arguments);
        Ok(self.runtime.block_on(call)?)
    }
}

impl Story {
    /// `Notify(app_name, replaces_id, icon, summary, body, actions, hints, timeout)`.
    fn notify(&mut self, arguments: &[OwnedVariant]) -> Result<()> {
        let [_, replaces, _, title, body, actions, ..] = arguments else {
            bail!("Notify with {} arguments", arguments.len());
        };
        let id = match number(replaces)? {
            0 => {
                self.next += 1;
                self.next - 1
            }
            id => id,
        };
        let notification = Notification {
            id,
            title: title.try_clone()?.try_into()?,
            body: body.try_clone()?.try_into()?,
            actions: actions.try_clone()?.try_into()?,
        };
        self.all.push(notification.clone());
        self.shown.insert(id, notification);
        Ok(())
    }
}

/// The mock declares some numbers as signed that the specification has as unsigned.
fn number(value: &OwnedVariant) -> Result<u32> {
    if let Ok(number) = u32::try_from(value) {
        return Ok(number);
    }
    Ok(u32::try_from(i32::try_from(value)?)?)
}
