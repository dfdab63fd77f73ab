//! Where an `INSERT … VALUES (…)` can be cut to take many rows.

use super::sql::{Token, Tokens};

/// An INSERT or REPLACE, cut around the parenthesis that is repeated for each row.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// Up to and with VALUES.
    pub before: &'a [u8],
    /// The parenthesis.
    pub row: &'a [u8],
    /// What is said once for all rows, such as ON DUPLICATE KEY UPDATE.
    pub after: &'a [u8],
}

impl<'a> Batch<'a> {
    /// `None` when the statement is of another kind, or when a row's parameters stand outside its
    /// parenthesis, or when each row answers with a result.
    pub fn of(sql: &'a [u8], backslash: bool) -> Option<Self> {
        let mut tokens = Tokens::new(sql, backslash);
        let (first, _) = tokens.next()?;
        if !first.is("INSERT") && !first.is("REPLACE") {
            return None;
        }
        let start = row_start(&mut tokens)?;
        let end = closing(&mut tokens)?;
        let follows = tokens.clone().next().map(|(token, _)| token);
        if follows == Some(Token::Symbol(b',')) || tokens.any(|(token, _)| ends_alone(token)) {
            return None;
        }
        let (before, row, after) = (&sql[..start], &sql[start..end], &sql[end..]);
        let has_parameter = |part: &[u8]| part.windows(2).any(|w| w == b"%s" || w == b"%(");
        (has_parameter(row) && !has_parameter(before) && !has_parameter(after)).then_some(Self {
            before,
            row,
            after,
        })
    }
}

/// What may not be said once for many rows: a second statement, or a result for each row.
fn ends_alone(token: Token<'_>) -> bool {
    token == Token::Symbol(b';') || token.is("RETURNING")
}

/// Where the parenthesis after VALUES stands.
fn row_start(tokens: &mut Tokens<'_>) -> Option<usize> {
    let mut depth = 0;
    while let Some((token, _)) = tokens.next() {
        match token {
            Token::Symbol(b'(') => depth += 1,
            Token::Symbol(b')') => depth -= 1,
            word if depth == 0 && (word.is("VALUES") || word.is("VALUE")) => {
                return match tokens.next()? {
                    (Token::Symbol(b'('), range) => Some(range.start),
                    _ => None,
                };
            }
            _ => {}
        }
    }
    None
}

/// Just past the parenthesis that closes the one just read.
fn closing(tokens: &mut Tokens<'_>) -> Option<usize> {
    let mut depth = 1;
    for (token, range) in tokens {
        match token {
            Token::Symbol(b'(') => depth += 1,
            Token::Symbol(b')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(range.end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Batch;

    fn cut(sql: &str) -> Option<(&str, &str, &str)> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        let batch = Batch::of(sql.as_bytes(), true)?;
        Some((text(batch.before), text(batch.row), text(batch.after)))
    }

    #[test]
    fn an_insert_is_cut_around_its_row() {
        assert_eq!(
            cut("INSERT INTO t (a, b) VALUES (%s, (%(x)s)) ON DUPLICATE KEY UPDATE a = 1, b = 2"),
            Some((
                "INSERT INTO t (a, b) VALUES ",
                "(%s, (%(x)s))",
                " ON DUPLICATE KEY UPDATE a = 1, b = 2"
            ))
        );
        assert!(cut("replace into `values` value (%s)").is_some());
    }

    #[test]
    fn what_cannot_be_repeated_is_left_alone() {
        for sql in [
            "UPDATE t SET a = %s",
            "INSERT INTO t SELECT %s",
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t VALUES (%s), (%s)",
            "INSERT INTO t VALUES (%s) RETURNING id",
            "INSERT INTO t VALUES (%s); SELECT 1",
            "INSERT INTO t VALUES (%s) ON DUPLICATE KEY UPDATE a = %s",
            "INSERT INTO t VALUES ('%s",
        ] {
            assert_eq!(cut(sql), None, "{sql}");
        }
    }
}
