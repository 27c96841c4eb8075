//! The tables.

use crate::wake::Wake;
use crate::wake::case::Case;
use std::fmt::Write as _;
use std::time::Duration;

/// A case at one round trip and one loss, and what came of it.
pub struct Row {
    /// Which.
    pub case: Case,
    /// The round trip.
    pub rtt: Duration,
    /// In per cent.
    pub loss: u8,
    /// Each wake, or why there are none.
    pub wakes: Result<Vec<Wake>, String>,
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort();
    values
}

/// Median and worst.
fn extent<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<(T, T)> {
    let values = sorted(values);
    Some((*values.get(values.len() / 2)?, *values.last()?))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// `427 (4.3)`: milliseconds, and round trips.
fn time(time: Duration, rtt: Duration) -> String {
    format!("{:.0} ({:.1})", ms(time), ms(time) / ms(rtt))
}

/// One line of the first table.
pub fn line(row: &Row) -> String {
    let Row {
        case,
        rtt,
        loss,
        wakes,
    } = row;
    let head = format!("| {case} | {:.0} | {loss} % |", ms(*rtt));
    let wakes = match wakes {
        Ok(wakes) => wakes,
        Err(why) => {
            return format!(
                "{head} **failed**: {} | | | | | |",
                why.lines().next().unwrap_or_default()
            );
        }
    };
    let Some((median, worst)) = extent(wakes.iter().map(|wake| wake.done)) else {
        return format!("{head} – | | | | | |");
    };
    let trips = sorted(wakes.iter().map(|wake| wake.round_trips));
    let trips = match (trips.get(trips.len() / 2), trips.last()) {
        (Some(median), Some(most)) => format!("{median} / {most}"),
        _ => String::new(),
    };
    let judged = case.target(*rtt).filter(|_| *loss == 0);
    let target = judged.map_or("–".to_owned(), |target| {
        let met = if median <= target { "met" } else { "**missed**" };
        format!("{:.0} {met}", ms(target))
    });
    format!(
        "{head} {} | {} | {trips} | {} | {target} | {} |",
        time(median, *rtt),
        time(worst, *rtt),
        case.floor(),
        wakes.len()
    )
}

/// Both tables.
pub fn tables(rows: &[Row]) -> String {
    let mut out = String::from(
        "| case | round trip, ms | loss | median, ms (round trips) | worst | round trips on the wire, median / most | floor | to reach | of how many |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let _ = writeln!(out, "{}", line(row));
    }
    let nights: Vec<String> = rows.iter().filter_map(night).collect();
    if !nights.is_empty() {
        out += "\nWhere the session was gone, from the bound session to the newest page stored:\n\n\
                | case | round trip, ms | loss | bound after, ms | newest page later by, median (round trips) | worst | to reach, round trips | all of the conversation later by, median (round trips) | worst | to reach, round trips |\n\
                |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
        nights.iter().for_each(|line| out += line);
    }
    out
}

fn night(row: &Row) -> Option<String> {
    let most = row.case.page_after_bound()?;
    let wakes = row.wakes.as_ref().ok()?;
    let behind = |moment: fn(&Wake) -> Option<Duration>| {
        let later = wakes
            .iter()
            .filter_map(|wake| Some(moment(wake)?.saturating_sub(wake.bound?)));
        let (median, worst) = extent(later)?;
        Some(format!("{} | {}", time(median, row.rtt), time(worst, row.rtt)))
    };
    let (bound, _) = extent(wakes.iter().filter_map(|wake| wake.bound))?;
    Some(format!(
        "| {} | {:.0} | {} % | {} | {} | {most} | {} | {} |\n",
        row.case,
        ms(row.rtt),
        row.loss,
        time(bound, row.rtt),
        behind(|wake| wake.newest)?,
        behind(|wake| Some(wake.done))?,
        most + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wake::case;

    #[test]
    fn a_line_tells_the_median_and_the_worst_and_whether_the_target_was_met() {
        let case = case::all()
            .into_iter()
            .find(|case| case.to_string() == "dead prosody-13");
        let wakes = [430, 900, 410].map(|done| Wake {
            done: Duration::from_millis(done),
            bound: None,
            newest: None,
            round_trips: 4,
        });
        let mut row = Row {
            case: case.unwrap(),
            rtt: Duration::from_millis(100),
            loss: 0,
            wakes: Ok(wakes.to_vec()),
        };
        assert_eq!(
            line(&row),
            "| dead prosody-13 | 100 | 0 % | 430 (4.3) | 900 (9.0) | 4 / 4 | 4 | 460 met | 3 |"
        );
        row.wakes = Ok(vec![wakes[1]]);
        assert!(line(&row).contains("460 **missed**"));
        row.wakes = Err("the server is gone\nand more".into());
        assert!(line(&row).contains("**failed**: the server is gone |"));
    }
}
