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
    .union(Flags::CLIENT_IGNORE_SPACE)
    .union(Flags::CLIENT_INTERACTIVE)
    .union(Flags::CLIENT_MULTI_STATEMENTS)
    .union(Flags::CLIENT_LOCAL_FILES);
