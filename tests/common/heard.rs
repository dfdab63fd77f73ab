use std::sync::{Arc, Mutex};

use forksafe::pool::Event;

use super::Failure;

/// What a listener heard, in short.
pub type Heard = Arc<Mutex<Vec<String>>>;

/// `connected 1`, `discarded 1 Broken`, `fork 2`, `down refused`, `back 3` (after so many failures)
/// and so on.
pub fn in_short(event: &Event<'_, Failure>) -> String {
    match event {
        Event::Connected { id, .. } => format!("connected {id}"),
        Event::Discarded { id, reason } => format!("discarded {id} {reason:?}"),
        Event::ForkNoticed { inherited } => format!("fork {inherited}"),
        Event::ServerDown { error } => format!("down {error}"),
        Event::ServerBack { failures, .. } => format!("back {failures}"),
        Event::Leaked { holding } => format!("leaked {}", holding.thread),
        Event::Reclaimed { holding, cause } => format!("reclaimed {} {cause:?}", holding.thread),
        Event::Crowded { workers, max_size, limit } => {
            format!("crowded {workers} x {max_size} > {limit}")
        }
    }
}
