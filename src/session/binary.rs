//! Rows of prepared statements: the binary protocol.

use super::cell::{Cell, Moment, Span};
use super::rows::{lenenc, Truncated};
use super::{Column, ColumnFlags, ColumnType};

/// The bits of NULL begin at the third.
const FIRST_BIT: usize = 2;
/// The days of a TIME: no server known has more than 34, and no sum of so many overflows.
const MOST_DAYS: u32 = 9_999;
const MOST_MICROS: u32 = 999_999;

/// The values of one row, in order.
#[derive(Debug)]
pub struct Cells<'a> {
    columns: &'a [Column],
    nulls: &'a [u8],
    data: &'a [u8],
    next: usize,
}

impl<'a> Cells<'a> {
    /// # Errors
    /// When it does not begin as a row of so many columns does.
    pub fn of(row: &'a [u8], columns: &'a [Column]) -> Result<Self, Truncated> {
        let Some((0, rest)) = row.split_first() else { return Err(Truncated) };
        let bits = columns.len() + FIRST_BIT;
        let (nulls, data) = rest.split_at_checked(bits.div_ceil(8)).ok_or(Truncated)?;
        Ok(Self { columns, nulls, data, next: 0 })
    }

    /// The next value: `Ok(None)` is NULL.
    ///
    /// # Errors
    /// When the row does not fit its columns.
    pub fn cell(&mut self) -> Result<Option<Cell<'a>>, Truncated> {
        let column = self.columns.get(self.next).ok_or(Truncated)?;
        let bit = self.next + FIRST_BIT;
        self.next += 1;
        if self.nulls.get(bit / 8).is_some_and(|byte| byte & (1 << (bit % 8)) != 0) {
            return Ok(None);
        }
        self.value(column).map(Some)
    }

    fn value(&mut self, column: &Column) -> Result<Cell<'a>, Truncated> {
        use ColumnType as T;
        let unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
        Ok(match column.column_type() {
            T::MYSQL_TYPE_TINY if unsigned => {
                Cell::Unsigned(u8::from_le_bytes(self.array()?).into())
            }
            T::MYSQL_TYPE_TINY => Cell::Signed(i8::from_le_bytes(self.array()?).into()),
            T::MYSQL_TYPE_SHORT | T::MYSQL_TYPE_YEAR if unsigned => {
                Cell::Unsigned(u16::from_le_bytes(self.array()?).into())
            }
            T::MYSQL_TYPE_SHORT | T::MYSQL_TYPE_YEAR => {
                Cell::Signed(i16::from_le_bytes(self.array()?).into())
            }
            T::MYSQL_TYPE_LONG | T::MYSQL_TYPE_INT24 if unsigned => {
                Cell::Unsigned(u32::from_le_bytes(self.array()?).into())
            }
            T::MYSQL_TYPE_LONG | T::MYSQL_TYPE_INT24 => {
                Cell::Signed(i32::from_le_bytes(self.array()?).into())
            }
            T::MYSQL_TYPE_LONGLONG if unsigned => Cell::Unsigned(u64::from_le_bytes(self.array()?)),
            T::MYSQL_TYPE_LONGLONG => Cell::Signed(i64::from_le_bytes(self.array()?)),
            T::MYSQL_TYPE_FLOAT => Cell::Float(f32::from_le_bytes(self.array()?)),
            T::MYSQL_TYPE_DOUBLE => Cell::Double(f64::from_le_bytes(self.array()?)),
            T::MYSQL_TYPE_DATE
            | T::MYSQL_TYPE_NEWDATE
            | T::MYSQL_TYPE_DATETIME
            | T::MYSQL_TYPE_DATETIME2
            | T::MYSQL_TYPE_TIMESTAMP
            | T::MYSQL_TYPE_TIMESTAMP2 => Cell::Moment(self.moment()?),
            T::MYSQL_TYPE_TIME | T::MYSQL_TYPE_TIME2 => Cell::Span(self.span()?),
            _ => Cell::Bytes(self.bytes()?),
        })
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Truncated> {
        let (taken, rest) = self.data.split_at_checked(count).ok_or(Truncated)?;
        self.data = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        self.take(N)?.try_into().map_err(|_| Truncated)
    }

    fn bytes(&mut self) -> Result<&'a [u8], Truncated> {
        let (length, rest) = lenenc(self.data).ok_or(Truncated)?;
        self.data = rest;
        self.take(usize::try_from(length).map_err(|_| Truncated)?)
    }

    /// One byte says how much follows: what would be zero at the end is left out. A part that no
    /// calendar or clock shows could not be said as text either.
    fn moment(&mut self) -> Result<Moment, Truncated> {
        let [length] = self.array()?;
        let mut moment = Moment::default();
        if length >= 4 {
            moment.year = u16::from_le_bytes(self.array()?);
            [moment.month, moment.day] = self.array()?;
        }
        if length >= 7 {
            [moment.hour, moment.minute, moment.second] = self.array()?;
        }
        if length >= 11 {
            moment.micro = u32::from_le_bytes(self.array()?);
        }
        let fits = moment.year <= 9999
            && moment.month <= 12
            && moment.day <= 31
            && is_clock(moment.hour, moment.minute, moment.second, moment.micro);
        (fits && matches!(length, 0 | 4 | 7 | 11)).then_some(moment).ok_or(Truncated)
    }

    fn span(&mut self) -> Result<Span, Truncated> {
        let [length] = self.array()?;
        let mut span = Span::default();
        if length >= 8 {
            let [sign] = self.array()?;
            span.negative = match sign {
                0 => false,
                1 => true,
                _ => return Err(Truncated),
            };
            span.days = u32::from_le_bytes(self.array()?);
            [span.hours, span.minutes, span.seconds] = self.array()?;
        }
        if length >= 12 {
            span.micros = u32::from_le_bytes(self.array()?);
        }
        let fits =
            span.days <= MOST_DAYS && is_clock(span.hours, span.minutes, span.seconds, span.micros);
        (fits && matches!(length, 0 | 8 | 12)).then_some(span).ok_or(Truncated)
    }
}

fn is_clock(hours: u8, minutes: u8, seconds: u8, micros: u32) -> bool {
    hours < 24 && minutes < 60 && seconds < 60 && micros <= MOST_MICROS
}

/// Whether these bytes are a row of these columns and nothing else.
pub(super) fn is_row(bytes: &[u8], columns: &[Column]) -> bool {
    let Ok(mut cells) = Cells::of(bytes, columns) else { return false };
    columns.iter().all(|_| cells.cell().is_ok()) && cells.data.is_empty()
}

#[cfg(test)]
mod tests {
    use super::{
        is_row, Cell, Cells, Column, ColumnFlags, ColumnType as T, Moment, Span, Truncated,
    };

    /// One column of each layout, and a row of them.
    fn sample() -> (Vec<Column>, Vec<u8>) {
        let plain: [(T, &[u8]); 9] = [
            (T::MYSQL_TYPE_TINY, &[0xff]),
            (T::MYSQL_TYPE_SHORT, &[1, 0x80]),
            (T::MYSQL_TYPE_INT24, &[0xff, 0xff, 0xff, 0xff]),
            (T::MYSQL_TYPE_LONGLONG, &[0, 0, 0, 0, 0, 0, 0, 0x80]),
            (T::MYSQL_TYPE_FLOAT, &[0, 0, 0xc0, 0x3f]),
            (T::MYSQL_TYPE_DOUBLE, &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f]),
            (T::MYSQL_TYPE_VAR_STRING, &[2, b'a', b'b']),
            (T::MYSQL_TYPE_DATETIME, &[11, 0xea, 7, 2, 28, 23, 59, 58, 1, 0, 0, 0]),
            (T::MYSQL_TYPE_TIME, &[12, 1, 34, 0, 0, 0, 22, 59, 58, 2, 0, 0, 0]),
        ];
        let row = [0, 0, 0].iter().chain(plain.iter().flat_map(|(_, bytes)| *bytes));
        let row = row.copied().collect();
        (plain.iter().map(|(kind, _)| Column::new(*kind)).collect(), row)
    }

    type Read = Result<Option<Cell<'static>>, Truncated>;

    fn assert_reads(kind: T, flags: ColumnFlags, bytes: &[u8], expected: Read) {
        let columns = [Column::new(kind).with_flags(flags)];
        let row: Vec<u8> = [0, 0].iter().chain(bytes).copied().collect();
        assert_eq!(Cells::of(&row, &columns).unwrap().cell(), expected, "{kind:?} {bytes:?}");
    }

    #[test]
    fn a_row_is_read_by_the_types_of_its_columns() {
        let (columns, row) = sample();
        let mut cells = Cells::of(&row, &columns).unwrap();
        let moment =
            Moment { year: 2026, month: 2, day: 28, hour: 23, minute: 59, second: 58, micro: 1 };
        let span =
            Span { negative: true, days: 34, hours: 22, minutes: 59, seconds: 58, micros: 2 };
        for expected in [
            Cell::Signed(-1),
            Cell::Signed(-32_767),
            Cell::Signed(-1),
            Cell::Signed(i64::MIN),
            Cell::Float(1.5),
            Cell::Double(1.5),
            Cell::Bytes(b"ab"),
            Cell::Moment(moment),
            Cell::Span(span),
        ] {
            assert_eq!(cells.cell(), Ok(Some(expected)));
        }
        assert_eq!(cells.cell(), Err(Truncated));
    }

    #[test]
    fn a_row_that_is_cut_or_too_long_is_none() {
        let (columns, mut row) = sample();
        assert!(is_row(&row, &columns));
        for length in 0..row.len() {
            assert!(!is_row(&row[..length], &columns), "cut at {length}");
        }
        assert!(!is_row(&row, &columns[1..]));
        row.push(0);
        assert!(!is_row(&row, &columns));
        row.pop();
        row[0] = 1;
        assert!(!is_row(&row, &columns));
    }

    #[test]
    fn no_bytes_are_read_past_their_end() {
        // Every byte in turn says something else than it should: any answer will do, but no panic.
        let (columns, row) = sample();
        for at in 0..row.len() {
            for byte in [0, 1, 4, 5, 0x7f, 0xfb, 0xfc, 0xfd, 0xfe, 0xff] {
                let mut odd = row.clone();
                odd[at] = byte;
                is_row(&odd, &columns);
            }
        }
        assert!(!is_row(
            &[0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &columns[6..7]
        ));
    }

    #[test]
    fn a_null_takes_a_bit_and_no_byte() {
        let columns: Vec<_> = (0..9).map(|_| Column::new(T::MYSQL_TYPE_TINY)).collect();
        let row = [0, 0b1111_1000, 0b101, 7, 8];
        assert!(is_row(&row, &columns));
        let mut cells = Cells::of(&row, &columns).unwrap();
        let read: Vec<_> = columns.iter().map(|_| cells.cell().unwrap()).collect();
        assert_eq!(read[0], Some(Cell::Signed(7)));
        assert_eq!(read[7], Some(Cell::Signed(8)));
        assert_eq!(read.iter().filter(|cell| cell.is_none()).count(), 7);
    }

    #[test]
    fn an_unsigned_column_has_no_sign() {
        for (kind, bytes, number) in [
            (T::MYSQL_TYPE_TINY, &[0xff][..], 255),
            (T::MYSQL_TYPE_YEAR, &[0xea, 7], 2026),
            (T::MYSQL_TYPE_LONG, &[0xff; 4], 0xffff_ffff),
            (T::MYSQL_TYPE_LONGLONG, &[0xff; 8], u64::MAX),
        ] {
            let read = Ok(Some(Cell::Unsigned(number)));
            assert_reads(kind, ColumnFlags::UNSIGNED_FLAG, bytes, read);
        }
    }

    #[test]
    fn a_time_may_leave_out_what_is_zero_and_nothing_else() {
        let none = ColumnFlags::empty();
        let zero = Ok(Some(Cell::Moment(Moment::default())));
        assert_reads(T::MYSQL_TYPE_DATE, none, &[0], zero);
        assert_reads(T::MYSQL_TYPE_TIMESTAMP, none, &[7, 0, 0, 0, 0, 0, 0, 0], zero);
        assert_reads(T::MYSQL_TYPE_TIME, none, &[0], Ok(Some(Cell::Span(Span::default()))));
        for length in [1, 2, 3, 5, 6, 8, 9, 10, 12, 255] {
            let bytes: Vec<u8> = std::iter::once(length).chain([0; 255]).collect();
            assert_reads(T::MYSQL_TYPE_DATETIME, none, &bytes, Err(Truncated));
        }
        for length in [1, 4, 7, 9, 11, 13, 255] {
            let bytes: Vec<u8> = std::iter::once(length).chain([0; 255]).collect();
            assert_reads(T::MYSQL_TYPE_TIME, none, &bytes, Err(Truncated));
        }
    }
}
