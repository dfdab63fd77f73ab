//! Calls of a program's own Python code, which may take its time.
//!
//! Before Python 3.14, what asks for the interpreter after its end, in any thread but the main one,
//! is ended by `pthread_exit`. That unwinds the thread's stack, and where it meets a Rust frame
//! that is not made for it, the process aborts. PyO3 lets the thread hang instead where it attaches
//! itself (pyo3#4874, #6085); a daemon thread may as well be in a callable or in a generator that
//! was called from here. Python 3.14 lets it hang everywhere (cpython#87135).

use pyo3::ffi::PyObject;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

mod raw {
    use super::PyObject;

    // As in `pyo3::ffi`, but that they may unwind.
    extern "C-unwind" {
        pub(super) fn PyObject_Call(
            callable: *mut PyObject,
            args: *mut PyObject,
            kwargs: *mut PyObject,
        ) -> *mut PyObject;
        pub(super) fn PyObject_GetAttr(of: *mut PyObject, name: *mut PyObject) -> *mut PyObject;
        pub(super) fn PyObject_Str(of: *mut PyObject) -> *mut PyObject;
        pub(super) fn PyErr_WriteUnraisable(of: *mut PyObject);
        pub(super) fn PyObject_GetItem(of: *mut PyObject, key: *mut PyObject) -> *mut PyObject;
        pub(super) fn PyIter_Next(iterator: *mut PyObject) -> *mut PyObject;
    }
}

type Call1 = unsafe extern "C-unwind" fn(*mut PyObject) -> *mut PyObject;
type Call2 = unsafe extern "C-unwind" fn(*mut PyObject, *mut PyObject) -> *mut PyObject;
type Call3 =
    unsafe extern "C-unwind" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> *mut PyObject;
type Tell = unsafe extern "C-unwind" fn(*mut PyObject);

/// A function that is called as its type says, which is that it may unwind. PyO3 declares the same
/// ones as never unwinding, and the optimizer, where it sees both, may believe PyO3 and leave out
/// what is to be done then: so it must not see which function this is.
fn unseen<F>(function: F) -> F {
    std::hint::black_box(function)
}

/// Ends the unwinding of a thread here, by never ending.
struct Hang;

impl Drop for Hang {
    fn drop(&mut self) {
        loop {
            std::thread::park();
        }
    }
}

fn hang_if_unwound<T>(call: impl FnOnce() -> T) -> T {
    let hang = Hang;
    let answer = call();
    std::mem::forget(hang);
    answer
}

/// `callable(*args, **kwargs)`.
pub(super) fn call<'py>(
    callable: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let kwargs = kwargs.map_or(std::ptr::null_mut(), Bound::as_ptr);
    // SAFETY: attached; all are live objects of the right types, or null for no keywords. What
    // comes back is a new reference, or null with an exception set.
    unsafe {
        let answer = hang_if_unwound(|| {
            unseen(raw::PyObject_Call as Call3)(callable.as_ptr(), args.as_ptr(), kwargs)
        });
        Bound::from_owned_ptr_or_err(callable.py(), answer)
    }
}

/// `of.name`, which may be a property.
pub(super) fn attribute<'py>(of: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let name = PyString::new(of.py(), name);
    // SAFETY: attached; both are live objects. What comes back is a new reference, or null with an
    // exception set.
    unsafe {
        let answer =
            hang_if_unwound(|| unseen(raw::PyObject_GetAttr as Call2)(of.as_ptr(), name.as_ptr()));
        Bound::from_owned_ptr_or_err(of.py(), answer)
    }
}

/// `str(of)`.
pub(super) fn text(of: &Bound<'_, PyAny>) -> PyResult<String> {
    // SAFETY: attached; it is a live object. What comes back is a new reference, or null with an
    // exception set.
    let answer = unsafe {
        let answer = hang_if_unwound(|| unseen(raw::PyObject_Str as Call1)(of.as_ptr()));
        Bound::from_owned_ptr_or_err(of.py(), answer)?
    };
    Ok(answer.cast::<PyString>()?.to_string_lossy().into_owned())
}

/// Hand `error` to `sys.unraisablehook`.
pub(super) fn unraisable(py: Python<'_>, error: PyErr, of: Option<&Bound<'_, PyAny>>) {
    error.restore(py);
    let of = of.map_or(std::ptr::null_mut(), Bound::as_ptr);
    // SAFETY: attached, with an exception set; the object is live, or null for none.
    unsafe { hang_if_unwound(|| unseen(raw::PyErr_WriteUnraisable as Tell)(of)) }
}

/// `of[key]`.
pub(super) fn item<'py>(
    of: &Bound<'py, PyAny>,
    key: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: attached; both are live objects. What comes back is a new reference, or null with an
    // exception set.
    unsafe {
        let answer =
            hang_if_unwound(|| unseen(raw::PyObject_GetItem as Call2)(of.as_ptr(), key.as_ptr()));
        Bound::from_owned_ptr_or_err(of.py(), answer)
    }
}

/// `for each in iterable`.
pub(super) fn each<'py>(
    iterable: &Bound<'py, PyAny>,
) -> PyResult<impl Iterator<Item = PyResult<Bound<'py, PyAny>>>> {
    let iterator = iterable.try_iter()?;
    Ok(std::iter::from_fn(move || {
        // SAFETY: attached; it is a live iterator. What comes back is a new reference, or null with
        // an exception set unless it is the end.
        let next = unsafe {
            let next = hang_if_unwound(|| unseen(raw::PyIter_Next as Call1)(iterator.as_ptr()));
            Bound::from_owned_ptr_or_opt(iterator.py(), next)
        };
        next.map(Ok).or_else(|| PyErr::take(iterator.py()).map(Err))
    }))
}
