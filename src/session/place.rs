//! Where a server is.

use std::fmt;
use std::path::PathBuf;

use super::options::ConnectOptions;

/// Where MySQL and MariaDB put their socket, for a host of "localhost" without a port.
const USUAL_SOCKETS: [&str; 4] = [
    "/run/mysqld/mysqld.sock",
    "/var/run/mysqld/mysqld.sock",
    "/tmp/mysql.sock",
    "/var/lib/mysql/mysql.sock",
];
const USUAL_PORT: u16 = 3306;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A host and a port.
    Tcp(String, u16),
    /// A unix socket.
    Socket(PathBuf),
}

impl Place {
    /// The places that the options name, in their order. MySQL's own convention: "localhost"
    /// without a port, alone, is the usual unix socket where there is one.
    pub(super) fn all(options: &ConnectOptions) -> Result<Vec<Self>, String> {
        let usual = || USUAL_SOCKETS.iter().map(PathBuf::from).find(|path| path.exists());
        Self::all_with(options, usual)
    }

    fn all_with(
        options: &ConnectOptions,
        usual_socket: impl Fn() -> Option<PathBuf>,
    ) -> Result<Vec<Self>, String> {
        if let Some(path) = &options.unix_socket {
            return Ok(vec![Self::Socket(path.clone())]);
        }
        if options.host == "localhost" && options.port.is_none() {
            if let Some(path) = usual_socket() {
                return Ok(vec![Self::Socket(path)]);
            }
        }
        let port = options.port.unwrap_or(USUAL_PORT);
        options.host.split(',').map(|part| tcp(part.trim(), port)).collect()
    }

    /// The name that a certificate must be made out to.
    pub(super) fn host(&self) -> &str {
        match self {
            Self::Tcp(host, _) => host,
            Self::Socket(_) => "localhost",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}

/// `name`, `name:port`, an address, or `[address]:port`.
fn tcp(text: &str, usual: u16) -> Result<Place, String> {
    let wrong = || format!("host {text:?} is not a name or address, nor one with its port");
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (name, after) = rest.split_once(']').ok_or_else(wrong)?;
            match after {
                "" => (name, None),
                after => (name, Some(after.strip_prefix(':').ok_or_else(wrong)?)),
            }
        }
        // More than one colon: an IPv6 address.
        None => match text.split_once(':') {
            Some((name, port)) if !port.contains(':') => (name, Some(port)),
            _ => (text, None),
        },
    };
    let port = match port {
        None => usual,
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?,
    };
    if name.is_empty() {
        return Err(match text {
            "" => "host has an empty name between its commas".into(),
            _ => wrong(),
        });
    }
    Ok(Place::Tcp(name.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::{ConnectOptions, Place};

    fn places(host: &str, port: Option<u16>, socket: Option<&str>) -> Result<Vec<Place>, String> {
        let options = ConnectOptions { host: host.into(), port, ..ConnectOptions::default() };
        Place::all_with(&options, || socket.map(Into::into))
    }

    fn tcp(host: &str, port: u16) -> Place {
        Place::Tcp(host.into(), port)
    }

    #[test]
    fn a_port_or_a_socket_path_says_where_to_connect() {
        assert_eq!(places("localhost", Some(3307), Some("/s")), Ok(vec![tcp("localhost", 3307)]));
        assert_eq!(places("localhost", None, Some("/s")), Ok(vec![Place::Socket("/s".into())]));
        assert_eq!(places("localhost", None, None), Ok(vec![tcp("localhost", 3306)]));
        let options = ConnectOptions {
            unix_socket: Some("/t".into()),
            host: "a,b".into(),
            ..ConnectOptions::default()
        };
        assert_eq!(Place::all(&options), Ok(vec![Place::Socket("/t".into())]));
    }

    #[test]
    fn a_list_names_hosts_some_with_a_port_of_their_own() {
        let found = places("a, b:3307,[::1]:3308,::1,[fe80::2],10.0.0.1:5", Some(3310), None);
        let wanted = [
            tcp("a", 3310),
            tcp("b", 3307),
            tcp("::1", 3308),
            tcp("::1", 3310),
            tcp("fe80::2", 3310),
            tcp("10.0.0.1", 5),
        ];
        assert_eq!(found.unwrap(), wanted);
        assert_eq!(wanted[2].to_string(), "[::1]:3308");
    }

    #[test]
    fn in_a_list_localhost_is_a_host_like_the_others() {
        let wanted = vec![tcp("localhost", 3306), tcp("b", 3306)];
        assert_eq!(places("localhost,b", None, Some("/s")), Ok(wanted));
    }

    #[test]
    fn what_names_no_host_is_refused() {
        for host in ["a,,b", "a,", ":3307", "[::1", "[::1]3307", "a:0", "a:70000", "a:http", "[]"] {
            assert!(places(host, None, None).unwrap_err().starts_with("host "), "{host}");
        }
    }
}
