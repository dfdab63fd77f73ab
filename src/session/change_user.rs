//! A log-in of somebody else on an open session, which the server makes like new for it.

use std::sync::Arc;
use std::time::Instant;

use mysql::mysql_common::constants::StatusFlags;

use super::body::Body;
use super::credentials::Credentials;
use super::error::Error;
use super::handshake;
use super::holds::Holds;
use super::marks::Marks;
use super::options::Secret;
use super::status::Status;
use super::strayed::Strayed;
use super::tracking::Tracking;
use super::Session;

impl Session {
    /// Become another user (`COM_CHANGE_USER`), and set the session up as at connect; `database`
    /// is the default one from then on. All of it takes `connect_timeout` at most. There is no way
    /// back: [`Session::roll_back`] and [`Session::renew_if_changed`] fail from then on, so that no
    /// pool lends it with somebody else's rights.
    ///
    /// # Errors
    /// As [`Session::query`], and those of a log-in. The session is over then: which user it would
    /// be is up to the server, and what it held is gone.
    pub fn change_user(
        &mut self,
        user: &str,
        password: Secret,
        database: Option<&str>,
    ) -> Result<(), Error> {
        self.finish_answers()?;
        let body = self.body()?;
        body.ready()?;
        body.set_deadline(Some(Instant::now() + body.options.connect_timeout));
        let credentials = Credentials { user: user.to_owned(), password, until: None };
        let changed = body.become_user(credentials, database).and_then(|()| body.set_up());
        body.set_deadline(None);
        changed
    }
}

impl Body {
    fn become_user(
        &mut self,
        credentials: Credentials,
        database: Option<&str>,
    ) -> Result<(), Error> {
        let greeting = &mut self.greeting;
        let (options, host) = (Arc::clone(&self.options), Arc::clone(&self.host));
        match handshake::repeat(&mut self.stream, &options, &credentials, &host, greeting, database)
        {
            Ok(status) => {
                self.credentials = credentials;
                self.begin_anew(status);
                self.strayed.database = database != options.database.as_deref();
                Ok(())
            }
            Err(error) => {
                self.stream.socket().shut();
                self.over.get_or_insert_with(|| format!("change_user: {}", error.message()));
                Err(error)
            }
        }
    }

    fn begin_anew(&mut self, status: StatusFlags) {
        self.status = Status::new(status);
        self.tracking = Tracking::new(self.greeting.capabilities, &self.greeting.version);
        self.statements.clear();
        (self.holds, self.marks) = (Holds::default(), Marks::default());
        self.strayed = Strayed::default();
        self.strayed.user = true;
    }
}
