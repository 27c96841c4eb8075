//! The desktop's tray: a watcher on the session bus as panels have one, what items say to it, and a user who clicks them.

use crate::Result;
use crate::wait::{SOON, until};
use anyhow::Context;
use dormouse_servers::Foreground;
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::runtime::Runtime;
use zbus::{Connection, OwnedVariant, Variant};

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// The tray; gone when dropped.
#[derive(Debug)]
pub struct Tray {
    _service: Foreground,
    connection: Connection,
    // After the connection, whose tasks it runs.
    runtime: Runtime,
}

/// An entry of a menu: its number, what it says, whether it can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: i32,
    /// What it says.
    pub label: String,
    /// It can be chosen.
    pub enabled: bool,
}

impl Tray {
    pub(crate) fn start(bus: &str, folder: &Path) -> Result<Self> {
        let mut command = Command::new("/usr/bin/python3");
        command
            .args(["-c", include_str!("tray.py")])
            .env("DBUS_SESSION_BUS_ADDRESS", bus);
        let log = folder.join("tray.log");
        let name = "the tray (packages python3-dbus, python3-gi)";
        let mut service = Foreground::spawn(name, command, &log, Stdio::null())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let connection = runtime.block_on(async { zbus::connection::Builder::address(bus).build().await })?;
        let answers = || {
            let arguments = (WATCHER, "ProtocolVersion");
            let call = connection.call_method(
                Some(WATCHER),
                "/StatusNotifierWatcher",
                Some(PROPERTIES),
                "Get",
                &arguments,
            );
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

    /// Who has put an item into it.
    ///
    /// # Errors
    /// When the watcher does not answer.
    pub fn items(&self) -> Result<Vec<String>> {
        self.property(
            WATCHER,
            "/StatusNotifierWatcher",
            WATCHER,
            "RegisteredStatusNotifierItems",
        )
    }

    /// The one item that is expected, once it is there.
    fn item(&self) -> Result<String> {
        until(SOON, || Ok(self.items()?.pop())).context("nothing is in the tray")
    }

    /// What the item calls itself.
    ///
    /// # Errors
    /// When there is none.
    pub fn title(&self) -> Result<String> {
        self.property(&self.item()?, "/StatusNotifierItem", ITEM, "Title")
    }

    /// Waits until the item calls itself so.
    ///
    /// # Errors
    /// When it does not.
    pub fn wait_for_title(&self, title: &str) -> Result<()> {
        until(SOON, || Ok((self.title()? == title).then_some(())))
            .with_context(|| format!("the tray says {:?}, not {title:?}", self.title()))
    }

    /// What the item's menu has in it, without the lines between.
    ///
    /// # Errors
    /// When there is no item.
    pub fn menu(&self) -> Result<Vec<Entry>> {
        type Properties = HashMap<String, OwnedVariant>;
        let arguments = (0_i32, -1_i32, Vec::<&str>::new());
        let answer = self.call(&self.item()?, "/MenuBar", MENU, "GetLayout", &arguments)?;
        let body = answer.body();
        let (_, (_, _, children)): (u32, (i32, Properties, Vec<OwnedVariant>)) = body.deserialize()?;
        let mut entries = Vec::new();
        for child in children {
            let (id, mut properties, _): (i32, Properties, Vec<OwnedVariant>) =
                zbus::Structure::try_from(child)?.try_into()?;
            let Some(label) = properties.remove("label") else {
                continue;
            };
            let enabled = properties
                .remove("enabled")
                .is_none_or(|it| it != OwnedVariant::from(false));
            entries.push(Entry {
                id,
                label: label.try_into()?,
                enabled,
            });
        }
        Ok(entries)
    }

    /// Waits until an entry of the menu says this.
    ///
    /// # Errors
    /// When none does.
    pub fn wait_for_entry(&self, label: &str) -> Result<Entry> {
        until(SOON, || {
            Ok(self.menu()?.into_iter().find(|entry| entry.label == label))
        })
        .with_context(|| format!("no entry says {label:?}: {:?}", self.menu()))
    }

    /// The user chooses this entry of the menu.
    ///
    /// # Errors
    /// When it is not there.
    pub fn choose(&self, label: &str) -> Result<()> {
        let entry = self.wait_for_entry(label)?;
        let arguments = (entry.id, "clicked", Variant::from(0_i32), 0_u32);
        self.call(&self.item()?, "/MenuBar", MENU, "Event", &arguments)
            .map(drop)
    }

    /// The user clicks on the icon.
    ///
    /// # Errors
    /// When it is not there.
    pub fn click(&self) -> Result<()> {
        self.call(
            &self.item()?,
            "/StatusNotifierItem",
            ITEM,
            "Activate",
            &(0_i32, 0_i32),
        )
        .map(drop)
    }

    fn property<T>(&self, service: &str, object: &str, interface: &str, name: &str) -> Result<T>
    where
        T: TryFrom<OwnedVariant>,
        T::Error: std::error::Error + Send + Sync + 'static,
    {
        let answer = self.call(service, object, PROPERTIES, "Get", &(interface, name))?;
        let value: OwnedVariant = answer.body().deserialize()?;
        Ok(value.try_into()?)
    }

    fn call<B>(
        &self,
        service: &str,
        object: &str,
        interface: &str,
        method: &str,
        arguments: &B,
    ) -> Result<zbus::Message>
    where
        B: zbus::export::serde::ser::Serialize + zbus::zvariant::DynamicType,
    {
        let call = self
            .connection
            .call_method(Some(service), object, Some(interface), method, arguments);
        Ok(self.runtime.block_on(call)?)
    }
}
