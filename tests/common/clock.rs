use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A clock that stands still but for [`Clock::pass`].
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    passed: AtomicU64,
}

impl Clock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), passed: AtomicU64::new(0) })
    }

    pub fn now(&self) -> Instant {
        self.began + Duration::from_nanos(self.passed.load(SeqCst))
    }

    pub fn pass(&self, time: Duration) {
        self.passed.fetch_add(time.as_nanos() as u64, SeqCst);
    }
}
