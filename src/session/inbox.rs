//! The receive buffer. A result stays in it, whole, until it is taken out in one piece.

use std::ops::Range;

const SIZE: usize = 16 * 1024;
/// A result larger than this leaves with the buffer itself instead of a copy.
const COPIED: usize = 64 * 1024;

/// `bytes[kept..at]` was handed out, `bytes[at..end]` is unread, the rest is room.
#[derive(Debug)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    kept: usize,
    at: usize,
    end: usize,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; SIZE], kept: 0, at: 0, end: 0 }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn unread(&self) -> usize {
        self.end - self.at
    }

    /// What is unread.
    pub(super) fn front(&self) -> &[u8] {
        &self.bytes[self.at..self.end]
    }

    pub(super) fn advance(&mut self, count: usize) -> Range<usize> {
        let from = self.at;
        self.at += count;
        from..self.at
    }

    /// Room to receive into, enough for `count` unread bytes in all. Ranges handed out stay valid.
    pub(super) fn room(&mut self, count: usize) -> &mut [u8] {
        if self.kept == self.at && self.at > 0 {
            self.settle();
        }
        let needed = self.at + count.max(self.unread() + 1);
        if needed > self.bytes.len() {
            self.bytes.resize(needed.max(self.bytes.len() * 2), 0);
        }
        &mut self.bytes[self.end..]
    }

    pub(super) fn received(&mut self, count: usize) {
        self.end += count;
    }

    /// Close the gap between two parts of one packet: `gap` is the header between them.
    pub(super) fn join(
        &mut self,
        before: Range<usize>,
        gap: Range<usize>,
        until: usize,
    ) -> Range<usize> {
        self.bytes.copy_within(gap.end..self.end, gap.start);
        let shift = gap.len();
        self.end -= shift;
        self.at -= shift;
        before.start..until - shift
    }

    /// What was handed out has been used.
    pub(super) fn forget(&mut self) {
        self.kept = self.at;
        if self.at == self.end {
            (self.kept, self.at, self.end) = (0, 0, 0);
        }
    }

    /// Forget, and bring what is unread to the front.
    pub(super) fn settle(&mut self) {
        self.bytes.copy_within(self.at..self.end, 0);
        (self.kept, self.at, self.end) = (0, 0, self.end - self.at);
    }

    /// Take out what was handed out since [`Inbox::settle`].
    pub(super) fn take(&mut self) -> Vec<u8> {
        if self.at <= COPIED && self.bytes.len() <= 4 * COPIED {
            let taken = self.bytes[self.kept..self.at].to_vec();
            self.forget();
            return taken;
        }
        let mut rest = vec![0; SIZE.max(self.unread())];
        let unread = self.unread();
        rest[..unread].copy_from_slice(&self.bytes[self.at..self.end]);
        let mut taken = std::mem::replace(&mut self.bytes, rest);
        taken.truncate(self.at);
        taken.drain(..self.kept);
        taken.shrink_to_fit();
        (self.kept, self.at, self.end) = (0, 0, unread);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::Inbox;

    fn feed(inbox: &mut Inbox, bytes: &[u8]) {
        inbox.room(inbox.unread() + bytes.len())[..bytes.len()].copy_from_slice(bytes);
        inbox.received(bytes.len());
    }

    #[test]
    fn what_was_handed_out_stays_in_place_while_more_arrives() {
        let mut inbox = Inbox::new();
        inbox.settle();
        feed(&mut inbox, b"abc");
        let first = inbox.advance(3);
        feed(&mut inbox, &vec![b'x'; 100_000]);
        inbox.advance(100_000);
        assert_eq!(&inbox.bytes()[first], b"abc");
        assert_eq!(inbox.take().len(), 100_003);
        assert_eq!(inbox.unread(), 0);
    }

    #[test]
    fn a_large_result_leaves_with_the_buffer_and_the_unread_rest_stays() {
        let mut inbox = Inbox::new();
        inbox.settle();
        feed(&mut inbox, &vec![b'x'; 300_000]);
        feed(&mut inbox, b"rest");
        inbox.advance(300_000);
        assert_eq!(inbox.take(), vec![b'x'; 300_000]);
        let rest = inbox.advance(4);
        assert_eq!(&inbox.bytes()[rest], b"rest");
        assert!(inbox.bytes().len() < 100_000, "the large buffer was kept");
    }

    #[test]
    fn joining_drops_the_header_between_two_frames() {
        let mut inbox = Inbox::new();
        inbox.settle();
        feed(&mut inbox, b"onehdrtwo!");
        let (one, gap, two) = (inbox.advance(3), inbox.advance(3), inbox.advance(3));
        let whole = inbox.join(one, gap, two.end);
        assert_eq!(&inbox.bytes()[whole], b"onetwo");
        let rest = inbox.advance(1);
        assert_eq!(&inbox.bytes()[rest], b"!");
    }
}
