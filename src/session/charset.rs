//! The character sets a connection may speak.
//!
//! Only those in which no character contains the byte of a quote or a backslash: in the others
//! (gbk, sjis, big5 …) a parameter could end its own quotes. A program that sends `SET NAMES` with
//! one of those by itself gives this up, as with every driver that fills parameters in.

use std::borrow::Cow;

/// The character set of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// All of Unicode. The default.
    #[default]
    Utf8mb4,
    /// Unicode's basic plane; "utf8" to old servers.
    Utf8mb3,
    /// Windows-1252, which MySQL calls latin1.
    Latin1,
    /// Seven bits.
    Ascii,
}

impl Charset {
    /// By MySQL's name, in any case.
    ///
    /// # Errors
    /// A sentence with the names that can be had.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name.to_ascii_lowercase().as_str() {
            "utf8mb4" => Ok(Self::Utf8mb4),
            "utf8mb3" | "utf8" => Ok(Self::Utf8mb3),
            "latin1" => Ok(Self::Latin1),
            "ascii" => Ok(Self::Ascii),
            _ => Err(format!(
                "charset {name:?} is not supported: use utf8mb4 (the default), utf8mb3, latin1 or \
                 ascii; columns may have any character set, the server converts"
            )),
        }
    }

    /// MySQL's name, as old servers know it too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8mb4 => "utf8mb4",
            Self::Utf8mb3 => "utf8",
            Self::Latin1 => "latin1",
            Self::Ascii => "ascii",
        }
    }

    /// Python's codec that comes nearest, for the error that it raises.
    pub fn codec(self) -> &'static str {
        match self {
            Self::Utf8mb4 | Self::Utf8mb3 => "utf-8",
            Self::Latin1 => "cp1252",
            Self::Ascii => "ascii",
        }
    }

    /// Bytes as text, or `None` where they are not of this character set.
    pub fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8mb4 | Self::Utf8mb3 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Ascii if !bytes.is_ascii() => None,
            Self::Latin1 if !bytes.is_ascii() => Some(bytes.iter().map(|b| latin1(*b)).collect()),
            Self::Ascii | Self::Latin1 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        }
    }

    /// Text as bytes, or `None` where this character set lacks one of the characters.
    pub fn encode(self, text: &str) -> Option<Cow<'_, [u8]>> {
        let ours = |c: char| (0..=u8::MAX).find(|byte| latin1(*byte) == c);
        match self {
            Self::Ascii if !text.is_ascii() => None,
            Self::Latin1 if !text.is_ascii() => text.chars().map(ours).collect(),
            _ => Some(Cow::Borrowed(text.as_bytes())),
        }
    }
}

/// MySQL's latin1: Windows-1252, with its five gaps filled by the control characters of their
/// numbers, where Python's codec knows nothing.
fn latin1(byte: u8) -> char {
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => UPPER[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::Charset;

    #[test]
    fn every_byte_of_latin1_is_a_character_and_comes_back() {
        let bytes: Vec<u8> = (0..=u8::MAX).collect();
        let text = Charset::Latin1.decode(&bytes).unwrap();
        assert_eq!(text.chars().nth(0x80), Some('€'));
        assert_eq!(Charset::Latin1.encode(&text).unwrap(), bytes);
    }

    #[test]
    fn what_a_character_set_lacks_is_refused() {
        assert_eq!(Charset::Latin1.encode("ő"), None);
        assert_eq!(Charset::Ascii.encode("ä"), None);
        assert_eq!(Charset::Ascii.decode(b"\xe4"), None);
        assert_eq!(Charset::Utf8mb4.decode(b"\xe4"), None);
    }
}
