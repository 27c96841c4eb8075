//! Waiting for a condition until a deadline; never for a time alone.

use crate::Result;
use anyhow::bail;
use std::time::{Duration, Instant};

/// For what needs no network: a click, a paint, an answer of the shell; on a busy machine.
pub const SOON: Duration = Duration::from_secs(15);
/// For what needs the server, or a start of the app.
pub const LATER: Duration = Duration::from_secs(40);

const ASK_AGAIN: Duration = Duration::from_millis(40);

/// Asks again and again until there is an answer.
///
/// # Errors
/// When the time is over, or `ask` fails.
pub fn until<T>(within: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if start.elapsed() > within {
            bail!("waited {:.0} s in vain", within.as_secs_f64());
        }
        std::thread::sleep(ASK_AGAIN);
    }
}
