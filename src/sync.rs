//! What threads share, under one roof: the standard library's, or under `--cfg loom` the types of
//! loom, which tries every order in which threads can come to it. Statics stay with the standard
//! library, for loom's types are made anew for each order; so do counters that only statistics read.

#[cfg(loom)]
mod explored;

#[cfg(not(loom))]
pub(crate) use std::sync::{
    atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64},
    Condvar, Mutex, MutexGuard,
};

#[cfg(loom)]
pub(crate) use {
    explored::{AtomicBool, AtomicPtr, AtomicU64},
    loom::sync::{atomic::AtomicU32, Condvar, Mutex, MutexGuard},
};
