//! `cargo xtask chaos`: runs of chaos until the time is over, or one.
#![cfg_attr(not(target_os = "linux"), allow(unused))]
// What this program is for is to print.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("Chaos needs servers of Linux's.");
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use super::ExitCode;
    use dormouse_chaos::run::Chaos;
    use dormouse_chaos::site::Kind;
    use dormouse_scenarios::dice::Dice;
    use std::time::Duration;

    pub(crate) fn main() -> ExitCode {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let chaos = match parse(&words) {
            Ok(chaos) => chaos,
            Err(sentence) => {
                eprintln!("{sentence}");
                return ExitCode::FAILURE;
            }
        };
        println!("{chaos:?}");
        match chaos.run() {
            Ok(report) => {
                println!("{report}");
                if report.verdict.findings.is_empty() {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::FAILURE
                }
            }
            Err(error) => {
                eprintln!("{error:#}");
                ExitCode::FAILURE
            }
        }
    }

    fn parse(words: &[String]) -> Result<Chaos, String> {
        let mut chaos = Chaos {
            kind: Kind::Prosody,
            length: Duration::from_secs(600),
            seed: Dice::seed("DORMOUSE_CHAOS_SEED"),
        };
        let mut rest = words;
        while let [option, value, after @ ..] = rest {
            let number = || {
                let number: u64 = value
                    .parse()
                    .map_err(|_| format!("{option} wants a number, not {value:?}."))?;
                Ok::<_, String>(number)
            };
            match option.as_str() {
                "--minutes" => chaos.length = Duration::from_secs(60 * number()?),
                "--seconds" => chaos.length = Duration::from_secs(number()?),
                "--seed" => chaos.seed = number()?,
                "--on" => {
                    let names = Kind::ALL.map(|(name, _)| name).join(", ");
                    chaos.kind =
                        Kind::named(value).ok_or_else(|| format!("There is no {value}, only: {names}."))?;
                }
                _ => return Err(format!("chaos knows no option {option}.")),
            }
            rest = after;
        }
        match rest {
            [] => Ok(chaos),
            [word, ..] => Err(format!("chaos knows no option {word} (or it wants a value).")),
        }
    }
}
