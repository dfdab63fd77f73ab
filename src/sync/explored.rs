//! Atomics for loom 0.7. Of the loads that come before a store it remembers the last one alone,
//! and so it never tries an order in which another thread's earlier load comes after that store
//! (two threads load, then one of the two exchanges: loom tries one order of six). Here each access
//! changes a second atomic first, without an ordering, so that any two of them count as a conflict.

use std::fmt;
use std::sync::atomic::Ordering::{self, Relaxed};

use loom::sync::atomic;

macro_rules! atomics {
    ($($name:ident $(<$t:ident>)?: $value:ty;)*) => {$(
        pub(crate) struct $name$(<$t>)? {
            touched: atomic::AtomicBool,
            value: atomic::$name$(<$t>)?,
        }

        impl$(<$t>)? $name$(<$t>)? {
            pub(crate) fn new(value: $value) -> Self {
                Self { touched: atomic::AtomicBool::new(false), value: atomic::$name::new(value) }
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                self.touched.swap(true, Relaxed);
                self.value.load(order)
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.touched.swap(true, Relaxed);
                self.value.store(value, order);
            }

            pub(crate) fn compare_exchange(
                &self,
                old: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.touched.swap(true, Relaxed);
                self.value.compare_exchange(old, new, success, failure)
            }
        }

        impl$(<$t>)? fmt::Debug for $name$(<$t>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

atomics! {
    AtomicBool: bool;
    AtomicU64: u64;
    AtomicPtr<T>: *mut T;
}

impl Default for AtomicU64 {
    fn default() -> Self {
        Self::new(0)
    }
}
