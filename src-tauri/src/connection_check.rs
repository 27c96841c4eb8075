//! Checks of connections, as the window asks for them: one at a time for each account, told while it goes on, kept until the next
//! one or the end of the program.

use crate::protocol::Event;
use crate::running::Context;
use dormouse_diagnosis::check::report::{About, text};
use dormouse_diagnosis::check::{Check, Plan, Show};
use dormouse_engine::check::{App, Subject, run};
use dormouse_engine::model::{BareJid, Stamp};
use dormouse_engine::{Engine, now, system};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The last check of each account.
#[derive(Default)]
pub struct Checks {
    kept: Arc<Mutex<BTreeMap<BareJid, Kept>>>,
}

struct Kept {
    began: Stamp,
    check: Check,
    /// Dropped or told: the check ends.
    cancel: Option<oneshot::Sender<()>>,
}

fn lock(kept: &Mutex<BTreeMap<BareJid, Kept>>) -> MutexGuard<'_, BTreeMap<BareJid, Kept>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Checks {
    /// Begins one, unless one is under way.
    pub fn begin(
        &self,
        account: &BareJid,
        subject: Subject,
        engine: Arc<Engine>,
        plan: Plan,
        context: Context,
    ) {
        let (cancel, cancelled) = oneshot::channel();
        let began = now().stamp;
        {
            let mut kept = lock(&self.kept);
            if kept.get(account).is_some_and(|last| !last.check.is_over()) {
                return;
            }
            let first = Kept {
                began,
                check: Check::new(plan),
                cancel: Some(cancel),
            };
            kept.insert(account.clone(), first);
        }
        let kept = Arc::clone(&self.kept);
        let account = account.clone();
        tokio::spawn(async move {
            let told = |check: &Check| {
                {
                    let mut kept = lock(&kept);
                    // Signed out meanwhile.
                    let Some(last) = kept.get_mut(&account) else {
                        return;
                    };
                    last.check = check.clone();
                }
                context.outlet.tell(Event::Check {
                    account: account.to_string(),
                    check: context.words.check(check),
                });
            };
            let cancelled = async {
                let _ = cancelled.await;
            };
            run(subject, plan, App::Running(engine), cancelled, told).await;
        });
    }

    /// Ends the one that is under way.
    pub fn cancel(&self, account: &BareJid) {
        if let Some(last) = lock(&self.kept).get_mut(account) {
            last.cancel = None;
        }
    }

    /// The last one.
    pub fn last(&self, account: &BareJid) -> Option<Check> {
        lock(&self.kept).get(account).map(|last| last.check.clone())
    }

    /// The last one as a text that can be given away.
    pub fn report(&self, account: &BareJid, with_server: bool) -> Option<String> {
        let kept = lock(&self.kept);
        let last = kept.get(account)?;
        let about = About {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            system: system(),
            when: last.began,
        };
        let show = if with_server { Show::Server } else { Show::Nobody };
        Some(text(&last.check, &about, show))
    }

    /// The account is signed out: nothing is kept of it.
    pub fn forget(&self, account: &BareJid) {
        lock(&self.kept).remove(account);
    }

    /// The program ends.
    pub fn forget_all(&self) {
        lock(&self.kept).clear();
    }
}
