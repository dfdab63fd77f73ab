//! Statements as programs write them, with `%s` and `%(name)s` where values belong.

use super::sql::{Token, Tokens};

/// A piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Stands for itself.
    Text(&'a [u8]),
    /// `%s`: the next value.
    Next,
    /// `%(name)s`.
    Named(&'a str),
}

/// The pieces of a template with where they begin. After an error it ends.
#[derive(Debug)]
pub struct Pieces<'a> {
    template: &'a [u8],
    at: usize,
}

impl<'a> Pieces<'a> {
    /// Cut `template`.
    pub fn of(template: &'a [u8]) -> Self {
        Self { template, at: 0 }
    }

    /// What follows a `%`, and how many bytes the placeholder takes with it.
    fn placeholder(after: &'a [u8]) -> Result<(Piece<'a>, usize), String> {
        match after {
            [b'%', ..] => Ok((Piece::Text(&after[..1]), 2)),
            [b's', ..] => Ok((Piece::Next, 2)),
            [b'(', rest @ ..] => {
                let end = rest.iter().position(|byte| *byte == b')');
                let Some((name, [b')', b's', ..])) = end.map(|end| rest.split_at(end)) else {
                    return Err(unsupported(after));
                };
                let text = std::str::from_utf8(name);
                let text = text.map_err(|_| "a parameter's name is not UTF-8".to_owned())?;
                Ok((Piece::Named(text), name.len() + 4))
            }
            other => Err(unsupported(other)),
        }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<(Piece<'a>, usize), String>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let rest = self.template.get(start..).filter(|rest| !rest.is_empty())?;
        let piece = match rest.iter().position(|byte| *byte == b'%') {
            Some(0) => Self::placeholder(&rest[1..]),
            found => {
                let length = found.unwrap_or(rest.len());
                Ok((Piece::Text(&rest[..length]), length))
            }
        };
        self.at = piece.as_ref().map_or(self.template.len(), |(_, length)| start + length);
        Some(piece.map(|(piece, _)| (piece, start)))
    }
}

fn unsupported(after: &[u8]) -> String {
    let shown = String::from_utf8_lossy(&after[..after.len().min(10)]);
    format!(
        "`%` must be followed by s, (name)s or another % when parameters are given; here: %{shown}"
    )
}

/// A statement for the server to prepare: with `?` where values belong.
#[derive(Debug, PartialEq, Eq)]
pub struct Marked<'a> {
    /// What is sent.
    pub sql: Vec<u8>,
    /// What the `?` stand for: no [`Piece::Text`] is among them.
    pub places: Vec<Piece<'a>>,
}

impl<'a> Marked<'a> {
    /// `parameters`: whether there are any; without them a `%` is a `%`. `backslash`: whether one
    /// escapes in strings.
    ///
    /// # Errors
    /// A sentence, where a `?` of the template's own would be taken for a place, where a place
    /// would be taken for text, or where `%` is followed by something else than it may.
    pub fn of(template: &'a [u8], backslash: bool, parameters: bool) -> Result<Self, String> {
        let signs = percent_signs(template, backslash)?;
        let mut marked = Self { sql: Vec::with_capacity(template.len()), places: Vec::new() };
        if !parameters {
            marked.sql.extend_from_slice(template);
            return Ok(marked);
        }
        for piece in Pieces::of(template) {
            match piece? {
                (Piece::Text(text), _) => marked.sql.extend_from_slice(text),
                (_, at) if signs.binary_search(&at).is_err() => return Err(hidden(template, at)),
                (place, _) => {
                    marked.sql.push(b'?');
                    marked.places.push(place);
                }
            }
        }
        Ok(marked)
    }
}

/// Where a `%` stands outside strings and comments.
fn percent_signs(template: &[u8], backslash: bool) -> Result<Vec<usize>, String> {
    let mut signs = Vec::new();
    for (token, range) in Tokens::new(template, backslash) {
        match token {
            Token::Symbol(b'%') => signs.push(range.start),
            Token::Symbol(b'?') => {
                return Err("a prepared statement has `%s` where values belong, not `?`".into())
            }
            _ => {}
        }
    }
    Ok(signs)
}

fn hidden(template: &[u8], at: usize) -> String {
    let shown = String::from_utf8_lossy(&template[at..template.len().min(at + 10)]);
    format!(
        "in a string, a quoted name or a comment the server takes no value; here: {shown} (write \
         %% for a %, and `CONCAT('%%', %s)` for a value with something around it)"
    )
}

#[cfg(test)]
mod tests {
    use super::{Marked, Piece, Pieces};

    fn marked(template: &str) -> Result<(String, Vec<Piece<'_>>), String> {
        let marked = Marked::of(template.as_bytes(), true, true)?;
        Ok((String::from_utf8(marked.sql).unwrap(), marked.places))
    }

    #[test]
    fn a_template_is_text_and_places() {
        let pieces: Result<Vec<_>, _> = Pieces::of(b"a%sb%%%(c d)s").collect();
        assert_eq!(
            pieces.unwrap(),
            [
                (Piece::Text(b"a"), 0),
                (Piece::Next, 1),
                (Piece::Text(b"b"), 3),
                (Piece::Text(b"%"), 4),
                (Piece::Named("c d"), 6)
            ]
        );
    }

    #[test]
    fn a_sign_that_means_nothing_is_told_and_ends_it() {
        for template in ["a %d", "%", "%(a)", "%(a)d", "%(a"] {
            let mut pieces = Pieces::of(template.as_bytes()).skip_while(Result::is_ok);
            assert!(pieces.next().unwrap().unwrap_err().contains("here: %"), "{template}");
            assert!(pieces.next().is_none());
        }
        assert!(Pieces::of(b"%(\xff)s").next().unwrap().is_err());
    }

    #[test]
    fn places_become_question_marks() {
        let (sql, places) = marked("SELECT %s, %(a)s, '50%%', `?`, '?' -- ?\n, 7 %% %s").unwrap();
        assert_eq!(sql, "SELECT ?, ?, '50%', `?`, '?' -- ?\n, 7 % ?");
        assert_eq!(places, [Piece::Next, Piece::Named("a"), Piece::Next]);
    }

    #[test]
    fn a_place_in_code_that_only_the_server_reads_counts() {
        assert_eq!(marked("SELECT /*!50000 %s */ 1").unwrap().0, "SELECT /*!50000 ? */ 1");
    }

    #[test]
    fn a_place_that_the_server_would_not_see_is_refused() {
        for sql in ["'%s'", "\"%s\"", "`%s`", "1 -- %s", "1 # %s", "/* %s */ 1", "'\\'%s'"] {
            assert!(marked(sql).unwrap_err().contains("here: %s"), "{sql}");
        }
        assert!(Marked::of(b"'\\', %s", true, true).is_err());
        assert!(Marked::of(b"'\\', %s", false, true).is_ok());
    }

    #[test]
    fn a_question_mark_of_its_own_is_refused() {
        assert!(marked("SELECT ?").unwrap_err().contains("not `?`"));
        assert!(Marked::of(b"SELECT ?", true, false).is_err());
    }

    #[test]
    fn without_parameters_a_sign_is_itself() {
        let marked = Marked::of(b"SELECT '%s', 7 %% 2 %", true, false).unwrap();
        assert_eq!(marked.sql, b"SELECT '%s', 7 %% 2 %");
        assert!(marked.places.is_empty());
    }
}
