//! SQL as words: enough to see what a statement does without mistaking the inside of a string or
//! a comment for it.

use std::ops::Range;

/// A piece of a statement. Strings and comments are stepped over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword, name or number, as written.
    Word(&'a [u8]),
    /// `@name`, without the sign; system variables (`@@name`) are not answered.
    Variable(&'a [u8]),
    /// A string or a quoted name, with its quotes.
    Quoted(&'a [u8]),
    /// Any other byte.
    Symbol(u8),
}

impl Token<'_> {
    /// Whether this is the given keyword, in any case.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Token::Word(word) if word.eq_ignore_ascii_case(keyword.as_bytes()))
    }
}

/// The tokens of `sql` with where they stand.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    sql: &'a [u8],
    at: usize,
    backslash: bool,
}

impl<'a> Tokens<'a> {
    /// `backslash`: whether a backslash escapes, that is, not under NO_BACKSLASH_ESCAPES.
    pub(super) fn new(sql: &'a [u8], backslash: bool) -> Self {
        Self { sql, at: 0, backslash }
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.sql.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Step over blanks and comments. The inside of `/*! … */` is run by the server, so it counts.
    fn skip(&mut self) {
        while self.at < self.sql.len() {
            match (self.byte(0), self.byte(1), self.byte(2)) {
                (b'/', b'*', b'!') => self.skip_version(3),
                (b'/', b'*', b'M') if self.byte(3) == b'!' => self.skip_version(4),
                (b'/', b'*', _) => self.skip_past(2, b"*/"),
                (b'*', b'/', _) => self.at += 2,
                (b'#', ..) => self.skip_past(1, b"\n"),
                (b'-', b'-', next) if next <= b' ' => self.skip_past(2, b"\n"),
                (blank, ..) if blank.is_ascii_whitespace() => self.at += 1,
                _ => return,
            }
        }
    }

    fn skip_version(&mut self, opening: usize) {
        self.at += opening;
        while self.byte(0).is_ascii_digit() {
            self.at += 1;
        }
    }

    fn skip_past(&mut self, opening: usize, end: &[u8]) {
        let rest = self.sql.get(self.at + opening..).unwrap_or_default();
        let found = rest.windows(end.len()).position(|window| window == end);
        self.at = found.map_or(self.sql.len(), |found| self.at + opening + found + end.len());
    }

    fn quoted(&mut self, quote: u8) {
        self.at += 1;
        while self.at < self.sql.len() {
            match self.byte(0) {
                b'\\' if self.backslash && quote != b'`' => self.at += 2,
                byte if byte == quote && self.byte(1) == quote => self.at += 2,
                byte if byte == quote => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
        self.at = self.sql.len();
    }

    fn word(&mut self) {
        while self.at < self.sql.len() && is_word(self.byte(0)) {
            self.at += 1;
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (Token<'a>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip();
        let (start, first) = (self.at, *self.sql.get(self.at)?);
        let token = match first {
            b'\'' | b'"' | b'`' => {
                self.quoted(first);
                Token::Quoted(&self.sql[start..self.at])
            }
            b'@' if self.byte(1) == b'@' => {
                self.at += 2;
                self.word();
                Token::Symbol(b'@')
            }
            b'@' => {
                self.at += 1;
                match self.byte(0) {
                    quote @ (b'\'' | b'"' | b'`') => self.quoted(quote),
                    _ => self.word(),
                }
                Token::Variable(&self.sql[start + 1..self.at])
            }
            byte if is_word(byte) => {
                self.word();
                Token::Word(&self.sql[start..self.at])
            }
            byte => {
                self.at += 1;
                Token::Symbol(byte)
            }
        };
        Some((token, start..self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::{Token, Tokens};

    fn words(sql: &str) -> Vec<String> {
        let tokens = Tokens::new(sql.as_bytes(), true).map(|(token, _)| token);
        tokens
            .filter_map(|token| match token {
                Token::Word(word) => Some(String::from_utf8_lossy(word).into_owned()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn strings_and_comments_hide_their_inside() {
        let sql = "a 'b''b\\'b' -- c\n d # e\n /* f */ `g` \"h\" i";
        assert_eq!(words(sql), ["a", "d", "i"]);
    }

    #[test]
    fn a_comment_that_the_server_runs_does_not() {
        assert_eq!(words("/*!50000 a */ /*M! b */ c"), ["a", "b", "c"]);
    }

    #[test]
    fn user_variables_are_told_from_system_variables() {
        let found: Vec<_> =
            Tokens::new(b"@a := @@b, @`c d`", true).map(|(token, _)| token).collect();
        assert_eq!(found[0], Token::Variable(b"a"));
        assert!(!found.contains(&Token::Variable(b"b")));
        assert_eq!(found.last(), Some(&Token::Variable(b"`c d`")));
    }

    #[test]
    fn an_open_string_ends_with_the_statement() {
        assert_eq!(words("a 'b c"), ["a"]);
        assert_eq!(words("a 'b\\"), ["a"]);
        assert_eq!(words("a /* b"), ["a"]);
    }
}
