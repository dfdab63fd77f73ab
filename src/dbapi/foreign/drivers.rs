//! The options of other drivers.

use super::Here::{Called, Near, No};
use super::Row;

const PYMYSQL: &str = "PyMySQL";
const CONNECTOR: &str = "MySQL Connector/Python";
const MARIADB: &str = "MariaDB Connector/Python";
const LIBRARY: &str = "MySQL's C library";
const ASYNC: &str = "aiomysql";

const DISABLED: &str = "'DISABLED' for True; without any option about TLS there is none";
const VERIFY_CA: &str = "'VERIFY_CA' for True, 'REQUIRED' for False";
const VERIFY_IDENTITY: &str = "'VERIFY_IDENTITY' for True, 'VERIFY_CA' for False";
const PEM_FILE: &str = "the path of a file with the key (PEM)";
const VERSIONS: &str = "text, such as 'TLSv1.2,TLSv1.3'";
const CIPHERS: &str = "text, with colons between the names";
const FLAGS: &str = "the sum of constants.CLIENT flags, or their names";
const ZONE: &str = "\"SET time_zone = '…'\"";
const CURSORS: &str = "DictCursor, SSCursor or SSDictCursor of forksafe.cursors";
const CONVERT: &str = "a dict with functions for types of columns and of parameters";
const HOSTS: &str = "several hosts with commas between them";
const ONE_FILE: &str = "one path; a file may include others";
const ONE_GROUP: &str = "one name; [client] is always read";
const ADDRESS: &str = "an IPv6 address";

const KEY: &str = "a key must not be encrypted; write one that is not by 'openssl pkey'";
const AT_ONCE: &str = "connect() connects; a forksafe.Pool does so at the first use";
const ONE_KIND: &str = "there is one implementation";
const ASK: &str = "cursor.warning_count and connection.show_warnings() tell";
const LEFT: &str = "what is unread is read to its end when its cursor is closed";
const BUFFERED: &str = "cursors are buffered, but for SSCursor and SSDictCursor";
const AUTH: &str = "it needs a way of authentication that there is none of";
const ONE_PASSWORD: &str = "there is one password: give it as password";
const PLUGINS: &str = "the plugins there are are built in; auth_plugin names the first to try";
const SRV: &str = "DNS SRV records are not read; host takes several hosts";
const REVIVE: &str =
    "a connection never reconnects behind your back; a forksafe.Pool replaces what is dead";
const NO_LOOP: &str = "forksafe has no asyncio";
const CONVERSIONS: &str = "what conv has no function for is a ProgrammingError";

pub(super) const TABLE: &[Row] = &[
    (PYMYSQL, "ssl_disabled", Near("ssl_mode", DISABLED)),
    (PYMYSQL, "ssl_verify_cert", Near("ssl_mode", VERIFY_CA)),
    (PYMYSQL, "ssl_verify_identity", Near("ssl_mode", VERIFY_IDENTITY)),
    (PYMYSQL, "ssl_key_password", No(KEY)),
    (PYMYSQL, "server_public_key", Near("server_public_key_path", PEM_FILE)),
    (PYMYSQL, "defer_connect", No(AT_ONCE)),
    (PYMYSQL, "auth_plugin_map", No(PLUGINS)),
    (CONNECTOR, "connection_timeout", Called("connect_timeout")),
    (CONNECTOR, "client_flags", Near("client_flag", FLAGS)),
    (CONNECTOR, "conn_attrs", Called("connect_attrs")),
    (CONNECTOR, "allow_local_infile", Called("local_infile")),
    (CONNECTOR, "allow_local_infile_in_path", Called("local_infile_dir")),
    (CONNECTOR, "tls_versions", Near("tls_version", VERSIONS)),
    (CONNECTOR, "tls_ciphersuites", Near("ssl_cipher", CIPHERS)),
    (CONNECTOR, "option_files", Near("read_default_file", ONE_FILE)),
    (CONNECTOR, "option_groups", Near("read_default_group", ONE_GROUP)),
    (CONNECTOR, "time_zone", Near("init_command", ZONE)),
    (CONNECTOR, "failover", Near("host", HOSTS)),
    (CONNECTOR, "force_ipv6", Near("host", ADDRESS)),
    (CONNECTOR, "converter_class", Near("conv", CONVERT)),
    (CONNECTOR, "converter_str_fallback", No(CONVERSIONS)),
    (CONNECTOR, "dictionary", Near("cursorclass", CURSORS)),
    (CONNECTOR, "named_tuple", Near("cursorclass", CURSORS)),
    (CONNECTOR, "buffered", No(BUFFERED)),
    (CONNECTOR, "raw", Near("conv", CONVERT)),
    (CONNECTOR, "consume_results", No(LEFT)),
    (CONNECTOR, "get_warnings", No(ASK)),
    (CONNECTOR, "raise_on_warnings", No(ASK)),
    (CONNECTOR, "use_pure", No(ONE_KIND)),
    (CONNECTOR, "password1", No(ONE_PASSWORD)),
    (CONNECTOR, "password2", No(ONE_PASSWORD)),
    (CONNECTOR, "password3", No(ONE_PASSWORD)),
    (CONNECTOR, "dns_srv", No(SRV)),
    (CONNECTOR, "dsn", No("the first argument is a URL")),
    (CONNECTOR, "krb_service_principal", No(AUTH)),
    (CONNECTOR, "kerberos_auth_mode", No(AUTH)),
    (CONNECTOR, "oci_config_file", No(AUTH)),
    (CONNECTOR, "oci_config_profile", No(AUTH)),
    (CONNECTOR, "webauthn_callback", No(AUTH)),
    (CONNECTOR, "fido_callback", No(AUTH)),
    (CONNECTOR, "openid_token_file", No(AUTH)),
    (MARIADB, "reconnect", No(REVIVE)),
    (MARIADB, "auto_reconnect", No(REVIVE)),
    (MARIADB, "plugin_dir", No(PLUGINS)),
    (MARIADB, "default_file", Called("read_default_file")),
    (MARIADB, "default_group", Called("read_default_group")),
    (MARIADB, "client_capabilities", Near("client_flag", FLAGS)),
    (LIBRARY, "default_auth", Called("auth_plugin")),
    (LIBRARY, "load_data_local_dir", Called("local_infile_dir")),
    (LIBRARY, "default_character_set", Called("charset")),
    (LIBRARY, "socket", Called("unix_socket")),
    (ASYNC, "loop", No(NO_LOOP)),
];
