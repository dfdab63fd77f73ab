//! The stream of packets: framing, buffers, time limits.

use std::fmt;
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Instant;

use mysql::mysql_common::constants::MAX_PAYLOAD_LEN as FRAME;

use super::broken::Broken;
use super::compression::Compression;
use super::error::Error;
use super::inbox::Inbox;
use super::rows::HEADER;
use super::socket::Socket;
use super::tls::Tls;
use super::transport::{Silence, Transport};
use super::wait::{Limits, Wait};

/// Why a stream is broken in which something lies that answers no command.
pub(super) const UNASKED: &str = "bytes that nobody asked for had been received";
/// Signals are looked for after so many bytes of a statement.
const CHUNK: usize = 1 << 20;
/// An outgoing buffer larger than this is given back after use.
const OUTBOX_KEPT: usize = 256 * 1024;

/// Packets to and from one server.
pub(super) struct Stream {
    transport: Transport,
    compression: Option<Box<Compression>>,
    inbox: Inbox,
    outbox: Vec<u8>,
    sequence: u8,
    sent: bool,
    asked: bool,
    limits: Limits,
    wait: Wait,
}

impl Stream {
    pub(super) fn new(socket: Socket, limits: Limits) -> Self {
        let (transport, inbox) = (Transport::new(socket), Inbox::new());
        Self {
            transport,
            compression: None,
            inbox,
            outbox: Vec::new(),
            sequence: 0,
            sent: false,
            asked: false,
            limits,
            wait: Wait::begin(limits.read),
        }
    }

    /// Bound all waits from here on together, or no longer.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.limits.deadline = deadline;
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.limits.deadline
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.transport.is_encrypted()
    }

    pub(super) fn is_ours(&self) -> bool {
        self.transport.is_ours()
    }

    pub(super) fn socket(&self) -> &Socket {
        self.transport.socket()
    }

    /// Whether a byte of the current command has left this process.
    pub(super) fn has_sent(&self) -> bool {
        self.sent
    }

    /// Somebody waits from now on for what is received next.
    pub(super) fn await_answer(&mut self) {
        self.wait.begin_receiving(self.limits.read);
    }

    /// Start a command: its packets count from zero.
    pub(super) fn begin(&mut self) {
        self.sequence = 0;
        self.sent = false;
        self.wait.begin_sending();
        if let Some(compression) = &mut self.compression {
            compression.begin();
        }
    }

    /// Send one packet, made of `parts`, in as few writes as the kernel allows.
    pub(super) fn send(&mut self, parts: &[&[u8]]) -> Result<(), Broken> {
        let mut outbox = std::mem::take(&mut self.outbox);
        outbox.clear();
        frame(parts, &mut self.sequence, &mut outbox);
        let patience = self.limits.patience(self.limits.write);
        let (transport, sent, wait) = (&mut self.transport, &mut self.sent, &mut self.wait);
        let mut send = |bytes: &[u8]| {
            bytes.chunks(CHUNK).try_for_each(|chunk| {
                transport.send(chunk, patience, sent)?;
                wait.look(patience)
            })
        };
        let done = match &mut self.compression {
            None => send(&outbox),
            Some(compression) => compression.send(&outbox, send),
        };
        self.asked = true;
        if outbox.capacity() <= OUTBOX_KEPT {
            self.outbox = outbox;
        }
        self.await_answer();
        done
    }

    /// Receive one packet: where its payload lies in the inbox. Ranges stay valid until
    /// [`Stream::forget`].
    pub(super) fn receive(&mut self) -> Result<Range<usize>, Broken> {
        let mut whole: Option<Range<usize>> = None;
        loop {
            let header = self.need(HEADER)?;
            let head = &self.inbox.bytes()[header.clone()];
            let length = u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
            let number = head[3];
            let body = self.need(length)?;
            let in_turn = match &self.compression {
                None => number == self.sequence,
                Some(compression) => compression.in_turn(),
            };
            self.sequence = number.wrapping_add(1);
            // Only a last word comes out of turn: why the server ended an idle session.
            let last_word =
                whole.is_none() && self.inbox.bytes()[body.clone()].starts_with(&[0xff]);
            if !in_turn && !last_word {
                return Err(Broken::malformed("it is not the one that follows"));
            }
            let joined = match whole {
                None => body,
                Some(before) => self.inbox.join(before, header.start..body.start, body.end),
            };
            if length < FRAME {
                return Ok(joined);
            }
            whole = Some(joined);
        }
    }

    /// The payload of the next packet, where it has come whole and in one frame.
    pub(super) fn peek(&self) -> Option<&[u8]> {
        let (head, rest) = self.inbox.front().split_at_checked(HEADER)?;
        let length = u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
        rest.get(..length).filter(|_| length < FRAME)
    }

    /// Receive up to `count` bytes at one go from here on.
    pub(super) fn widen(&mut self, count: usize) {
        self.inbox.room(count);
    }

    pub(super) fn payload(&self, range: Range<usize>) -> &[u8] {
        &self.inbox.bytes()[range]
    }

    /// The packets received so far have been used.
    pub(super) fn forget(&mut self) {
        self.inbox.forget();
    }

    /// Bring what is unread to the front, so that ranges from here on start at zero.
    pub(super) fn settle(&mut self) {
        self.inbox.settle();
    }

    /// Take out all that was received since [`Stream::settle`].
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.inbox.take()
    }

    fn need(&mut self, count: usize) -> Result<Range<usize>, Broken> {
        while self.inbox.unread() < count {
            self.fill(count, self.wait.until)?;
        }
        Ok(self.inbox.advance(count))
    }

    /// Wait until the next packet is here whole, or its first frame: whether it is `by` then. What
    /// has come until then stays.
    pub(super) fn comes(&mut self, by: Instant) -> Result<bool, Broken> {
        while self.peek().is_none() && self.inbox.unread() <= FRAME {
            match self.fill(self.inbox.unread() + 1, Some(by)) {
                Err(Broken::TimedOut) if Instant::now() >= by => return Ok(false),
                filled => filled?,
            }
        }
        Ok(true)
    }

    /// Receive at least one byte, into room for `count` unread ones.
    fn fill(&mut self, count: usize, until: Option<Instant>) -> Result<(), Broken> {
        let patience = self.limits.patience_until(until);
        let (transport, asked) = (&mut self.transport, &mut self.asked);
        let mut receive =
            |room: &mut [u8]| transport.receive(room, patience, std::mem::take(asked));
        let room = self.inbox.room(count);
        let got = match &mut self.compression {
            None => receive(room)?,
            Some(compression) => compression.receive(room, receive)?,
        };
        self.inbox.received(got);
        self.wait.came(got, self.limits.read);
        self.wait.look(patience)
    }

    /// Put TLS on the stream.
    pub(super) fn encrypt(&mut self, tls: &Tls) -> Result<(), Error> {
        // Whatever came in clear would pass for what the verified server says.
        if self.has_unread() {
            return Err(Error::tls("the server sent more before TLS than it may"));
        }
        let patience = self.limits.patience(self.limits.read);
        self.transport.encrypt(tls, patience)
    }

    /// Speak the compressed protocol from here on.
    pub(super) fn compress(&mut self) -> Result<(), Error> {
        // Whatever came before would pass for frames.
        if self.has_unread() {
            return Err(Broken::malformed("more than the end of a log-in").at_handshake());
        }
        self.compression = Some(Box::default());
        Ok(())
    }

    /// The largest packet for a server that has room for `limit` bytes. It wants a byte more, and
    /// compressed, the headers of packets take room too.
    pub(super) fn largest(&self, limit: usize) -> usize {
        let headers = if self.compression.is_some() { HEADER * (limit / FRAME + 1) } else { 0 };
        limit.saturating_sub(headers + 1)
    }

    /// Whether bytes lie here that no answer has used.
    pub(super) fn has_unread(&self) -> bool {
        let packed = self.compression.as_ref().is_some_and(|packed| packed.has_unread());
        self.inbox.unread() > 0 || packed
    }

    /// Look whether the server is silent and there, without a round trip.
    pub(super) fn probe(&mut self) -> Silence {
        if self.has_unread() {
            return Silence::Broken(UNASKED.into());
        }
        match self.compression {
            None => self.transport.probe(<[u8]>::to_vec),
            Some(_) => self.transport.probe(Compression::opening),
        }
    }
}

fn frame(parts: &[&[u8]], sequence: &mut u8, outbox: &mut Vec<u8>) {
    let mut left: usize = parts.iter().map(|part| part.len()).sum();
    outbox.reserve(left + HEADER * (left / FRAME + 1));
    let mut source = parts.iter().flat_map(|part| part.chunks(FRAME));
    let mut part: &[u8] = &[];
    loop {
        let length = left.min(FRAME);
        outbox.extend_from_slice(&(length as u32).to_le_bytes()[..3]);
        outbox.push(*sequence);
        *sequence = sequence.wrapping_add(1);
        let mut missing = length;
        while missing > 0 {
            if part.is_empty() {
                part = source.next().unwrap_or_default();
            }
            let (now, later) = part.split_at(part.len().min(missing));
            outbox.extend_from_slice(now);
            (part, missing) = (later, missing - now.len());
        }
        left -= length;
        // A full frame says "more follows", so an exact multiple ends with an empty one.
        if length < FRAME {
            return;
        }
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        self.transport.as_raw_fd()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({}, encrypted: {})", self.as_raw_fd(), self.is_encrypted())
    }
}
