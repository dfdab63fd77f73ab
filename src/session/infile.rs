//! Files that the server may have: `LOAD DATA LOCAL INFILE`.
//!
//! The server names the file, and may do so in answer to any statement. So it gets one only where
//! the program allows that, only if the statement itself names it, and of a directory only what
//! lies in it.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::sql::{Token, Tokens};

/// Which files the options allow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LocalFiles {
    /// None.
    #[default]
    Off,
    /// Any that this process can read.
    All,
    /// Those in this directory and below. It is absolute, and has no links in it.
    Below(PathBuf),
}

/// What the last command names as files: no file is sent that is not among them.
#[derive(Debug, Default)]
pub(super) struct Named(Vec<Vec<u8>>);

impl Named {
    /// The strings of a statement that loads a file. `backslash`: whether one escapes.
    pub(super) fn by(sql: &[u8], backslash: bool) -> Self {
        let has_word = |word: &[u8]| sql.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word));
        if !has_word(b"infile") {
            return Self::default();
        }
        let (mut words, mut strings) = ([false; 2], Vec::new());
        for (token, _) in Tokens::new(sql, backslash) {
            words[0] |= token.is("LOCAL");
            words[1] |= token.is("INFILE");
            if let Token::Quoted([quote @ (b'\'' | b'"'), inside @ .., _]) = token {
                strings.push(unquoted(inside, *quote, backslash));
            }
        }
        Self(if words == [true, true] { strings } else { Vec::new() })
    }

    fn has(&self, name: &[u8]) -> bool {
        self.0.iter().any(|named| named == name)
    }
}

impl LocalFiles {
    /// Those of a directory.
    ///
    /// # Errors
    /// A sentence, when it is none or cannot be entered.
    pub(super) fn below(directory: &Path) -> Result<Self, String> {
        let wrong = |cause: &dyn std::fmt::Display| {
            format!("local_infile_dir '{}' cannot be used: {cause}", directory.display())
        };
        let real = fs::canonicalize(directory).map_err(|cause| wrong(&cause))?;
        if real.is_dir() {
            Ok(Self::Below(real))
        } else {
            Err(wrong(&"it is not a directory"))
        }
    }

    /// Open the file that the server asks for, or say why it does not get it.
    pub(super) fn open(&self, asked: &[u8], named: &Named) -> Result<File, String> {
        let name = String::from_utf8_lossy(asked);
        let refused = |why: &str| format!("the server asked for the file {name:?}, {why}");
        if *self == Self::Off {
            return Err(refused(
                "but LOAD DATA LOCAL INFILE is off; switch it on with local_infile_dir=…, or \
                 with local_infile=True for all files",
            ));
        }
        if !named.has(asked) {
            return Err(refused("which the statement does not name"));
        }
        let unread = |cause: io::Error| format!("cannot read the file {name:?}: {cause}");
        let path = Path::new(OsStr::from_bytes(asked));
        let Self::Below(directory) = self else { return open_regular(path).map_err(unread) };
        let within = |real: PathBuf| match real.starts_with(directory) {
            true => Ok(real),
            false => Err(refused(&format!("which is not below {}", directory.display()))),
        };
        // Without links and `..`: what it is, not how it is called.
        let real = within(fs::canonicalize(path).map_err(unread)?)?;
        let file = open_regular(&real).map_err(unread)?;
        // A link may have taken the file's place before it was opened.
        within(opened(&file).map_err(unread)?)?;
        Ok(file)
    }
}

/// Open what is a file and nothing else: a pipe would make us wait, past all time-outs, for
/// somebody who writes to it.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let regular = |about: fs::Metadata| match about.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("it is not a regular file")),
    };
    // Before, for to open a device or a pipe may do something; and after, for it may be another.
    regular(fs::metadata(path)?)?;
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    regular(file.metadata()?)?;
    Ok(file)
}

/// Where an open file lies, by the system's word.
fn opened(file: &File) -> io::Result<PathBuf> {
    fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// What a string in a statement means.
fn unquoted(inside: &[u8], quote: u8, backslash: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(inside.len());
    let mut bytes = inside.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if backslash => match bytes.next() {
                Some(b'0') => text.push(0),
                Some(b'b') => text.push(8),
                Some(b'n') => text.push(b'\n'),
                Some(b'r') => text.push(b'\r'),
                Some(b't') => text.push(b'\t'),
                Some(b'Z') => text.push(26),
                Some(kept @ (b'%' | b'_')) => text.extend([b'\\', kept]),
                other => text.extend(other),
            },
            _ => {
                text.push(byte);
                if byte == quote {
                    bytes.next();
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::{fs, io, thread};

    use super::{LocalFiles, Named};

    fn named(sql: &str) -> Vec<String> {
        let found = Named::by(sql.as_bytes(), true).0;
        found.into_iter().map(|name| String::from_utf8(name).unwrap()).collect()
    }

    #[test]
    fn a_statement_names_a_file_in_quotes() {
        assert_eq!(named("load data local infile '/a' into table t")[0], "/a");
        assert_eq!(
            named("LOAD DATA /*!40000 LOCAL */ INFILE \"a\\\\b''\" INTO TABLE t")[0],
            "a\\b''"
        );
        assert_eq!(named("LOAD XML CONCURRENT LOCAL INFILE 'it''s \\'\\%\\n' …")[0], "it's '\\%\n");
    }

    #[test]
    fn what_stands_in_a_parameter_makes_no_statement_load_a_file() {
        assert!(named("SELECT 'LOCAL INFILE ''/etc/passwd''', '/etc/passwd'").is_empty());
        assert!(named("SELECT '/etc/passwd' -- LOCAL INFILE").is_empty());
        assert!(named("INSERT INTO local VALUES ('infile')").is_empty());
    }

    #[test]
    fn where_a_backslash_escapes_nothing_it_is_one() {
        let sql = b"LOAD DATA LOCAL INFILE '\\a\\' INTO TABLE t";
        assert_eq!(Named::by(sql, false).0, [b"\\a\\"]);
    }

    #[test]
    fn a_file_that_the_statement_does_not_name_stays_here() {
        let named = Named::by(b"LOAD DATA LOCAL INFILE '/etc/hosts' INTO TABLE t", true);
        assert!(LocalFiles::All.open(b"/etc/hosts", &named).is_ok());
        assert!(LocalFiles::All.open(b"/dev/null", &named).unwrap_err().contains("not name"));
        assert!(LocalFiles::Off.open(b"/etc/hosts", &named).unwrap_err().contains("is off"));
    }

    #[test]
    fn what_is_no_regular_file_stays_here() {
        let named = Named::by(b"LOAD DATA LOCAL INFILE '/dev/null' INTO TABLE t", true);
        for allowed in [LocalFiles::All, LocalFiles::below("/".as_ref()).unwrap()] {
            assert!(allowed.open(b"/dev/null", &named).unwrap_err().contains("not a regular"));
        }
    }

    #[test]
    fn a_link_that_takes_the_place_of_an_allowed_file_sends_no_other() {
        let root = std::env::temp_dir().join(format!("forksafe-infile-{}", std::process::id()));
        let (inside, outside) = (root.join("in"), root.join("secret"));
        fs::create_dir_all(&inside).unwrap();
        fs::write(&outside, "secret").unwrap();
        let place = inside.join("a");
        let sql = format!("LOAD DATA LOCAL INFILE '{}' INTO TABLE t", place.display());
        let named = Named::by(sql.as_bytes(), true);
        let allowed = LocalFiles::below(&inside).unwrap();
        let swaps = AtomicBool::new(true);
        thread::scope(|scope| {
            scope.spawn(|| {
                while swaps.load(Ordering::Relaxed) {
                    swap(&place, |new| fs::write(new, "public").unwrap());
                    swap(&place, |new| symlink(&outside, new).unwrap());
                }
            });
            let leaks = (0..3_000).any(|_| {
                let file = allowed.open(place.as_os_str().as_bytes(), &named);
                file.is_ok_and(|file| io::read_to_string(file).unwrap() == "secret")
            });
            swaps.store(false, Ordering::Relaxed);
            assert!(!leaks);
        });
        fs::remove_dir_all(&root).unwrap();
    }

    /// Put a new file into a place at once.
    fn swap(place: &Path, make: impl Fn(&Path)) {
        let new = place.with_extension("new");
        make(&new);
        fs::rename(&new, place).unwrap();
    }
}
