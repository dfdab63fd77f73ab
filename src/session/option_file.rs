//! MySQL's option files: `[client]` and what stands below it.
//!
//! Read as MySQL's and MariaDB's own programs read them. A `#` begins a comment wherever it is not
//! between quotes: a password with one needs quotes.

use std::env;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::infile::open_regular;

/// The groups that each client reads, before the one that the caller names.
const GROUPS: [&str; 3] = ["client", "client-server", "client-mariadb"];
/// Where option files are looked for when none is named; then in `$MYSQL_HOME`, then at home.
const USUAL: [&str; 2] = ["/etc/my.cnf", "/etc/mysql/my.cnf"];
/// Files may include files, but not each other for ever.
const DEEPEST: usize = 10;

/// One line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// With `-` for `_`.
    pub(super) name: String,
    /// After the `=`, if there is one.
    pub(super) value: Option<String>,
    /// The file and the line, for errors.
    pub(super) place: String,
}

/// What option files say.
#[derive(Debug, Default)]
pub(super) struct OptionFile {
    /// In their order; later ones win.
    pub(super) entries: Vec<Entry>,
    /// Files that everybody may write to: who can change them could send us anywhere.
    pub(super) ignored: Vec<PathBuf>,
    group: Option<String>,
}

impl OptionFile {
    /// Read `file`, or the usual ones that there are; of `group` too.
    pub(super) fn read(file: Option<&Path>, group: Option<&str>) -> Result<Self, String> {
        let mut found = Self { group: group.map(str::to_owned), ..Self::default() };
        match file {
            Some(file) => found.add(&at_home(file), 0).map_err(|why| {
                format!("read_default_file '{}' cannot be used: {why}", file.display())
            })?,
            None => {
                for file in usual().iter().filter(|file| file.exists()) {
                    found.add(file, 0)?;
                }
            }
        }
        Ok(found)
    }

    fn add(&mut self, file: &Path, depth: usize) -> Result<(), String> {
        let unread = |cause: io::Error| format!("cannot read '{}': {cause}", file.display());
        // To say that there is none, which everybody may write to.
        if fs::canonicalize(file).is_ok_and(|real| real == Path::new("/dev/null")) {
            return Ok(());
        }
        let mut opened = open_regular(file).map_err(unread)?;
        if opened.metadata().map_err(unread)?.mode() & 0o002 != 0 {
            self.ignored.push(file.to_owned());
            return Ok(());
        }
        let mut text = Vec::new();
        opened.read_to_end(&mut text).map_err(unread)?;
        let mut reads = None;
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let place = || format!("'{}', line {}", file.display(), number + 1);
            match Line::of(line.trim_ascii()) {
                Line::Nothing => {}
                Line::Group(Some(name)) => reads = Some(self.is_ours(name)),
                Line::Group(None) => {
                    return Err(format!("{}: a group looks like [client]", place()))
                }
                Line::Include(included) => self.include(&at_home(included), depth)?,
                Line::IncludeAll(directory) => self.include_all(&at_home(directory), depth)?,
                Line::Setting(..) if reads.is_none() => {
                    return Err(format!("{}: it stands in no group such as [client]", place()))
                }
                Line::Setting(name, value) if reads == Some(true) => {
                    let text = |bytes: Vec<u8>| {
                        String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", place()))
                    };
                    self.entries.push(Entry {
                        name: text(name)?.replace('_', "-"),
                        value: value.map(text).transpose()?,
                        place: place(),
                    });
                }
                Line::Setting(..) => {}
            }
        }
        Ok(())
    }

    fn is_ours(&self, group: &[u8]) -> bool {
        let ours = GROUPS.into_iter().chain(self.group.as_deref());
        ours.into_iter().any(|name| name.as_bytes() == group)
    }

    /// A file that is not there is none, as with MySQL's own clients.
    fn include(&mut self, file: &Path, depth: usize) -> Result<(), String> {
        if depth == DEEPEST {
            return Err(format!("'{}' is included by too many files", file.display()));
        }
        if file.exists() {
            self.add(file, depth + 1)?;
        }
        Ok(())
    }

    fn include_all(&mut self, directory: &Path, depth: usize) -> Result<(), String> {
        let unread = |cause: io::Error| format!("cannot read '{}': {cause}", directory.display());
        let mut files = Vec::new();
        for entry in fs::read_dir(directory).map_err(unread)? {
            let path = entry.map_err(unread)?.path();
            if path.extension().is_some_and(|extension| extension == "cnf") {
                files.push(path);
            }
        }
        files.sort();
        files.iter().try_for_each(|file| self.include(file, depth))
    }
}

fn usual() -> Vec<PathBuf> {
    let of_variable = |name: &str, file: &str| Some(PathBuf::from(env::var_os(name)?).join(file));
    let others = [of_variable("MYSQL_HOME", "my.cnf"), of_variable("HOME", ".my.cnf")];
    USUAL.map(PathBuf::from).into_iter().chain(others.into_iter().flatten()).collect()
}

/// With the home directory for a leading `~/`.
fn at_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_owned(),
    }
}

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    Nothing,
    /// `None`: it lacks its bracket.
    Group(Option<&'a [u8]>),
    Include(&'a Path),
    IncludeAll(&'a Path),
    Setting(Vec<u8>, Option<Vec<u8>>),
}

impl<'a> Line<'a> {
    /// Of a line without blanks around it.
    fn of(line: &'a [u8]) -> Self {
        match line {
            [] | [b'#' | b';', ..] => Self::Nothing,
            [b'!', directive @ ..] => Self::directive(directive),
            [b'[', rest @ ..] => {
                let end = rest.iter().position(|byte| *byte == b']');
                Self::Group(end.map(|end| rest[..end].trim_ascii_end()))
            }
            _ => Self::setting(without_comment(line)),
        }
    }

    fn directive(text: &'a [u8]) -> Self {
        let path = |text: &'a [u8]| {
            use std::os::unix::ffi::OsStrExt;
            Path::new(std::ffi::OsStr::from_bytes(text.trim_ascii()))
        };
        let after = |word: &[u8]| text.strip_prefix(word).filter(|rest| !rest.is_empty());
        match (after(b"include "), after(b"includedir ")) {
            (Some(file), _) => Self::Include(path(file)),
            (_, Some(directory)) => Self::IncludeAll(path(directory)),
            _ => Self::Nothing,
        }
    }

    fn setting(text: &[u8]) -> Self {
        let Some(equals) = text.iter().position(|byte| *byte == b'=') else {
            return Self::Setting(text.trim_ascii().to_vec(), None);
        };
        let name = text[..equals].trim_ascii_end().to_vec();
        let value = match text[equals + 1..].trim_ascii() {
            [first @ (b'\'' | b'"'), inside @ .., last] if first == last => inside,
            value => value,
        };
        Self::Setting(name, Some(unescaped(value)))
    }
}

/// Up to a `#` that stands outside quotes.
fn without_comment(line: &[u8]) -> &[u8] {
    let (mut quote, mut escaped) = (None, false);
    for (at, byte) in line.iter().enumerate() {
        match (byte, quote) {
            (b'#', None) => return &line[..at],
            (b'\'' | b'"', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open && !escaped => quote = None,
            _ => {}
        }
        escaped = quote.is_some() && *byte == b'\\' && !escaped;
    }
    line
}

fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    let mut bytes = value.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let stands_for = match (byte, bytes.peek()) {
            (b'\\', Some(b'n')) => Some(b'\n'),
            (b'\\', Some(b't')) => Some(b'\t'),
            (b'\\', Some(b'r')) => Some(b'\r'),
            (b'\\', Some(b'b')) => Some(8),
            (b'\\', Some(b's')) => Some(b' '),
            (b'\\', Some(itself @ (b'"' | b'\'' | b'\\'))) => Some(*itself),
            _ => None,
        };
        if stands_for.is_some() {
            bytes.next();
        }
        text.push(stands_for.unwrap_or(byte));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Line, Path};

    fn setting(line: &str) -> (String, Option<String>) {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        match Line::of(line.trim().as_bytes()) {
            Line::Setting(name, value) => (text(name), value.map(text)),
            other => panic!("{line}: {other:?}"),
        }
    }

    fn value(line: &str) -> String {
        setting(&format!("name = {line}")).1.unwrap()
    }

    #[test]
    fn a_value_is_read_as_my_print_defaults_reads_it() {
        assert_eq!(value("ann # trailing"), "ann");
        assert_eq!(value("'a#b' # c"), "a#b");
        assert_eq!(value("\"h\"x"), "\"h\"x");
        assert_eq!(value("\"a b\""), "a b");
        assert_eq!(value("a\\sb\\n\\t\\\\\\q\\\""), "a b\n\t\\\\q\"");
        assert_eq!(value("'it\\'s'"), "it's");
        assert_eq!(value("a'b#c"), "a'b#c");
        assert_eq!(value("\"ab"), "\"ab");
        assert_eq!(value("'"), "'");
        assert_eq!(value("ab\\"), "ab\\");
        assert_eq!(value(""), "");
        assert_eq!(setting("compress # yes"), ("compress".into(), None));
    }

    #[test]
    fn lines_without_a_setting_are_known() {
        let line = |text: &'static str| Line::of(text.as_bytes());
        assert_eq!(line("[client ] # hi"), Line::Group(Some(b"client")));
        assert_eq!(line("[client"), Line::Group(None));
        assert_eq!(line("!include /a b"), Line::Include(Path::new("/a b")));
        assert_eq!(line("!includedir /a"), Line::IncludeAll(Path::new("/a")));
        for nothing in ["", "# [client]", "; x=1", "!include", "!frobnicate"] {
            assert_eq!(line(nothing), Line::Nothing);
        }
    }
}
