//! What Windows tells only to windows: that the time has changed (`WM_TIMECHANGE`), and that the session was locked or unlocked
//! (`WM_WTSSESSION_CHANGE`).
//!
//! One window for the life of the process, on a thread of its own, never shown. It is a top-level window: one that is only for messages
//! is left out when the system speaks to all, and `WM_TIMECHANGE` is spoken to all.

use std::io;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use tokio::sync::mpsc::UnboundedReceiver;
use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::System::RemoteDesktop::{NOTIFY_FOR_THIS_SESSION, WTSRegisterSessionNotification};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DispatchMessageW, GetMessageW, MSG, RegisterClassW, WM_TIMECHANGE,
    WM_WTSSESSION_CHANGE, WNDCLASSW, WTS_SESSION_LOCK, WTS_SESSION_UNLOCK,
};
use windows_sys::w;

use crate::event::Screen;
use crate::listeners::Listeners;

/// What the window was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    TimeChanged,
    Screen(Screen),
}

static LISTENERS: Listeners<Word> = Listeners::new();

/// Hears every word from now on.
///
/// # Errors
///
/// If there can be no window (a service without a desktop) or its session says nothing, which is tried once in the life of the
/// process.
pub(super) fn listen() -> io::Result<UnboundedReceiver<Word>> {
    static WINDOW: OnceLock<Option<i32>> = OnceLock::new();
    let heard = LISTENERS.listen();
    match *WINDOW.get_or_init(|| open().err().map(|error| error.raw_os_error().unwrap_or_default())) {
        None => Ok(heard),
        Some(error) => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Starts the thread and waits until its window is there.
fn open() -> io::Result<()> {
    let (opened, outcome) = channel();
    thread::Builder::new()
        .name("wake-window".into())
        .spawn(move || attend(&opened))?;
    outcome.recv().map_err(io::Error::other)?
}

#[allow(unsafe_code)]
fn attend(opened: &Sender<io::Result<()>>) {
    let outcome = window();
    let works = outcome.is_ok();
    let unheard = opened.send(outcome.map(drop)).is_err();
    if !works || unheard {
        return;
    }
    let mut message = MSG::default();
    // SAFETY: `message` is valid and outlives each call; messages go to the window procedure below.
    unsafe {
        while GetMessageW(&raw mut message, null_mut(), 0, 0) > 0 {
            DispatchMessageW(&raw const message);
        }
    }
}

#[allow(unsafe_code)]
fn window() -> io::Result<HWND> {
    let name = w!("dormouse-wake");
    // SAFETY: the names are static and end with a zero; the class names a procedure of this program; all other pointers may be null.
    unsafe {
        let instance = GetModuleHandleW(null());
        let class = WNDCLASSW {
            lpfnWndProc: Some(told),
            hInstance: instance,
            lpszClassName: name,
            ..WNDCLASSW::default()
        };
        if RegisterClassW(&raw const class) == 0 {
            return Err(io::Error::last_os_error());
        }
        let window = CreateWindowExW(
            0,
            name,
            name,
            0,
            0,
            0,
            0,
            0,
            null_mut(),
            null_mut(),
            instance,
            null(),
        );
        if window.is_null() || WTSRegisterSessionNotification(window, NOTIFY_FOR_THIS_SESSION) == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(window)
    }
}

/// What a message means here, if anything.
fn word(message: u32, what: WPARAM) -> Option<Word> {
    match (message, u32::try_from(what)) {
        (WM_TIMECHANGE, _) => Some(Word::TimeChanged),
        (WM_WTSSESSION_CHANGE, Ok(WTS_SESSION_LOCK)) => Some(Word::Screen(Screen::Locked)),
        (WM_WTSSESSION_CHANGE, Ok(WTS_SESSION_UNLOCK)) => Some(Word::Screen(Screen::Unlocked)),
        _ => None,
    }
}

#[allow(unsafe_code)]
unsafe extern "system" fn told(window: HWND, message: u32, what: WPARAM, more: LPARAM) -> LRESULT {
    if let Some(word) = word(message, what) {
        LISTENERS.tell(|| word);
    }
    // SAFETY: the arguments are those that Windows gave us.
    unsafe { DefWindowProcW(window, message, what, more) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use windows_sys::Win32::UI::WindowsAndMessaging::{FindWindowW, PostMessageW};

    #[allow(unsafe_code)]
    #[tokio::test]
    async fn the_window_is_there_and_hears_of_set_clocks_and_locked_screens() {
        let mut heard = listen().expect("a hidden window");
        // SAFETY: the names are static, and the window's procedure uses no pointer of these messages.
        unsafe {
            let window = FindWindowW(w!("dormouse-wake"), null());
            assert!(!window.is_null(), "a top-level window");
            for (message, what) in [
                (WM_TIMECHANGE, 0),
                (WM_WTSSESSION_CHANGE, WTS_SESSION_LOCK),
                (WM_WTSSESSION_CHANGE, WTS_SESSION_UNLOCK),
            ] {
                assert_ne!(PostMessageW(window, message, what as WPARAM, 0), 0);
            }
        }
        for word in [
            Word::TimeChanged,
            Word::Screen(Screen::Locked),
            Word::Screen(Screen::Unlocked),
        ] {
            let told = tokio::time::timeout(Duration::from_secs(5), heard.recv()).await;
            assert_eq!(told.expect("in time"), Some(word));
        }
    }
}
