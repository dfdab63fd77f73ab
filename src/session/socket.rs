//! A non-blocking socket to the server: made, registered, read, written, peeked at.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{self, sockopt, AddressFamily, MsgFlags, SockFlag, SockType};
use nix::sys::socket::{SockaddrLike, SockaddrStorage, UnixAddr};

use super::broken::Broken;
use super::error::Error;
use super::place::Place;
use super::wait::{Interrupt, Patience};
use crate::process::Descriptor;

pub(super) const CLOSED_BY_OTHERS: &str = "its descriptor was closed by other code";

/// A connected socket of this process.
pub(super) struct Socket {
    descriptor: Descriptor,
}

/// What lies in the receive queue of a socket that should be silent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Peek {
    Silent,
    Readable,
    Closed(String),
}

impl Socket {
    /// Connect to a host, `from` an address of ours, trying each of its addresses; the time is shared among those left.
    pub(super) fn tcp(
        host: &str,
        port: u16,
        from: Option<IpAddr>,
        deadline: Instant,
        interrupt: Option<Interrupt>,
    ) -> Result<Self, Error> {
        let place = Place::Tcp(host.to_owned(), port);
        let addresses = resolve(host, port)?;
        let mut causes: Vec<String> = Vec::new();
        for (tried, address) in addresses.iter().enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            let share = left / (addresses.len() - tried) as u32;
            match Self::tcp_address(*address, from, share, interrupt) {
                Ok(socket) => return Ok(socket),
                Err(cause @ (Broken::Interrupted | Broken::Inherited(_))) => {
                    return Err(cause.at_handshake());
                }
                Err(cause) if addresses.len() == 1 => causes.push(cause.to_string()),
                Err(cause) => causes.push(format!("{}: {cause}", address.ip())),
            }
        }
        Err(Error::connect_host(&place.to_string(), causes.join("; ")))
    }

    /// Another one to the other end of this one, by TCP: whatever its name means by now.
    pub(super) fn again(
        &self,
        from: Option<IpAddr>,
        deadline: Instant,
        interrupt: Option<Interrupt>,
    ) -> Result<Self, Broken> {
        let peer = socket::getpeername::<SockaddrStorage>(self.as_raw_fd())?;
        let address = match (peer.as_sockaddr_in(), peer.as_sockaddr_in6()) {
            (Some(four), _) => SocketAddr::V4((*four).into()),
            (_, Some(six)) => SocketAddr::V6((*six).into()),
            _ => return Err(Errno::EAFNOSUPPORT.into()),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        Self::tcp_address(address, from, left, interrupt)
    }

    /// The port of this end, by TCP.
    pub(super) fn port(&self) -> Option<u16> {
        let own = socket::getsockname::<SockaddrStorage>(self.as_raw_fd()).ok()?;
        let four = own.as_sockaddr_in().map(|four| four.port());
        four.or_else(|| own.as_sockaddr_in6().map(|six| six.port()))
    }

    /// Tell the other end that nobody listens any more.
    pub(super) fn shut(&self) {
        self.descriptor.shut();
    }

    fn tcp_address(
        address: SocketAddr,
        from: Option<IpAddr>,
        share: Duration,
        interrupt: Option<Interrupt>,
    ) -> Result<Self, Broken> {
        let family = if address.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
        let socket = Self::open(family)?;
        socket::setsockopt(&socket, sockopt::TcpNoDelay, &true)?;
        socket::setsockopt(&socket, sockopt::KeepAlive, &true)?;
        if let Some(own) = from {
            let bound =
                socket::bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(own, 0)));
            bound.map_err(|cause| {
                Broken::Io(io::Error::other(format!("cannot bind to bind_address {own}: {cause}")))
            })?;
        }
        let patience = Patience::until(Instant::now() + share, interrupt);
        socket.connect(&SockaddrStorage::from(address), patience)?;
        Ok(socket)
    }

    /// Connect to a unix socket.
    pub(super) fn unix(
        path: &Path,
        deadline: Instant,
        interrupt: Option<Interrupt>,
    ) -> Result<Self, Error> {
        let attempt = || {
            let address = UnixAddr::new(path)?;
            let socket = Self::open(AddressFamily::Unix)?;
            socket.connect(&address, Patience::until(deadline, interrupt))?;
            Ok(socket)
        };
        attempt().map_err(|cause| match cause {
            Broken::Interrupted | Broken::Inherited(_) => cause.at_handshake(),
            cause => Error::connect_socket(&path.display().to_string(), cause),
        })
    }

    /// The socket enters the registry here, before the first byte: whatever a fork interrupts.
    fn open(family: AddressFamily) -> Result<Self, Broken> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let make = || socket::socket(family, SockType::Stream, flags, None);
        Ok(Self { descriptor: Descriptor::open(make)? })
    }

    fn connect(&self, address: &dyn SockaddrLike, patience: Patience) -> Result<(), Broken> {
        loop {
            match socket::connect(self.as_raw_fd(), address) {
                Ok(()) => return Ok(()),
                Err(Errno::EINPROGRESS | Errno::EINTR) => break,
                // A unix socket whose queue of callers is full: nothing to poll for.
                Err(Errno::EAGAIN) => patience.a_moment()?,
                Err(error) => return Err(error.into()),
            }
        }
        patience.writable(self.as_fd())?;
        match socket::getsockopt(self, sockopt::SocketError)? {
            0 => Ok(()),
            code => Err(Errno::from_raw(code).into()),
        }
    }

    /// Read what is there. `WouldBlock` when nothing is, `Ok(0)` when the server has closed.
    pub(super) fn receive(&self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match socket::recv(self.as_raw_fd(), into, MsgFlags::empty()) {
                Err(Errno::EINTR) => {}
                other => return other.map_err(io::Error::from),
            }
        }
    }

    /// Write what the kernel takes. `WouldBlock` when it takes nothing now.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match socket::send(self.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL) {
                Err(Errno::EINTR) => {}
                other => return other.map_err(io::Error::from),
            }
        }
    }

    /// Look into the receive queue without taking anything out.
    pub(super) fn peek(&self, into: &mut [u8]) -> (Peek, usize) {
        if !self.is_ours() {
            return (Peek::Closed(CLOSED_BY_OTHERS.into()), 0);
        }
        match socket::recv(self.as_raw_fd(), into, MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT) {
            Ok(0) => (Peek::Closed(Broken::Closed.to_string()), 0),
            Ok(count) => (Peek::Readable, count),
            Err(Errno::EAGAIN | Errno::EINTR) => (Peek::Silent, 0),
            Err(error) => (Peek::Closed(io::Error::from(error).to_string()), 0),
        }
    }

    /// Whether the number still means this socket.
    pub(super) fn is_ours(&self) -> bool {
        self.descriptor.is_ours()
    }
}

/// Every address of a host. Names that need no resolver do not go there: glibc's takes locks that
/// a fork may have copied held.
fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    if host == "localhost" {
        let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        return Ok(loopback.map(|ip| SocketAddr::new(ip, port)).to_vec());
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let found = (host, port).to_socket_addrs().map_err(|e| Error::unknown_host(host, e))?;
    let addresses: Vec<SocketAddr> = found.collect();
    if addresses.is_empty() {
        return Err(Error::unknown_host(host, "the name has no address"));
    }
    Ok(addresses)
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Socket({})", self.as_raw_fd())
    }
}
