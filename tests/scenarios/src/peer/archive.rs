//! The peer's archive (XEP-0313): what was said, and pages of it.

use super::{ACCOUNT, CONTACT};
use minidom::Element;
use std::time::{SystemTime, UNIX_EPOCH};

const MAM: &str = "urn:xmpp:mam:2";
const RSM: &str = "http://jabber.org/protocol/rsm";
const FORMS: &str = "jabber:x:data";

/// A message kept.
#[derive(Debug, Clone)]
pub(crate) struct Archived {
    id: String,
    stamp: String,
    xml: String,
}

/// Keeps a message; its id.
pub(crate) fn keep(archive: &mut Vec<Archived>, xml: String) -> String {
    // Ids without order, as servers give them.
    let id = format!("{:08x}", (archive.len() as u32 + 1).wrapping_mul(0x9e37_79b1));
    archive.push(Archived {
        id: id.clone(),
        stamp: now(),
        xml,
    });
    id
}

/// The stanzas that answer a query: results, then the end.
pub(crate) fn answer(archive: &[Archived], iq: &Element, query: &Element, forge: bool) -> Vec<String> {
    let set = query.get_child("set", RSM);
    let asked = |name: &str| {
        let child = set.and_then(|set| set.get_child(name, RSM));
        child.map(Element::text)
    };
    let max: usize = asked("max")
        .and_then(|max| max.parse().ok())
        .unwrap_or(50)
        .min(50);
    let start = field(query, "start").unwrap_or_default();
    let with = field(query, "with");
    let found: Vec<&Archived> = archive
        .iter()
        .filter(|kept| kept.stamp >= start)
        .filter(|kept| with.as_deref().is_none_or(|with| kept.xml.contains(with)))
        .collect();
    let place = |id: &str| found.iter().position(|kept| kept.id == id);
    let id = iq.attr("id").unwrap_or_default();
    let (page, complete) = match (asked("before"), asked("after")) {
        (Some(before), _) => {
            let end = match before.as_str() {
                "" => Some(found.len()),
                before => place(before),
            };
            let Some(end) = end else {
                return vec![not_found(id)];
            };
            let begin = end.saturating_sub(max);
            (&found[begin..end], begin == 0)
        }
        (None, Some(after)) => {
            let Some(at) = place(&after) else {
                return vec![not_found(id)];
            };
            let end = (at + 1 + max).min(found.len());
            (&found[at + 1..end], end == found.len())
        }
        (None, None) => {
            let end = max.min(found.len());
            (&found[..end], end == found.len())
        }
    };
    let name = query.attr("queryid").unwrap_or_default();
    let mut out = Vec::new();
    if forge {
        out.extend(forged(name));
    }
    for kept in page {
        out.push(result("", name, &kept.id, &kept.stamp, &kept.xml));
    }
    let bounds = match (page.first(), page.last()) {
        (Some(first), Some(last)) => format!("<first>{}</first><last>{}</last>", first.id, last.id),
        _ => String::new(),
    };
    out.push(format!(
        "<iq xmlns='jabber:client' type='result' id='{id}'><fin xmlns='{MAM}' complete='{complete}'>\
         <set xmlns='{RSM}'>{bounds}<count>{}</count></set></fin></iq>",
        found.len()
    ));
    out
}

/// Results from those who have no say: strangers, the contact, another of our own resources, and our own
/// archive for a query that nobody made.
fn forged(query: &str) -> Vec<String> {
    let said = |body: &str| {
        format!(
            "<message xmlns='jabber:client' type='chat' from='{CONTACT}/phone' to='{ACCOUNT}' id='{body}'>\
             <body>{body}</body></message>"
        )
    };
    let stamp = now();
    let liars = [
        ("mallory@evil.example", query, "forged result of a stranger"),
        (CONTACT, query, "forged result of the contact"),
        ("alice@localhost/other", query, "forged result of a resource"),
        ("localhost", query, "forged result of the domain"),
        (ACCOUNT, "nobody-asked", "forged result without a query"),
    ];
    let results = liars.map(|(from, query, body)| {
        let from = format!("from='{from}'");
        result(&from, query, body, &stamp, &said(body))
    });
    results.into()
}

fn result(from: &str, query: &str, id: &str, stamp: &str, xml: &str) -> String {
    format!(
        "<message xmlns='jabber:client' to='{ACCOUNT}' {from}><result xmlns='{MAM}' queryid='{query}' id='{id}'>\
         <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>{xml}</forwarded>\
         </result></message>"
    )
}

fn not_found(id: &str) -> String {
    format!(
        "<iq xmlns='jabber:client' type='error' id='{id}'><error type='cancel'>\
         <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )
}

fn field(query: &Element, name: &str) -> Option<String> {
    let form = query.get_child("x", FORMS)?;
    let field = form.children().find(|field| field.attr("var") == Some(name))?;
    Some(field.get_child("value", FORMS)?.text())
}

/// The present, as XEP-0082 writes it, so that texts sort as moments do.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
        since.subsec_micros()
    )
}

/// The date so many days after 1970-01-01: years counted from a March, in eras of 400.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_779), (2026, 11, 22));
    }
}
