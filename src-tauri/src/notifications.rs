//! When a notification is due, and when it is to go: the policy, without a notification in sight.
//!
//! Only while the user does not attend to the window. One notification per conversation: a further message
//! replaces it and counts up; reading, here or on another device, withdraws it. While an account is
//! catching up nothing is told message by message: the backlog of a night would be a storm, and part of it
//! has been read elsewhere, which is known only at the end. What is unread then beyond what was unread
//! before is told, once per conversation.

use dormouse_engine::model::{BareJid, ConnectionState};
use std::collections::{BTreeMap, BTreeSet};

/// Which conversation of which account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The account.
    pub account: BareJid,
    /// The other side.
    pub with: BareJid,
}

/// What a conversation is at the moment, as far as notifications go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Messages not read.
    pub unread: u64,
    /// The last message is of the other side, and says something.
    pub theirs: bool,
    /// What to call them.
    pub name: String,
    /// What the last message says.
    pub text: String,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Show this, in place of an earlier one of the same conversation.
    Show {
        /// The conversation.
        key: Key,
        /// What to call them.
        name: String,
        /// What the last message says.
        text: String,
        /// How many messages are unread.
        count: u64,
    },
    /// Take it away.
    Withdraw(Key),
}

/// What is known of a conversation.
#[derive(Debug, Clone)]
struct Known {
    facts: Facts,
    /// How many were unread when the user last knew of it: attended to the window, was told, or started the
    /// program.
    told: u64,
}

/// The policy of all accounts.
#[derive(Debug, Default)]
pub struct Notifications {
    attended: bool,
    /// What the window shows.
    looked_at: Option<Key>,
    conversations: BTreeMap<Key, Known>,
    /// Accounts that have read everything; of the others nothing is told yet.
    current: BTreeSet<BareJid>,
    shown: BTreeSet<Key>,
}

impl Notifications {
    /// The user attends to the window, or no longer.
    pub fn attended(&mut self, attended: bool) -> Vec<Order> {
        self.attended = attended;
        if !attended {
            return Vec::new();
        }
        for known in self.conversations.values_mut() {
            known.told = known.facts.unread;
        }
        self.looked_at
            .clone()
            .into_iter()
            .flat_map(|key| self.withdraw(&key))
            .collect()
    }

    /// The window shows this conversation, or none.
    pub fn look(&mut self, key: Option<Key>) -> Vec<Order> {
        self.looked_at = key;
        if !self.attended {
            return Vec::new();
        }
        self.looked_at
            .clone()
            .into_iter()
            .flat_map(|key| self.withdraw(&key))
            .collect()
    }

    /// An account is told from nothing: what is unread at its start is known to the user from the last time.
    pub fn started(&mut self, account: &BareJid, conversations: Vec<(BareJid, Facts)>) {
        for (with, facts) in conversations {
            let key = Key {
                account: account.clone(),
                with,
            };
            let told = facts.unread;
            self.conversations.insert(key, Known { facts, told });
        }
    }

    /// An account's connection has another state.
    pub fn connection(&mut self, account: &BareJid, state: ConnectionState) -> Vec<Order> {
        match state {
            // A link in doubt is still the one by which everything came.
            ConnectionState::Live | ConnectionState::Suspect => {}
            _ => {
                self.current.remove(account);
                return Vec::new();
            }
        }
        if state == ConnectionState::Suspect || !self.current.insert(account.clone()) {
            return Vec::new();
        }
        let of_account: Vec<Key> = self
            .conversations
            .keys()
            .filter(|key| key.account == *account)
            .cloned()
            .collect();
        of_account.iter().flat_map(|key| self.due(key)).collect()
    }

    /// A conversation looks different now.
    pub fn conversation(&mut self, key: Key, facts: Facts) -> Vec<Order> {
        let unread = facts.unread;
        match self.conversations.get_mut(&key) {
            Some(known) => {
                known.facts = facts;
                // Read, here or elsewhere: what comes from now on counts from there.
                known.told = known.told.min(unread);
            }
            None => {
                self.conversations.insert(key.clone(), Known { facts, told: 0 });
            }
        }
        if unread == 0 {
            return self.withdraw(&key).into_iter().collect();
        }
        if self.current.contains(&key.account) {
            self.due(&key).into_iter().collect()
        } else {
            Vec::new()
        }
    }

    /// An account is gone, and everything of it.
    pub fn ended(&mut self, account: &BareJid) -> Vec<Order> {
        self.current.remove(account);
        self.conversations.retain(|key, _| key.account != *account);
        self.looked_at.take_if(|key| key.account == *account);
        let gone: Vec<Key> = self
            .shown
            .iter()
            .filter(|key| key.account == *account)
            .cloned()
            .collect();
        gone.iter().flat_map(|key| self.withdraw(key)).collect()
    }

    /// The user has dismissed it, or it has gone by itself.
    pub fn dismissed(&mut self, key: &Key) {
        self.shown.remove(key);
    }

    /// What is to be told of this conversation, if anything.
    fn due(&mut self, key: &Key) -> Option<Order> {
        let known = self.conversations.get_mut(key)?;
        let count = known.facts.unread;
        if count <= known.told {
            return None;
        }
        if self.attended {
            known.told = count;
            return None;
        }
        if !known.facts.theirs {
            return None;
        }
        known.told = count;
        let (name, text) = (known.facts.name.clone(), known.facts.text.clone());
        self.shown.insert(key.clone());
        Some(Order::Show {
            key: key.clone(),
            name,
            text,
            count,
        })
    }

    fn withdraw(&mut self, key: &Key) -> Option<Order> {
        self.shown.remove(key).then(|| Order::Withdraw(key.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> BareJid {
        BareJid::new("romeo@example.org").unwrap()
    }

    fn key(with: &str) -> Key {
        Key {
            account: account(),
            with: BareJid::new(with).unwrap(),
        }
    }

    fn juliet() -> Key {
        key("juliet@example.org")
    }

    fn unread(unread: u64) -> Facts {
        Facts {
            unread,
            theirs: true,
            name: "Juliet".into(),
            text: format!("message {unread}"),
        }
    }

    fn shows(key: Key, count: u64) -> Order {
        Order::Show {
            key,
            name: "Juliet".into(),
            text: format!("message {count}"),
            count,
        }
    }

    /// Signed in, everything read, the window somewhere behind others.
    fn away() -> Notifications {
        let mut policy = Notifications::default();
        assert_eq!(policy.connection(&account(), ConnectionState::Live), []);
        policy
    }

    #[test]
    fn a_message_is_told_while_the_window_is_not_attended_to() {
        let mut policy = away();
        assert_eq!(policy.conversation(juliet(), unread(1)), [shows(juliet(), 1)]);
    }

    #[test]
    fn further_messages_replace_it_and_count() {
        let mut policy = away();
        policy.conversation(juliet(), unread(1));
        assert_eq!(policy.conversation(juliet(), unread(2)), [shows(juliet(), 2)]);
    }

    #[test]
    fn nothing_is_told_while_the_user_is_there_not_even_afterwards() {
        let mut policy = away();
        policy.attended(true);
        assert_eq!(policy.conversation(juliet(), unread(1)), []);
        assert_eq!(policy.attended(false), []);
        assert_eq!(policy.conversation(juliet(), unread(1)), []);
        assert_eq!(policy.conversation(juliet(), unread(2)), [shows(juliet(), 2)]);
    }

    #[test]
    fn what_is_read_anywhere_is_withdrawn() {
        let mut policy = away();
        policy.conversation(juliet(), unread(3));
        assert_eq!(
            policy.conversation(juliet(), unread(0)),
            [Order::Withdraw(juliet())]
        );
        assert_eq!(policy.conversation(juliet(), unread(0)), []);
        assert_eq!(policy.conversation(juliet(), unread(1)), [shows(juliet(), 1)]);
    }

    #[test]
    fn what_was_never_shown_is_not_withdrawn() {
        let mut policy = away();
        policy.attended(true);
        policy.conversation(juliet(), unread(1));
        assert_eq!(policy.conversation(juliet(), unread(0)), []);
    }

    #[test]
    fn a_backlog_is_told_once_per_conversation_when_all_of_it_has_been_read() {
        let mut policy = Notifications::default();
        policy.started(&account(), vec![(juliet().with, unread(2))]);
        policy.connection(&account(), ConnectionState::CatchingUp);
        for count in 3..100 {
            assert_eq!(policy.conversation(juliet(), unread(count)), []);
        }
        assert_eq!(policy.conversation(key("nurse@example.org"), unread(1)), []);
        assert_eq!(
            policy.connection(&account(), ConnectionState::Live),
            [shows(juliet(), 99), shows(key("nurse@example.org"), 1)]
        );
        assert_eq!(policy.connection(&account(), ConnectionState::Suspect), []);
        assert_eq!(policy.connection(&account(), ConnectionState::Live), []);
    }

    #[test]
    fn a_backlog_that_was_read_elsewhere_is_not_told() {
        let mut policy = Notifications::default();
        policy.connection(&account(), ConnectionState::CatchingUp);
        policy.conversation(juliet(), unread(5));
        policy.conversation(juliet(), unread(0));
        assert_eq!(policy.connection(&account(), ConnectionState::Live), []);
    }

    #[test]
    fn what_was_unread_at_the_start_is_not_told_again() {
        let mut policy = Notifications::default();
        policy.started(&account(), vec![(juliet().with, unread(4))]);
        assert_eq!(policy.connection(&account(), ConnectionState::Live), []);
        assert_eq!(policy.conversation(juliet(), unread(5)), [shows(juliet(), 5)]);
    }

    #[test]
    fn while_the_connection_is_away_nothing_is_told() {
        let mut policy = away();
        policy.connection(&account(), ConnectionState::Offline);
        assert_eq!(policy.conversation(juliet(), unread(1)), []);
        assert_eq!(
            policy.connection(&account(), ConnectionState::Live),
            [shows(juliet(), 1)]
        );
    }

    #[test]
    fn an_edit_or_an_own_message_is_no_news() {
        let mut policy = away();
        policy.conversation(juliet(), unread(1));
        assert_eq!(policy.conversation(juliet(), unread(1)), []);
        let own = Facts {
            theirs: false,
            ..unread(2)
        };
        assert_eq!(policy.conversation(juliet(), own), []);
    }

    #[test]
    fn coming_back_to_a_conversation_withdraws_its_notification_and_no_other() {
        let mut policy = away();
        policy.look(Some(juliet()));
        policy.conversation(juliet(), unread(1));
        policy.conversation(key("nurse@example.org"), unread(1));
        assert_eq!(policy.attended(true), [Order::Withdraw(juliet())]);
        assert_eq!(
            policy.look(Some(key("nurse@example.org"))),
            [Order::Withdraw(key("nurse@example.org"))]
        );
    }

    #[test]
    fn a_notification_that_the_user_dismissed_is_not_withdrawn_and_comes_back_with_news() {
        let mut policy = away();
        policy.conversation(juliet(), unread(1));
        policy.dismissed(&juliet());
        assert_eq!(policy.conversation(juliet(), unread(2)), [shows(juliet(), 2)]);
        policy.dismissed(&juliet());
        assert_eq!(policy.conversation(juliet(), unread(0)), []);
    }

    #[test]
    fn an_account_that_is_signed_out_takes_its_notifications_with_it() {
        let mut policy = away();
        policy.conversation(juliet(), unread(1));
        assert_eq!(policy.ended(&account()), [Order::Withdraw(juliet())]);
        assert_eq!(policy.conversation(juliet(), unread(2)), []);
    }
}
