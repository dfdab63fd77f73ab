//! A result: its columns, and its rows as the server sent them.

use std::sync::Arc;

use mysql::mysql_common::packets::Column;

use super::binary::{self, Cells};

/// The header of a packet, which lies between two rows.
pub(super) const HEADER: usize = 4;

/// What a statement that answers no rows did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Rows changed (or found, with CLIENT.FOUND_ROWS).
    pub affected: u64,
    /// The first AUTO_INCREMENT value it made, or zero.
    pub insert_id: u64,
    /// Warnings it raised.
    pub warnings: u16,
}

/// How the values of a row are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As text: the answer to a query.
    Text,
    /// In binary: the answer to an execution of a prepared statement.
    Binary,
}

impl Format {
    /// Whether these bytes are a row of these columns and nothing else.
    pub(super) fn is_row(self, bytes: &[u8], columns: &[Column]) -> bool {
        match self {
            Self::Text => is_row(bytes, columns.len()),
            Self::Binary => binary::is_row(bytes, columns),
        }
    }
}

/// A whole result set, or a part of one, still in the server's format.
#[derive(Debug)]
pub struct ResultSet {
    columns: Arc<[Column]>,
    format: Format,
    data: Vec<u8>,
    /// Where each row begins, and at the end where the packet after the last one does.
    starts: Vec<usize>,
    /// Warnings the statement raised; zero before its last row.
    pub warnings: u16,
}

impl ResultSet {
    /// One without rows: what a flow ends with, and begins with.
    pub fn empty(columns: Arc<[Column]>, format: Format, warnings: u16) -> Self {
        Self { columns, format, data: Vec::new(), starts: vec![0], warnings }
    }

    pub(super) fn new(
        columns: Arc<[Column]>,
        format: Format,
        data: Vec<u8>,
        starts: Vec<usize>,
        warnings: u16,
    ) -> Self {
        Self { columns, format, data, starts, warnings }
    }

    /// How many bytes its rows take.
    pub fn size(&self) -> usize {
        self.data.len()
    }

    /// The columns.
    pub fn columns(&self) -> &Arc<[Column]> {
        &self.columns
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the rows are written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The values of one row in the text format.
    pub fn row(&self, index: usize) -> Option<Values<'_>> {
        self.bytes(index).map(|data| Values { data })
    }

    /// The values of one row in the text format, as text.
    pub(super) fn texts(&self, index: usize) -> Option<Vec<Option<String>>> {
        let mut values = self.row(index)?;
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        Some(self.columns.iter().map(|_| values.value().ok().flatten().map(text)).collect())
    }

    /// The values of one row in the binary format.
    pub fn cells(&self, index: usize) -> Option<Cells<'_>> {
        Cells::of(self.bytes(index)?, &self.columns).ok()
    }

    fn bytes(&self, index: usize) -> Option<&[u8]> {
        let (start, next) = (*self.starts.get(index)?, *self.starts.get(index + 1)?);
        self.data.get(start..next.checked_sub(HEADER)?)
    }
}

/// The values of one row, in order.
#[derive(Debug)]
pub struct Values<'a> {
    data: &'a [u8],
}

impl<'a> Values<'a> {
    /// The next value: `Ok(None)` is NULL.
    ///
    /// # Errors
    /// When the row is shorter than its columns say.
    pub fn value(&mut self) -> Result<Option<&'a [u8]>, Truncated> {
        if let Some((0xfb, rest)) = self.data.split_first() {
            self.data = rest;
            return Ok(None);
        }
        let (length, rest) = lenenc(self.data).ok_or(Truncated)?;
        let length = usize::try_from(length).map_err(|_| Truncated)?;
        let (value, rest) = rest.split_at_checked(length).ok_or(Truncated)?;
        self.data = rest;
        Ok(Some(value))
    }
}

/// A row that does not fit its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated;

/// Whether these bytes are `count` values and nothing else.
fn is_row(bytes: &[u8], count: usize) -> bool {
    let mut values = Values { data: bytes };
    (0..count).all(|_| values.value().is_ok()) && values.data.is_empty()
}

/// Warnings and status, if this packet is an end of columns, rows or definitions. A row may start
/// with the same byte, but is then far longer.
pub(super) fn end(payload: &[u8]) -> Option<(u16, u16)> {
    match *payload {
        [0xfe, a, b, c, d] => Some((u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))),
        _ => None,
    }
}

/// MySQL's length-encoded integer, and what follows it.
pub(super) fn lenenc(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let width = match first {
        0..=0xfa => return Some((u64::from(*first), rest)),
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        _ => return None,
    };
    let (number, rest) = rest.split_at_checked(width)?;
    let number = number.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::{is_row, lenenc, Truncated, Values};

    #[test]
    fn a_length_takes_one_to_nine_bytes() {
        assert_eq!(lenenc(&[250, 7]), Some((250, &[7][..])));
        assert_eq!(lenenc(&[0xfc, 1, 2]), Some((0x201, &[][..])));
        assert_eq!(lenenc(&[0xfd, 1, 2, 3]), Some((0x30201, &[][..])));
        assert_eq!(lenenc(&[0xfe, 1, 0, 0, 0, 0, 0, 0, 0]), Some((1, &[][..])));
        assert_eq!(lenenc(&[0xfd, 1]), None);
        assert_eq!(lenenc(&[0xff]), None);
    }

    #[test]
    fn a_row_is_values_and_nulls_and_never_read_past_its_end() {
        let mut values = Values { data: &[1, b'a', 0xfb, 0, 5, b'x'] };
        assert_eq!(values.value(), Ok(Some(&b"a"[..])));
        assert_eq!(values.value(), Ok(None));
        assert_eq!(values.value(), Ok(Some(&b""[..])));
        assert_eq!(values.value(), Err(Truncated));
    }

    #[test]
    fn a_row_has_as_many_values_as_columns() {
        let row = [1, b'a', 0xfb];
        assert!(is_row(&row, 2) && !is_row(&row, 1) && !is_row(&row, 3));
        assert!(!is_row(&[2, b'a'], 1));
    }
}
