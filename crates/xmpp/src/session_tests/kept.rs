//! What is kept of an installation and of its sessions, and what is not kept for ever.

use super::*;
use dormouse_model::Memory;

/// A disk with one record.
fn with<T: Serialize>(key: &Key, value: &T) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut disk = BTreeMap::new();
    let batch = {
        let mut draft = Draft::over(&disk);
        draft.put(key, value);
        draft.into_batch(BatchId(0))
    };
    batch.apply_to(&mut disk);
    disk
}

fn pins(script: &Script) -> Pins {
    let memory: &dyn Memory = &script.disk;
    memory.read(&pins_key()).unwrap().unwrap()
}

#[test]
fn a_name_of_this_installation_that_an_earlier_version_did_not_have_is_made_once_and_kept() {
    for (resource, user_agent) in [("Dormouse~x", ""), ("", "ua")] {
        let known = Pins {
            resource: resource.into(),
            user_agent: user_agent.into(),
            ..Pins::default()
        };
        let mut script = Script::over(with(&pins_key(), &known));
        script.commit();
        let made = pins(&script);
        assert!(!made.resource.is_empty() && !made.user_agent.is_empty());
        assert!(resource.is_empty() || made.resource == resource);
        assert!(user_agent.is_empty() || made.user_agent == user_agent);
        let next = script.restart();
        assert_eq!(next.session.pins.user_agent, made.user_agent);
        assert_eq!(next.session.pins.resource, made.resource);
    }
}

#[test]
fn what_a_session_that_is_gone_left_on_disk_is_cleared_away() {
    let leftover = Unacked {
        stanza: "<message/>".into(),
        token: None,
        courtesy: false,
    };
    let mut script = Script::over(with(&Key::Unacked(5), &leftover));
    script.commit();
    assert!(!script.disk.contains_key(&Key::Unacked(5).bytes()));
}

#[test]
fn only_a_stream_that_somebody_else_took_costs_the_resource_its_name() {
    for (condition, kept) in [
        ("conflict", false),
        ("system-shutdown", true),
        ("policy-violation", true),
    ] {
        let mut script = Script::ready();
        let resource = script.session.pins.resource.clone();
        script.give(&format!(
            "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
        ));
        assert_eq!(script.session.pins.resource == resource, kept, "{condition}");
    }
}
