//! A log-in of somebody else on an open session, which the server makes like new for it.

use std::sync::Arc;
use std::time::Instant;

use mysql::mysql_common::constants::StatusFlags;

use super::body::Body;
use super::credentials::Credentials;
use super::error::Error;
use super::handshake;
use super::holds::{Hold, Holds};
use super::marks::Marks;
use super::options::Secret;
use super::status::Status;
use super::tracking::Tracking;
use super::Session;

impl Session {
    /// Become another user (`COM_CHANGE_USER`), and set the session up as at connect; `database`
    /// is the default one from then on. All of it takes `connect_timeout` at most. There is no way
    /// back: the session is [`Session::is_anothers`] from then on, and a pool must not lend it.
    ///
    /// # Errors
    /// As [`Session::query`], those of a log-in, and those of the set-up. After any but the first
    /// the session is over: it may be half somebody else's, and what it held is gone.
    pub fn change_user(
        &mut self,
        user: &str,
        password: Secret,
        database: Option<&str>,
    ) -> Result<(), Error> {
        self.finish_answers()?;
        let body = self.body()?;
        body.ready()?;
        let credentials = Credentials { user: user.to_owned(), password, until: None };
        let end = Instant::now() + body.options.connect_timeout;
        let changed = body.by(end, |body| body.become_user(credentials, database));
        changed.inspect_err(|error| body.give_up(error))
    }

    /// Whether its user is not the one of the options any more.
    pub fn is_anothers(&self) -> bool {
        self.body.get().is_some_and(|body| body.strayed.user)
    }

    /// The caller makes on each new session what this one is by now, its user too.
    pub fn adopt(&mut self) {
        self.forget_holds();
        if let Some(body) = self.body.get_mut() {
            body.strayed.user = false;
        }
    }
}

impl Body {
    fn become_user(
        &mut self,
        credentials: Credentials,
        database: Option<&str>,
    ) -> Result<(), Error> {
        let (options, host) = (Arc::clone(&self.options), Arc::clone(&self.host));
        let (stream, greeting) = (&mut self.stream, &mut self.greeting);
        let status = handshake::repeat(stream, &options, &credentials, &host, greeting, database)?;
        self.credentials = credentials;
        self.begin_anew(status);
        self.strayed.database = database != options.database.as_deref();
        self.restore_multi_statements()?;
        self.set_up()?;
        self.holds.add(Hold::User);
        Ok(())
    }

    fn begin_anew(&mut self, status: StatusFlags) {
        self.status = Status::new(status);
        self.tracking = Tracking::new(self.greeting.capabilities, &self.greeting.version);
        self.statements.clear();
        (self.holds, self.marks) = (Holds::default(), Marks::default());
        self.strayed.forget_reset();
        self.strayed.user = true;
    }

    /// End a session that is neither as it was nor as it should be, unless it has ended already: a
    /// statement that a signal cut off is still to be killed.
    fn give_up(&mut self, error: &Error) {
        if self.over.is_none() {
            self.stream.socket().shut();
            self.over = Some(format!("change_user: {}", error.message()));
        }
    }
}
