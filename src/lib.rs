//! forksafe: a MySQL and MariaDB driver for Python with a connection pool that survives `fork()`.
//!
//! Four layers, each importing only from those above it in this list. A call enters at `dbapi`,
//! asks `pool` for a lease, the lease holds a `session`, and every one of them is stamped by
//! `process`.

// Under loom nothing but the models uses the registry.
#![cfg_attr(loom, allow(dead_code))]

// What threads share: the standard library's types, or loom's.
mod sync;

#[cfg(all(test, loom))]
mod model;

/// Ground: which process is this, what did it inherit, and how many do the same?
pub mod process;

/// A pool of anything: lends, takes back, expires, tests. Knows no MySQL and no Python.
pub mod pool;

/// One MySQL session: our own stream, the protocol of the `mysql` crate.
#[cfg(feature = "mysql")]
pub mod session;

/// PEP 249 for Python: the only layer that knows PyO3.
#[cfg(feature = "python")]
mod dbapi;
