//! The values of one execution of a prepared statement, in the binary protocol.
//!
//! Each has the type that its literal has in a statement's text, so that a statement means the
//! same whether it was prepared or not: dates and times are text, as they are between quotes.

use mysql::mysql_common::constants::ColumnType;
use mysql::mysql_common::io::BufMutExt;

const UNSIGNED: u8 = 0x80;
/// The types follow: they may be others than at the last execution.
const TYPES_FOLLOW: u8 = 1;

/// Values, one for each `?`, in order.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    types: Vec<u8>,
    nulls: Vec<u8>,
    values: Vec<u8>,
}

impl Bindings {
    /// NULL.
    pub fn null(&mut self) {
        let at = self.len();
        self.add(ColumnType::MYSQL_TYPE_NULL, 0);
        self.nulls[at / 8] |= 1 << (at % 8);
    }

    /// A whole number.
    pub fn signed(&mut self, number: i64) {
        self.add(ColumnType::MYSQL_TYPE_LONGLONG, 0);
        self.values.extend_from_slice(&number.to_le_bytes());
    }

    /// A whole number.
    pub fn unsigned(&mut self, number: u64) {
        self.add(ColumnType::MYSQL_TYPE_LONGLONG, UNSIGNED);
        self.values.extend_from_slice(&number.to_le_bytes());
    }

    /// A DOUBLE.
    pub fn double(&mut self, number: f64) {
        self.add(ColumnType::MYSQL_TYPE_DOUBLE, 0);
        self.values.extend_from_slice(&number.to_le_bytes());
    }

    /// A DECIMAL, in digits.
    pub fn decimal(&mut self, digits: &str) {
        self.add(ColumnType::MYSQL_TYPE_NEWDECIMAL, 0);
        self.values.put_lenenc_str(digits.as_bytes());
    }

    /// Text in the connection's character set.
    pub fn text(&mut self, text: &[u8]) {
        self.add(ColumnType::MYSQL_TYPE_VAR_STRING, 0);
        self.values.put_lenenc_str(text);
    }

    /// Bytes that are no text.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.add(ColumnType::MYSQL_TYPE_BLOB, 0);
        self.values.put_lenenc_str(bytes);
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.types.len() / 2
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// The type of each value, two bytes a piece.
    pub(super) fn types(&self) -> &[u8] {
        &self.types
    }

    fn add(&mut self, kind: ColumnType, flag: u8) {
        if self.len() % 8 == 0 {
            self.nulls.push(0);
        }
        self.types.extend_from_slice(&[kind as u8, flag]);
    }

    /// Append what stands before the values in the packet.
    pub(super) fn write_head(&self, packet: &mut Vec<u8>) {
        if !self.is_empty() {
            packet.extend_from_slice(&self.nulls);
            packet.push(TYPES_FOLLOW);
            packet.extend_from_slice(&self.types);
        }
    }

    pub(super) fn values(&self) -> &[u8] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::Bindings;

    fn head(bindings: &Bindings) -> Vec<u8> {
        let mut packet = Vec::new();
        bindings.write_head(&mut packet);
        packet
    }

    #[test]
    fn no_value_takes_no_byte() {
        assert_eq!((head(&Bindings::default()), Bindings::default().values().len()), (vec![], 0));
    }

    #[test]
    fn nulls_are_bits_and_types_are_pairs() {
        let mut bindings = Bindings::default();
        bindings.null();
        bindings.unsigned(7);
        bindings.text(b"ab");
        assert_eq!(head(&bindings), [0b001, 1, 6, 0, 8, 0x80, 253, 0]);
        assert_eq!(bindings.values(), [7, 0, 0, 0, 0, 0, 0, 0, 2, b'a', b'b']);
        (0..6).for_each(|_| bindings.null());
        assert_eq!(head(&bindings)[..3], [0b1111_1001, 0b1, 1]);
    }

    #[test]
    fn a_long_value_has_a_long_length() {
        let mut bindings = Bindings::default();
        bindings.bytes(&[b'x'; 70_000]);
        assert_eq!(bindings.values()[..4], [0xfd, 0x70, 0x11, 0x01]);
        assert_eq!(bindings.values().len(), 70_004);
    }
}
