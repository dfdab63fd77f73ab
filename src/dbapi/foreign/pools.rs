//! The options of other pools.

use super::Here::{Called, Near, No};
use super::Row;

const PSYCOPG: &str = "psycopg_pool";
const SQLALCHEMY: &str = "SQLAlchemy";
const HIKARI: &str = "HikariCP";
const DBUTILS: &str = "DBUtils";
const CONNECTOR: &str = "MySQL Connector/Python";
const MARIADB: &str = "MariaDB Connector/Python";
const DJANGO: &str = "django-db-connection-pool";
const GEVENT: &str = "django-mysql-geventpool";
const AIOMYSQL: &str = "aiomysql";
const ASYNCMY: &str = "asyncmy";

const SUM: &str = "pool_size and max_overflow together";
const SECONDS: &str = "in seconds, not in milliseconds";
const HOW: &str = "'rollback', 'session', 'none' or a callable";
const RENEWED: &str = "'session' for True, 'rollback' for False";
const TOLD: &str = "a callable that is told each event";
const DOWN: &str = "a callable that is told \"server_down\" and \"server_back\" among others";
const ONE_LIMIT: &str = "one limit for the wait, the tests and the connect, in seconds";
const BY_AGE: &str = "by age in seconds, not by uses";
const BY_TIME: &str = "by the time for which they rest, not by their number";
const WAITS: &str = "how long a caller waits; with max_waiting also how many may";
const TESTS: &str = "a callable that takes the connection; pre_ping tests without one";
const SWITCH: &str = "True or False; ping_after says when";
const ISOLATION: &str = "\"SET SESSION TRANSACTION ISOLATION LEVEL …\"";
const READ_ONLY: &str = "\"SET SESSION TRANSACTION READ ONLY\"";
const ONE_TEXT: &str = "one text with all statements";
const ASKED: &str = "text, or a callable that answers it";
const ALL: &str = "idle and in use together";

const OWN_KEYWORDS: &str = "the connection's options are keywords of forksafe.Pool, or a URL's";
const NO_THREADS: &str = "a forksafe.Pool has no threads of its own";
const BACK_OFF: &str = "attempts are spaced out while the server is down, and callers are told";
const CLASS: &str = "a pool lends forksafe.Connection; configure prepares each new one";
const OPENED: &str = "a pool is ready at once; pool.open() opens min_size connections";
const CHECKS_IN: &str = "close() of a pool's connection always checks it in";
const NEWEST: &str = "the connection that was used last is always lent first";
const LOGGED: &str = "events go to the logger \"forksafe.pool\", or where on_event says";
const ENGINES: &str = "it is of create_engine()";
const ALIVE: &str =
    "max_idle follows the server's wait_timeout, and connections are tested when lent";
const SUSPEND: &str = "pool.suspend() and pool.resume() are always there";
const FIGURES: &str = "pool.stats() tells all figures";
const ALONE: &str = "a connection is lent to one thread at a time";
const NUMBERS: &str = "which errors end a connection is known";
const ROLLED_BACK: &str = "what the pool itself runs is never part of a transaction of yours";

pub(super) const TABLE: &[Row] = &[
    (PSYCOPG, "max_lifetime", Called("recycle")),
    (PSYCOPG, "conninfo", No(OWN_KEYWORDS)),
    (PSYCOPG, "kwargs", No(OWN_KEYWORDS)),
    (PSYCOPG, "connection_class", No(CLASS)),
    (PSYCOPG, "open", No(OPENED)),
    (PSYCOPG, "close_returns", No(CHECKS_IN)),
    (PSYCOPG, "num_workers", No(NO_THREADS)),
    (PSYCOPG, "reconnect_timeout", No(BACK_OFF)),
    (PSYCOPG, "reconnect_failed", Near("on_event", DOWN)),
    (SQLALCHEMY, "pool_size", Near("max_size", SUM)),
    (SQLALCHEMY, "max_overflow", Near("max_size", SUM)),
    (SQLALCHEMY, "pool_timeout", Called("timeout")),
    (SQLALCHEMY, "pool_recycle", Called("recycle")),
    (SQLALCHEMY, "pool_pre_ping", Called("pre_ping")),
    (SQLALCHEMY, "pool_use_lifo", No(NEWEST)),
    (SQLALCHEMY, "use_lifo", No(NEWEST)),
    (SQLALCHEMY, "pool_reset_on_return", Near("reset", HOW)),
    (SQLALCHEMY, "reset_on_return", Near("reset", HOW)),
    (SQLALCHEMY, "pool_logging_name", Called("name")),
    (SQLALCHEMY, "logging_name", Called("name")),
    (SQLALCHEMY, "pool_events", Near("on_event", TOLD)),
    (SQLALCHEMY, "events", Near("on_event", TOLD)),
    (SQLALCHEMY, "echo_pool", No(LOGGED)),
    (SQLALCHEMY, "echo", No(LOGGED)),
    (SQLALCHEMY, "creator", No(OWN_KEYWORDS)),
    (SQLALCHEMY, "poolclass", No(ENGINES)),
    (SQLALCHEMY, "dialect", No(ENGINES)),
    (HIKARI, "maximumPoolSize", Called("max_size")),
    (HIKARI, "minimumIdle", Near("min_size", ALL)),
    (HIKARI, "connectionTimeout", Near("timeout", SECONDS)),
    (HIKARI, "idleTimeout", Near("max_idle", SECONDS)),
    (HIKARI, "maxLifetime", Near("recycle", SECONDS)),
    (HIKARI, "leakDetectionThreshold", Near("leak_after", SECONDS)),
    (HIKARI, "aliveBypassWindowMs", Near("ping_after", SECONDS)),
    (HIKARI, "validationTimeout", Near("timeout", ONE_LIMIT)),
    (HIKARI, "keepaliveTime", No(ALIVE)),
    (HIKARI, "initializationFailTimeout", No(OPENED)),
    (HIKARI, "connectionTestQuery", Near("check", TESTS)),
    (HIKARI, "connectionInitSql", Called("init_command")),
    (HIKARI, "transactionIsolation", Near("init_command", ISOLATION)),
    (HIKARI, "readOnly", Near("init_command", READ_ONLY)),
    (HIKARI, "autoCommit", Called("autocommit")),
    (HIKARI, "username", Called("user")),
    (HIKARI, "catalog", Called("database")),
    (HIKARI, "schema", Called("database")),
    (HIKARI, "jdbcUrl", No(OWN_KEYWORDS)),
    (HIKARI, "poolName", Called("name")),
    (HIKARI, "allowPoolSuspension", No(SUSPEND)),
    (HIKARI, "isolateInternalQueries", No(ROLLED_BACK)),
    (HIKARI, "exceptionOverrideClassName", No(NUMBERS)),
    (HIKARI, "registerMbeans", No(FIGURES)),
    (HIKARI, "metricRegistry", No(FIGURES)),
    (HIKARI, "metricsTrackerFactory", No(FIGURES)),
    (HIKARI, "healthCheckRegistry", No(FIGURES)),
    (HIKARI, "threadFactory", No(NO_THREADS)),
    (HIKARI, "scheduledExecutor", No(NO_THREADS)),
    (DBUTILS, "mincached", Called("min_size")),
    (DBUTILS, "maxcached", Near("max_idle", BY_TIME)),
    (DBUTILS, "maxconnections", Called("max_size")),
    (DBUTILS, "maxshared", No(ALONE)),
    (DBUTILS, "blocking", Near("timeout", WAITS)),
    (DBUTILS, "maxusage", Near("recycle", BY_AGE)),
    (DBUTILS, "setsession", Near("init_command", ONE_TEXT)),
    (DBUTILS, "failures", No(NUMBERS)),
    (DBUTILS, "ping", Near("pre_ping", SWITCH)),
    (CONNECTOR, "pool_name", Called("name")),
    (CONNECTOR, "pool_reset_session", Near("reset", RENEWED)),
    (MARIADB, "pool_reset_connection", Near("reset", RENEWED)),
    (MARIADB, "pool_validation_interval", Near("ping_after", SECONDS)),
    (DJANGO, "POOL_SIZE", Near("max_size", SUM)),
    (DJANGO, "MAX_OVERFLOW", Near("max_size", SUM)),
    (DJANGO, "TIMEOUT", Called("timeout")),
    (DJANGO, "RECYCLE", Called("recycle")),
    (DJANGO, "PRE_PING", Called("pre_ping")),
    (DJANGO, "ECHO", No(LOGGED)),
    (GEVENT, "MAX_CONNS", Called("max_size")),
    (GEVENT, "MAX_LIFETIME", Called("recycle")),
    (AIOMYSQL, "minsize", Called("min_size")),
    (AIOMYSQL, "maxsize", Called("max_size")),
    (ASYNCMY, "password_creator", Near("password", ASKED)),
];
