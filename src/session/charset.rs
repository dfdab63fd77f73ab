//! The character sets a connection may speak.
//!
//! Only those in which no character contains the byte of a quote or a backslash: in the others
//! (gbk, sjis, big5 …) a parameter could end its own quotes. A program that sends `SET NAMES` with
//! one of those by itself gives this up, as with every driver that fills parameters in.

mod single_byte;

use std::borrow::Cow;

pub use single_byte::SingleByte;

/// The character set of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// All of Unicode. The default.
    #[default]
    Utf8mb4,
    /// Unicode's basic plane; "utf8" to old servers.
    Utf8mb3,
    /// Seven bits.
    Ascii,
    /// Korean. Two bytes a character, the second never a quote or a backslash.
    Euckr,
    /// Chinese, the same.
    Gb2312,
    /// One byte a character.
    SingleByte(&'static SingleByte),
}

/// Those in which a character may contain the byte of a quote or a backslash, or a second byte
/// stands for one of them.
const UNSAFE: [&str; 10] =
    ["gbk", "gb18030", "big5", "sjis", "cp932", "swe7", "armscii8", "ujis", "eucjpms", "filename"];
/// Those that the server does not take from a client.
const REFUSED: [&str; 4] = ["ucs2", "utf16", "utf16le", "utf32"];

impl Charset {
    /// By MySQL's name, in any case.
    ///
    /// # Errors
    /// A sentence with the reason and the names that can be had.
    pub fn parse(name: &str) -> Result<Self, String> {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "utf8mb4" => Ok(Self::Utf8mb4),
            "utf8mb3" | "utf8" => Ok(Self::Utf8mb3),
            "ascii" => Ok(Self::Ascii),
            "euckr" => Ok(Self::Euckr),
            "gb2312" => Ok(Self::Gb2312),
            _ => SingleByte::find(&name).map(Self::SingleByte).ok_or_else(|| refusal(&name)),
        }
    }

    /// MySQL's name, as old servers know it too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8mb4 => "utf8mb4",
            Self::Utf8mb3 => "utf8",
            Self::Ascii => "ascii",
            Self::Euckr => "euckr",
            Self::Gb2312 => "gb2312",
            Self::SingleByte(set) => set.name,
        }
    }

    /// Python's codec, which has the same characters where it has not the same gaps: for what is
    /// not decoded or encoded here, and for the error that it raises.
    pub fn codec(self) -> Option<&'static str> {
        match self {
            Self::Utf8mb4 => Some("utf-8"),
            Self::Ascii => Some("ascii"),
            Self::Euckr => Some("cp949"),
            Self::Gb2312 => Some("gb2312"),
            Self::Utf8mb3 | Self::SingleByte(_) => None,
        }
    }

    /// What Python calls it: a codec, where it has one that is at least near.
    pub fn encoding(self) -> &'static str {
        match self.name() {
            "utf8mb4" | "utf8" => "utf8",
            "latin1" => "cp1252",
            "koi8r" => "koi8_r",
            "koi8u" => "koi8_u",
            "macce" => "mac_latin2",
            name => self.codec().unwrap_or(name),
        }
    }

    /// Bytes as text. `None`: they are for the codec; without one, they are not of this character
    /// set.
    pub fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8mb4 | Self::Utf8mb3 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            _ if bytes.is_ascii() => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::SingleByte(set) => bytes.iter().map(|byte| set.character(*byte)).collect(),
            Self::Ascii | Self::Euckr | Self::Gb2312 => None,
        }
    }

    /// Text as bytes. `None`: it is for the codec; without one, this character set lacks one of
    /// the characters.
    pub fn encode(self, text: &str) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Utf8mb4 => Some(Cow::Borrowed(text.as_bytes())),
            _ if text.is_ascii() => Some(Cow::Borrowed(text.as_bytes())),
            Self::Utf8mb3 => self.lacks(text).is_none().then_some(Cow::Borrowed(text.as_bytes())),
            Self::SingleByte(set) => text.chars().map(|c| set.byte(c)).collect(),
            Self::Ascii | Self::Euckr | Self::Gb2312 => None,
        }
    }

    /// Where the first character is that a set without a codec lacks, counted in characters.
    pub fn lacks(self, text: &str) -> Option<usize> {
        match self {
            Self::Utf8mb3 => text.chars().position(|character| character > '\u{ffff}'),
            Self::SingleByte(set) => text.chars().position(|c| set.byte(c).is_none()),
            _ => None,
        }
    }

    /// Where the first byte is that stands for no character in a set without a codec.
    pub fn undefined(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Utf8mb3 => std::str::from_utf8(bytes).err().map(|error| error.valid_up_to()),
            Self::SingleByte(set) => bytes.iter().position(|b| set.character(*b).is_none()),
            _ => None,
        }
    }
}

fn refusal(name: &str) -> String {
    let reason = if UNSAFE.contains(&name) {
        "is not safe: in it a parameter could end its own quotes"
    } else if REFUSED.contains(&name) {
        "is none that the server takes from a client"
    } else {
        "is not supported"
    };
    let names: Vec<_> = SingleByte::names().collect();
    format!(
        "charset {name:?} {reason}. Use utf8mb4 (the default): columns may have any character set, \
         the server converts. Others that a connection can have: utf8mb3, ascii, euckr, gb2312, {}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::{Charset, SingleByte, REFUSED, UNSAFE};

    #[test]
    fn every_byte_of_a_single_byte_set_comes_back_as_its_character() {
        for name in SingleByte::names() {
            let charset = Charset::parse(name).unwrap();
            assert_eq!(charset.name(), name);
            for byte in 0..=u8::MAX {
                let Some(text) = charset.decode(&[byte]).map(String::from) else {
                    assert_eq!(charset.undefined(&[b'a', byte]), Some(1), "{name} {byte:x}");
                    continue;
                };
                assert_eq!(charset.encode(&text).as_deref(), Some(&[byte][..]), "{name} {byte:x}");
            }
        }
    }

    #[test]
    fn no_byte_but_its_own_is_a_quote_or_a_backslash() {
        for charset in SingleByte::names().map(|name| Charset::parse(name).unwrap()) {
            for special in ["'", "\"", "\\", "`"] {
                let bytes =
                    (0..=u8::MAX).filter(|b| charset.decode(&[*b]).as_deref() == Some(special));
                assert_eq!(bytes.collect::<Vec<_>>(), special.as_bytes());
            }
        }
    }

    #[test]
    fn latin1_is_that_of_mysql() {
        let latin1 = Charset::parse("LATIN1").unwrap();
        assert_eq!(latin1.decode(b"\x80\x81\xff").as_deref(), Some("€\u{81}ÿ"));
    }

    #[test]
    fn what_a_character_set_lacks_is_told() {
        let latin1 = Charset::parse("latin1").unwrap();
        assert_eq!((latin1.encode("aő"), latin1.lacks("éaő")), (None, Some(2)));
        assert_eq!(latin1.encode("\u{fffd}"), None);
        assert_eq!(Charset::Utf8mb3.encode("水"), Some("水".as_bytes().into()));
        assert_eq!(
            (Charset::Utf8mb3.encode("水🐬"), Charset::Utf8mb3.lacks("水🐬")),
            (None, Some(1))
        );
        assert_eq!(Charset::Utf8mb3.undefined(b"a\xff"), Some(1));
        assert_eq!(Charset::Ascii.encode("ä"), None);
        assert_eq!(Charset::Ascii.decode(b"\xe4"), None);
        assert_eq!(Charset::Utf8mb4.decode(b"\xe4"), None);
    }

    #[test]
    fn what_is_refused_is_refused_with_its_reason() {
        for name in UNSAFE {
            assert!(Charset::parse(name).unwrap_err().contains("is not safe"), "{name}");
        }
        for name in REFUSED {
            assert!(Charset::parse(name).unwrap_err().contains("takes from a client"), "{name}");
        }
        let unknown = Charset::parse("latin-1").unwrap_err();
        assert!(unknown.contains("\"latin-1\" is not supported. Use utf8mb4"), "{unknown}");
    }
}
