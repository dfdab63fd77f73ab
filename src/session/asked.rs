//! What a session was last asked to do, and whether somebody still waits for it.

use std::time::{Duration, Instant};

use super::command::Command;
use super::sql::{Token, Tokens};

/// How much of a statement is kept, in bytes.
pub(super) const KEPT: usize = 256;

/// Statements with rows that change nothing. One that ends early has then done all that it was to
/// do, but for functions that it calls.
const READING: [&str; 8] =
    ["SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN"];

/// The last command of a session.
#[derive(Debug)]
pub(super) struct Asked {
    /// The first bytes of its text, if it is a statement.
    text: Vec<u8>,
    /// Whether they are all of it.
    whole: bool,
    since: Instant,
    /// Whether a signal ended the wait for its answer.
    pub(super) cut_off: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self { text: Vec::new(), whole: true, since: Instant::now(), cut_off: false }
    }
}

impl Asked {
    /// A command is being sent.
    pub(super) fn note(&mut self, command: Command<'_>) {
        self.since = Instant::now();
        match command {
            Command::Query(sql) => self.note_text(sql),
            _ => self.note_text(b""),
        }
    }

    /// What a prepared statement says that was sent without its text.
    pub(super) fn note_text(&mut self, sql: &[u8]) {
        self.whole = sql.len() <= KEPT;
        self.text.clear();
        self.text.extend_from_slice(&sql[..sql.len().min(KEPT)]);
    }

    /// For how long the server has been at it.
    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Whether it is known to change nothing.
    pub(super) fn only_reads(&self) -> bool {
        let mut tokens = Tokens::new(&self.text, true).map(|(token, _)| token);
        let first = tokens.find(|token| *token != Token::Symbol(b'('));
        first.is_some_and(|first| READING.iter().any(|word| first.is(word)))
    }

    /// Whether `shown`, which begins as the server's list of sessions shows a statement, is this
    /// one. The list leaves blanks away and knows fewer characters than a connection.
    pub(super) fn is_shown_as(&self, shown: &str) -> bool {
        let (own, shown) = (plain(&self.text), plain(shown.as_bytes()));
        match self.whole {
            true => !own.is_empty() && own == shown,
            false => shown.starts_with(&own),
        }
    }
}

/// What is written alike in all character sets.
fn plain(sql: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &&u8| byte.is_ascii_graphic() && !b"?;".contains(byte);
    sql.iter().filter(is_plain).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::{Asked, Command};

    fn asked(sql: &str) -> Asked {
        let mut asked = Asked::default();
        asked.note(Command::Query(sql.as_bytes()));
        asked
    }

    #[test]
    fn a_statement_is_known_again_in_the_list_of_sessions() {
        assert!(asked("  SELECT SLEEP(1), 'ä😀' ; ").is_shown_as("SELECT SLEEP(1), 'ä????'"));
        assert!(!asked("SELECT SLEEP(1)").is_shown_as("SELECT SLEEP(10)"));
        assert!(!asked("SELECT SLEEP(1)").is_shown_as(""));
        assert!(!Asked::default().is_shown_as(""));
        let long = format!("SELECT {}", "a, ".repeat(500));
        assert!(asked(&long).is_shown_as(&long) && asked(&long).is_shown_as(&long[..300]));
        assert!(!asked(&long).is_shown_as(&long[..100]));
    }

    #[test]
    fn a_statement_that_may_change_something_is_told() {
        for sql in ["select 1", " /* x */ (SELECT 1)", "WITH a AS (SELECT 1) SELECT 1"] {
            assert!(asked(sql).only_reads(), "{sql}");
        }
        for sql in ["DELETE FROM t RETURNING a", "CALL p()", "", "'SELECT'", "/*!DELETE */ x"] {
            assert!(!asked(sql).only_reads(), "{sql}");
        }
    }
}
