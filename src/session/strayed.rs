//! What a program changed by a command, and what sets it right before the session is lent again.

use mysql::mysql_common::constants::CapabilityFlags;

use super::body::Body;
use super::charset::Charset;
use super::command::Command;
use super::error::Error;
use super::Session;

/// How a session differs from what its options say.
#[derive(Clone, Debug, Default)]
pub(super) struct Strayed {
    /// Another character set or collation.
    pub(super) charset: Option<Charset>,
    /// Whether several statements at once were allowed or forbidden.
    pub(super) multi_statements: bool,
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
        self.strayed.charset.unwrap_or(self.options.charset)
    }

    /// Make it what the options say again, where it was changed.
    pub(super) fn come_back(&mut self) -> Result<(), Error> {
        if self.strayed.multi_statements {
            let allowed = CapabilityFlags::CLIENT_MULTI_STATEMENTS;
            self.set_multi_statements(self.greeting.capabilities.contains(allowed))?;
            self.strayed.multi_statements = false;
        }
        if self.strayed.charset.is_some() {
            let sql = self.options.names();
            self.run(Command::Query(sql.as_bytes()))?;
            self.strayed.charset = None;
        }
        Ok(())
    }
}
