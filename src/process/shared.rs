//! Memory that a process shares with its children, and where in it the notes are.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::notes::Notes;

const SIZE: usize = size_of::<Notes>();

/// Null where the kernel gives no shared memory. Once set, this never changes: a child puts other
/// memory in the same place, so that no thread or signal handler which has read the pointer can be
/// left with a wrong one.
static NOTES: AtomicPtr<Notes> = AtomicPtr::new(ptr::null_mut());

/// The notes of this process; in a child the inherited ones, until it has looked at them.
pub(super) fn notes() -> Option<&'static Notes> {
    // SAFETY: once set, the pointer names notes that are never unmapped, only replaced.
    unsafe { NOTES.load(Ordering::Acquire).as_ref() }
}

/// Give this process notes of its own, in place of those that it inherited. Where that fails, the
/// inherited ones stay, and are neither read nor written: they are another generation's.
pub(super) fn renew(generation: u32) {
    let Some(fresh) = mapped() else { return };
    // SAFETY: mapped just now and still ours alone; zeroed memory is valid notes.
    unsafe { (*fresh).begin(generation) };
    let place = NOTES.load(Ordering::Acquire);
    if place.is_null() {
        NOTES.store(fresh, Ordering::Release);
    } else {
        put(fresh, place);
    }
}

#[cfg(target_os = "linux")]
fn mapped() -> Option<*mut Notes> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    // SAFETY: a fresh mapping, checked before use.
    let fresh = unsafe { libc::mmap(ptr::null_mut(), SIZE, access, kind, -1, 0) };
    (fresh != libc::MAP_FAILED).then_some(fresh.cast())
}

/// Move `fresh` to `place`. The kernel does it in one step for every thread that looks there.
#[cfg(target_os = "linux")]
fn put(fresh: *mut Notes, place: *mut Notes) {
    let how = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: both are whole mappings of this size and of our own; nobody holds a reference into
    // the old one that could not be one into the new: all of it is atomics.
    unsafe {
        if libc::mremap(fresh.cast(), SIZE, SIZE, how, place) == libc::MAP_FAILED {
            libc::munmap(fresh.cast(), SIZE);
        }
    }
}

/// Elsewhere a socket may have no inode, or one that soon comes back: notes would not be safe.
#[cfg(not(target_os = "linux"))]
fn mapped() -> Option<*mut Notes> {
    None
}

#[cfg(not(target_os = "linux"))]
fn put(_: *mut Notes, _: *mut Notes) {}
