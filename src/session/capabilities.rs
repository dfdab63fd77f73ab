//! Capabilities: what client and server agree on in the handshake.

use mysql::mysql_common::constants::CapabilityFlags as Flags;

/// What we always ask for, where the server has it. Not `DEPRECATE_EOF`: with it `mysql_common`
/// ends results otherwise.
pub(super) const OWN: Flags = Flags::CLIENT_PROTOCOL_41
    .union(Flags::CLIENT_LONG_PASSWORD)
    .union(Flags::CLIENT_LONG_FLAG)
    .union(Flags::CLIENT_TRANSACTIONS)
    .union(Flags::CLIENT_SECURE_CONNECTION)
    .union(Flags::CLIENT_PLUGIN_AUTH)
    .union(Flags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)
    .union(Flags::CLIENT_MULTI_RESULTS)
    .union(Flags::CLIENT_PS_MULTI_RESULTS)
    .union(Flags::CLIENT_CONNECT_ATTRS);

/// The capabilities that `client_flag` may switch on; the others are the driver's own business.
pub(super) const CALLERS: Flags = Flags::CLIENT_FOUND_ROWS
    .union(Flags::CLIENT_NO_SCHEMA)
    .union(Flags::CLIENT_COMPRESS)
    .union(Flags::CLIENT_IGNORE_SPACE)
    .union(Flags::CLIENT_INTERACTIVE)
    .union(Flags::CLIENT_MULTI_STATEMENTS);

/// Those that it may name, but that say nothing to a server of today, or nothing that is not said
/// otherwise.
pub(super) const IDLE: Flags = Flags::CLIENT_CONNECT_WITH_DB
    .union(Flags::CLIENT_ODBC)
    .union(Flags::CLIENT_LOCAL_FILES)
    .union(Flags::CLIENT_IGNORE_SIGPIPE)
    .union(Flags::CLIENT_RESERVED)
    .union(Flags::CLIENT_REMEMBER_OPTIONS);

/// Those that are asked for by an option.
const BY_OPTION: [(Flags, &str); 2] = [
    (Flags::CLIENT_SSL, "SSL is asked for by ssl_mode or ssl_ca"),
    (Flags::CLIENT_SSL_VERIFY_SERVER_CERT, "SSL_VERIFY_SERVER_CERT by ssl_mode='VERIFY_IDENTITY'"),
];

/// The flags of names such as "FOUND_ROWS", with commas or bars between them.
pub(super) fn named(text: &str) -> Option<u32> {
    let parts = text.split([',', '|', '+']).map(str::trim).filter(|part| !part.is_empty());
    let flag = |part: &str| {
        let name = part.to_ascii_uppercase();
        let bare = ["CLIENT.", "CLIENT_"].iter().find_map(|start| name.strip_prefix(start));
        Flags::from_name(&format!("CLIENT_{}", bare.unwrap_or(&name)))
    };
    parts.map(flag).try_fold(0, |bits, flag| Some(bits | flag?.bits()))
}

/// Why these cannot be asked for; `None`: they can.
pub(super) fn refusal(bits: u32) -> Option<String> {
    let asked = Flags::from_bits_truncate(bits);
    let foreign = asked.difference(CALLERS | OWN | IDLE);
    if asked.bits() == bits && foreign.is_empty() {
        return None;
    }
    let otherwise = BY_OPTION.iter().filter(|(flag, _)| foreign.contains(*flag));
    let otherwise: String = otherwise.map(|(_, how)| format!("; {how}")).collect();
    Some(format!(
        "client_flag {bits} has flags that cannot be asked for; FOUND_ROWS, COMPRESS, \
         IGNORE_SPACE, INTERACTIVE, LOCAL_FILES, MULTI_STATEMENTS and NO_SCHEMA can{otherwise}"
    ))
}
