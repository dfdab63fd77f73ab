//! What a session's statements said that matters at its next reset, or for what a refusal means.

use super::sql::Token;

/// What was said since the session was set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// The session's `wait_timeout` may be another.
    pub(super) wait_timeout: bool,
    /// The program itself asked for transactions without changes.
    pub(super) read_only: bool,
    /// The next transaction is to be another than the session's others.
    pub(super) next_transaction: bool,
}

impl Marks {
    /// `text`: the token as written; `in_set`: whether it stands in a SET.
    pub(super) fn notice(
        &mut self,
        before: Option<Token<'_>>,
        token: Token<'_>,
        text: &[u8],
        in_set: bool,
    ) {
        let names = |name: &str| {
            let text = text.strip_suffix(b"`").unwrap_or(text);
            let start = text.len().saturating_sub(name.len());
            text[start..].eq_ignore_ascii_case(name.as_bytes())
        };
        if in_set {
            self.wait_timeout |= names("wait_timeout");
            self.read_only |= names("tx_read_only") || names("transaction_read_only");
        }
        self.read_only |= token.is("ONLY") && before.is_some_and(|before| before.is("READ"));
    }
}
