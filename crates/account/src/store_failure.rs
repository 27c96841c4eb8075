//! Living with a disk that refuses writes.
//!
//! Nothing becomes durable, so nothing is acknowledged; what arrives waits in memory. That must not
//! grow without end: after so many frames the connection is given up, and the server keeps the rest.

/// Frames taken from the server while nothing can be stored.
const FRAMES: u32 = 500;

/// Whether the disk refuses, and how much has been taken since.
#[derive(Debug, Default)]
pub(crate) struct StoreFailure {
    frames: Option<u32>,
}

impl StoreFailure {
    /// The disk refuses. True if that is news.
    pub fn began(&mut self) -> bool {
        let news = self.frames.is_none();
        self.frames.get_or_insert(0);
        news
    }

    /// The disk takes writes again. True if that is news.
    pub fn ended(&mut self) -> bool {
        self.frames.take().is_some()
    }

    pub fn is_on(&self) -> bool {
        self.frames.is_some()
    }

    /// A frame came. True when it is the first one too many.
    pub fn frame(&mut self) -> bool {
        match &mut self.frames {
            Some(frames) => {
                *frames += 1;
                if *frames > FRAMES {
                    *frames = 0;
                    return true;
                }
                false
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_goes_on_sending_is_given_up_while_nothing_can_be_stored() {
        let mut failure = StoreFailure::default();
        assert!(
            (0..10_000).all(|_| !failure.frame()),
            "a working disk takes everything"
        );
        assert!(failure.began());
        assert!(!failure.began(), "said once");
        for _ in 0..2 {
            assert!((0..FRAMES).all(|_| !failure.frame()));
            assert!(failure.frame(), "one too many, and so again");
        }
        assert!(failure.ended());
        assert!(!failure.ended());
    }
}
