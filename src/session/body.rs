//! The inside of a session: a stream past its log-in, and what the server last said.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asked::Asked;
use super::broken::Broken;
use super::command::{Answer, Command, Failure, Reader, Reading};
use super::credentials::Credentials;
use super::error::Error;
use super::handshake::Greeting;
use super::holds::Holds;
use super::hosts::Host;
use super::identity::Identity;
use super::infile::{LocalFiles, Named};
use super::limits::ServerLimits;
use super::marks::Marks;
use super::options::ConnectOptions;
use super::rows::{Format, ResultSet};
use super::socket::CLOSED_BY_OTHERS;
use super::statements::Statements;
use super::status::Status;
use super::strayed::Strayed;
use super::stream::{Stream, UNASKED};
use super::tracking::Tracking;
use super::transport::Silence;
use super::Column;

/// A session that has rested longer than this is probed before a command: then a death that has
/// already happened is known before anything is sent.
const RESTED: Duration = Duration::from_millis(100);

/// What a probe says, which costs no round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Silent and open.
    Open,
    /// Something is there that a ping must explain.
    Suspect,
    /// Closed, over, inherited, or out of step.
    Dead,
}

/// What a session is made of. It is dropped only by the process that made it.
pub(super) struct Body {
    pub(super) stream: Stream,
    pub(super) options: Arc<ConnectOptions>,
    pub(super) host: Arc<Host>,
    pub(super) credentials: Credentials,
    pub(super) greeting: Greeting,
    pub(super) limits: ServerLimits,
    /// Of the server, as far as it is known.
    pub(super) identity: Option<Identity>,
    /// The last command.
    pub(super) asked: Asked,
    pub(super) status: Status,
    pub(super) tracking: Tracking,
    pub(super) holds: Holds,
    pub(super) marks: Marks,
    pub(super) strayed: Strayed,
    /// Its server has refused a change because it takes none.
    pub(super) read_only: bool,
    /// The columns of the rows that are still to be read.
    pub(super) flow: Option<Arc<[Column]>>,
    pub(super) statements: Statements,
    /// Of the last command.
    pub(super) named: Named,
    pub(super) format: Format,
    pub(super) runs: bool,
    pub(super) used: Instant,
    /// Why it is over.
    pub(super) over: Option<String>,
}

impl Body {
    pub(super) fn learn(&mut self, limits: ServerLimits) {
        let largest = self.stream.largest(limits.max_allowed_packet);
        let largest = largest.min(self.options.max_allowed_packet.unwrap_or(usize::MAX));
        self.limits = ServerLimits { max_allowed_packet: largest, ..limits };
    }

    pub(super) fn query(&mut self, sql: &[u8]) -> Result<Answer, Error> {
        self.run(Command::Query(sql))
    }

    pub(super) fn run(&mut self, command: Command<'_>) -> Result<Answer, Error> {
        self.run_for(command, Reading::Whole)
    }

    pub(super) fn run_for(
        &mut self,
        command: Command<'_>,
        reading: Reading,
    ) -> Result<Answer, Error> {
        self.ready()?;
        self.close_left()?;
        self.send(command)?;
        self.answer(reading)
    }

    /// Which files a statement that is about to be sent names.
    pub(super) fn note_files(&mut self, sql: &[u8]) {
        self.named = match self.options.local_files {
            LocalFiles::Off => Named::default(),
            _ => Named::by(sql, !self.status.no_backslash_escapes()),
        };
    }

    /// Send a command; the session must be ready for one.
    pub(super) fn send(&mut self, command: Command<'_>) -> Result<(), Error> {
        if let Command::Query(sql) = command {
            self.note_files(sql);
        }
        let parts = command.parts();
        let size = parts[0].len() + parts[1].len();
        if size > self.limits.max_allowed_packet {
            return Err(Error::packet_too_large(size, self.limits.max_allowed_packet));
        }
        (self.format, self.runs) = (command.format(), command.runs());
        self.asked.note(command);
        self.stream.begin();
        let sent = self.stream.send(&parts);
        sent.map_err(|broken| self.end(broken))
    }

    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.stream.set_deadline(deadline);
    }

    /// Work that must be done by `end`, or sooner where a deadline is set already.
    pub(super) fn by<T>(&mut self, end: Instant, work: impl FnOnce(&mut Self) -> T) -> T {
        let own = self.stream.deadline();
        self.set_deadline(Some(own.map_or(end, |own| own.min(end))));
        let done = work(self);
        self.set_deadline(own);
        done
    }

    /// Whether a command may be sent now.
    pub(super) fn ready(&mut self) -> Result<(), Error> {
        if self.has_more() && self.over.is_none() {
            return Err(Error::unread());
        }
        // Celery closes descriptors behind a driver's back: the number may be another's by now.
        if !self.stream.is_ours() {
            self.over.get_or_insert_with(|| CLOSED_BY_OTHERS.into());
        } else if self.stream.has_unread() {
            self.over.get_or_insert_with(|| UNASKED.into());
        } else if self.used.elapsed() > RESTED {
            self.probe();
        }
        match &self.over {
            Some(cause) => Err(Error::gone(cause)),
            None => Ok(()),
        }
    }

    /// Whether rows or answers are still to be read.
    pub(super) fn has_more(&self) -> bool {
        self.flow.is_some() || self.status.has_more()
    }

    pub(super) fn next_answer(&mut self, reading: Reading) -> Result<Option<Answer>, Error> {
        self.skip_flow()?;
        match &self.over {
            Some(cause) => Err(Error::gone(cause)),
            None if self.status.has_more() => self.answer(reading).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn answer(&mut self, reading: Reading) -> Result<Answer, Error> {
        let answer = self.read(reading, |reader| reader.answer())?;
        if let Answer::Flow(columns, _) = &answer {
            self.flow = Some(Arc::clone(columns));
        }
        Ok(answer)
    }

    /// The next rows of the flow, at least one; none at its end.
    pub(super) fn next_rows(&mut self) -> Result<ResultSet, Error> {
        let columns = self.flow.take().ok_or_else(Error::skipped)?;
        if let Some(cause) = &self.over {
            return Err(Error::gone(cause));
        }
        let rows = self.read(Reading::Parts, |reader| reader.part(&columns))?;
        if !rows.is_empty() {
            self.flow = Some(columns);
        }
        Ok(rows)
    }

    /// What were read under a number that is another's by now would be missing there.
    pub(super) fn must_be_ours(&mut self) -> Result<(), Error> {
        match self.stream.is_ours() {
            true => Ok(()),
            false => Err(self.end(Broken::Io(io::Error::other(CLOSED_BY_OTHERS)))),
        }
    }

    /// Read what the last command is answered with.
    pub(super) fn read<T>(
        &mut self,
        reading: Reading,
        read: impl FnOnce(&mut Reader<'_>) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        self.must_be_ours()?;
        self.stream.await_answer();
        let mut reader = Reader {
            stream: &mut self.stream,
            capabilities: self.greeting.capabilities,
            local_files: &self.options.local_files,
            named: &self.named,
            reading,
            format: self.format,
            status: &mut self.status,
            tracking: &mut self.tracking,
        };
        let outcome = read(&mut reader);
        self.used = Instant::now();
        outcome.map_err(|failure| match failure {
            Failure::Broken(broken) => self.end(broken),
            Failure::Refused(error) => {
                self.heed(&error);
                if error.ends_session() {
                    self.over = Some(error.message().to_owned());
                }
                error
            }
        })
    }

    /// A refusal may tell of the server.
    fn heed(&mut self, error: &Error) {
        let own_wish = error.blames_transaction() && self.marks.read_only;
        if error.is_read_only() && !own_wish {
            self.read_only = true;
            self.host.avoid(Instant::now());
        }
    }

    pub(super) fn end(&mut self, broken: Broken) -> Error {
        self.asked.cut_off = self.stream.has_sent() && matches!(broken, Broken::Interrupted);
        if !self.asked.cut_off && !matches!(broken, Broken::Inherited(_)) {
            self.stream.socket().shut();
        }
        let error = broken.after(self.stream.has_sent() && self.runs);
        self.over = Some(format!("the session had ended before: {}", error.message()));
        error
    }

    pub(super) fn probe(&mut self) -> Health {
        if self.over.is_some() {
            return Health::Dead;
        }
        if self.has_more() {
            // Answers are on their way, so nothing can be told from what is there to read.
            return Health::Suspect;
        }
        match self.stream.probe() {
            Silence::Silent => Health::Open,
            Silence::Unclear => Health::Suspect,
            Silence::Broken(cause) => {
                self.over = Some(cause);
                Health::Dead
            }
        }
    }

    pub(super) fn descriptor(&self) -> Option<RawFd> {
        self.stream.is_ours().then(|| self.stream.as_raw_fd())
    }
}

impl Drop for Body {
    /// Ours, for an inherited body is never dropped: say goodbye, if anyone can still hear it.
    fn drop(&mut self) {
        if self.over.is_none() && self.stream.is_ours() {
            self.stream.begin();
            self.stream.set_deadline(Some(Instant::now() + RESTED));
            let _ = self.stream.send(&Command::Quit.parts());
        }
    }
}
