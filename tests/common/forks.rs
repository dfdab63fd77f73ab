//! Children of a test, which have to end by themselves, in time and well.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

use nix::sys::wait::{waitpid, WaitStatus};
use nix::unistd::{alarm, fork, ForkResult, Pid};

/// Run `child` in a forked process, and insist that it ends by itself, in time and well. The
/// child leaves by `_exit`; one that hangs is ended by its alarm, and that is a failure.
pub fn in_fork(child: impl FnOnce()) {
    ends_well(start_fork(child));
}

/// The first half of [`in_fork`]: the child runs while its parent goes on.
pub fn start_fork(child: impl FnOnce()) -> Pid {
    fork_here().unwrap_or_else(|| leave(child))
}

/// Fork, as a signal handler may: the child goes on from here as its parent does, and has to
/// [`leave`]. `None` in the child, which an alarm ends if it hangs.
pub fn fork_here() -> Option<Pid> {
    // SAFETY: the child runs code under test whose claim is just this: to work after a fork of a
    // process with threads.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            alarm::set(10);
            None
        }
        ForkResult::Parent { child } => Some(child),
    }
}

/// End a forked child, well if `last` does not panic.
pub fn leave(last: impl FnOnce()) -> ! {
    let outcome = catch_unwind(AssertUnwindSafe(last));
    let code = outcome.map_or_else(|panic| report(&*panic), |()| 0);
    // SAFETY: ends the process; nothing runs after it.
    unsafe { libc::_exit(code) }
}

/// The second half of [`in_fork`].
pub fn ends_well(child: Pid) {
    let end = waitpid(child, None).unwrap();
    assert_eq!(end, WaitStatus::Exited(child, 0), "the child hung or failed");
}

/// Past the harness, which captures what tests print, and its locks.
fn report(panic: &(dyn Any + Send)) -> i32 {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
    let _ = nix::unistd::write(std::io::stderr(), format!("in the child: {text}\n").as_bytes());
    101
}
