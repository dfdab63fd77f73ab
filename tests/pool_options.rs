//! What a pool is told, and what it tells of itself.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{of_size, Fake, FakeLease, FakePool};
use forksafe::pool::{MaxIdle, Pool, PoolOptions};

#[test]
fn handles_are_send_and_sync_and_tell_their_state() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    shared::<FakePool>();
    sent::<FakeLease>();
    let options = PoolOptions { name: Some("web".to_owned()), ..of_size(4) };
    let (pool, _) = Fake::default().pool(options);
    let _lease = pool.check_out(None).unwrap();
    drop(pool.clone().check_out(None).unwrap());
    assert_eq!(pool.stats().to_string(), "'web' [4 max | 1 in use, 1 idle, 0 waiting]");
    assert_eq!((pool.name(), pool.options().max_size), ("web", 4));
    assert!(Arc::strong_count(&pool.manage().counts) > 1);
}

#[test]
fn pools_without_a_name_are_numbered() {
    let names = [(); 2].map(|()| Fake::default().pool(of_size(1)).0.name().to_owned());
    assert!(names.iter().all(|name| name.starts_with("pool-")), "{names:?}");
    assert_ne!(names[0], names[1]);
}

#[test]
fn options_that_cannot_work_are_refused_by_name() {
    let refused = |change: fn(&mut PoolOptions)| {
        let mut options = PoolOptions::default();
        change(&mut options);
        Pool::new(Fake::default(), options).unwrap_err()
    };
    let zero = Duration::ZERO;
    assert_eq!(refused(|options| options.max_size = 0), "max_size must be at least 1, not 0");
    assert!(refused(|options| options.timeout = Duration::ZERO).starts_with("timeout must"));
    assert!(refused(|options| options.recycle = Some(Duration::ZERO)).starts_with("recycle must"));
    assert!(refused(|options| options.max_idle = MaxIdle::Exactly(Some(Duration::ZERO)))
        .starts_with("max_idle m"));
    assert!(refused(|options| options.name = Some(String::new())).starts_with("name must"));
    let fine = PoolOptions {
        ping_after: zero,
        recycle: None,
        max_idle: MaxIdle::Exactly(None),
        ..of_size(1)
    };
    assert_eq!(fine.validate(), Ok(()));
}
