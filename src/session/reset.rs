//! What statements leave in a session, and how it is made like new.

use super::body::Body;
use super::command::Command;
use super::error::Error;
use super::holds::{Hold, Holds};
use super::marks::Marks;
use super::Session;

impl Session {
    /// Note what a statement leaves in the session, and forget what is prepared where it may change
    /// its meaning; `sql` is its text before parameters.
    pub fn notice(&mut self, sql: &[u8]) {
        if let Some(body) = self.body.get_mut() {
            let backslash = !body.status.no_backslash_escapes();
            body.holds.notice(sql, backslash, &mut body.marks);
            body.statements.notice(sql, backslash);
        }
    }

    /// What would vanish with the session.
    pub fn holds(&self) -> Holds {
        self.body.get().map(|body| body.holds).unwrap_or_default()
    }

    /// The caller makes on each new session what this one holds by now, and on one that was
    /// renewed; so none of it is a reason to renew one.
    pub fn forget_holds(&mut self) {
        if let Some(body) = self.body.get_mut() {
            body.holds = Holds::default();
            body.strayed.settle();
            body.tracking.begin();
        }
    }

    /// Leave no transaction open, and the autocommit mode as it was at connect. Without a round
    /// trip where the server's own status says that there is nothing to do.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub fn roll_back(&mut self) -> Result<(), Error> {
        self.finish_answers()?;
        let body = self.body()?;
        let home = body.options.autocommit.or(body.strayed.autocommit);
        let home = home.filter(|home| *home != body.status.autocommits());
        // Without a transaction too, a ROLLBACK takes back what was meant for the next one.
        if !body.status.surely_no_transaction() || body.marks.next_transaction {
            body.run(Command::Query(b"ROLLBACK"))?;
            body.marks.next_transaction = false;
        }
        body.come_back()?;
        home.map_or(Ok(()), |home| self.set_autocommit(home))
    }

    /// Make the session like new (`COM_RESET_CONNECTION`) and set it up again, where it may have
    /// been changed: by what its statements said, by what the server tells of functions and
    /// triggers ([`ConnectOptions::track_state`](super::ConnectOptions::track_state)), or where
    /// nobody knows. Else roll it back, which may cost nothing; after statements with rows MySQL
    /// must be asked by a round trip whether there is more to do, MariaDB has told. Answers whether
    /// it was renewed.
    ///
    /// # Errors
    /// As [`Session::query`]. Where the default database was changed and none was given at connect,
    /// there is no way back: 2014.
    pub fn renew_if_changed(&mut self) -> Result<bool, Error> {
        self.finish_answers()?;
        if !self.body()?.may_have_changed() {
            self.roll_back()?;
            let body = self.body()?;
            if body.tracking.is_pending() {
                body.run(Command::Ping)?;
            }
        }
        let body = self.body()?;
        let changed = body.may_have_changed();
        if changed {
            body.renew()?;
        }
        Ok(changed)
    }

    /// Ask for `wait_timeout` again where statements may have changed it.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub(super) fn follow_wait_timeout(&mut self) -> Result<(), Error> {
        self.body()?.follow_wait_timeout()
    }

    /// Switch autocommit, if it is not so already.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub fn set_autocommit(&mut self, on: bool) -> Result<(), Error> {
        self.finish_answers()?;
        let body = self.body()?;
        let now = body.status.autocommits();
        if now == on {
            return Ok(());
        }
        body.strayed.autocommit.get_or_insert(now);
        let sql: &[u8] = if on { b"SET autocommit = 1" } else { b"SET autocommit = 0" };
        body.run(Command::Query(sql)).map(drop)
    }
}

impl Body {
    fn may_have_changed(&self) -> bool {
        !self.holds.is_empty() || self.tracking.may_have_changed()
    }

    fn renew(&mut self) -> Result<(), Error> {
        let strayed = self.holds.has(Hold::Database);
        let unseen = self.holds.has(Hold::Prepared);
        self.run(Command::ResetConnection)?;
        self.statements.clear();
        // The reset leaves the default database where it is.
        match self.options.database.clone() {
            Some(home) if strayed || unseen => self.run(Command::InitDb(&home)).map(drop)?,
            None if strayed => return Err(Error::no_database_to_go_back_to()),
            _ => {}
        }
        (self.holds, self.marks) = (Holds::default(), Marks::default());
        self.strayed.forget_reset();
        self.come_back()?;
        self.set_up()
    }
}
