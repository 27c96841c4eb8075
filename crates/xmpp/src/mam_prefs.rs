//! Archive preferences (XEP-0441): what the archive keeps when nothing else is said.
//!
//! Read once per session, so that the window can say that history is not kept.

use crate::event::ArchiveDefault;
use crate::mam;
use crate::xml::draft;
use minidom::Element;

/// The payload of the request (type `get`) for the preferences.
pub fn query() -> Element {
    draft("prefs", mam::NS).done()
}

/// Reads the answer to [`query`]: the whole `<iq/>`. A server that does not say is not one that keeps nothing.
pub fn read(iq: &Element) -> ArchiveDefault {
    let prefs = iq.get_child("prefs", mam::NS);
    match prefs.and_then(|prefs| prefs.attr("default")) {
        Some("always") => ArchiveDefault::Always,
        Some("roster") => ArchiveDefault::Roster,
        Some("never") => ArchiveDefault::Never,
        _ => ArchiveDefault::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_is_read_and_an_error_says_nothing() {
        let of = |payload: &str| {
            let iq: Element = format!("<iq xmlns='jabber:client' type='result'>{payload}</iq>")
                .parse()
                .unwrap();
            read(&iq)
        };
        let prefs = |default: &str| {
            format!("<prefs xmlns='urn:xmpp:mam:2' default='{default}'><always/><never/></prefs>")
        };
        assert_eq!(of(&prefs("always")), ArchiveDefault::Always);
        assert_eq!(of(&prefs("roster")), ArchiveDefault::Roster);
        assert_eq!(of(&prefs("never")), ArchiveDefault::Never);
        assert_eq!(of(&prefs("sometimes")), ArchiveDefault::Unknown);
        assert_eq!(of("<error/>"), ArchiveDefault::Unknown);
    }
}
