//! The tray of Linux and the BSDs: a StatusNotifierItem on the session bus, with its menu by `com.canonical.dbusmenu`.
//!
//! Spoken over D-Bus directly, not through GTK: the program that stays has none. Whether there is a tray, only the bus
//! knows: who calls itself `org.kde.StatusNotifierWatcher`, and whether a host is registered there. It may come and go at any
//! time, with the desktop's shell.

use super::Look;
use ksni::blocking::{Handle, TrayMethods};
use ksni::menu::StandardItem;
use ksni::{Category, Error, Icon, MenuItem, OfflineReason, ToolTip};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::watch;
use tracing::{debug, info};

/// The icon, for a panel of about this many pixels: [width, and its pixels as ARGB](Icon).
const ICONS: [(u16, &[u8]); 2] = [
    (32, include_bytes!(concat!(env!("OUT_DIR"), "/icon-32.argb"))),
    (128, include_bytes!(concat!(env!("OUT_DIR"), "/icon-128.argb"))),
];
/// What is over within this time is not shown at all.
const CALM: Duration = Duration::from_millis(300);

/// What the user does with the tray.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// Open the window.
    Open,
    /// End the program.
    Quit,
}

type Choose = Arc<dyn Fn(Chosen) + Send + Sync>;

/// Shows the tray, on a thread of its own, as `looks` says, for as long as that says anything. What comes back tells
/// whether there is a tray; the first it tells is known when this returns.
///
/// # Errors
/// When the system refuses a thread.
pub fn start(
    mut looks: watch::Receiver<Look>,
    chosen: impl Fn(Chosen) + Send + Sync + 'static,
) -> io::Result<watch::Receiver<bool>> {
    let (there, seen) = watch::channel(false);
    let (ready, wait) = std::sync::mpsc::channel::<()>();
    let item = Item {
        look: looks.borrow_and_update().clone(),
        choose: Arc::new(chosen),
        there,
    };
    thread::Builder::new()
        .name("dormouse-tray".into())
        .spawn(move || {
            let handle = item.show();
            drop(ready);
            if let Some(handle) = handle {
                follow(&handle, looks);
            }
        })?;
    // Its end is the answer.
    let _ = wait.recv();
    Ok(seen)
}

/// Shows what is to be shown until nobody says anything more.
fn follow(handle: &Handle<Item>, mut looks: watch::Receiver<Look>) {
    while zbus::block_on(looks.changed()).is_ok() {
        thread::sleep(CALM);
        let look = looks.borrow_and_update().clone();
        if handle.update(|item| item.look = look).is_none() {
            debug!("the tray is gone for good");
            return;
        }
    }
    handle.shutdown().wait();
}

#[derive(Clone)]
struct Item {
    look: Look,
    choose: Choose,
    there: watch::Sender<bool>,
}

impl Item {
    /// In the tray there is, or in the one that may come.
    fn show(self) -> Option<Handle<Self>> {
        match self.clone().spawn() {
            Ok(handle) => {
                self.there.send_replace(true);
                Some(handle)
            }
            Err(why @ Error::Dbus(_)) => {
                info!(%why, "there is no tray: there is no session bus");
                None
            }
            Err(why) => {
                debug!(%why, "there is no tray yet");
                let waiting = self.assume_sni_available(true).spawn();
                waiting.inspect_err(|why| info!(%why, "there is no tray")).ok()
            }
        }
    }
}

impl ksni::Tray for Item {
    fn id(&self) -> String {
        "im.dormouse.Dormouse".into()
    }

    fn category(&self) -> Category {
        Category::Communications
    }

    fn title(&self) -> String {
        self.look.title.clone()
    }

    fn icon_pixmap(&self) -> Vec<Icon> {
        ICONS
            .iter()
            .map(|(width, pixels)| Icon {
                width: (*width).into(),
                height: (*width).into(),
                data: if self.look.dot {
                    dotted(*width, pixels)
                } else {
                    pixels.to_vec()
                },
            })
            .collect()
    }

    fn tool_tip(&self) -> ToolTip {
        ToolTip {
            title: self.look.title.clone(),
            // Hosts read markup in it.
            description: crate::notify::escaped(&self.look.lines.join("\n")),
            ..ToolTip::default()
        }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        (self.choose)(Chosen::Open);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        let entry = |label: &str, chosen: Option<Chosen>| -> MenuItem<Self> {
            StandardItem {
                // An underscore would mark an access key.
                label: label.replace('_', "__"),
                enabled: chosen.is_some(),
                activate: Box::new(move |item: &mut Self| {
                    if let Some(chosen) = chosen {
                        (item.choose)(chosen);
                    }
                }),
                ..StandardItem::default()
            }
            .into()
        };
        let mut menu = vec![entry(&self.look.open, Some(Chosen::Open)), MenuItem::Separator];
        menu.extend(self.look.lines.iter().map(|line| entry(line, None)));
        menu.extend([MenuItem::Separator, entry(&self.look.quit, Some(Chosen::Quit))]);
        menu
    }

    fn watcher_online(&self) {
        self.there.send_replace(true);
    }

    fn watcher_offline(&self, reason: OfflineReason) -> bool {
        debug!(?reason, "the tray has gone");
        self.there.send_replace(false);
        true
    }
}

/// The icon with a dot in its lower right corner, on a ring that sets it off from what is behind it.
fn dotted(width: u16, pixels: &[u8]) -> Vec<u8> {
    const DOT: [u8; 4] = [0xff, 0xe0, 0x4f, 0x3a];
    const RING: [u8; 4] = [0xff, 0xff, 0xff, 0xff];
    let side = f32::from(width);
    let (radius, ring) = (side * 0.2, side * 0.26);
    let centre = side - ring;
    let mut out = pixels.to_vec();
    for (index, pixel) in out.chunks_exact_mut(4).enumerate() {
        let at = |n: usize| u16::try_from(n).map_or(0.0, |n| f32::from(n) + 0.5) - centre;
        let distance = at(index % usize::from(width)).hypot(at(index / usize::from(width)));
        if distance < ring {
            pixel.copy_from_slice(if distance < radius { &DOT } else { &RING });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_has_as_many_pixels_as_it_says_and_is_not_empty() {
        for (width, pixels) in ICONS {
            assert_eq!(pixels.len(), usize::from(width) * usize::from(width) * 4);
            let opaque = pixels.chunks_exact(4).filter(|pixel| pixel[0] == 0xff).count();
            assert!(opaque > pixels.len() / 16, "{opaque} of {width}²");
        }
    }

    #[test]
    fn a_dot_covers_a_corner_and_leaves_the_rest_as_it_is() {
        for (width, pixels) in ICONS {
            let dotted = dotted(width, pixels);
            let above = pixels.len() * 2 / 5;
            assert!(dotted[..above] == pixels[..above], "the upper part is another");
            assert!(dotted != pixels && dotted.len() == pixels.len());
        }
    }
}
