//! The character sets a connection may speak.
//!
//! Only those in which no character contains the byte of a quote or a backslash: in the others
//! (gbk, sjis, big5 …) a parameter could end its own quotes.

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

    /// Python's codec for it.
    pub fn codec(self) -> &'static str {
        match self {
            Self::Utf8mb4 | Self::Utf8mb3 => "utf-8",
            Self::Latin1 => "cp1252",
            Self::Ascii => "ascii",
        }
    }

    /// Whether text travels as UTF-8.
    pub fn is_utf8(self) -> bool {
        matches!(self, Self::Utf8mb4 | Self::Utf8mb3)
    }
}
