//! The window: what it may do, and what it may not.
//!
//! It shows what strangers wrote, so it is given as little as it can do with: it goes nowhere but to its
//! own pages, opens no other windows, downloads nothing, gets no permission for anything. Files dropped on
//! it are taken by the shell, which does nothing with them. Links leave by `open_link`, and only by it.

use crate::home::Home;
use tauri::webview::{NewWindowResponse, PermissionResponse, WebviewWindowBuilder};
use tauri::{AppHandle, Manager, Url, WebviewWindow};
use tracing::warn;

/// The window's name in the configuration and in the capabilities.
pub const LABEL: &str = "main";

/// Opens the window.
pub fn open(app: &AppHandle, home: &Home) -> tauri::Result<WebviewWindow> {
    let config = app.config();
    let windows = &config.app.windows;
    let window = windows.iter().find(|window| window.label == LABEL);
    let window = window.ok_or(tauri::Error::WindowNotFound)?;
    let development = config.build.dev_url.clone().filter(|_| tauri::is_dev());
    WebviewWindowBuilder::from_config(app, window)?
        .data_directory(home.webview())
        .on_navigation(move |url| {
            let own = is_own(url, development.as_ref());
            if !own {
                warn!(scheme = url.scheme(), "the window was to go somewhere else");
            }
            own
        })
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .on_permission_request(|_, _| PermissionResponse::Deny)
        .build()
}

/// Whether a URL is one of the window's own pages: Tauri's own origin, on each system as it is there, or
/// that of the development server.
fn is_own(url: &Url, development: Option<&Url>) -> bool {
    let embedded = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => url.host_str() == Some("tauri.localhost") && url.port().is_none(),
        _ => false,
    };
    let no_credentials = url.username().is_empty() && url.password().is_none();
    no_credentials && (embedded || development.is_some_and(|server| server.origin() == url.origin()))
}

/// Brings the window before the user.
pub fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    for step in [window.unminimize(), window.show(), window.set_focus()] {
        if let Err(error) = step {
            warn!(%error, "the window could not be brought to the front");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(url: &str) -> bool {
        is_own(&Url::parse(url).unwrap(), None)
    }

    #[test]
    fn the_window_stays_on_its_own_pages() {
        assert!(own("tauri://localhost/"));
        assert!(own("tauri://localhost/index.html#x"));
        assert!(own("http://tauri.localhost/"));
        for elsewhere in [
            "https://example.org/",
            "tauri://example.org/",
            "http://tauri.localhost.example.org/",
            "http://tauri.localhost:8080/",
            "http://tauri.localhost@example.org/",
            "http://user@tauri.localhost/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,x",
            "about:blank",
            "blob:tauri://localhost/0",
        ] {
            assert!(!own(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn the_development_server_counts_only_while_there_is_one() {
        let server = Url::parse("http://127.0.0.1:1430/").unwrap();
        let page = Url::parse("http://127.0.0.1:1430/index.html").unwrap();
        assert!(is_own(&page, Some(&server)));
        assert!(!is_own(&page, None));
        let other = Url::parse("http://127.0.0.1:1431/").unwrap();
        assert!(!is_own(&other, Some(&server)));
    }
}
