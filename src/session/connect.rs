//! From options to a session that is ready for use.

use std::sync::Arc;
use std::time::Instant;

use super::asked::Asked;
use super::body::Body;
use super::command::Reading;
use super::credentials::Credentials;
use super::error::Error;
use super::handshake;
use super::holds::Holds;
use super::hosts::Host;
use super::infile::Named;
use super::limits::ServerLimits;
use super::manager::Connector;
use super::marks::Marks;
use super::options::ConnectOptions;
use super::place::Place;
use super::rows::Format;
use super::socket::Socket;
use super::statements::Statements;
use super::status::Status;
use super::strayed::Strayed;
use super::stream::Stream;
use super::tracking::Tracking;
use super::wait::Limits;

impl Body {
    /// Ask who we are, then connect to a host, log in, set up: all of it before `deadline`.
    pub(super) fn connect(connector: &Connector, deadline: Instant) -> Result<Self, Error> {
        let options = connector.options();
        let credentials = Credentials::of(options, deadline)?;
        connector.hosts().try_each(deadline, |host, deadline| {
            Self::connect_to(host, options, &credentials, deadline)
        })
    }

    fn connect_to(
        host: &Arc<Host>,
        options: &Arc<ConnectOptions>,
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Self, Error> {
        let socket = match &host.place {
            Place::Tcp(name, port) => {
                let from = options.bind_address;
                Socket::tcp(name, *port, from, deadline, options.interrupt)?
            }
            Place::Socket(path) => Socket::unix(path, deadline, options.interrupt)?,
        };
        let mut body = Self::log_in(socket, host, options, credentials, deadline)?;
        body.set_up()?;
        body.stream.set_deadline(None);
        Ok(body)
    }

    /// A session on a fresh socket, as the server makes it: nothing is set up yet, and `deadline`
    /// still holds.
    pub(super) fn log_in(
        socket: Socket,
        host: &Arc<Host>,
        options: &Arc<ConnectOptions>,
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Self, Error> {
        let limits = Limits {
            read: options.read_timeout,
            write: options.write_timeout,
            deadline: Some(deadline),
            interrupt: options.interrupt,
        };
        let mut stream = Stream::new(socket, limits);
        let greeting = handshake::perform(&mut stream, options, credentials, host)?;
        Ok(Self {
            stream,
            options: Arc::clone(options),
            host: Arc::clone(host),
            credentials: credentials.clone(),
            status: Status::new(greeting.status),
            tracking: Tracking::new(greeting.capabilities, &greeting.version),
            statements: Statements::new(options.prepared_cache_size, &greeting.version),
            greeting,
            limits: ServerLimits::default(),
            identity: None,
            asked: Asked::default(),
            holds: Holds::default(),
            marks: Marks::default(),
            strayed: Strayed::default(),
            read_only: false,
            flow: None,
            named: Named::default(),
            format: Format::Text,
            runs: true,
            used: Instant::now(),
            over: None,
        })
    }

    /// Character set, modes, the caller's statement, and then what the server's limits are.
    pub(super) fn set_up(&mut self) -> Result<(), Error> {
        let options = Arc::clone(&self.options);
        self.query(options.setup(self.tracking.is_offered()).as_bytes())?;
        if let Some(sql) = options.first_statement() {
            self.query(&sql)?;
            while self.next_answer(Reading::Parts)?.is_some() {}
        }
        self.ask_limits()?;
        self.tracking.begin();
        Ok(())
    }
}
