//! Deliberate mistakes around the core, to show that the checker finds them.

/// Deliberate mistakes around the core, to show that the checker finds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The driver says that a batch is durable before it is.
    DurableTooEarly,
    /// What a connection still delivers after it was given up is read, as if it came on the new one.
    OldConnectionRead,
    /// The server forges a message in its own name.
    Forgery,
    /// The window is told of each received message twice, under two ids.
    ShownTwice,
    /// The disk forgets a batch now and then.
    ForgottenBatch,
    /// Deadlines are never met.
    NoTicks,
}
