//! As many open files as the sessions need: each has a socket, a store and what its threads wait on.

use anyhow::Result;

/// What a session holds open, with some to spare: one was seen to hold nine and a half.
#[cfg(unix)]
const EACH: u64 = 12;
/// What the program needs besides.
#[cfg(unix)]
const BESIDES: u64 = 100;

/// Raises the limit as far as this user may, or says what to set.
#[cfg(unix)]
pub fn make_room(sessions: u32) -> Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = u64::from(sessions) * EACH + BESIDES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(most) = limit.maximum
        && most < needed
    {
        anyhow::bail!(
            "{sessions} sessions need about {needed} open files, and this user may open {most} (`ulimit -Hn`). Raise it in /etc/security/limits.conf or by LimitNOFILE=, or start fewer."
        );
    }
    let raised = Rlimit {
        current: Some(needed),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).map_err(|error| {
        anyhow::anyhow!("{sessions} sessions need about {needed} open files, and the limit can't be raised: {error}. Try `ulimit -n {needed}` first.")
    })
}

/// Elsewhere there is no such limit to raise.
#[cfg(not(unix))]
pub fn make_room(_sessions: u32) -> Result<()> {
    Ok(())
}
