//! Makes frames of what is sent.

use flate2::{Compress, Compression as Level, FlushCompress, Status};
use mysql::mysql_common::constants::{MAX_PAYLOAD_LEN, MIN_COMPRESS_LENGTH};

use super::{Broken, Count, Header, HEADER};

/// A buffer larger than this is given back after use.
const KEPT: usize = 256 * 1024;

/// Deflates, at zlib's own default level, as MySQL's clients do.
pub(super) struct Packer {
    deflater: Compress,
    frame: Vec<u8>,
}

impl Default for Packer {
    fn default() -> Self {
        Self { deflater: Compress::new(Level::default(), true), frame: Vec::new() }
    }
}

impl Packer {
    /// Hand all of `bytes` to `send`, a frame at a time.
    pub(super) fn send(
        &mut self,
        bytes: &[u8],
        count: &mut Count,
        mut send: impl FnMut(&[u8]) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        for body in bytes.chunks(MAX_PAYLOAD_LEN) {
            self.pack(body, count.next());
            send(&self.frame)?;
        }
        if self.frame.capacity() > KEPT {
            self.frame = Vec::new();
        }
        Ok(())
    }

    fn pack(&mut self, body: &[u8], number: u8) {
        self.frame.clear();
        self.frame.extend_from_slice(&[0; HEADER]);
        let deflated = body.len() >= MIN_COMPRESS_LENGTH && self.deflate(body);
        if !deflated {
            self.frame.truncate(HEADER);
            self.frame.extend_from_slice(body);
        }
        let plain = if deflated { body.len() } else { 0 };
        let header = Header { packed: self.frame.len() - HEADER, number, plain };
        self.frame[..HEADER].copy_from_slice(&header.bytes());
    }

    /// Append `body`, deflated. False when it does not get shorter by that.
    fn deflate(&mut self, body: &[u8]) -> bool {
        self.frame.reserve(body.len());
        self.deflater.reset();
        let done = self.deflater.compress_vec(body, &mut self.frame, FlushCompress::Finish);
        matches!(done, Ok(Status::StreamEnd)) && self.frame.len() - HEADER < body.len()
    }
}
