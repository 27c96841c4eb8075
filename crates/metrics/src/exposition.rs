//! The counts as text: OpenMetrics 1.0, or Prometheus' own older format for whoever does not ask for that.
//!
//! The two differ here in three things only: in the older one a counter's family bears the `_total` of its samples, and an
//! information is a gauge that bears its `_info`; and there are no units and no end.

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// How the counts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4.
    Prometheus,
}

impl Format {
    /// What a reader is given that says it accepts this (RFC 9110 section 12.5.1). Whoever does not name OpenMetrics may not
    /// know it.
    pub fn accepted(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Format::OpenMetrics
        } else {
            Format::Prometheus
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

pub(crate) fn text(registry: &Registry, format: Format) -> String {
    let mut text = String::new();
    // A string takes everything.
    let _ = encode(&mut text, registry);
    match format {
        Format::OpenMetrics => text,
        Format::Prometheus => as_before(&text),
    }
}

/// OpenMetrics in the older format. `# HELP` stands before `# TYPE`, which says what is to be done with both.
fn as_before(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut help = None;
    for line in text.lines() {
        if line.starts_with("# HELP ") {
            help = line.strip_prefix("# HELP ").and_then(|line| line.split_once(' '));
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|line| line.split_once(' '))
        {
            let (ending, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                other => ("", other),
            };
            if let Some((_, words)) = help.take() {
                out.push_str(&format!("# HELP {name}{ending} {words}\n"));
            }
            out.push_str(&format!("# TYPE {name}{ending} {kind}\n"));
        } else if !line.starts_with('#') {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    #[test]
    fn openmetrics_is_given_to_whoever_names_it() {
        let prometheus =
            "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        assert_eq!(Format::accepted("*/*"), Format::Prometheus);
        assert_eq!(Format::accepted(""), Format::Prometheus);
    }

    #[test]
    fn the_two_formats_differ_in_names_of_families_and_in_nothing_that_is_counted() {
        let metrics = Metrics::new("1.2.3");
        let _account = metrics.account();
        let (new, old) = (
            metrics.text(Format::OpenMetrics),
            metrics.text(Format::Prometheus),
        );
        assert!(new.contains("# TYPE dormouse_messages counter\n"), "{new}");
        assert!(
            new.contains("# UNIT dormouse_delivery_seconds seconds\n"),
            "{new}"
        );
        assert!(new.ends_with("# EOF\n"), "{new}");
        assert!(old.contains("# TYPE dormouse_messages_total counter\n"), "{old}");
        assert!(
            old.contains("# TYPE dormouse_build_info gauge\n")
                && old.contains("dormouse_build_info{version=\"1.2.3\"} 1"),
            "{old}"
        );
        assert!(!old.contains("UNIT") && !old.contains("EOF"), "{old}");
        let samples = |text: &str| {
            let mut samples: Vec<String> = text
                .lines()
                .filter(|line| !line.starts_with('#'))
                .map(str::to_owned)
                .collect();
            samples.sort_unstable();
            samples
        };
        assert_eq!(samples(&new), samples(&old));
    }
}
