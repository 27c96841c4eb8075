//! The table of results, printed and written into `docs/resilience.md`.

use crate::cell::Outcome;
use crate::matrix::Cell;
use dormouse_scenarios::Result;
use std::fmt::Write as _;
use std::path::Path;

const BEGIN: &str = "<!-- sleep-matrix:begin -->";
const END: &str = "<!-- sleep-matrix:end -->";
const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/resilience.md");

/// A cell and what came of it.
pub struct Line {
    pub cell: Cell,
    pub outcome: Result<Outcome>,
}

/// The table in Markdown.
pub fn table(lines: &[Line]) -> String {
    let mut out = String::from(
        "| told by | old flow | session | network | all 20 shown after | `live` after | by | dials |\n\
         |---|---|---|---|---:|---:|---|---:|\n",
    );
    for line in lines {
        let [trigger, flow, session, network] = line.cell.words();
        let _ = write!(out, "| {trigger} | {flow} | {session} | {network} | ");
        let _ = match &line.outcome {
            Ok(outcome) => writeln!(
                out,
                "{:.1} s | {:.1} s | {} | {} |",
                outcome.recovered.as_secs_f64(),
                outcome.live.as_secs_f64(),
                outcome.path,
                outcome.dials
            ),
            Err(_) => writeln!(out, "**failed** | | | |"),
        };
    }
    out
}

/// Puts the table between its markers; appends them with a heading where they are missing.
pub fn write_docs(table: &str) -> Result<()> {
    let path = Path::new(DOCS);
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "# Resilience\n".to_owned(),
        Err(error) => return Err(error.into()),
    };
    Ok(std::fs::write(path, with_table(&text, table))?)
}

fn with_table(text: &str, table: &str) -> String {
    let block = format!("{BEGIN}\n{table}{END}");
    if let Some((before, rest)) = text.split_once(BEGIN)
        && let Some((_, after)) = rest.split_once(END)
    {
        return format!("{before}{block}{after}");
    }
    format!("{}\n\n## The sleep matrix\n\n{block}\n", text.trim_end())
}

#[test]
fn the_table_replaces_the_one_between_the_markers_and_nothing_else() {
    let text = with_table("# Resilience\n\nRules.\n", "| one |\n");
    assert!(
        text.starts_with("# Resilience\n\nRules.\n\n## The sleep matrix\n"),
        "{text}"
    );
    let text = with_table(&format!("{text}\nMore.\n"), "| two |\n");
    assert!(
        !text.contains("one") && text.contains(&format!("{BEGIN}\n| two |\n{END}")),
        "{text}"
    );
    assert!(text.ends_with("\nMore.\n"), "{text}");
    assert_eq!(text.matches(BEGIN).count(), 1);
}
