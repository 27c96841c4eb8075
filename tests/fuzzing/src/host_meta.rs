//! A domain's description of itself, in both forms: what comes before anybody has proven who they are.
//!
//! The file itself, not the crate it belongs to: it knows neither TLS nor sockets, which need not be built with a
//! sanitizer for its sake.

#[path = "../../../crates/dial/src/host_meta.rs"]
mod reading;

/// One document, taken for either form.
pub fn run(data: &[u8]) {
    for links in [reading::json(data), reading::xml(data)].into_iter().flatten() {
        let length: usize = links.iter().map(String::len).sum();
        assert!(length <= data.len(), "links longer than their document");
        assert!(links.len() <= data.len() / 16, "more links than fit into it");
    }
}
