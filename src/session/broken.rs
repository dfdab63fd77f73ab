//! Why the stream to a server is of no more use.

use std::fmt;
use std::io;

use super::error::Error;
use crate::process::Process;

/// Why a wait or a transfer ended early. What it means depends on what had been sent.
#[derive(Debug)]
pub(super) enum Broken {
    Closed,
    TimedOut,
    Interrupted,
    /// A fork in the middle: the process that began this is another one.
    Inherited(Process),
    Malformed(String),
    Io(io::Error),
}

impl Broken {
    pub(super) fn malformed(text: impl Into<String>) -> Self {
        Self::Malformed(text.into())
    }

    /// As the error of a statement: 2006 if nothing of it was `sent`, else 2013.
    pub(super) fn after(self, sent: bool) -> Error {
        match self {
            Self::Interrupted => Error::interrupted(),
            Self::Inherited(birth) => Error::inherited(birth),
            other if sent => Error::lost(other),
            other => Error::gone(other),
        }
    }

    /// As the error of a connect.
    pub(super) fn at_handshake(self) -> Error {
        match self {
            Self::Interrupted => Error::interrupted(),
            Self::Inherited(birth) => Error::inherited(birth),
            other => Error::lost_at_handshake(other),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the server closed the connection"),
            Self::TimedOut => f.write_str("timed out waiting for the server"),
            Self::Interrupted => f.write_str("interrupted by a signal"),
            Self::Inherited(birth) => write!(f, "it belongs to {birth}"),
            Self::Malformed(text) => write!(f, "malformed packet: {text}"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

impl From<nix::Error> for Broken {
    fn from(error: nix::Error) -> Self {
        Self::Io(error.into())
    }
}
