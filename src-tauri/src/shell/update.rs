//! What the user is told of a new version, and what they want with it.

use super::{Shell, lock};
use crate::outlet::Generation;
use crate::protocol::{Event, UpdateWish};
use crate::resident::Wanted;
use crate::updates::News;
use tracing::{info, warn};

impl Shell {
    /// The window says something of a new version; true if the program is to start anew, in it.
    pub fn update_news(&self, news: News) -> bool {
        match &news {
            News::Offered { version, .. } => info!(version, "there is a new version"),
            News::Installed => info!("the new version is in place"),
            News::Failed(why) => warn!(?why, "the new version was not installed"),
        }
        let anew = lock(&self.updates).heard(news);
        self.tell_update();
        anew
    }

    /// What the user wants with the new version there is.
    pub fn update(&self, wish: UpdateWish) -> Result<(), String> {
        match wish {
            UpdateWish::Install => {
                if !lock(&self.updates).install() {
                    return Err(self.context.words.plain("update-none"));
                }
                self.want(Wanted::Update);
            }
            UpdateWish::Later => lock(&self.updates).put_off(),
        }
        self.tell_update();
        Ok(())
    }

    /// The window that offered one has ended.
    pub(super) fn no_update(&self) {
        lock(&self.updates).gone();
    }

    /// Tells a window that has just opened, if there is anything to be told.
    pub(super) fn tell_known_update(&self, window: Generation) {
        if let Some(update) = lock(&self.updates).shown(&self.context.words) {
            let update = Some(update);
            self.context.outlet.tell_only(window, Event::Update { update });
        }
    }

    fn tell_update(&self) {
        let update = lock(&self.updates).shown(&self.context.words);
        self.context.outlet.tell(Event::Update { update });
    }
}
