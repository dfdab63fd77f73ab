//! What a program changed by a command, and what sets it right before the session is lent again.

use mysql::mysql_common::constants::CapabilityFlags;

use super::body::Body;
use super::broken::Broken;
use super::charset::Charset;
use super::command::Command;
use super::error::Error;
use super::limits::texts;
use super::Session;

/// How a session differs from what its options say.
#[derive(Clone, Debug, Default)]
pub(super) struct Strayed {
    /// Another user than at connect.
    pub(super) user: bool,
    /// Another character set or collation.
    charset: Option<Charset>,
    /// The character set that the caller sets on each new session, if it is not the options'.
    home: Option<Charset>,
    /// What sets the character set as it was before it was changed.
    back: Option<String>,
    /// Another default database, and whether the caller selects one on each new session.
    pub(super) database: bool,
    database_of_caller: bool,
    /// What autocommit was, where the options leave that to the server.
    pub(super) autocommit: Option<bool>,
    /// Whether several statements at once were allowed or forbidden.
    pub(super) multi_statements: bool,
}

/// What the server's answers to these are called in a SET that brings them back.
const NAMES: [&str; 3] = ["character_set_client", "character_set_results", "collation_connection"];

impl Strayed {
    /// The caller makes on each new session what this one is by now.
    pub(super) fn settle(&mut self) {
        self.home = self.charset.take().or(self.home);
        self.back = None;
        self.database_of_caller |= std::mem::take(&mut self.database);
    }

    /// The server has taken back all but the user and `multi_statements`.
    pub(super) fn forget_reset(&mut self) {
        let (user, multi_statements) = (self.user, self.multi_statements);
        *self = Self { user, multi_statements, ..Self::default() };
    }
}

impl Session {
    /// The character set that statements and rows are written in.
    pub fn charset(&self) -> Charset {
        self.body.get().map(Body::charset).unwrap_or_default()
    }

    /// Change the character set, and its collation if one is given. A reset takes it back.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub fn set_charset(&mut self, charset: Charset, collation: Option<&str>) -> Result<(), Error> {
        self.finish_answers()?;
        let body = self.body()?;
        body.statements.leave_all();
        if body.strayed.charset.is_none() {
            body.strayed.back = Some(body.way_back()?);
        }
        let mut sql = format!("SET NAMES {}", charset.name());
        if let Some(collation) = collation {
            sql += &format!(" COLLATE {collation}");
        }
        body.run(Command::Query(sql.as_bytes()))?;
        body.strayed.charset = Some(charset);
        Ok(())
    }
}

impl Body {
    pub(super) fn charset(&self) -> Charset {
        self.strayed.charset.or(self.strayed.home).unwrap_or(self.options.charset)
    }

    /// What sets the character set as it is now: `init_command`, or a statement of a hook, may have
    /// made it another one than the options say.
    fn way_back(&mut self) -> Result<String, Error> {
        let columns = NAMES.map(|name| format!("@@{name}")).join(", ");
        let answer = self.query(format!("SELECT {columns}").as_bytes())?;
        let assign = |(name, now): (&str, Option<String>)| {
            let now = now.unwrap_or_else(|| "NULL".into());
            let is_name = now.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            is_name.then(|| format!("{name} = {now}"))
        };
        let assignments = NAMES.into_iter().zip(texts(&answer)).map(assign);
        match assignments.collect::<Option<Vec<_>>>() {
            Some(all) if all.len() == NAMES.len() => Ok(format!("SET {}", all.join(", "))),
            _ => Err(self.end(Broken::malformed("a character set without a name"))),
        }
    }

    pub(super) fn restore_multi_statements(&mut self) -> Result<(), Error> {
        if self.strayed.multi_statements {
            let allowed = CapabilityFlags::CLIENT_MULTI_STATEMENTS;
            self.set_multi_statements(self.greeting.capabilities.contains(allowed))?;
            self.strayed.multi_statements = false;
        }
        Ok(())
    }

    /// Make it what it was after it was opened, where it was changed.
    pub(super) fn come_back(&mut self) -> Result<(), Error> {
        if self.strayed.user {
            return Err(Error::no_way_back("the user was changed"));
        }
        self.restore_multi_statements()?;
        if let Some(sql) = self.strayed.back.take() {
            // They are prepared in the other character set.
            self.statements.leave_all();
            self.run(Command::Query(sql.as_bytes()))?;
            self.strayed.charset = None;
        }
        if std::mem::take(&mut self.strayed.database) {
            let home = self.options.database.clone();
            let home = home.filter(|_| !self.strayed.database_of_caller);
            self.statements.leave_all();
            self.run(Command::InitDb(&home.ok_or_else(Error::no_database_to_go_back_to)?))?;
        }
        Ok(())
    }
}
