//! The witness: one word of memory that a child finds wiped.
//!
//! The kernel itself zeroes a page marked `MADV_WIPEONFORK` in every child, also in one made by C
//! code or by a raw `clone`, where no at-fork handler runs. Where the flag is missing (macOS, old
//! kernels), a `pthread_atfork` handler wipes the word instead, and does nothing else: it may run
//! while any lock is held.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

#[cfg(not(loom))]
use super::descriptor;

/// The generation that was given out last, in this process or in the one it was forked from.
static LAST_GENERATION: AtomicU32 = AtomicU32::new(0);

/// Where the witness is; null until the first call.
static WITNESS: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());

/// Used when no page can be had from the kernel.
static FALLBACK: AtomicU64 = AtomicU64::new(0);

/// The same answer in every process: `--cfg forksafe_no_fork_check` builds the crate that does not
/// notice a fork, for benches/cost.py to measure what noticing costs. For nothing else.
const NOBODY: u64 = (1 << 32) | 1;

/// The identity of this process: generation in the upper half, pid in the lower, never zero.
#[inline]
pub(super) fn identity() -> u64 {
    if cfg!(forksafe_no_fork_check) {
        return NOBODY;
    }
    let witness = WITNESS.load(Ordering::Acquire);
    if !witness.is_null() {
        // SAFETY: once set, the pointer names a word that is never unmapped.
        let word = unsafe { (*witness).load(Ordering::Acquire) };
        if word != 0 {
            return word;
        }
    }
    settle()
}

pub(super) fn pid_of(identity: u64) -> u32 {
    identity as u32
}

pub(super) fn generation_of(identity: u64) -> u32 {
    (identity >> 32) as u32
}

/// First call in a process: give it an identity and let go of what it inherited.
#[cold]
fn settle() -> u64 {
    let witness = witness();
    // Taken before the exchange below: another thread may fork between the two, and its child must
    // not take the same number. One that loses the race has burnt a number.
    let generation = LAST_GENERATION.fetch_add(1, Ordering::AcqRel) + 1;
    let fresh = (u64::from(generation) << 32) | u64::from(std::process::id());
    match witness.compare_exchange(0, fresh, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {
            #[cfg(not(loom))]
            descriptor::close_inherited(generation);
            fresh
        }
        Err(winner) => winner,
    }
}

fn witness() -> &'static AtomicU64 {
    let known = WITNESS.load(Ordering::Acquire);
    let witness = if known.is_null() { install() } else { known };
    // SAFETY: `install` answers a pointer to a word that is never unmapped.
    unsafe { &*witness }
}

/// As the kernel does in a child.
#[cfg(all(test, loom))]
pub(super) fn wipe() {
    witness().store(0, Ordering::Release);
}

fn install() -> *mut AtomicU64 {
    let page = wiped_page();
    let made = page.unwrap_or(ptr::from_ref(&FALLBACK).cast_mut());
    match WITNESS.compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => {
            if page.is_none() {
                // SAFETY: the handler only stores to an atomic.
                unsafe { libc::pthread_atfork(None, None, Some(wipe_fallback)) };
            }
            made
        }
        // Another thread was first; our page, if any, stays unused: once in a process' life.
        Err(winner) => winner,
    }
}

extern "C" fn wipe_fallback() {
    FALLBACK.store(0, Ordering::Release);
}

#[cfg(target_os = "linux")]
fn wiped_page() -> Option<*mut AtomicU64> {
    let size = 4096;
    // SAFETY: a fresh anonymous private mapping of our own, checked before use, never unmapped
    // while in use; zeroed memory is a valid AtomicU64.
    unsafe {
        let page = libc::mmap(
            ptr::null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if page == libc::MAP_FAILED {
            return None;
        }
        if libc::madvise(page, size, libc::MADV_WIPEONFORK) != 0 {
            libc::munmap(page, size);
            return None;
        }
        Some(page.cast())
    }
}

#[cfg(not(target_os = "linux"))]
fn wiped_page() -> Option<*mut AtomicU64> {
    None
}
