//! The terms on which a statement was prepared.
//!
//! The server executes it in the default database, with the sql_mode and in the character set of
//! the time it was prepared, whatever they are by now. It does not tell of each change (MySQL's
//! session tracking can, MariaDB's is off as a rule), so statements are read on their way: those
//! kept stay right only past one of a kind that surely leaves all three alone. Stored functions
//! and triggers do: the server puts back what they set, and they may neither `USE` a database nor
//! run a statement that is put together on the way. Procedures may.

use super::sql::{Token, Tokens};

/// Statements that change no setting of the session, by their first word.
const HARMLESS: [&str; 28] = [
    "SELECT",
    "WITH",
    "VALUES",
    "TABLE",
    "INSERT",
    "REPLACE",
    "UPDATE",
    "DELETE",
    "DO",
    "LOAD",
    "START",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
    "SHOW",
    "EXPLAIN",
    "DESCRIBE",
    "DESC",
    "ANALYZE",
    "CHECK",
    "OPTIMIZE",
    "FLUSH",
    "GRANT",
    "REVOKE",
    "KILL",
    "LOCK",
    "UNLOCK",
];
/// These too, unless they are about a database: without it there is no default one, and with
/// another character set its statements mean something else.
const DEFINITIONS: [&str; 5] = ["CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE"];

/// Where in a statement a token stands.
#[derive(Clone, Copy)]
enum Place {
    Start,
    /// `BEGIN` alone starts a transaction; else it is a block, with anything in it.
    Begin,
    Definition,
    /// A variable must come next.
    Set,
    Assignment,
    Elsewhere,
}

/// Whether a statement, or each of several in one text, surely leaves the default database, the
/// sql_mode and the character set of literals as they are.
pub(super) fn stay(sql: &[u8], backslash: bool) -> bool {
    // Some servers run it and others skip it: where the next string begins is not known.
    let has_version = |text: &[u8]| sql.windows(text.len()).any(|window| window == text);
    if has_version(b"/*!") || has_version(b"/*M!") {
        return false;
    }
    let mut place = Place::Start;
    for (token, _) in Tokens::new(sql, backslash) {
        match next(place, token) {
            Some(follows) => place = follows,
            None => return false,
        }
    }
    true
}

fn next(place: Place, token: Token<'_>) -> Option<Place> {
    let among = |words: &[&str]| words.iter().any(|word| token.is(word));
    match (place, token) {
        // Under ANSI_QUOTES, which the server does not tell, it escapes nothing between these.
        (_, Token::Quoted([b'"', inside @ ..])) if inside.contains(&b'\\') => None,
        (Place::Set, Token::Variable(_)) => Some(Place::Assignment),
        (Place::Set, _) => None,
        (_, Token::Symbol(b';')) => Some(Place::Start),
        (Place::Start, Token::Symbol(b'(')) => Some(Place::Start),
        (Place::Start, _) if among(&HARMLESS) => Some(Place::Elsewhere),
        (Place::Start, _) if among(&DEFINITIONS) => Some(Place::Definition),
        (Place::Start, _) if token.is("BEGIN") => Some(Place::Begin),
        (Place::Start, _) if token.is("SET") => Some(Place::Set),
        (Place::Start, _) => None,
        (Place::Begin, _) => token.is("WORK").then_some(Place::Elsewhere),
        (Place::Definition, _) if among(&["DATABASE", "SCHEMA"]) => None,
        // A comma inside parentheses counts as well: that forgets too much rather than too little.
        (Place::Assignment, Token::Symbol(b',')) => Some(Place::Set),
        (place, _) => Some(place),
    }
}

#[cfg(test)]
mod tests {
    use super::stay;

    #[test]
    fn what_leaves_all_settings_alone_is_known() {
        for sql in [
            "",
            ";;",
            " -- USE a\n",
            "select 1",
            "(SELECT 1) UNION (SELECT 2)",
            "SELECT 'a; USE b' /* ; USE c */",
            "BEGIN",
            "begin work; COMMIT;",
            "INSERT INTO t SELECT @@sql_mode, DATABASE()",
            "CREATE TABLE `database` (a INT); DROP TABLE t",
            "SET @a = 1",
            "SET @a = 1, @`b` := 'x'",
        ] {
            assert!(stay(sql.as_bytes(), true), "{sql}");
        }
    }

    #[test]
    fn what_may_change_a_setting_or_is_not_known_is_told() {
        for sql in [
            "USE a",
            "SELECT 1; use a",
            "SET sql_mode = ''",
            "SET @@sql_mode = ''",
            "SET NAMES latin1",
            "SET @a = 1, sql_mode = ''",
            "SET @a = 1, @@session.sql_mode = ''",
            "SET STATEMENT sql_mode = '' FOR SELECT 1",
            "CALL p()",
            "EXECUTE s",
            "PREPARE s FROM @a",
            "BEGIN NOT ATOMIC USE a; END",
            "DROP DATABASE a",
            "create or replace schema a",
            "ALTER DATABASE a CHARACTER SET latin1",
            "/*!50000 USE a */",
            "SELECT 1 /*!999999 ' */; USE a -- '",
            "SELECT 1 /*M!999999 ' */; USE a -- '",
            "SELECT 1 AS \"a\\\", 2; USE a -- \"",
            "no such statement",
            "`a`",
        ] {
            assert!(!stay(sql.as_bytes(), true), "{sql}");
        }
    }

    #[test]
    fn a_backslash_escapes_or_not() {
        let sql = b"SELECT '\\'; USE a -- '";
        assert!(stay(sql, true) && !stay(sql, false));
    }
}
