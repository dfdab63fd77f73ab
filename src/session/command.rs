//! Commands and their answers, on a stream that is past its log-in.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use mysql::mysql_common::constants::{CapabilityFlags, StatusFlags};
use mysql::mysql_common::io::ParseBuf;
use mysql::mysql_common::packets::{
    Column, CommonOkPacket, ErrPacket, OkPacket, OkPacketDeserializer,
};

use super::broken::Broken;
use super::error::Error;
use super::infile::{LocalFiles, Named};
use super::rows::{end, lenenc, Format, Outcome, ResultSet};
use super::status::Status;
use super::stream::Stream;
use super::tracking::Tracking;

const COM_QUIT: u8 = 0x01;
const COM_INIT_DB: u8 = 0x02;
const COM_QUERY: u8 = 0x03;
const COM_PING: u8 = 0x0e;
const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_CLOSE: u8 = 0x19;
const COM_RESET_CONNECTION: u8 = 0x1f;

/// The commands we send.
#[derive(Clone, Copy, Debug)]
pub(super) enum Command<'a> {
    Quit,
    InitDb(&'a str),
    Query(&'a [u8]),
    Ping,
    ResetConnection,
    Prepare(&'a [u8]),
    /// With the command's own byte first, and then the values.
    Execute(&'a [u8], &'a [u8]),
    /// Has no answer.
    CloseStatement(&'a [u8; 4]),
    /// Nothing but these bytes.
    Plain(&'a [u8]),
}

impl<'a> Command<'a> {
    /// Whether the server may have done something for the caller when its answer is lost.
    pub(super) fn runs(self) -> bool {
        !matches!(self, Self::Prepare(_) | Self::CloseStatement(_))
    }

    /// How the rows of its answers are written.
    pub(super) fn format(self) -> Format {
        match self {
            Self::Execute(..) => Format::Binary,
            _ => Format::Text,
        }
    }

    pub(super) fn parts(self) -> [&'a [u8]; 2] {
        match self {
            Self::Quit => [&[COM_QUIT], &[]],
            Self::InitDb(name) => [&[COM_INIT_DB], name.as_bytes()],
            Self::Query(sql) => [&[COM_QUERY], sql],
            Self::Ping => [&[COM_PING], &[]],
            Self::ResetConnection => [&[COM_RESET_CONNECTION], &[]],
            Self::Prepare(sql) => [&[COM_STMT_PREPARE], sql],
            Self::Execute(head, values) => [head, values],
            Self::CloseStatement(id) => [&[COM_STMT_CLOSE], id],
            Self::Plain(bytes) => [bytes, &[]],
        }
    }
}

/// What the server answers to one statement.
#[derive(Debug)]
pub enum Answer {
    /// No rows.
    Done(Outcome),
    /// Rows.
    Rows(ResultSet),
    /// Rows that are still to be read: their columns, and how they are written.
    Flow(Arc<[Column]>, Format),
}

/// How the rows of an answer are read.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// At once.
    Whole,
    /// Later, in parts.
    Parts,
}

/// Why no answer could be had.
pub(super) enum Failure {
    /// The server said no; the stream is in step.
    Refused(Error),
    /// The stream is of no more use.
    Broken(Broken),
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<std::io::Error> for Failure {
    /// From a packet that does not parse.
    fn from(error: std::io::Error) -> Self {
        Self::Broken(Broken::malformed(error.to_string()))
    }
}

/// Reads the answer to one command.
pub(super) struct Reader<'a> {
    pub(super) stream: &'a mut Stream,
    pub(super) capabilities: CapabilityFlags,
    pub(super) local_files: &'a LocalFiles,
    pub(super) named: &'a Named,
    pub(super) reading: Reading,
    pub(super) format: Format,
    pub(super) status: &'a mut Status,
    pub(super) tracking: &'a mut Tracking,
}

impl Reader<'_> {
    pub(super) fn answer(&mut self) -> Result<Answer, Failure> {
        let range = self.stream.receive()?;
        match self.stream.payload(range.clone()) {
            [0xfb, name @ ..] => {
                let name = name.to_vec();
                self.stream.forget();
                self.send_file(&name)
            }
            _ => self.outcome(range),
        }
    }

    /// An answer that is no question.
    fn outcome(&mut self, range: std::ops::Range<usize>) -> Result<Answer, Failure> {
        let payload = self.stream.payload(range.clone());
        match payload.first() {
            Some(0x00) => self.done(range),
            Some(0xff) => Err(self.refused(range)),
            Some(0xfb) => Err(Broken::malformed("it asks for a second file").into()),
            Some(_) => {
                let count = lenenc(payload).map_or(0, |(count, _)| count);
                self.stream.forget();
                self.status.says(None);
                let columns = self.columns(count as usize)?;
                match self.reading {
                    Reading::Whole => self.result(columns).map(Answer::Rows),
                    Reading::Parts => Ok(Answer::Flow(columns, self.format)),
                }
            }
            None => Err(Broken::malformed("an empty answer").into()),
        }
    }

    pub(super) fn done(&mut self, range: std::ops::Range<usize>) -> Result<Answer, Failure> {
        let packet: OkPacketDeserializer<'_, CommonOkPacket> =
            ParseBuf(self.stream.payload(range)).parse(self.capabilities)?;
        let ok = OkPacket::from(packet);
        self.status.told(ok.status_flags());
        self.status.says(ok.info_ref());
        self.tracking.told(&ok);
        let outcome = Outcome {
            affected: ok.affected_rows(),
            insert_id: ok.last_insert_id().unwrap_or(0),
            warnings: ok.warnings(),
        };
        self.stream.forget();
        Ok(Answer::Done(outcome))
    }

    pub(super) fn refused(&mut self, range: std::ops::Range<usize>) -> Failure {
        self.status.untold();
        self.tracking.refused();
        let parsed = ParseBuf(self.stream.payload(range)).parse::<ErrPacket<'_>>(self.capabilities);
        let failure = match parsed {
            Ok(ErrPacket::Error(error)) => Failure::Refused(Error::server(&error)),
            Ok(ErrPacket::Progress(_)) => Broken::malformed("progress was not asked for").into(),
            Err(cause) => cause.into(),
        };
        self.stream.forget();
        failure
    }

    fn columns(&mut self, count: usize) -> Result<Arc<[Column]>, Failure> {
        let mut columns = Vec::with_capacity(count.min(4096));
        for _ in 0..count {
            let range = self.stream.receive()?;
            columns.push(ParseBuf(self.stream.payload(range)).parse::<Column>(())?);
            self.stream.forget();
        }
        let range = self.stream.receive()?;
        if self.end_of(range.clone()).is_none() {
            return Err(Broken::malformed("no end after the columns").into());
        }
        Ok(Arc::from(columns))
    }

    fn result(&mut self, columns: Arc<[Column]>) -> Result<ResultSet, Failure> {
        self.stream.settle();
        let mut starts = Vec::new();
        loop {
            let range = self.stream.receive()?;
            if let Some(warnings) = self.end_of(range.clone()) {
                starts.push(range.start);
                let data = self.stream.take();
                return Ok(ResultSet::new(columns, self.format, data, starts, warnings));
            }
            if self.stream.payload(range.clone()).first() == Some(&0xff) {
                return Err(self.refused(range));
            }
            if !self.format.is_row(self.stream.payload(range.clone()), &columns) {
                return Err(Broken::malformed("a row that does not fit its columns").into());
            }
            starts.push(range.start);
        }
    }

    /// The warnings, if this packet is an end of columns or rows.
    pub(super) fn end_of(&mut self, range: std::ops::Range<usize>) -> Option<u16> {
        let (warnings, status) = end(self.stream.payload(range))?;
        let status = StatusFlags::from_bits_truncate(status);
        self.status.ended(status);
        self.tracking.ended(status);
        Some(warnings)
    }

    /// The server asks for a file of ours. It must be answered even when it gets nothing.
    fn send_file(&mut self, name: &[u8]) -> Result<Answer, Failure> {
        let refusal = match self.local_files.open(name, self.named) {
            Ok(file) => self.send_content(file, name)?,
            Err(why) => Some(why),
        };
        self.stream.send(&[])?;
        let range = self.stream.receive()?;
        let answer = self.outcome(range);
        match (refusal, answer) {
            (Some(text), Ok(_) | Err(Failure::Refused(_))) => {
                Err(Failure::Refused(Error::local_infile(text)))
            }
            (_, answer) => answer,
        }
    }

    fn send_content(&mut self, mut file: File, name: &[u8]) -> Result<Option<String>, Failure> {
        let mut chunk = vec![0; 64 * 1024];
        loop {
            match file.read(&mut chunk) {
                Ok(0) => return Ok(None),
                Ok(count) => self.stream.send(&[&chunk[..count]])?,
                Err(cause) => {
                    let name = String::from_utf8_lossy(name);
                    return Ok(Some(format!("cannot read the file {name:?}: {cause}")));
                }
            }
        }
    }
}
