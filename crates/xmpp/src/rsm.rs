//! Result set management (XEP-0059): pages of a long answer.

use crate::stanza_id::usable;
use crate::xml::draft;
use dormouse_model::{ArchiveId, PageWanted};
use minidom::Element;

/// The namespace.
pub const NS: &str = "http://jabber.org/protocol/rsm";

/// Asks for a page of at most `max` items.
pub fn request(page: &PageWanted, max: u32) -> Element {
    // Zero would only count (section 2.7).
    let set = draft("set", NS).child(draft("max", NS).text(&max.max(1).to_string()));
    match page {
        PageWanted::Newest => set.child(draft("before", NS)).done(),
        PageWanted::Before(id) => set.child(draft("before", NS).text(id.as_str())).done(),
        PageWanted::After(id) => set.child(draft("after", NS).text(id.as_str())).done(),
        PageWanted::Oldest => set.done(),
    }
}

/// Where a page begins and ends, as the server says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bounds {
    /// The first item's id; none on an empty page.
    pub first: Option<ArchiveId>,
    /// The last item's id; none on an empty page.
    pub last: Option<ArchiveId>,
    /// How many items there are on all pages (section 2.6); may be approximate.
    pub count: Option<u64>,
}

impl Bounds {
    /// The ids at both ends, one if they are the same item's.
    pub fn ids(&self) -> impl Iterator<Item = ArchiveId> {
        let last = self.last.iter().filter(|last| self.first.as_ref() != Some(*last));
        self.first.iter().chain(last).cloned()
    }
}

/// Reads the `<set/>` in an answer.
pub fn bounds(answer: &Element) -> Bounds {
    let set = answer.get_child("set", NS);
    let id = |name| {
        let text = set?.get_child(name, NS)?.text();
        usable(Some(text.as_str())).map(ArchiveId::from)
    };
    Bounds {
        first: id("first"),
        last: id("last"),
        count: set
            .and_then(|set| set.get_child("count", NS))
            .and_then(|count| count.text().trim().parse().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_page_is_asked_for_in_its_way() {
        let wire = |page| String::from(&request(&page, 50)).replace('"', "'");
        let set = "<set xmlns='http://jabber.org/protocol/rsm'><max>50</max>";
        assert_eq!(wire(PageWanted::Newest), format!("{set}<before/></set>"));
        assert_eq!(
            wire(PageWanted::Before("a".into())),
            format!("{set}<before>a</before></set>")
        );
        assert_eq!(
            wire(PageWanted::After("a".into())),
            format!("{set}<after>a</after></set>")
        );
        assert_eq!(wire(PageWanted::Oldest), format!("{set}</set>"));
    }

    #[test]
    fn a_page_of_nothing_is_never_asked_for() {
        assert!(String::from(&request(&PageWanted::Newest, 0)).contains("<max>1</max>"));
    }

    #[test]
    fn the_bounds_of_an_empty_page_are_none() {
        let fin: Element = "<fin xmlns='urn:xmpp:mam:2' complete='true'>\
            <set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set></fin>"
            .parse()
            .unwrap();
        let empty = Bounds {
            count: Some(0),
            ..Bounds::default()
        };
        assert_eq!(bounds(&fin), empty);
    }

    #[test]
    fn a_count_is_believed_only_if_it_is_a_number() {
        for (text, count) in [
            ("340", Some(340)),
            (" 7 ", Some(7)),
            ("-1", None),
            ("many", None),
            ("", None),
        ] {
            let fin: Element = format!(
                "<fin xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><count>{text}</count></set></fin>"
            )
            .parse()
            .unwrap();
            assert_eq!(bounds(&fin).count, count, "{text:?}");
        }
    }
}
