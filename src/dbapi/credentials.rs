//! User and password from callables of the application's.
//!
//! Each call runs in a thread that lasts as long as the call, because nothing can end Python code
//! that hangs: the caller goes on without it when its time is over.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString, PyTuple};

use super::call;
use super::callable::{Callable, Kept};
use super::errors::interrupted;
use super::raised;
use crate::process::{Owned, PerProcess};
use crate::session::{Ask, Given, Secret, Token, Value};

/// How often a caller that waits looks around.
const SLICE: Duration = Duration::from_millis(50);

/// What a callable may answer, for the texts.
const WANTED: &str = "not text or (text, seconds)";

/// The calls that nobody waits for any more, those of this process. Without them a callable that
/// hangs would get one more thread at each connect.
static LEFT: LazyLock<PerProcess<Mutex<Vec<Weak<Call>>>>> = LazyLock::new(PerProcess::new);

/// What is made once is made when the module is loaded: no fork can then catch it half done.
pub(super) fn prepare() {
    LazyLock::force(&LEFT);
}

/// A callable that is running.
struct Call {
    of: Identity,
    since: Instant,
}

/// Tells callables apart. Two bound methods are one if both the object and the function are.
/// Addresses: while a call runs, what is called cannot go and another take its place.
type Identity = (usize, usize);

/// How a call ended.
enum Answer {
    Token(Token),
    /// The sentence's end, and the exception.
    Raised(String, Kept<PyErr>),
    /// The sentence's end.
    Wrong(String),
}

/// A callable that is asked at each connect.
pub(super) struct Source {
    callable: Arc<Callable>,
    of: Identity,
}

impl Source {
    pub(super) fn new(callable: &Bound<'_, PyAny>) -> PyResult<Self> {
        let of = identity(callable)?;
        Ok(Self { callable: Arc::new(Callable::new(callable.clone().unbind())), of })
    }

    /// As a session knows it.
    pub(super) fn ask(&self) -> Ask {
        let (callable, of) = (Arc::clone(&self.callable), self.of);
        Ask::new(move |deadline| ask_within(&callable, of, deadline))
    }

    /// For the garbage collector, which must not take the callable for its owner's alone while a
    /// call runs.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        /// This, and the session's.
        const OWN: usize = 2;
        match Arc::strong_count(&self.callable) {
            OWN => self.callable.traverse(visit),
            _ => Ok(()),
        }
    }
}

fn identity(callable: &Bound<'_, PyAny>) -> PyResult<Identity> {
    let address = |of: &Bound<'_, PyAny>| of.as_ptr() as usize;
    let methods = callable.py().import("types")?.getattr("MethodType")?;
    if callable.get_type().is(&methods) {
        let (object, function) = (callable.getattr("__self__")?, callable.getattr("__func__")?);
        return Ok((address(&object), address(&function)));
    }
    Ok((address(callable), 0))
}

/// Call and wait, until `deadline` at the latest. An error is the end of the sentence "the
/// password callable …".
fn ask_within(callable: &Arc<Callable>, of: Identity, deadline: Instant) -> Result<Token, String> {
    if let Some(since) = left(of) {
        let seconds = since.elapsed().as_secs();
        return Err(format!("has been running for {seconds}s, and is not called a second time"));
    }
    let running = Arc::new(Call { of, since: Instant::now() });
    let (sender, receiver) = mpsc::channel();
    let (callable, mark, sender) = (Arc::clone(callable), Arc::clone(&running), Owned::new(sender));
    thread::Builder::new()
        .name("forksafe-credential".into())
        .spawn(move || run(callable, mark, sender))
        .map_err(|cause| format!("got no thread to run in: {cause}"))?;
    let receiver = Owned::new(receiver);
    match wait(&receiver, deadline) {
        Ok(answer) => judge(answer),
        Err(why) => {
            give_up(&running);
            Err(why.unwrap_or_else(|| {
                let seconds = deadline.saturating_duration_since(running.since).as_secs_f64();
                format!("did not answer within {}s", (seconds * 10.0).round() / 10.0)
            }))
        }
    }
}

/// In the thread of the call. A child that was forked by the callable has nobody to answer to.
fn run(callable: Arc<Callable>, mark: Arc<Call>, sender: Owned<Sender<Answer>>) {
    Python::try_attach(move |py| {
        let answer = judged(py, call::call(callable.bind(py), &PyTuple::empty(py), None));
        drop(callable);
        drop(mark);
        if let Some(sender) = sender.get() {
            let _ = sender.send(answer);
        }
    });
}

/// `Err`: there is no answer, and why if it is not for lack of time.
fn wait(receiver: &Owned<Receiver<Answer>>, deadline: Instant) -> Result<Answer, Option<String>> {
    loop {
        // A signal handler may have forked: who is to answer is not in the child.
        let Some(receiver) = receiver.get() else {
            return Err(Some("was left behind by a fork".into()));
        };
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left.min(SLICE)) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Some("ended without an answer: the interpreter is ending".into()))
            }
            Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(None),
            Err(RecvTimeoutError::Timeout) if interrupted() => {
                return Err(Some("was not waited for any longer: a signal came".into()))
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// In the caller's thread, where the exception belongs.
fn judge(answer: Answer) -> Result<Token, String> {
    match answer {
        Answer::Token(token) => Ok(token),
        Answer::Wrong(why) => Err(why),
        Answer::Raised(why, error) => {
            Python::try_attach(|py| raised::keep(py, error.into_inner(py), &why));
            Err(why)
        }
    }
}

fn judged(py: Python<'_>, outcome: PyResult<Bound<'_, PyAny>>) -> Answer {
    match outcome.and_then(|value| token(&value)) {
        Ok(Ok(token)) => Answer::Token(token),
        Ok(Err(why)) => Answer::Wrong(format!("answered {why}")),
        Err(error) => {
            Answer::Raised(format!("raised {}", raised::told(py, &error)), Kept::new(error))
        }
    }
}

/// Text, or text and for how many seconds it is good. The value itself is never told.
fn token(value: &Bound<'_, PyAny>) -> PyResult<Result<Token, String>> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(secret(text).map(|text| Token { text, lifetime: None }));
    }
    let Ok(pair) = value.cast::<PyTuple>() else {
        return Ok(Err(format!("{}, {WANTED}", value.get_type().qualname()?)));
    };
    match pair.iter().collect::<Vec<_>>().as_slice() {
        [text, seconds] => match text.cast::<PyString>() {
            Ok(text) => Ok(secret(text)
                .and_then(|text| Ok(Token { text, lifetime: Some(lifetime(seconds)?) }))),
            Err(_) => Ok(Err(format!(
                "a tuple that begins with a {}, {WANTED}",
                text.get_type().qualname()?
            ))),
        },
        other => Ok(Err(format!("a tuple of {}, {WANTED}", other.len()))),
    }
}

fn secret(text: &Bound<'_, PyString>) -> Result<Secret, String> {
    text.to_str().map(Secret::new).map_err(|_| "text that is not Unicode".into())
}

fn lifetime(seconds: &Bound<'_, PyAny>) -> Result<Duration, String> {
    let is_number = seconds.is_instance_of::<PyInt>() || seconds.is_instance_of::<PyFloat>();
    let number = is_number && !seconds.is_instance_of::<PyBool>();
    let value = number.then(|| seconds.extract().ok()).flatten().map_or(Value::Null, Value::Float);
    match (Given { name: "", value }).seconds() {
        Ok(Some(lifetime)) => Ok(lifetime),
        _ => Err("a lifetime that is not a number of seconds above 0".into()),
    }
}

/// Since when a call of this callable runs that nobody waits for any more.
fn left(of: Identity) -> Option<Instant> {
    let mut calls = calls();
    calls.retain(|call| call.strong_count() > 0);
    calls.iter().filter_map(Weak::upgrade).find(|call| call.of == of).map(|call| call.since)
}

fn give_up(running: &Arc<Call>) {
    calls().push(Arc::downgrade(running));
}

fn calls() -> MutexGuard<'static, Vec<Weak<Call>>> {
    let calls = LEFT.get_or_make(|_| Mutex::default());
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}
