//! What a connection asks of the server beside statements.

use pyo3::prelude::*;

use super::super::errors::usage;
use super::super::link::skip_answers;
use super::Connection;
use crate::session::Secret;

/// As MySQL numbers them.
const MULTI_STATEMENTS_ON: u32 = 0;
const MULTI_STATEMENTS_OFF: u32 = 1;

#[pymethods]
impl Connection {
    /// Change the default database.
    fn select_db(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.link()?.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.select_database(name)
        })
    }

    /// End another session by its `thread_id()`. Raises OperationalError 1094 where there is none.
    fn kill(&self, py: Python<'_>, thread_id: u64) -> PyResult<()> {
        self.run(py, format!("KILL {thread_id}").as_bytes())
    }

    /// The server's own line about itself: uptime, threads, questions.
    fn stat(&self, py: Python<'_>) -> PyResult<String> {
        self.link()?.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.statistics()
        })
    }

    /// Have the server write what it knows about itself into its log. Needs the right SUPER.
    fn dump_debug_info(&self, py: Python<'_>) -> PyResult<()> {
        self.link()?.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.dump_debug_info()
        })
    }

    /// Shut the server down. Needs the right SHUTDOWN.
    fn shutdown(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, b"SHUTDOWN")
    }

    /// Allow several statements in one text (0) or not (1), as MySQL's `mysql_set_server_option()`.
    /// A pool takes it back.
    fn set_server_option(&self, py: Python<'_>, option: u32) -> PyResult<()> {
        let allow = match option {
            MULTI_STATEMENTS_ON => true,
            MULTI_STATEMENTS_OFF => false,
            _ => return Err(usage("a server option is 0 (several statements) or 1 (only one)")),
        };
        self.link()?.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.allow_multi_statements(allow)
        })
    }

    /// Log in anew, as another user, and make `db` the default database (none: there is none). The
    /// server makes the session like new, and it is set up as at connect. A `forksafe.Pool` closes
    /// it when it comes back; other pools, such as SQLAlchemy's own, would lend it as it is. Raises
    /// OperationalError where the server refuses, and the connection is finished.
    #[pyo3(signature = (user, passwd = "", db = None))]
    fn change_user(
        &self,
        py: Python<'_>,
        user: &str,
        passwd: &str,
        db: Option<&str>,
    ) -> PyResult<()> {
        if [Some(user), Some(passwd), db].into_iter().flatten().any(|text| text.contains('\0')) {
            return Err(usage("user, passwd and db cannot contain a NUL character"));
        }
        let db = db.filter(|name| !name.is_empty());
        self.link()?.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.change_user(user, Secret::new(passwd), db)
        })
    }
}
