//! From a fresh socket to a session: greeting, TLS, log-in.

use std::collections::HashMap;

use mysql::mysql_common::collations::CollationId;
use mysql::mysql_common::constants::{CapabilityFlags as Flags, StatusFlags};
use mysql::mysql_common::io::ParseBuf;
use mysql::mysql_common::packets::{
    AuthPlugin, AuthSwitchRequest, ComChangeUser, ComChangeUserMoreData, CommonOkPacket, ErrPacket,
    HandshakePacket, HandshakeResponse, OkPacket, OkPacketDeserializer, SslRequest,
};
use mysql::mysql_common::proto::MySerialize;

use super::auth::{Login, Way};
use super::broken::Broken;
use super::capabilities::OWN;
use super::credentials::Credentials;
use super::error::Error;
use super::hosts::Host;
use super::infile::LocalFiles;
use super::options::ConnectOptions;
use super::place::Place;
use super::stream::Stream;
use super::tls::Tls;

const MAX_PACKET: u32 = 1 << 30;
/// What `HandshakeResponse` says. MySQL 9 refuses a log-in that began with another one.
const COLLATION: CollationId = CollationId::UTF8MB4_GENERAL_CI;

/// What the server said of itself.
#[derive(Clone, Debug)]
pub(super) struct Greeting {
    pub(super) version: String,
    pub(super) connection_id: u32,
    pub(super) capabilities: Flags,
    /// What it offers, whether agreed on or not.
    pub(super) offered: Flags,
    pub(super) status: StatusFlags,
    /// What the last log-in ended with, and the next one on this session begins with.
    plugin: AuthPlugin<'static>,
    nonce: Vec<u8>,
}

/// Bring a connected stream to the point where it takes commands.
pub(super) fn perform(
    stream: &mut Stream,
    options: &ConnectOptions,
    credentials: &Credentials,
    host: &Host,
) -> Result<Greeting, Error> {
    let range = stream.receive().map_err(Broken::at_handshake)?;
    let hello = parse_hello(stream.payload(range))?;
    stream.forget();
    let mut flags = wanted(options) & hello.capabilities();
    flags.set(Flags::CLIENT_LOCAL_FILES, options.local_files != LocalFiles::Off);
    flags.set(Flags::CLIENT_CONNECT_WITH_DB, options.database.is_some());
    if encrypt(stream, &hello, flags, host.tls.as_ref())? {
        flags.insert(Flags::CLIENT_SSL);
    }
    let plugin = match &options.auth_plugin {
        Some(name) => AuthPlugin::from_bytes(name.as_bytes()).into_owned(),
        None => hello.auth_plugin().unwrap_or(AuthPlugin::MysqlNativePassword).into_owned(),
    };
    let mut login = Login::new(options, credentials, way(stream, host), plugin, hello.nonce());
    stream.send(&[&response(options, &login, flags)?]).map_err(Broken::at_handshake)?;
    let status = log_in(stream, &mut login, flags)?;
    if flags.contains(Flags::CLIENT_COMPRESS) {
        stream.compress()?;
    }
    let (plugin, nonce) = login.end();
    Ok(Greeting {
        version: version(&hello),
        connection_id: hello.connection_id(),
        capabilities: flags,
        offered: hello.capabilities(),
        status,
        plugin,
        nonce,
    })
}

/// Log in once more, on a stream that takes commands (`COM_CHANGE_USER`); `database` is the default
/// one from then on.
pub(super) fn repeat(
    stream: &mut Stream,
    options: &ConnectOptions,
    credentials: &Credentials,
    host: &Host,
    greeting: &mut Greeting,
    database: Option<&str>,
) -> Result<StatusFlags, Error> {
    let flags = greeting.capabilities;
    let (plugin, nonce) = (greeting.plugin.clone(), greeting.nonce.clone());
    let mut login = Login::new(options, credentials, way(stream, host), plugin, nonce);
    let (plugin, answer) = login.short_answer()?;
    let more = ComChangeUserMoreData::new(COLLATION as u16)
        .with_auth_plugin(Some(plugin))
        .with_connect_attributes(
            flags.contains(Flags::CLIENT_CONNECT_ATTRS).then(|| attributes(options)),
        );
    let command = ComChangeUser::new()
        .with_user(Some(login.user().as_bytes()))
        .with_auth_plugin_data(Some(answer))
        .with_database(database.map(str::as_bytes))
        .with_more_data(Some(more));
    stream.begin();
    stream.send(&[&serialized(&command)]).map_err(Broken::at_handshake)?;
    let status = log_in(stream, &mut login, flags)?;
    (greeting.plugin, greeting.nonce) = login.end();
    Ok(status)
}

fn way(stream: &Stream, host: &Host) -> Way {
    match host.place {
        _ if stream.is_encrypted() => Way::Tls,
        Place::Socket(_) => Way::UnixSocket,
        Place::Tcp(..) => Way::Clear,
    }
}

fn wanted(options: &ConnectOptions) -> Flags {
    let mut wanted = OWN | options.flags;
    wanted.set(Flags::CLIENT_SESSION_TRACK, options.track_state);
    wanted
}

/// MariaDB puts "5.5.5-" before its version, for old replicas.
fn version(hello: &HandshakePacket<'_>) -> String {
    let text = hello.server_version_str();
    text.strip_prefix("5.5.5-").unwrap_or(&text).to_owned()
}

fn parse_hello(payload: &[u8]) -> Result<HandshakePacket<'static>, Error> {
    if payload.first() == Some(&0xff) {
        return Err(refusal(payload, Flags::empty()));
    }
    let hello: HandshakePacket<'_> = ParseBuf(payload).parse(()).map_err(|cause| {
        Broken::malformed(format!("the greeting is not MySQL's: {cause}")).at_handshake()
    })?;
    if !hello.capabilities().contains(Flags::CLIENT_PROTOCOL_41) {
        return Err(Error::lost_at_handshake("the server is older than MySQL 4.1"));
    }
    Ok(hello.into_owned())
}

fn encrypt(
    stream: &mut Stream,
    hello: &HandshakePacket<'_>,
    flags: Flags,
    tls: Option<&Tls>,
) -> Result<bool, Error> {
    let Some(tls) = tls else { return Ok(false) };
    if !hello.capabilities().contains(Flags::CLIENT_SSL) {
        if tls.optional {
            return Ok(false);
        }
        return Err(Error::tls("the server has no TLS; configure it there, or do not ask for it"));
    }
    let request = SslRequest::new(flags | Flags::CLIENT_SSL, MAX_PACKET, COLLATION as u8);
    stream.send(&[&serialized(&request)]).map_err(Broken::at_handshake)?;
    stream.encrypt(tls)?;
    Ok(true)
}

/// What the server may know of this client.
fn attributes(options: &ConnectOptions) -> HashMap<String, String> {
    let own = [
        ("_client_name", "forksafe".to_owned()),
        ("_client_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("_pid", std::process::id().to_string()),
        ("_os", std::env::consts::OS.to_owned()),
        ("_platform", std::env::consts::ARCH.to_owned()),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value));
    own.into_iter().chain(options.attributes.clone()).collect()
}

fn response(options: &ConnectOptions, login: &Login<'_>, flags: Flags) -> Result<Vec<u8>, Error> {
    let answer = HandshakeResponse::new(
        Some(login.first_answer()?),
        (8, 0, 0),
        Some(login.user().as_bytes().to_vec()),
        options.database.as_ref().map(|name| name.clone().into_bytes()),
        Some(login.plugin().clone()),
        flags,
        flags.contains(Flags::CLIENT_CONNECT_ATTRS).then(|| attributes(options)),
        MAX_PACKET,
    );
    Ok(serialized(&answer))
}

fn log_in(stream: &mut Stream, login: &mut Login<'_>, flags: Flags) -> Result<StatusFlags, Error> {
    loop {
        let range = stream.receive().map_err(Broken::at_handshake)?;
        let payload = stream.payload(range).to_vec();
        stream.forget();
        let answer = match payload.split_first() {
            Some((0x00, _)) => return welcome(&payload, flags),
            Some((0xff, _)) => return Err(refusal(&payload, flags)),
            Some((0xfe, [])) => return Err(Error::auth("the server wants pre-4.1 passwords")),
            Some((0xfe, _)) => {
                let request: AuthSwitchRequest<'_> =
                    ParseBuf(&payload).parse(()).map_err(|e| Broken::from(e).at_handshake())?;
                login.switch(&request)?
            }
            Some((0x01, more)) => match login.more(more)? {
                Some(answer) => answer,
                None => continue,
            },
            _ => return Err(Broken::malformed("not an answer to a log-in").at_handshake()),
        };
        stream.send(&[&answer]).map_err(Broken::at_handshake)?;
    }
}

fn welcome(payload: &[u8], flags: Flags) -> Result<StatusFlags, Error> {
    let ok: OkPacketDeserializer<'_, CommonOkPacket> =
        ParseBuf(payload).parse(flags).map_err(|e| Broken::from(e).at_handshake())?;
    Ok(OkPacket::from(ok).status_flags())
}

/// An error packet that ends the log-in. The session is over, whatever the number.
fn refusal(payload: &[u8], flags: Flags) -> Error {
    match ParseBuf(payload).parse::<ErrPacket<'_>>(flags) {
        Ok(ErrPacket::Error(error)) => Error::refused(&error),
        Ok(ErrPacket::Progress(_)) => Broken::malformed("progress before log-in").at_handshake(),
        Err(cause) => Broken::from(cause).at_handshake(),
    }
}

fn serialized(packet: &impl MySerialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.serialize(&mut bytes);
    bytes
}
