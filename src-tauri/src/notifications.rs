//! When a notification is due, and when it is to go: the policy, without a notification in sight.
//!
//! Only while the user does not attend to the window. One notification per conversation: a further message
//! replaces it and counts up; reading, here or on another device, withdraws it. While an account is
//! catching up nothing is told message by message: the backlog of a night would be a storm, and part of it
//! has been read elsewhere, which is known only at the end. What is unread then beyond what was unread
//! before is told, once per conversation, or in one summary where there are many.
//!
//! In quiet hours nothing is told; what came is counted and told with what comes afterwards. Of a conversation that the user has
//! muted nothing is told, and it is not counted.

use crate::tray::Standing;
use dormouse_engine::model::{BareJid, Condition, ConnectionState};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Which conversation of which account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// Show in one, what came in several conversations; in place of an earlier one of the same account.
    Summary {
        /// Whose.
        account: BareJid,
        /// What to call who wrote, those first of whom there is most.
        names: Vec<String>,
        /// How many messages are unread.
        count: u64,
    },
    /// Take it away.
    Withdraw(Subject),
}

/// What a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A conversation.
    Conversation(Key),
    /// What came in several conversations of an account while it was away.
    Summary(BareJid),
}

/// So many conversations are told one by one after a catch-up; more are told in one summary.
const ONE_BY_ONE: usize = 3;

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
    connections: BTreeMap<BareJid, Condition>,
    /// Accounts that have read everything; of the others nothing is told yet.
    current: BTreeSet<BareJid>,
    shown: BTreeSet<Key>,
    /// Of each account's summary that stands: which conversations are in it and not read.
    summaries: BTreeMap<BareJid, BTreeSet<Key>>,
    muted: BTreeSet<Key>,
    quiet: bool,
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
        // Whoever has the window before them sees in its list what a summary would say.
        let summaries = std::mem::take(&mut self.summaries).into_keys();
        let mut orders: Vec<Order> = summaries
            .map(|account| Order::Withdraw(Subject::Summary(account)))
            .collect();
        if let Some(key) = self.looked_at.clone() {
            orders.extend(self.withdraw(&key));
        }
        orders
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
        self.connections.insert(account.clone(), state.condition());
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
        let due: Vec<Key> = of_account.into_iter().filter(|key| self.is_due(key)).collect();
        if due.len() > ONE_BY_ONE {
            vec![self.summary(account, due)]
        } else {
            due.iter().map(|key| self.show(key)).collect()
        }
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
            return self.withdraw(&key);
        }
        if self.current.contains(&key.account) && self.is_due(&key) {
            vec![self.show(&key)]
        } else {
            Vec::new()
        }
    }

    /// Whether it is a quiet hour.
    pub fn quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    /// Nothing is told of these conversations, and of no others.
    pub fn mute(&mut self, muted: BTreeSet<Key>) -> Vec<Order> {
        self.muted = muted;
        let muted: Vec<Key> = self.muted.iter().cloned().collect();
        muted.iter().flat_map(|key| self.withdraw(key)).collect()
    }

    /// An account is gone, and everything of it.
    pub fn ended(&mut self, account: &BareJid) -> Vec<Order> {
        self.current.remove(account);
        self.connections.remove(account);
        self.conversations.retain(|key, _| key.account != *account);
        self.looked_at.take_if(|key| key.account == *account);
        let gone: Vec<Key> = self
            .shown
            .iter()
            .filter(|key| key.account == *account)
            .cloned()
            .collect();
        let summary = self.summaries.remove(account);
        let summary = summary.map(|_| Order::Withdraw(Subject::Summary(account.clone())));
        let mut orders: Vec<Order> = gone.iter().flat_map(|key| self.withdraw(key)).collect();
        orders.extend(summary);
        orders
    }

    /// How all accounts stand.
    pub fn standing(&self) -> Standing {
        let of = |key: &Key| self.connections.contains_key(&key.account) && !self.muted.contains(key);
        let known = self.conversations.iter().filter(|(key, _)| of(key));
        Standing {
            unread: known.map(|(_, known)| known.facts.unread).sum(),
            accounts: self
                .connections
                .iter()
                .map(|(account, condition)| (account.clone(), *condition))
                .collect(),
        }
    }

    /// The user has dismissed it, or it has gone by itself.
    pub fn dismissed(&mut self, subject: &Subject) {
        match subject {
            Subject::Conversation(key) => {
                self.shown.remove(key);
            }
            Subject::Summary(account) => {
                self.summaries.remove(account);
            }
        }
    }

    /// Whether something is to be told of this conversation. What is not to be told ever is taken for told.
    fn is_due(&mut self, key: &Key) -> bool {
        let Some(known) = self.conversations.get_mut(key) else {
            return false;
        };
        if known.facts.unread <= known.told {
            return false;
        }
        if self.attended || self.muted.contains(key) {
            known.told = known.facts.unread;
            return false;
        }
        known.facts.theirs && !self.quiet
    }

    fn show(&mut self, key: &Key) -> Order {
        let known = self.conversations.get_mut(key).map(|known| {
            known.told = known.facts.unread;
            known.facts.clone()
        });
        self.shown.insert(key.clone());
        let (name, text, count) = known.map_or_else(Default::default, |it| (it.name, it.text, it.unread));
        Order::Show {
            key: key.clone(),
            name,
            text,
            count,
        }
    }

    fn summary(&mut self, account: &BareJid, due: Vec<Key>) -> Order {
        let mut names = Vec::new();
        for key in &due {
            if let Some(known) = self.conversations.get_mut(key) {
                known.told = known.facts.unread;
                names.push((known.facts.unread, known.facts.name.clone()));
            }
        }
        let count = names.iter().map(|(unread, _)| unread).sum();
        names.sort_by(|one, other| other.cmp(one));
        let of_summary = self.summaries.entry(account.clone()).or_default();
        of_summary.extend(due);
        Order::Summary {
            account: account.clone(),
            names: names.into_iter().map(|(_, name)| name).collect(),
            count,
        }
    }

    /// Takes away what is told of a conversation: its own notification, and the summary once nothing in it is unread.
    fn withdraw(&mut self, key: &Key) -> Vec<Order> {
        let own = self.shown.remove(key);
        let own = own.then(|| Order::Withdraw(Subject::Conversation(key.clone())));
        let mut orders: Vec<Order> = own.into_iter().collect();
        if let Some(summary) = self.summaries.get_mut(&key.account)
            && summary.remove(key)
            && summary.is_empty()
        {
            self.summaries.remove(&key.account);
            orders.push(Order::Withdraw(Subject::Summary(key.account.clone())));
        }
        orders
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

    fn withdraws(key: Key) -> Order {
        Order::Withdraw(Subject::Conversation(key))
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
        assert_eq!(policy.conversation(juliet(), unread(0)), [withdraws(juliet())]);
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
        assert_eq!(policy.attended(true), [withdraws(juliet())]);
        assert_eq!(
            policy.look(Some(key("nurse@example.org"))),
            [withdraws(key("nurse@example.org"))]
        );
    }

    #[test]
    fn a_notification_that_the_user_dismissed_is_not_withdrawn_and_comes_back_with_news() {
        let mut policy = away();
        policy.conversation(juliet(), unread(1));
        policy.dismissed(&Subject::Conversation(juliet()));
        assert_eq!(policy.conversation(juliet(), unread(2)), [shows(juliet(), 2)]);
        policy.dismissed(&Subject::Conversation(juliet()));
        assert_eq!(policy.conversation(juliet(), unread(0)), []);
    }

    fn somebody(number: u64) -> Key {
        key(&format!("friend{number}@example.org"))
    }

    #[test]
    fn after_a_long_sleep_many_conversations_are_told_in_one_summary_that_goes_when_all_is_read() {
        let mut policy = Notifications::default();
        for number in 1..=50 {
            let facts = Facts {
                name: format!("Friend {number}"),
                ..unread(number)
            };
            policy.conversation(somebody(number), facts);
        }
        let orders = policy.connection(&account(), ConnectionState::Live);
        let [Order::Summary { names, count, .. }] = orders.as_slice() else {
            panic!("{orders:?}");
        };
        assert_eq!((names.len(), *count), (50, 1275));
        assert_eq!(names[0], "Friend 50");
        // What comes now has its own.
        assert_eq!(
            policy.conversation(somebody(7), unread(8)),
            [shows(somebody(7), 8)]
        );
        for number in 1..50 {
            let orders = policy.conversation(somebody(number), unread(0));
            assert!(
                orders.iter().all(|order| *order == withdraws(somebody(number))),
                "{orders:?}"
            );
        }
        assert_eq!(
            policy.conversation(somebody(50), unread(0)),
            [Order::Withdraw(Subject::Summary(account()))]
        );
    }

    #[test]
    fn in_quiet_hours_nothing_is_told_and_afterwards_all_of_it_with_what_comes() {
        let mut policy = away();
        policy.quiet(true);
        assert_eq!(policy.conversation(juliet(), unread(1)), []);
        assert_eq!(policy.standing().unread, 1);
        policy.quiet(false);
        assert_eq!(policy.conversation(juliet(), unread(2)), [shows(juliet(), 2)]);
    }

    #[test]
    fn of_a_muted_conversation_nothing_is_told_or_counted_not_even_when_it_no_longer_is() {
        let mut policy = away();
        policy.conversation(juliet(), unread(1));
        assert_eq!(policy.mute([juliet()].into()), [withdraws(juliet())]);
        assert_eq!(policy.conversation(juliet(), unread(2)), []);
        assert_eq!(policy.standing().unread, 0);
        assert_eq!(policy.mute(BTreeSet::new()), []);
        assert_eq!(policy.standing().unread, 2);
        assert_eq!(policy.conversation(juliet(), unread(2)), []);
        assert_eq!(policy.conversation(juliet(), unread(3)), [shows(juliet(), 3)]);
    }

    #[test]
    fn how_all_stand_is_the_sum_of_what_is_unread_and_each_connection() {
        let mut policy = away();
        policy.conversation(juliet(), unread(2));
        policy.conversation(key("nurse@example.org"), unread(1));
        let standing = policy.standing();
        assert_eq!(standing.unread, 3);
        assert_eq!(standing.accounts, [(account(), Condition::Live)]);
        policy.connection(&account(), ConnectionState::Offline);
        assert_eq!(policy.standing().accounts, [(account(), Condition::Offline)]);
        policy.ended(&account());
        assert_eq!(policy.standing(), Standing::default());
    }

    #[test]
    fn an_account_that_is_signed_out_takes_its_notifications_with_it() {
        let mut policy = away();
        policy.conversation(juliet(), unread(1));
        assert_eq!(policy.ended(&account()), [withdraws(juliet())]);
        assert_eq!(policy.conversation(juliet(), unread(2)), []);
    }
}
