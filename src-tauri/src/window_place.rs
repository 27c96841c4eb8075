//! Where the window was and how large: remembered in `window.json` in the home, and given to the next window as far as the
//! screens of that moment allow.

use crate::home::Home;
use serde::{Deserialize, Serialize};
use std::io;

/// The least of a window that must be on a screen for it to be taken hold of, in logical pixels.
const HANDLE: f64 = 80.0;

/// A rectangle in logical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// From the left.
    pub x: f64,
    /// From above.
    pub y: f64,
    /// How wide.
    pub width: f64,
    /// How high.
    pub height: f64,
}

/// Where a window was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WindowPlace {
    /// Its place and size while it was not maximised.
    pub area: Area,
    /// It filled its screen.
    pub maximised: bool,
}

/// Where a window goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Width and height.
    pub size: (f64, f64),
    /// Left and upper edge; none: wherever the desktop puts windows.
    pub position: Option<(f64, f64)>,
    /// It fills its screen.
    pub maximised: bool,
}

impl WindowPlace {
    /// What was remembered; nothing if that can't be read.
    pub fn read(home: &Home) -> Option<Self> {
        let text = std::fs::read(home.window_place()).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Remembers it. Blocks.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, home: &Home) -> io::Result<()> {
        let file = home.window_place();
        let new = file.with_extension("json.new");
        std::fs::write(&new, serde_json::to_vec(self)?)?;
        std::fs::rename(new, file)
    }

    /// Where a window goes that was there, on these screens, none of which may be the one it was on; not smaller than
    /// `least`.
    pub fn on(&self, screens: &[Area], least: (f64, f64)) -> Option<Placement> {
        let Area { x, y, width, height } = self.area;
        if ![x, y, width, height].iter().all(|it| it.is_finite()) {
            return None;
        }
        let home = screens.iter().find(|screen| screen.shows_handle_of(self.area));
        let room = home.or(screens.first())?;
        let within = |length: f64, least: f64, most: f64| length.min(most).max(least);
        Some(Placement {
            size: (
                within(width, least.0, room.width),
                within(height, least.1, room.height),
            ),
            position: home.map(|_| (x, y)),
            maximised: self.maximised,
        })
    }
}

impl Area {
    /// Whether the upper edge of a window, by which it is moved, can be reached here.
    fn shows_handle_of(&self, window: Self) -> bool {
        let shown = (window.x + window.width).min(self.x + self.width) - window.x.max(self.x);
        shown >= HANDLE && window.y >= self.y && window.y + HANDLE <= self.y + self.height
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: (f64, f64) = (360.0, 480.0);
    const LAPTOP: Area = area(0.0, 0.0, 1280.0, 800.0);
    const BESIDE: Area = area(1280.0, 0.0, 1920.0, 1080.0);

    const fn area(x: f64, y: f64, width: f64, height: f64) -> Area {
        Area { x, y, width, height }
    }

    fn place(area: Area) -> WindowPlace {
        WindowPlace {
            area,
            maximised: false,
        }
    }

    #[test]
    fn a_window_goes_where_it_was() {
        let was = area(1400.0, 50.0, 1100.0, 900.0);
        let goes = place(was).on(&[LAPTOP, BESIDE], LEAST).unwrap();
        assert_eq!(goes.position, Some((1400.0, 50.0)));
        assert_eq!(goes.size, (1100.0, 900.0));
    }

    #[test]
    fn a_window_whose_screen_is_gone_comes_to_one_that_is_there_and_fits() {
        let was = area(1400.0, 50.0, 1800.0, 1000.0);
        let goes = place(was).on(&[LAPTOP], LEAST).unwrap();
        assert_eq!(goes.position, None);
        assert_eq!(goes.size, (1280.0, 800.0));
    }

    #[test]
    fn a_window_that_could_not_be_taken_hold_of_is_put_elsewhere() {
        for lost in [
            area(1250.0, 0.0, 800.0, 600.0),
            area(-790.0, 0.0, 800.0, 600.0),
            area(0.0, 790.0, 800.0, 600.0),
            area(0.0, -300.0, 800.0, 600.0),
        ] {
            assert_eq!(
                place(lost).on(&[LAPTOP], LEAST).unwrap().position,
                None,
                "{lost:?}"
            );
        }
    }

    #[test]
    fn nonsense_is_not_followed() {
        assert_eq!(place(area(f64::NAN, 0.0, 1.0, 1.0)).on(&[LAPTOP], LEAST), None);
        assert_eq!(place(LAPTOP).on(&[], LEAST), None);
        let tiny = place(area(10.0, 10.0, 200.0, -5.0)).on(&[LAPTOP], LEAST).unwrap();
        assert_eq!(tiny.size, LEAST);
    }

    #[test]
    fn what_was_remembered_is_found_and_what_is_damaged_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::find(Some(folder.path().into())).unwrap();
        assert_eq!(WindowPlace::read(&home), None);
        let was = WindowPlace {
            area: BESIDE,
            maximised: true,
        };
        was.write(&home).unwrap();
        assert_eq!(WindowPlace::read(&home), Some(was));
        std::fs::write(home.window_place(), "{").unwrap();
        assert_eq!(WindowPlace::read(&home), None);
    }
}
