//! The bytes to and from a server: in clear or by TLS, waited for, probed.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, RawFd};

use rustls::ClientConnection;

use super::broken::Broken;
use super::error::Error;
use super::socket::{Peek, Socket};
use super::tls::Tls;
use super::wait::Patience;

/// A socket, and the TLS on it.
pub(super) struct Transport {
    socket: Socket,
    tls: Option<Box<ClientConnection>>,
}

/// Whether a stream that should be silent is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Silence {
    Silent,
    /// Part of a TLS record: a ping decides.
    Unclear,
    Broken(String),
}

impl Transport {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket, tls: None }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) fn is_ours(&self) -> bool {
        self.socket.is_ours()
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Receive at least one byte. `asked`: a command has just been sent, so nothing is there yet,
    /// and a look first would be a wasted call.
    pub(super) fn receive(
        &mut self,
        into: &mut [u8],
        patience: Patience,
        asked: bool,
    ) -> Result<usize, Broken> {
        if asked && self.tls.is_none() {
            patience.readable(self.socket.as_fd())?;
        }
        loop {
            let outcome = match &mut self.tls {
                None => self.socket.receive(into),
                Some(tls) => read_tls(tls, &self.socket, into),
            };
            match outcome {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    patience.readable(self.socket.as_fd())?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Send all of `bytes`; `sent` is set as soon as one of them has left this process.
    pub(super) fn send(
        &mut self,
        bytes: &[u8],
        patience: Patience,
        sent: &mut bool,
    ) -> Result<(), Broken> {
        let mut left = bytes;
        while !left.is_empty() {
            let taken = match &mut self.tls {
                None => self.send_some(left, patience)?,
                Some(tls) => tls.writer().write(left)?,
            };
            *sent |= self.tls.is_none();
            self.flush(patience, sent)?;
            left = &left[taken..];
        }
        Ok(())
    }

    fn send_some(&self, bytes: &[u8], patience: Patience) -> Result<usize, Broken> {
        loop {
            match self.socket.send(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    patience.writable(self.socket.as_fd())?;
                }
                other => return Ok(other?),
            }
        }
    }

    /// Write what TLS has to say.
    fn flush(&mut self, patience: Patience, sent: &mut bool) -> Result<(), Broken> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            match tls.write_tls(&mut Raw(&self.socket)) {
                Ok(0) => return Err(Broken::Closed),
                Ok(_) => *sent = true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    patience.writable(self.socket.as_fd())?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Put TLS on the socket: what was said so far was in clear, what follows is not.
    pub(super) fn encrypt(&mut self, tls: &Tls, patience: Patience) -> Result<(), Error> {
        self.tls = Some(Box::new(tls.client()?));
        loop {
            self.flush(patience, &mut false).map_err(Broken::at_handshake)?;
            let Some(tls) = self.tls.as_mut().filter(|tls| tls.is_handshaking()) else {
                return Ok(());
            };
            match tls.read_tls(&mut Raw(&self.socket)) {
                Ok(0) => return Err(Broken::Closed.at_handshake()),
                Ok(_) => {
                    if let Err(cause) = tls.process_new_packets() {
                        // Tell the server why, if it still listens.
                        let _ = self.flush(patience, &mut false);
                        return Err(refused(&cause));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    patience.readable(self.socket.as_fd()).map_err(Broken::at_handshake)?;
                }
                Err(error) => return Err(Broken::from(error).at_handshake()),
            }
        }
    }

    /// Look whether the socket is silent and open, without a round trip. `plain` makes a packet of
    /// what lies there.
    pub(super) fn probe(&mut self, plain: fn(&[u8]) -> Vec<u8>) -> Silence {
        let mut peeked = [0; 256];
        match self.socket.peek(&mut peeked) {
            (Peek::Silent, _) => Silence::Silent,
            (Peek::Closed(cause), _) => Silence::Broken(cause),
            (Peek::Readable, count) => match &mut self.tls {
                None => Silence::Broken(unasked(&plain(&peeked[..count]))),
                Some(tls) => absorb(tls, &self.socket, plain),
            },
        }
    }
}

impl AsRawFd for Transport {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// A server speaks unasked only to say why it closes.
fn unasked(bytes: &[u8]) -> String {
    match bytes {
        [_, _, _, _, 0xff, low, high, text @ ..] => {
            let errno = u16::from_le_bytes([*low, *high]);
            let text = match text {
                [b'#', _, _, _, _, _, text @ ..] => text,
                text => text,
            };
            format!("the server had ended it: {errno} {}", String::from_utf8_lossy(text))
        }
        _ => "the server had sent bytes that nobody asked for".into(),
    }
}

/// TLS 1.3 tickets make a healthy stream readable: take records in until the socket is dry.
fn absorb(tls: &mut ClientConnection, socket: &Socket, plain: fn(&[u8]) -> Vec<u8>) -> Silence {
    loop {
        match tls.read_tls(&mut Raw(socket)) {
            Ok(0) => return Silence::Broken(Broken::Closed.to_string()),
            Ok(_) => match tls.process_new_packets() {
                Ok(state) if state.peer_has_closed() => {
                    return Silence::Broken(Broken::Closed.to_string());
                }
                Ok(state) if state.plaintext_bytes_to_read() > 0 => {
                    let mut heard = [0; 256];
                    let count = tls.reader().read(&mut heard).unwrap_or(0);
                    return Silence::Broken(unasked(&plain(&heard[..count])));
                }
                Ok(_) => {}
                Err(cause) => return Silence::Broken(cause.to_string()),
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return if tls.wants_write() { Silence::Unclear } else { Silence::Silent };
            }
            Err(error) => return Silence::Broken(error.to_string()),
        }
    }
}

fn read_tls(tls: &mut ClientConnection, socket: &Socket, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match tls.reader().read(into) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
            other => return other,
        }
        if tls.read_tls(&mut Raw(socket))? == 0 {
            return Ok(0);
        }
        tls.process_new_packets().map_err(io::Error::other)?;
    }
}

fn refused(cause: &rustls::Error) -> Error {
    match cause {
        rustls::Error::InvalidCertificate(why) => Error::tls(format_args!(
            "the server's certificate is not trusted ({why}); name the authority that signed it \
             with ssl_ca, or skip verification by name with ssl_mode='REQUIRED'"
        )),
        other => Error::tls(other),
    }
}

struct Raw<'a>(&'a Socket);

impl Read for Raw<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.receive(into)
    }
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
