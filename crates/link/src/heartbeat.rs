//! When a link was last proven, what it has been asked, and what may be taken for an answer.
//!
//! Three kinds of questions are open at most once each: a quiet probe, a numbered probe, and the
//! acknowledgement of messages. `<a/>` bears no id. So it is taken for the answer to a quiet probe only
//! if nothing else was open when that was asked; where an `<r/>` is open already, a numbered probe asks.

use dormouse_model::{ProbeId, Tick};
use std::time::Duration;

/// The questions and answers of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Heartbeat {
    /// The last proof that both directions work.
    pub(crate) proof: Tick,
    /// The last byte in either direction, as far as we know.
    traffic: Tick,
    /// The open quiet probe: since when.
    quiet: Option<Tick>,
    /// The open numbered probe: which, since when.
    numbered: Option<(ProbeId, Tick)>,
    /// Messages not acknowledged: since when the oldest waits.
    unacked: Option<Tick>,
    /// Whether only one `<r/>` has followed messages since `unacked`: only then does its `<a/>` measure anything.
    single: bool,
    /// The silence before the open question, if nothing but silence explains its fate.
    pub(crate) silence: Option<Duration>,
}

impl Heartbeat {
    /// The connection was proven now: sign-in is a question and an answer.
    pub(crate) fn new(now: Tick) -> Self {
        Self {
            proof: now,
            traffic: now,
            quiet: None,
            numbered: None,
            unacked: None,
            single: false,
            silence: None,
        }
    }

    /// Bytes came.
    pub(crate) fn inbound(&mut self, now: Tick) {
        self.traffic = now;
    }

    /// How long nothing has been written or read.
    pub(crate) fn idle(&self, now: Tick) -> Duration {
        now.since(self.traffic)
    }

    /// Whether an `<r/>` is open whose `<a/>` could be mistaken for another's.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.quiet.is_some() || self.unacked.is_some()
    }

    /// Whether any probe is open.
    pub(crate) fn is_asked(&self) -> bool {
        self.quiet.is_some() || self.numbered.is_some()
    }

    /// A quiet probe goes out.
    pub(crate) fn ask_quietly(&mut self, now: Tick) {
        self.silence = Some(self.idle(now));
        self.quiet = Some(now);
        self.traffic = now;
    }

    /// The session was resumed and has asked, like a quiet probe, whether the server hears it. No silence came before.
    pub(crate) fn asked_with_the_resumption(&mut self, now: Tick) {
        self.quiet = Some(now);
    }

    /// A numbered probe goes out; an earlier one no longer counts. Within doubt the silence before the first
    /// question is kept.
    pub(crate) fn ask(&mut self, now: Tick, probe: ProbeId) {
        self.numbered = Some((probe, now));
        self.traffic = now;
    }

    /// When the open numbered probe went out.
    pub(crate) fn numbered_since(&self) -> Option<Tick> {
        self.numbered.map(|(_, since)| since)
    }

    /// Messages went out, followed by `<r/>`.
    pub(crate) fn await_ack(&mut self, now: Tick) {
        self.traffic = now;
        self.single = self.unacked.is_none() && self.quiet.is_none();
        self.unacked.get_or_insert(now);
    }

    /// Some or all messages were acknowledged. Returns a measured round trip where it is beyond doubt, and
    /// takes it as proof if `quiet_times`.
    pub(crate) fn acked(&mut self, now: Tick, all: bool, quiet_times: bool) -> Option<Duration> {
        self.traffic = now;
        let since = self.unacked?;
        self.unacked = (!all).then_some(now);
        let measured = (self.single && all).then(|| now.since(since));
        self.single = false;
        if !quiet_times {
            return None;
        }
        self.proof = now;
        measured
    }

    /// An `<a/>`. In quiet times it answers the open quiet probe: the round trip.
    pub(crate) fn quiet_answer(&mut self, now: Tick, quiet_times: bool) -> Option<Duration> {
        self.traffic = now;
        if !quiet_times {
            return None;
        }
        let since = self.quiet.take()?;
        self.proof = now;
        Some(now.since(since))
    }

    /// The answer to a numbered probe: the round trip, if it is the open one. What was written before that
    /// probe has arrived too, for the stream is ordered.
    pub(crate) fn answer(&mut self, now: Tick, probe: ProbeId) -> Option<Duration> {
        self.traffic = now;
        let (open, since) = self.numbered?;
        if open != probe {
            return None;
        }
        self.numbered = None;
        self.quiet = None;
        if self.unacked.is_some_and(|unacked| unacked <= since) {
            self.unacked = None;
        }
        self.proof = now;
        Some(now.since(since))
    }

    /// Since when the oldest open question waits.
    pub(crate) fn open_since(&self) -> Option<Tick> {
        [self.quiet, self.unacked, self.numbered_since()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether messages wait to be acknowledged.
    pub(crate) fn awaits_ack(&self) -> bool {
        self.unacked.is_some()
    }

    /// Whether the oldest open question is an acknowledgement of messages.
    pub(crate) fn waits_for_ack(&self) -> bool {
        self.unacked.is_some() && self.unacked == self.open_since()
    }

    /// What was asked behind messages no longer counts: they were acknowledged, which says as much.
    pub(crate) fn forget_questions_behind(&mut self) {
        self.quiet = None;
        self.numbered = None;
        self.silence = None;
    }

    /// Everything asked so far is void: answers still under way prove nothing about the present.
    pub(crate) fn forget_questions(&mut self) {
        self.forget_questions_behind();
        self.unacked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn inbound_traffic_is_no_proof() {
        let mut heartbeat = Heartbeat::new(Tick(0));
        heartbeat.inbound(Tick(500));
        assert_eq!(heartbeat.proof, Tick(0));
        assert_eq!(heartbeat.idle(Tick(700)), ms(200));
    }

    #[test]
    fn an_a_proves_life_only_where_a_quiet_probe_is_open_in_quiet_times() {
        let mut heartbeat = Heartbeat::new(Tick(0));
        assert_eq!(heartbeat.quiet_answer(Tick(100), true), None);
        assert_eq!(heartbeat.proof, Tick(0));
        heartbeat.ask_quietly(Tick(200));
        assert_eq!(heartbeat.quiet_answer(Tick(250), false), None);
        assert_eq!(heartbeat.proof, Tick(0));
        assert_eq!(heartbeat.quiet_answer(Tick(260), true), Some(ms(60)));
        assert_eq!(heartbeat.proof, Tick(260));
    }

    #[test]
    fn only_the_newest_number_is_an_answer() {
        let mut heartbeat = Heartbeat::new(Tick(0));
        heartbeat.ask(Tick(100), ProbeId(1));
        heartbeat.ask(Tick(200), ProbeId(2));
        assert_eq!(heartbeat.answer(Tick(300), ProbeId(1)), None);
        assert_eq!(heartbeat.proof, Tick(0));
        assert_eq!(heartbeat.answer(Tick(310), ProbeId(2)), Some(ms(110)));
        assert_eq!(heartbeat.proof, Tick(310));
    }

    #[test]
    fn an_acknowledgement_measures_only_if_it_can_mean_but_one_request() {
        let mut heartbeat = Heartbeat::new(Tick(0));
        heartbeat.await_ack(Tick(100));
        assert_eq!(heartbeat.acked(Tick(150), true, true), Some(ms(50)));
        heartbeat.await_ack(Tick(200));
        heartbeat.await_ack(Tick(240));
        assert_eq!(heartbeat.acked(Tick(250), true, true), None);
        assert_eq!(heartbeat.proof, Tick(250));
    }

    #[test]
    fn the_oldest_message_keeps_the_clock_until_something_is_acknowledged() {
        let mut heartbeat = Heartbeat::new(Tick(0));
        heartbeat.await_ack(Tick(100));
        heartbeat.await_ack(Tick(900));
        assert_eq!(heartbeat.open_since(), Some(Tick(100)));
        heartbeat.acked(Tick(1000), false, true);
        assert_eq!(heartbeat.open_since(), Some(Tick(1000)));
        heartbeat.acked(Tick(1100), true, true);
        assert_eq!(heartbeat.open_since(), None);
    }
}
