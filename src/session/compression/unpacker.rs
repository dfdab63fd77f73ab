//! Reads the frames that the server sends.
//!
//! What a frame announces is only compared with what comes. It is inflated bit by bit, into room
//! that the reader of packets has anyway: a frame that would grow beyond measure takes no memory.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Broken, Count, Header, HEADER};
use crate::session::inbox::Inbox;

/// How much is received at once, where a frame is so long.
const CHUNK: usize = 64 * 1024;

/// What has been received, and what is still to come of its first frame.
pub(super) struct Unpacker {
    inbox: Inbox,
    inflater: Decompress,
    deflated: bool,
    /// Of the body as it travels.
    packed: usize,
    /// Of what a deflated body holds.
    plain: usize,
}

impl Default for Unpacker {
    fn default() -> Self {
        let (inbox, inflater) = (Inbox::new(), Decompress::new(true));
        Self { inbox, inflater, deflated: false, packed: 0, plain: 0 }
    }
}

impl Unpacker {
    pub(super) fn has_unread(&self) -> bool {
        self.inbox.unread() > 0 || self.is_inside()
    }

    fn is_inside(&self) -> bool {
        self.packed > 0 || self.plain > 0
    }

    /// Fill `into` with at least one byte; `more` receives at least one byte of a frame.
    pub(super) fn receive(
        &mut self,
        into: &mut [u8],
        count: &mut Count,
        mut more: impl FnMut(&mut [u8]) -> Result<usize, Broken>,
    ) -> Result<usize, Broken> {
        if !self.is_inside() {
            self.open(count, &mut more)?;
        }
        if self.deflated {
            return self.inflate(into, &mut more);
        }
        if self.inbox.unread() == 0 {
            self.fetch(self.packed, &mut more)?;
        }
        let here = body(&self.inbox, self.packed);
        let size = here.len().min(into.len());
        into[..size].copy_from_slice(&here[..size]);
        self.use_up(size);
        Ok(size)
    }

    fn open(
        &mut self,
        count: &mut Count,
        more: &mut impl FnMut(&mut [u8]) -> Result<usize, Broken>,
    ) -> Result<(), Broken> {
        let header = loop {
            match self.inbox.front().first_chunk() {
                Some(header) => break Header::read(*header),
                None => self.fetch(HEADER, more)?,
            }
        };
        // It would be no progress: a server could go on with them for ever.
        if header.packed == 0 {
            return Err(Broken::malformed("a compressed frame without a body"));
        }
        count.heard(header.number);
        self.inbox.advance(HEADER);
        self.inbox.forget();
        (self.packed, self.plain) = (header.packed, header.plain);
        self.deflated = header.plain > 0;
        if self.deflated {
            self.inflater.reset(true);
        }
        Ok(())
    }

    /// Inflate what `into` has room for. With its last byte the frame must end, so its checksum is
    /// read too: what were left of it would pass for the server's next word.
    fn inflate(
        &mut self,
        into: &mut [u8],
        more: &mut impl FnMut(&mut [u8]) -> Result<usize, Broken>,
    ) -> Result<usize, Broken> {
        let mut got = 0;
        loop {
            let end = into.len().min(got + self.plain);
            let (size, progress, status) = match self.plain {
                0 => self.step(&mut [0])?,
                _ => self.step(&mut into[got..end])?,
            };
            self.plain = self.plain.checked_sub(size).ok_or_else(misfit)?;
            got += size;
            if status == Status::StreamEnd {
                return if self.is_inside() { Err(misfit()) } else { Ok(got) };
            }
            if self.plain > 0 && got == into.len() {
                return Ok(got);
            }
            if !progress {
                // With room and bytes, or at the end of them, nothing happens: nor will it ever.
                if self.packed == 0 || self.inbox.unread() > 0 {
                    return Err(misfit());
                }
                match self.fetch(self.packed, more) {
                    // Whoever waits on gets the rest.
                    Err(_) if got > 0 => return Ok(got),
                    fetched => fetched?,
                }
            }
        }
    }

    /// Inflate some of what is here: how much came of it, and whether anything happened at all.
    fn step(&mut self, room: &mut [u8]) -> Result<(usize, bool, Status), Broken> {
        let before = (self.inflater.total_in(), self.inflater.total_out());
        let here = body(&self.inbox, self.packed);
        let status = self.inflater.decompress(here, room, FlushDecompress::None);
        let status = status.map_err(|_| misfit())?;
        let used = (self.inflater.total_in() - before.0) as usize;
        let made = (self.inflater.total_out() - before.1) as usize;
        self.use_up(used);
        Ok((made, used > 0 || made > 0, status))
    }

    fn use_up(&mut self, size: usize) {
        self.inbox.advance(size);
        self.inbox.forget();
        self.packed -= size;
    }

    fn fetch(
        &mut self,
        size: usize,
        more: &mut impl FnMut(&mut [u8]) -> Result<usize, Broken>,
    ) -> Result<(), Broken> {
        let got = more(self.inbox.room(size.min(CHUNK)))?;
        self.inbox.received(got);
        Ok(())
    }
}

/// What is here of the rest of a body.
fn body(inbox: &Inbox, packed: usize) -> &[u8] {
    &inbox.front()[..inbox.unread().min(packed)]
}

fn misfit() -> Broken {
    Broken::malformed("a compressed frame that does not inflate to what it announces")
}

#[cfg(test)]
mod tests {
    use super::super::packer::Packer;
    use super::{Count, Unpacker, CHUNK};

    #[test]
    fn a_frame_that_swells_takes_no_more_room_than_its_reader_has() {
        let (mut wire, mut into) = (Vec::new(), [0; 100]);
        let zeroes = vec![0; 0xff_ffff];
        let sent = Packer::default().send(&zeroes, &mut Count::default(), |frame| {
            wire.extend_from_slice(frame);
            Ok(())
        });
        sent.unwrap();
        assert!(wire.len() < CHUNK);
        let (mut unpacker, mut left) = (Unpacker::default(), &wire[..]);
        for _ in 0..1000 {
            let got = unpacker.receive(&mut into, &mut Count::default(), |room| {
                let (now, later) = left.split_at(room.len().min(50));
                room[..now.len()].copy_from_slice(now);
                left = later;
                Ok(now.len())
            });
            assert_eq!(got.unwrap(), 100);
        }
        assert!(unpacker.inbox.bytes().len() <= CHUNK);
        assert!(unpacker.has_unread());
    }
}
