//! The window: what it may do, and what it may not.
//!
//! It shows what strangers wrote, so it is given as little as it can do with: it goes nowhere but to its
//! own pages, opens no other windows, downloads nothing, gets no permission for anything. Files dropped on
//! it are taken by the shell, which does nothing with them. Links leave by `open_link`, and only by it.

use dormouse_shell::home::Home;
use dormouse_shell::window_place::{Area, Placement, WindowPlace};
use tauri::webview::{NewWindowResponse, PermissionResponse, WebviewWindowBuilder};
use tauri::{AppHandle, LogicalPosition, LogicalSize, Manager, Url, WebviewWindow};
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
    let least = (
        window.min_width.unwrap_or_default(),
        window.min_height.unwrap_or_default(),
    );
    let place = WindowPlace::read(home).and_then(|place| place.on(&screens(app), least));
    let mut builder = WebviewWindowBuilder::from_config(app, window)?;
    if let Some(Placement {
        size: (width, height),
        position,
        maximised,
    }) = place
    {
        builder = builder.inner_size(width, height).maximized(maximised);
        if let Some((x, y)) = position {
            builder = builder.position(x, y);
        }
    }
    builder
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

/// The screens there are.
fn screens(app: &AppHandle) -> Vec<Area> {
    let screens = app.available_monitors().unwrap_or_default();
    screens
        .iter()
        .map(|screen| {
            let scale = screen.scale_factor();
            area(
                screen.position().to_logical(scale),
                screen.size().to_logical(scale),
            )
        })
        .collect()
}

fn area(position: LogicalPosition<f64>, size: LogicalSize<f64>) -> Area {
    Area {
        x: position.x,
        y: position.y,
        width: size.width,
        height: size.height,
    }
}

/// Remembers where the window is, for the next one.
pub fn remember(app: &AppHandle, home: &Home) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    let place = || -> tauri::Result<WindowPlace> {
        let scale = window.scale_factor()?;
        let now = area(
            window.outer_position()?.to_logical(scale),
            window.inner_size()?.to_logical(scale),
        );
        let maximised = window.is_maximized()?;
        // What it will be when it is made smaller again is what it was before.
        let before = WindowPlace::read(home).filter(|_| maximised);
        Ok(WindowPlace {
            area: before.map_or(now, |before| before.area),
            maximised,
        })
    };
    let kept = place().map_err(|error| error.to_string());
    if let Err(error) = kept.and_then(|place| place.write(home).map_err(|error| error.to_string())) {
        warn!(%error, "where the window is can't be remembered");
    }
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

/// Takes the window out of the way.
pub fn minimise(app: &AppHandle) {
    with(app, "minimised", |window| window.minimize());
}

/// Takes the window from the screen.
pub fn hide(app: &AppHandle) {
    with(app, "hidden", |window| window.hide());
}

fn with(app: &AppHandle, how: &str, act: impl FnOnce(&WebviewWindow) -> tauri::Result<()>) {
    if let Some(window) = app.get_webview_window(LABEL)
        && let Err(error) = act(&window)
    {
        warn!(%error, how, "the window could not be");
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
