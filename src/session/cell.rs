//! One value of a row in the binary protocol.

use std::fmt::Write;

use super::{Column, ColumnFlags, ColumnType};

/// Decimals from here on say that their number is not fixed.
const NOT_FIXED: u8 = 31;
/// The most digits that ZEROFILL fills up to: the server's MAX_FIELD_CHARLENGTH.
const WIDEST: u32 = 255;

/// A value as the server sent it. Everything that is neither a number nor a time is bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A whole number.
    Signed(i64),
    /// A whole number of an UNSIGNED column.
    Unsigned(u64),
    /// A FLOAT.
    Float(f32),
    /// A DOUBLE.
    Double(f64),
    /// A DATE, DATETIME or TIMESTAMP.
    Moment(Moment),
    /// A TIME.
    Span(Span),
    /// Text, bytes, DECIMAL, BIT and all others.
    Bytes(&'a [u8]),
}

/// A day and what the clock shows; a part that is not known is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Moment {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub micro: u32,
}

/// A span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Span {
    pub negative: bool,
    pub days: u32,
    pub hours: u8,
    pub minutes: u8,
    pub seconds: u8,
    pub micros: u32,
}

impl Cell<'_> {
    /// The value as the text protocol writes it, for columns like `column`; only a FLOAT or DOUBLE
    /// may have more digits here.
    pub fn text(&self, column: &Column) -> Vec<u8> {
        let text = match *self {
            Self::Bytes(bytes) => return bytes.to_vec(),
            Self::Signed(number) => number.to_string(),
            Self::Unsigned(number) => number.to_string(),
            Self::Float(number) => float(number, column),
            Self::Double(number) => real(format!("{number:?}"), number, column),
            Self::Moment(moment) => moment.text(column),
            Self::Span(span) => span.text(column),
        };
        if column.flags().contains(ColumnFlags::ZEROFILL_FLAG) {
            let width = column.column_length().min(WIDEST) as usize;
            return format!("{text:0>width$}").into_bytes();
        }
        text.into_bytes()
    }
}

fn float(number: f32, column: &Column) -> String {
    real(format!("{number:?}"), f64::from(number), column)
}

/// The number that a FLOAT is written as: 0.1, not 0.10000000149011612.
pub fn widened(number: f32, column: &Column) -> f64 {
    float(number, column).parse().unwrap_or(f64::from(number))
}

/// With the column's decimals, or as few digits as tell the number from all others.
fn real(shortest: String, number: f64, column: &Column) -> String {
    match usize::from(column.decimals()) {
        decimals if decimals < usize::from(NOT_FIXED) => format!("{number:.decimals$}"),
        _ => shortest.strip_suffix(".0").map(str::to_owned).unwrap_or(shortest),
    }
}

/// ".ffffff", as many of them as the column has.
fn fraction(micros: u32, column: &Column) -> String {
    let places = match column.decimals() {
        decimals @ 0..=6 => usize::from(decimals),
        _ if micros == 0 => 0,
        _ => 6,
    };
    let mut text = format!(".{micros:06}");
    text.truncate(if places == 0 { 0 } else { places + 1 });
    text
}

impl Moment {
    fn text(&self, column: &Column) -> String {
        let mut text = format!("{:04}-{:02}-{:02}", self.year, self.month, self.day);
        use ColumnType as T;
        if !matches!(column.column_type(), T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_NEWDATE) {
            let fraction = fraction(self.micro, column);
            // Writing into a String cannot fail.
            let _ =
                write!(text, " {:02}:{:02}:{:02}{fraction}", self.hour, self.minute, self.second);
        }
        text
    }
}

impl Span {
    fn text(&self, column: &Column) -> String {
        let sign = if self.negative { "-" } else { "" };
        let hours = u64::from(self.days) * 24 + u64::from(self.hours);
        let fraction = fraction(self.micros, column);
        format!("{sign}{hours:02}:{:02}:{:02}{fraction}", self.minutes, self.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::{widened, Cell, Column, ColumnFlags, ColumnType as T, Moment, Span};

    fn text(cell: Cell<'_>, kind: T, decimals: u8) -> String {
        let column = Column::new(kind).with_decimals(decimals);
        String::from_utf8(cell.text(&column)).unwrap()
    }

    #[test]
    fn numbers_are_written_as_the_server_writes_them() {
        assert_eq!(text(Cell::Signed(-5), T::MYSQL_TYPE_LONG, 0), "-5");
        assert_eq!(text(Cell::Unsigned(u64::MAX), T::MYSQL_TYPE_LONGLONG, 0), u64::MAX.to_string());
        assert_eq!(text(Cell::Float(0.1), T::MYSQL_TYPE_FLOAT, 31), "0.1");
        assert_eq!(text(Cell::Double(2.0), T::MYSQL_TYPE_DOUBLE, 31), "2");
        assert_eq!(text(Cell::Double(1.5), T::MYSQL_TYPE_DOUBLE, 2), "1.50");
        let filled = Column::new(T::MYSQL_TYPE_LONG)
            .with_flags(ColumnFlags::ZEROFILL_FLAG)
            .with_column_length(5);
        assert_eq!(Cell::Unsigned(42).text(&filled), b"00042");
        assert_eq!(Cell::Signed(1).text(&filled.with_column_length(u32::MAX)).len(), 255);
    }

    #[test]
    fn a_float_is_widened_as_it_is_written() {
        let column = |decimals| Column::new(T::MYSQL_TYPE_FLOAT).with_decimals(decimals);
        assert_eq!(widened(0.1, &column(31)), 0.1);
        assert_eq!(widened(16_777_216.0, &column(31)), 16_777_216.0);
        assert_eq!(widened(1_234_567.9, &column(2)), 1_234_567.88);
    }

    #[test]
    fn times_have_the_decimals_of_their_column() {
        let moment = Moment { year: 26, month: 1, day: 2, micro: 120_000, ..Moment::default() };
        assert_eq!(text(Cell::Moment(moment), T::MYSQL_TYPE_DATE, 0), "0026-01-02");
        let when = text(Cell::Moment(moment), T::MYSQL_TYPE_DATETIME, 3);
        assert_eq!(when, "0026-01-02 00:00:00.120");
        let span = Span { negative: true, days: 34, hours: 22, ..Span::default() };
        assert_eq!(text(Cell::Span(span), T::MYSQL_TYPE_TIME, 0), "-838:00:00");
        assert_eq!(text(Cell::Span(span), T::MYSQL_TYPE_TIME, 39), "-838:00:00");
        let short = Span { micros: 1, ..Span::default() };
        assert_eq!(text(Cell::Span(short), T::MYSQL_TYPE_TIME, 39), "00:00:00.000001");
    }
}
