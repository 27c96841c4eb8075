//! Whether the user can see the window, and whether they attend to it: from what the system tells of the
//! window to what the engines are told (client state, XEP-0352, and the check of the connection) and when
//! notifications are due.
//!
//! Minimised or closed means not visible. Focus that comes back is told as "visible" once more: the window may
//! have been visible all through a sleep that nobody noticed, and the engine asks the server if its last
//! proof of life is not fresh. That is cheap however often it is told: a fresh proof is not asked for again.

/// What happened to the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum WindowEvent {
    /// It got or lost the focus.
    Focused(bool),
    /// It was minimised or brought back.
    Minimised(bool),
    /// There is none, or there is one again.
    Closed(bool),
}

/// What is known of the window. One that has just been opened is there; whether it has the focus is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visibility {
    focused: bool,
    minimised: bool,
    closed: bool,
}

impl Visibility {
    /// Takes in what happened; gives what the engines are to be told, if anything.
    pub fn happened(&mut self, event: WindowEvent) -> Option<bool> {
        let (visible, focused) = (self.is_visible(), self.focused);
        match event {
            WindowEvent::Focused(now) => {
                self.focused = now;
                // Nothing that can't be seen has the focus; some systems tell of the focus alone.
                if now {
                    self.minimised = false;
                    self.closed = false;
                }
            }
            WindowEvent::Minimised(now) => self.minimised = now,
            WindowEvent::Closed(now) => self.closed = now,
        }
        if !self.is_visible() {
            self.focused = false;
        }
        let came_back = self.focused && !focused;
        (self.is_visible() != visible || came_back).then(|| self.is_visible())
    }

    /// Whether it can be seen.
    pub fn is_visible(self) -> bool {
        !self.minimised && !self.closed
    }

    /// Whether the user attends to it: what happens in it needs no notification.
    pub fn is_attended(self) -> bool {
        self.is_visible() && self.focused
    }
}

#[cfg(test)]
mod tests {
    use super::WindowEvent::*;
    use super::*;

    fn told(events: &[WindowEvent]) -> Vec<Option<bool>> {
        let mut window = Visibility::default();
        events.iter().map(|event| window.happened(*event)).collect()
    }

    #[test]
    fn a_minimised_window_is_not_visible_until_it_is_back() {
        assert_eq!(
            told(&[Focused(true), Focused(false), Minimised(true), Minimised(false)]),
            [Some(true), None, Some(false), Some(true)]
        );
    }

    #[test]
    fn what_is_told_twice_is_passed_on_once() {
        assert_eq!(
            told(&[
                Closed(true),
                Closed(true),
                Minimised(true),
                Minimised(false),
                Closed(false)
            ]),
            [Some(false), None, None, None, Some(true)]
        );
    }

    #[test]
    fn focus_that_comes_back_has_the_connection_checked() {
        assert_eq!(
            told(&[Focused(true), Focused(false), Focused(true), Focused(true)]),
            [Some(true), None, Some(true), None]
        );
    }

    #[test]
    fn a_window_with_the_focus_is_there_whatever_was_told_before() {
        let mut window = Visibility::default();
        window.happened(Minimised(true));
        assert!(!window.is_attended());
        assert_eq!(window.happened(Focused(true)), Some(true));
        assert!(window.is_attended());
    }

    #[test]
    fn only_a_window_that_is_seen_and_focused_is_attended_to() {
        let mut window = Visibility::default();
        assert!(window.is_visible() && !window.is_attended());
        window.happened(Focused(true));
        assert!(window.is_attended());
        window.happened(Minimised(true));
        assert!(!window.is_attended());
        window.happened(Minimised(false));
        assert!(window.is_visible() && !window.is_attended());
    }
}
