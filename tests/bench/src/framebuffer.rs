//! The screen, read from outside while a program paints: nothing is asked of the program, its page, or the X server.
//!
//! Xvfb keeps its picture in a file in the form of `xwd`. Only every sixteenth line of a region is read, so that
//! looking costs next to nothing on the machine that is measured.

use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

const EVERY: u32 = 16;
const PIXEL: u32 = 4;

/// A part of the screen in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// How wide.
    pub width: u32,
    /// How high.
    pub height: u32,
}

/// A screen that can be looked at.
#[derive(Debug)]
pub struct Framebuffer {
    file: File,
    /// Where the picture begins in the file.
    start: u32,
    bytes_per_line: u32,
    width: u32,
    height: u32,
}

/// Every sixteenth line of a region, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look(Vec<u8>);

impl Framebuffer {
    /// Opens Xvfb's file.
    ///
    /// # Errors
    /// When it is not one, or not of four bytes a pixel.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("{} can't be read", path.display()))?;
        let mut header = [0; 100];
        file.read_exact_at(&mut header, 0)?;
        let number = |index: usize| {
            let bytes = header.get(index * 4..index * 4 + 4);
            let bytes: Option<[u8; 4]> = bytes.and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_be_bytes).unwrap_or_default()
        };
        // XWDFile.h: header_size, …, pixmap_width, pixmap_height at 4 and 5, bits_per_pixel and bytes_per_line at 11
        // and 12, ncolors at 19; the colour map, 12 bytes each, lies between header and picture.
        ensure!(
            number(11) == PIXEL * 8,
            "the screen does not have 32 bits a pixel"
        );
        Ok(Self {
            file,
            start: number(0) + number(19) * 12,
            bytes_per_line: number(12),
            width: number(4),
            height: number(5),
        })
    }

    /// What is in a region now.
    ///
    /// # Errors
    /// When the region is not on the screen.
    pub fn look(&self, region: Region) -> Result<Look> {
        ensure!(
            region.x + region.width <= self.width && region.y + region.height <= self.height,
            "{region:?} is not on a screen of {}x{}",
            self.width,
            self.height
        );
        let line = usize::try_from(region.width * PIXEL)?;
        let mut pixels = vec![0; line * usize::try_from(region.height.div_ceil(EVERY))?];
        for (row, pixels) in (region.y..).step_by(EVERY as usize).zip(pixels.chunks_mut(line)) {
            let at = self.start + row * self.bytes_per_line + region.x * PIXEL;
            self.file.read_exact_at(pixels, at.into())?;
        }
        Ok(Look(pixels))
    }
}

impl Look {
    /// Which part of the pixels is different, from 0 to 1.
    pub fn difference(&self, other: &Self) -> f64 {
        let pixels = self.0.chunks(PIXEL as usize).zip(other.0.chunks(PIXEL as usize));
        let all = pixels.len();
        let different = pixels.filter(|(one, other)| one != other).count();
        different as f64 / all.max(1) as f64
    }

    /// Which part of the pixels is not of the colour that most of them have: text and what else is drawn.
    pub fn ink(&self) -> f64 {
        let mut pixels: Vec<&[u8]> = self.0.chunks(PIXEL as usize).collect();
        pixels.sort_unstable();
        let background = pixels.chunk_by(|one, other| one == other).map(<[_]>::len).max();
        1.0 - background.unwrap_or_default() as f64 / pixels.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_counts_pixels_and_not_bytes() {
        let one = Look(vec![0, 0, 0, 0, 1, 1, 1, 1]);
        let other = Look(vec![0, 0, 0, 0, 9, 9, 9, 1]);
        assert_eq!(one.difference(&other), 0.5);
        assert_eq!(one.difference(&one), 0.0);
    }

    #[test]
    fn ink_is_what_is_not_background() {
        assert_eq!(Look([[7u8; 4]; 8].concat()).ink(), 0.0);
        assert_eq!(Look([[7u8; 4], [7; 4], [7; 4], [0; 4]].concat()).ink(), 0.25);
    }

    #[test]
    fn a_picture_is_found_behind_its_colour_map() {
        let folder = std::env::temp_dir().join(format!("dormouse-bench-{}", std::process::id()));
        let mut header = [0u32; 25];
        for (index, value) in [(0, 104), (4, 2), (5, 2), (11, 32), (12, 8), (19, 1)] {
            header[index] = value;
        }
        let mut file: Vec<u8> = header.iter().flat_map(|number| number.to_be_bytes()).collect();
        file.extend([0; 4 + 12]);
        file.extend(1..=16);
        std::fs::write(&folder, file).unwrap();
        let screen = Framebuffer::open(&folder).unwrap();
        std::fs::remove_file(&folder).unwrap();
        let region = Region {
            x: 1,
            y: 1,
            width: 1,
            height: 1,
        };
        assert_eq!(screen.look(region).unwrap(), Look(vec![13, 14, 15, 16]));
        assert!(screen.look(Region { x: 2, ..region }).is_err());
    }
}
