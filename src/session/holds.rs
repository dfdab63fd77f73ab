//! What a session holds that would vanish with it, without a word to the program.
//!
//! The server does not tell (MySQL's session tracking leaves `GET_LOCK` out, MariaDB's most of
//! it), and once the session is dead it cannot be asked. So statements are read on their way,
//! before their parameters are put in. A stored procedure may do any of this unseen: `CALL`
//! counts as one of them.

use super::marks::Marks;
use super::sql::{Token, Tokens};

/// One kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Hold {
    /// A named lock.
    GetLock,
    /// Tables locked for more than a statement.
    LockTables,
    /// A temporary table.
    TemporaryTable,
    /// `@name`.
    UserVariable,
    /// `SET` of what only this session sees.
    SessionVariable,
    /// Another default database than at connect.
    Database,
    /// A procedure, or a block of statements, that may hold any of these.
    Call,
    /// A statement prepared by text: what it does when it is executed is not seen.
    Prepared,
    /// Another user than at connect.
    User,
}

const ALL: [(Hold, &str); 9] = [
    (Hold::GetLock, "GET_LOCK"),
    (Hold::LockTables, "LOCK TABLES"),
    (Hold::TemporaryTable, "TEMPORARY TABLE"),
    (Hold::UserVariable, "user variables"),
    (Hold::SessionVariable, "session variables"),
    (Hold::Database, "USE"),
    (Hold::Call, "CALL"),
    (Hold::Prepared, "PREPARE"),
    (Hold::User, "change_user"),
];

/// What may follow `SET` or a comma in it without leaving anything that this session alone has.
const HARMLESS: [&str; 6] =
    ["GLOBAL", "PERSIST", "PERSIST_ONLY", "PASSWORD", "STATEMENT", "DEFAULT"];

/// Where in a text of statements a token stands.
#[derive(Clone, Copy)]
enum Place {
    Start,
    /// What is set comes next.
    Assignment {
        first: bool,
    },
    Set,
    Elsewhere,
}

/// A set of [`Hold`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holds(u16);

impl Holds {
    /// Add one.
    pub fn add(&mut self, hold: Hold) {
        self.0 |= 1 << hold as u8;
    }

    /// Whether it is among them.
    pub fn has(self, hold: Hold) -> bool {
        self.0 & (1 << hold as u8) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Add what a statement, or several in one text, may leave in the session; and mark what is to
    /// be known of it beside.
    pub(super) fn notice(&mut self, sql: &[u8], backslash: bool, marks: &mut Marks) {
        let mut new = Self::default();
        new.read(sql, backslash, marks);
        // What these do is not seen.
        marks.wait_timeout |= new.has(Hold::Call) || new.has(Hold::Prepared);
        self.0 |= new.0;
    }

    fn read(&mut self, sql: &[u8], backslash: bool, marks: &mut Marks) {
        let mut before = None;
        let mut place = Place::Start;
        let mut tokens = Tokens::new(sql, backslash).peekable();
        while let Some((token, range)) = tokens.next() {
            let in_set = matches!(place, Place::Assignment { .. } | Place::Set);
            marks.notice(before, token, &sql[range], in_set);
            marks.next_transaction |=
                matches!(place, Place::Assignment { first: true }) && token.is("TRANSACTION");
            place = match (place, token) {
                (_, Token::Symbol(b';')) => Place::Start,
                (Place::Start, word) => self.notice_start(word),
                (Place::Assignment { first }, word) => self.notice_assignment(word, first),
                (Place::Set, Token::Symbol(b',')) => Place::Assignment { first: false },
                (place, _) => place,
            };
            self.notice_anywhere(before, token, tokens.peek().map(|(next, _)| *next));
            before = Some(token);
        }
    }

    fn notice_start(&mut self, token: Token<'_>) -> Place {
        if token.is("CALL") {
            self.add(Hold::Call);
        } else if token.is("PREPARE") || token.is("EXECUTE") {
            self.add(Hold::Prepared);
        } else if token.is("USE") {
            self.add(Hold::Database);
        } else if token.is("SET") {
            return Place::Assignment { first: true };
        }
        Place::Elsewhere
    }

    fn notice_assignment(&mut self, token: Token<'_>, first: bool) -> Place {
        // "SET TRANSACTION" is for one transaction; a user variable is noticed as itself.
        let passing = first && token.is("TRANSACTION");
        let harmless = HARMLESS.iter().any(|word| token.is(word));
        if !passing && !harmless && !matches!(token, Token::Variable(_)) {
            self.add(Hold::SessionVariable);
        }
        Place::Set
    }

    fn notice_anywhere(
        &mut self,
        before: Option<Token<'_>>,
        at: Token<'_>,
        next: Option<Token<'_>>,
    ) {
        let after = |keyword| before.is_some_and(|before| before.is(keyword));
        let then = |keyword| next.is_some_and(|next| next.is(keyword));
        if matches!(at, Token::Variable(_)) {
            self.add(Hold::UserVariable);
        } else if at.is("GET_LOCK") {
            self.add(Hold::GetLock);
        } else if at.is("LOCK") && (then("TABLES") || then("TABLE") || after("READ")) {
            self.add(Hold::LockTables);
        } else if at.is("TEMPORARY") && (after("CREATE") || after("REPLACE")) {
            self.add(Hold::TemporaryTable);
        } else if at.is("ATOMIC") && after("NOT") {
            self.add(Hold::Call);
        }
    }

    /// Their names, for a message.
    pub fn names(self) -> Vec<&'static str> {
        ALL.iter().filter(|(hold, _)| self.has(*hold)).map(|(_, name)| *name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Holds, Marks};

    fn noticed(sql: &str) -> (Holds, Marks) {
        let (mut holds, mut marks) = (Holds::default(), Marks::default());
        holds.notice(sql.as_bytes(), true, &mut marks);
        (holds, marks)
    }

    fn held(sql: &str) -> Vec<&'static str> {
        noticed(sql).0.names()
    }

    #[test]
    fn what_may_change_how_long_the_server_waits_is_marked() {
        for sql in [
            "SET wait_timeout = 5",
            "SET @@wait_timeout = 5",
            "SET @x = 1, @@session.`Wait_Timeout` = 5",
            "SELECT 1; SET SESSION wait_timeout = 5",
            "CALL p()",
            "EXECUTE s",
            "BEGIN NOT ATOMIC SET x = 1; END",
        ] {
            assert!(noticed(sql).1.wait_timeout, "{sql}");
        }
        for sql in ["SELECT @@wait_timeout", "SET @x = 'wait_timeout'", "BEGIN", "SET a = 1"] {
            assert!(!noticed(sql).1.wait_timeout, "{sql}");
        }
    }

    #[test]
    fn a_transaction_that_the_program_wants_without_changes_is_marked() {
        for sql in [
            "START TRANSACTION READ ONLY",
            "SET SESSION TRANSACTION READ /* x */ ONLY",
            "SET transaction_read_only = 1",
            "set @@session.tx_read_only = ON",
        ] {
            assert!(noticed(sql).1.read_only, "{sql}");
        }
        for sql in ["SELECT 'READ ONLY'", "START TRANSACTION READ WRITE", "SELECT @@tx_read_only"] {
            assert!(!noticed(sql).1.read_only, "{sql}");
        }
    }

    #[test]
    fn what_is_meant_for_the_next_transaction_is_marked() {
        assert!(noticed("SET TRANSACTION READ WRITE").1.next_transaction);
        assert!(!noticed("SET SESSION TRANSACTION READ WRITE").1.next_transaction);
        assert!(!noticed("START TRANSACTION").1.next_transaction);
    }

    #[test]
    fn what_a_session_would_lose_is_noticed() {
        assert_eq!(held("SELECT get_lock(%s, 1)"), ["GET_LOCK"]);
        assert_eq!(held("LOCK TABLES t WRITE"), ["LOCK TABLES"]);
        assert_eq!(held("FLUSH TABLES WITH READ LOCK"), ["LOCK TABLES"]);
        assert_eq!(held("CREATE /* x */ TEMPORARY TABLE t (a INT)"), ["TEMPORARY TABLE"]);
        assert_eq!(held("SELECT 1 INTO @x"), ["user variables"]);
        assert_eq!(held("SELECT 1; SET @x = 1"), ["user variables"]);
        assert_eq!(held("SET SESSION sql_mode = ''"), ["session variables"]);
        assert_eq!(held("SET GLOBAL a = 1, b = 2"), ["session variables"]);
        assert_eq!(held("SET autocommit = 0"), ["session variables"]);
        assert_eq!(held("/*!40101 SET foreign_key_checks = 0 */"), ["session variables"]);
        assert_eq!(held("USE other"), ["USE"]);
        assert_eq!(held("CALL p(1)"), ["CALL"]);
        assert_eq!(held("BEGIN NOT ATOMIC SELECT 1; END"), ["CALL"]);
        assert_eq!(held("PREPARE s FROM 'SET NAMES latin1'"), ["PREPARE"]);
        assert_eq!(held("EXECUTE IMMEDIATE 'SET NAMES latin1'"), ["PREPARE"]);
    }

    #[test]
    fn what_only_looks_like_it_is_not() {
        for sql in [
            "SELECT 'GET_LOCK', \"@x\"",
            "SELECT * FROM t LOCK IN SHARE MODE",
            "UNLOCK TABLES",
            "DROP TEMPORARY TABLE t",
            "SELECT @@version",
            "INSERT INTO t VALUES ('a@b.example')",
            "SET GLOBAL x = 1",
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "UPDATE t SET a = 1",
        ] {
            assert!(held(sql).is_empty(), "{sql}: {:?}", held(sql));
        }
    }
}
