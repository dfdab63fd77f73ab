//! Ground: which process is this?
//!
//! Everything that must not be shared by two processes is stamped here with the process that made
//! it, and every use compares the stamp *before* it takes any lock: a lock that another thread
//! held at the fork is never released in the child.

#[cfg(not(loom))]
mod descriptor;
#[cfg(all(test, loom))]
mod first_touch;
#[cfg(all(test, loom))]
mod model;
mod notes;
mod registry;
#[cfg(not(loom))]
mod shared;
mod siblings;
mod slot;
mod witness;

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::atomic::Ordering;

#[cfg(not(loom))]
pub use descriptor::Descriptor;
pub use siblings::siblings;

use crate::sync::AtomicPtr;

/// The identity of a process: its pid, and how many forks lie between it and the first process
/// that asked. The generation alone tells parent from child, also when the kernel reuses a pid.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Process(u64);

impl Process {
    /// This process. One load, but for the first call in a child, which closes what was inherited.
    #[inline]
    pub fn current() -> Self {
        Self(witness::identity())
    }

    /// The process id.
    pub fn pid(self) -> u32 {
        witness::pid_of(self.0)
    }

    /// How many forks lie between this process and the first that asked, counted from one.
    pub fn generation(self) -> u32 {
        witness::generation_of(self.0)
    }

    /// Whether this is the process that is running now.
    #[inline]
    pub fn is_current(self) -> bool {
        self == Self::current()
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Process {{ pid: {}, generation: {} }}", self.pid(), self.generation())
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid())
    }
}

/// Whether this is the thread that the process began with; in a child, the one that forked.
#[cfg(target_os = "linux")]
pub fn is_first_thread() -> bool {
    nix::unistd::gettid() == nix::unistd::getpid()
}

/// Whether this may be the thread that the process began with: elsewhere nobody tells.
#[cfg(not(target_os = "linux"))]
pub fn is_first_thread() -> bool {
    true
}

/// Prepare the ground: done once when the library is loaded, so that no fork can catch it half
/// made. Safe to repeat.
pub fn prepare() {
    let _ = Process::current();
}

/// Play the kernel's part in a fork: the process is somebody else from here on.
#[cfg(all(test, loom))]
pub(crate) fn become_a_child() {
    witness::wipe();
}

/// One value per process. In a child the first touch makes a fresh one; the inherited one is
/// never locked and never dropped, because another thread may have been changing it at the fork.
pub struct PerProcess<T> {
    node: AtomicPtr<Node<T>>,
    owns: PhantomData<T>,
}

struct Node<T> {
    process: Process,
    value: T,
}

impl<T: Send + Sync> PerProcess<T> {
    /// An empty cell.
    pub fn new() -> Self {
        Self { node: AtomicPtr::new(ptr::null_mut()), owns: PhantomData }
    }

    /// The value of this process, made by `make` at the first touch.
    ///
    /// `make` is shown the inherited value, if there is one. It may read atomics of it and nothing
    /// else. When two threads race, one of the two made values wins and the other is dropped.
    pub fn get_or_make(&self, make: impl FnOnce(Option<&T>) -> T) -> &T {
        let process = Process::current();
        let seen = self.node.load(Ordering::Acquire);
        // SAFETY: a node is never freed while the cell lives, so a non-null pointer stays valid.
        let inherited = match unsafe { seen.as_ref() } {
            Some(node) if node.process == process => return &node.value,
            other => other.map(|node| &node.value),
        };
        let fresh = Box::into_raw(Box::new(Node { process, value: make(inherited) }));
        match self.node.compare_exchange(seen, fresh, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: `fresh` came from a box and now belongs to the cell, which never frees it
            // before its own end.
            Ok(_) => unsafe { &(*fresh).value },
            Err(winner) => {
                // SAFETY: the exchange failed, so `fresh` was seen by nobody; `winner` was put
                // there by another thread of this process and belongs to the cell.
                unsafe {
                    drop(Box::from_raw(fresh));
                    &(*winner).value
                }
            }
        }
    }
}

impl<T: Send + Sync> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let node = self.node.load(Ordering::Relaxed);
        // SAFETY: `&mut self` proves that nobody borrows the node. One that was inherited is
        // forgotten: its value may be half changed.
        unsafe {
            if !node.is_null() && (*node).process.is_current() {
                drop(Box::from_raw(node));
            }
        }
    }
}

impl<T> fmt::Debug for PerProcess<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PerProcess { .. }")
    }
}

/// A value that belongs to the process that made it. Only that process reads it or drops it; in
/// any other it is forgotten, without a look at its memory.
pub struct Owned<T> {
    birth: Process,
    value: ManuallyDrop<T>,
}

impl<T> Owned<T> {
    /// Stamp `value` with this process.
    pub fn new(value: T) -> Self {
        Self { birth: Process::current(), value: ManuallyDrop::new(value) }
    }

    /// The process that made it.
    pub fn birth(&self) -> Process {
        self.birth
    }

    /// The value, or `None` where it is inherited.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.birth.is_current().then_some(&*self.value)
    }

    /// The value, or `None` where it is inherited.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.birth.is_current().then_some(&mut *self.value)
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if self.birth.is_current() {
            // SAFETY: dropped once, here.
            unsafe { ManuallyDrop::drop(&mut self.value) }
        }
    }
}

impl<T> fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owned {{ birth: {:?} }}", self.birth)
    }
}
