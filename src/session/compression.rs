//! The compressed protocol (`CLIENT_COMPRESS`): packets travel in frames, deflated by zlib.
//!
//! A frame knows nothing of packets, which may begin and end anywhere in it. Frames are counted,
//! both directions together, and with them nobody counts packets: the server, like MySQL's own
//! clients, overwrites a packet's number with a frame's.
//!
//! By `flate2` on `miniz_oxide`, which is Rust alone and keeps all it knows in the values here: no
//! lock, and nothing that is made at its first use but the note of what the processor can do,
//! whose every writer stores the same. So a fork finds nothing half made. The codec of
//! `mysql_common` wants a whole frame in a buffer of its own, and believes what is announced.

mod packer;
mod unpacker;

use packer::Packer;
use unpacker::Unpacker;

use super::broken::Broken;

const HEADER: usize = 7;

/// Both directions of a compressed stream.
#[derive(Default)]
pub(super) struct Compression {
    count: Count,
    packer: Packer,
    unpacker: Unpacker,
}

/// The count of frames.
#[derive(Debug, Default)]
struct Count {
    next: u8,
    strayed: bool,
}

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    /// The length of the body as it travels.
    packed: usize,
    number: u8,
    /// Its length once inflated; 0 when it is not deflated.
    plain: usize,
}

impl Compression {
    /// Start a command: its frames count from zero.
    pub(super) fn begin(&mut self) {
        self.count = Count::default();
    }

    /// Whether each frame since [`Compression::begin`] was the one that follows.
    pub(super) fn in_turn(&self) -> bool {
        !self.count.strayed
    }

    /// Whether bytes lie here that no reader has had.
    pub(super) fn has_unread(&self) -> bool {
        self.unpacker.has_unread()
    }

    /// Hand all of `bytes` to `send`, a frame at a time.
    pub(super) fn send(
        &mut self,
        bytes: &[u8],
        send: impl FnMut(&[u8]) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        self.packer.send(bytes, &mut self.count, send)
    }

    /// Fill `into`, which has room, with at least one byte of what the server says; `more`
    /// receives at least one byte of what travels.
    pub(super) fn receive(
        &mut self,
        into: &mut [u8],
        more: impl FnMut(&mut [u8]) -> Result<usize, Broken>,
    ) -> Result<usize, Broken> {
        self.unpacker.receive(into, &mut self.count, more)
    }

    /// What the frame at the front of `bytes` begins with; nothing where that cannot be told.
    pub(super) fn opening(bytes: &[u8]) -> Vec<u8> {
        let (mut into, mut left) = (vec![0; 256], Some(bytes));
        let got = Self::default().receive(&mut into, |room| {
            let bytes = left.take().ok_or(Broken::Closed)?;
            room[..bytes.len()].copy_from_slice(bytes);
            Ok(bytes.len())
        });
        into.truncate(got.unwrap_or(0));
        into
    }
}

impl Count {
    fn next(&mut self) -> u8 {
        let next = self.next;
        self.next = next.wrapping_add(1);
        next
    }

    fn heard(&mut self, number: u8) {
        self.strayed |= number != self.next;
        self.next = number.wrapping_add(1);
    }
}

impl Header {
    fn read(bytes: [u8; HEADER]) -> Self {
        let [a, b, c, number, x, y, z] = bytes;
        let whole = |low, middle, high| u32::from_le_bytes([low, middle, high, 0]) as usize;
        Self { packed: whole(a, b, c), number, plain: whole(x, y, z) }
    }

    fn bytes(self) -> [u8; HEADER] {
        let [a, b, c, ..] = self.packed.to_le_bytes();
        let [x, y, z, ..] = self.plain.to_le_bytes();
        [a, b, c, self.number, x, y, z]
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Compression, Header, HEADER};

    const FULL: usize = 0xff_ffff;
    const SIZES: [usize; 14] =
        [0, 1, 48, 49, 50, 51, 52, 4096, 65_535, 65_536, 300_000, FULL - 1, FULL, FULL + 1];

    /// Bytes that zlib cannot shorten.
    fn noise(size: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..size).map(|_| next()).collect()
    }

    fn text(size: usize) -> Vec<u8> {
        b"again and ".iter().copied().cycle().take(size).collect()
    }

    fn packed(compression: &mut Compression, bytes: &[u8]) -> Vec<u8> {
        let mut wire = Vec::new();
        let sent = compression.send(bytes, |frame| {
            wire.extend_from_slice(frame);
            Ok(())
        });
        sent.unwrap();
        wire
    }

    fn headers(mut wire: &[u8]) -> Vec<Header> {
        let mut headers = Vec::new();
        while let Some((head, rest)) = wire.split_first_chunk::<HEADER>() {
            headers.push(Header::read(*head));
            wire = &rest[headers[headers.len() - 1].packed..];
        }
        headers
    }

    /// Read all of `wire`, which comes in pieces of `piece` bytes, into rooms of `room` bytes.
    fn unpacked(wire: &[u8], piece: usize, room: usize) -> Result<Vec<u8>, Broken> {
        let (mut compression, mut left) = (Compression::default(), wire);
        let (mut plain, mut into) = (Vec::new(), vec![0; room]);
        while !left.is_empty() || compression.has_unread() {
            let got = compression.receive(&mut into, |room| {
                let (now, later) = left.split_at(piece.min(room.len()).min(left.len()));
                if now.is_empty() {
                    return Err(Broken::Closed);
                }
                room[..now.len()].copy_from_slice(now);
                left = later;
                Ok(now.len())
            })?;
            assert!(got > 0, "a read without a byte");
            plain.extend_from_slice(&into[..got]);
        }
        assert!(compression.in_turn());
        Ok(plain)
    }

    fn complaint(wire: &[u8]) -> String {
        unpacked(wire, 1000, 1000).unwrap_err().to_string()
    }

    #[test]
    fn bytes_of_any_length_arrive_as_they_were_sent() {
        let dense = SIZES.into_iter().filter(|size| *size < 1_000_000).map(noise);
        for bytes in SIZES.into_iter().map(text).chain(dense) {
            let wire = packed(&mut Compression::default(), &bytes);
            let again = unpacked(&wire, 50_000, 16 * 1024).unwrap();
            assert!(again == bytes, "{} bytes came back as {}", bytes.len(), again.len());
        }
    }

    #[test]
    fn however_they_are_cut_on_their_way() {
        let bytes = [text(700), noise(60), text(49), text(5000)];
        let mut compression = Compression::default();
        let wire = bytes.iter().map(|bytes| packed(&mut compression, bytes));
        let wire = wire.collect::<Vec<_>>().concat();
        for piece in [1, 2, 3, 6, 7, 8, 50, 10_000] {
            for room in [1, 2, 49, 1024, 100_000] {
                assert_eq!(unpacked(&wire, piece, room).unwrap(), bytes.concat());
            }
        }
    }

    #[test]
    fn short_and_dense_bytes_travel_as_they_are_and_others_deflated() {
        let mut compression = Compression::default();
        packed(&mut compression, &noise(100_000)); // from here on its buffer has room for more
        for (bytes, deflated) in [(text(49), false), (text(50), true), (noise(5000), false)] {
            let wire = packed(&mut compression, &bytes);
            let plain = if deflated { bytes.len() } else { 0 };
            assert_eq!(headers(&wire)[0].plain, plain);
            assert!(wire.len() - HEADER <= bytes.len());
            assert_eq!(wire.ends_with(&bytes), !deflated);
        }
    }

    #[test]
    fn frames_are_full_and_counted_across_both_directions() {
        let mut compression = Compression::default();
        let sent = headers(&packed(&mut compression, &noise(FULL + 1)));
        let sent: Vec<_> = sent.iter().map(|header| (header.packed, header.number)).collect();
        assert_eq!(sent, [(FULL, 0), (1, 1)]);
        let mut left = Some([[1, 0, 0, 2, 0, 0, 0, b'x'], [1, 0, 0, 3, 0, 0, 0, b'y']].concat());
        for byte in [b'x', b'y'] {
            let mut into = [0];
            let got = compression.receive(&mut into, |room| {
                let answer = left.take().unwrap();
                room[..answer.len()].copy_from_slice(&answer);
                Ok(answer.len())
            });
            assert_eq!((got.unwrap(), into), (1, [byte]));
        }
        assert!(compression.in_turn() && !compression.has_unread());
        assert_eq!(headers(&packed(&mut compression, b"z"))[0].number, 4);
        compression.begin();
        assert_eq!(headers(&packed(&mut compression, b"z"))[0].number, 0);
    }

    #[test]
    fn a_frame_out_of_turn_is_noticed() {
        let mut compression = Compression::default();
        let got = compression.receive(&mut [0; 9], |room| {
            room[..8].copy_from_slice(&[1, 0, 0, 1, 0, 0, 0, b'x']);
            Ok(8)
        });
        assert_eq!(got.unwrap(), 1);
        assert!(!compression.in_turn());
    }

    #[test]
    fn what_does_not_inflate_to_the_announced_length_is_refused() {
        let wire = packed(&mut Compression::default(), &text(100_000));
        let head = headers(&wire)[0];
        let announcing = |packed: usize, plain: usize, body: &[u8]| {
            [&Header { packed, plain, ..head }.bytes()[..], body].concat()
        };
        let body = &wire[HEADER..];
        for plain in [1, 50, 99_999, 100_001, FULL] {
            let said = complaint(&announcing(head.packed, plain, body));
            assert!(said.contains("does not inflate"), "{plain}: {said}");
        }
        let longer = [body, b"!"].concat();
        for (packed, body) in [(head.packed - 1, body), (head.packed + 1, &longer)] {
            let said = complaint(&announcing(packed, 100_000, body));
            assert!(said.contains("does not inflate"), "{packed}: {said}");
        }
    }

    #[test]
    fn garbage_is_refused() {
        let wire = packed(&mut Compression::default(), &text(1000));
        for place in HEADER..wire.len() {
            let mut bad = wire.clone();
            bad[place] ^= 0x55;
            assert!(unpacked(&bad, 99, 1000).is_err(), "byte {place} may be anything");
        }
        for plain in [0, FULL] {
            let nothing = Header { packed: 0, number: 0, plain }.bytes();
            assert!(complaint(&nothing).contains("without a body"));
        }
    }

    #[test]
    fn the_opening_of_a_frame_can_be_looked_at() {
        for bytes in [text(40), text(90)] {
            let wire = packed(&mut Compression::default(), &bytes);
            assert_eq!(Compression::opening(&wire), bytes);
            assert_eq!(Compression::opening(&wire[..9]).len(), 2 * usize::from(bytes.len() < 50));
        }
    }
}
