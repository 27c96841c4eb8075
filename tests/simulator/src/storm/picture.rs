//! The storm as a picture (SVG): one panel per habit, attempts per second as bars, who is back as a line.

use super::Storm;
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const PANEL: f64 = 150.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 56.0;
const TOP: f64 = 54.0;
const GAP: f64 = 46.0;

/// One panel.
pub struct Panel<'a> {
    /// What stands above it.
    pub title: String,
    /// What it shows.
    pub storm: &'a Storm,
}

/// The panels below each other, with one scale. `title` stands above all.
pub fn draw(title: &str, panels: &[Panel<'_>]) -> String {
    let seconds = panels
        .iter()
        .map(|panel| panel.storm.seconds.len())
        .max()
        .unwrap_or(1);
    let most = panels
        .iter()
        .map(|panel| panel.storm.peak(0))
        .max()
        .unwrap_or(1)
        .max(10);
    // Decades: what is one client and what are all of them stand in one picture.
    let decades = f64::from(most).log10().ceil();
    let height = TOP + panels.len() as f64 * (PANEL + GAP) + 14.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n\
         <title>{title}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"14\" font-weight=\"bold\">{title}</text>\n"
    );
    for (number, panel) in panels.iter().enumerate() {
        let top = TOP + number as f64 * (PANEL + GAP);
        svg.push_str(&one(panel, top, seconds, decades));
    }
    svg.push_str("</svg>\n");
    svg
}

fn one(panel: &Panel<'_>, top: f64, seconds: usize, decades: f64) -> String {
    let mut svg = String::new();
    let wide = (WIDTH - LEFT - RIGHT) / seconds as f64;
    let bottom = top + PANEL;
    let x = |second: usize| LEFT + second as f64 * wide;
    // One attempt stands a little above the ground, none on it.
    let tall = |attempts: u32| match attempts {
        0 => 0.0,
        _ => (f64::from(attempts).log10() + 0.15) / (decades + 0.15) * PANEL,
    };
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{:.1}\" font-weight=\"bold\">{}</text>",
        top - 8.0,
        panel.title
    );
    let back = panel.storm.back.as_secs() as usize;
    let _ = writeln!(
        svg,
        "<rect x=\"{LEFT}\" y=\"{top}\" width=\"{:.1}\" height=\"{PANEL}\" fill=\"#f3e3e0\"/>",
        back as f64 * wide
    );
    let mut decade = 1_u32;
    while f64::from(decade).log10() <= decades {
        let y = bottom - tall(decade);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#555\">{decade}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0
        );
        decade = decade.saturating_mul(10);
    }
    let mut bars = String::new();
    for (second, it) in panel
        .storm
        .seconds
        .iter()
        .enumerate()
        .filter(|(_, it)| it.attempts > 0)
    {
        let high = tall(it.attempts);
        let _ = write!(
            bars,
            "M{:.1} {bottom:.1}v-{high:.1}h{:.1}v{high:.1}z",
            x(second),
            wide * 0.8
        );
    }
    let _ = writeln!(svg, "<path d=\"{bars}\" fill=\"#3d6b8e\"/>");
    let mut line = String::new();
    for (second, it) in panel.storm.seconds.iter().enumerate() {
        let share = f64::from(it.signed_in) / panel.storm.clients.max(1) as f64;
        let step = if second == 0 { 'M' } else { 'L' };
        let _ = write!(line, "{step}{:.1} {:.1}", x(second + 1), bottom - share * PANEL);
    }
    let _ = writeln!(
        svg,
        "<path d=\"{line}\" fill=\"none\" stroke=\"#b5532a\" stroke-width=\"2\"/>"
    );
    for (share, label) in [(0.0, "0 %"), (1.0, "100 %")] {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#b5532a\">{label}</text>",
            WIDTH - RIGHT + 6.0,
            bottom - share * PANEL + 4.0
        );
    }
    for second in (0..=seconds).step_by(30) {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">{second} s</text>",
            x(second),
            bottom + 15.0
        );
    }
    svg
}
