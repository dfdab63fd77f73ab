//! The hosts of a connector: which is tried when, and for how long.
//!
//! One that failed is tried last for a while. That is remembered in atomics, so that a forked child
//! knows what its parent knew.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::error::Error;
use super::options::ConnectOptions;
use super::place::Place;
use super::tls::{Tls, TlsSetup};
use crate::process::Process;

/// For how long a host that failed is tried last.
const AVOIDED: Duration = Duration::from_secs(30);
/// In [`Host::failed`].
const NEVER: u64 = 0;

/// In which order several hosts are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostOrder {
    /// As they are listed: the first that lets us in.
    #[default]
    Listed,
    /// In another order for each connect, to spread connections.
    Random,
}

/// One host.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) place: Place,
    pub(super) tls: Option<Tls>,
    began: Instant,
    /// When it failed last, in milliseconds since `began`, counted from one.
    failed: AtomicU64,
}

impl Host {
    /// Try the others first for a while.
    pub(super) fn avoid(&self, now: Instant) {
        let since = now.saturating_duration_since(self.began).as_millis();
        self.failed.store(u64::try_from(since).unwrap_or(u64::MAX - 1) + 1, Relaxed);
    }

    fn trust(&self) {
        self.failed.store(NEVER, Relaxed);
    }

    /// When it failed, if that is not long ago.
    fn avoided(&self, now: Instant) -> Option<u64> {
        let failed = Some(self.failed.load(Relaxed)).filter(|failed| *failed != NEVER)?;
        let end = self.began + Duration::from_millis(failed - 1) + AVOIDED;
        (now < end).then_some(failed)
    }
}

/// All hosts.
#[derive(Debug)]
pub(super) struct Hosts {
    hosts: Vec<Arc<Host>>,
    order: HostOrder,
}

impl Hosts {
    pub(super) fn of(options: &ConnectOptions) -> Result<Self, Error> {
        let places = Place::all(options).map_err(|why| Error::unknown_host(&options.host, why))?;
        let setup = TlsSetup::new(&options.tls)?;
        let began = Instant::now();
        let host = |place: Place| {
            let tls = setup.as_ref().map(|setup| setup.to(place.host())).transpose()?;
            Ok(Arc::new(Host { place, tls, began, failed: AtomicU64::new(NEVER) }))
        };
        let hosts: Result<_, Error> = places.into_iter().map(host).collect();
        Ok(Self { hosts: hosts?, order: options.host_order })
    }

    /// What the first host makes of `attempt` that does not fail as one that is not there would:
    /// a log-in that is refused would be refused by the others too. The time is shared among
    /// those left.
    pub(super) fn try_each<T>(
        &self,
        deadline: Instant,
        mut attempt: impl FnMut(&Arc<Host>, Instant) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let sequence = self.sequence(Instant::now(), seed());
        let mut failures = Vec::new();
        for (tried, host) in sequence.iter().enumerate() {
            match attempt(host, share(Instant::now(), deadline, sequence.len() - tried)) {
                Err(error) if error.is_outage() => {
                    host.avoid(Instant::now());
                    failures.push((&host.place, error));
                }
                outcome => {
                    if outcome.is_ok() {
                        host.trust();
                    }
                    return outcome;
                }
            }
        }
        Err(Error::of_all(failures))
    }

    /// Those to be trusted in their order, then the others, that first which failed longest ago.
    fn sequence(&self, now: Instant, seed: u64) -> Vec<&Arc<Host>> {
        let mut sequence: Vec<_> = self.hosts.iter().enumerate().collect();
        sequence.sort_by_cached_key(|(listed, host)| {
            let place = match self.order {
                HostOrder::Listed => *listed as u64,
                HostOrder::Random => hash((seed, listed)),
            };
            (host.avoided(now), place)
        });
        sequence.into_iter().map(|(_, host)| host).collect()
    }
}

/// When the first of `left` hosts must have let us in.
fn share(now: Instant, deadline: Instant, left: usize) -> Instant {
    let time = deadline.saturating_duration_since(now);
    match left {
        1 => deadline,
        left => now + time / u32::try_from(left).unwrap_or(u32::MAX),
    }
}

/// Differs between processes and from connect to connect.
fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    hash((Process::current().pid(), now.as_nanos()))
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{share, ConnectOptions, Duration, Error, HostOrder, Hosts, Instant, AVOIDED};

    fn hosts(list: &str, order: HostOrder) -> Hosts {
        let options = ConnectOptions {
            host: list.into(),
            host_order: order,
            port: Some(1),
            ..ConnectOptions::default()
        };
        Hosts::of(&options).unwrap()
    }

    fn sequence(hosts: &Hosts, now: Instant, seed: u64) -> String {
        hosts.sequence(now, seed).iter().map(|host| host.place.host()).collect()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    fn refused() -> Error {
        Error::connect_host("x", "refused")
    }

    #[test]
    fn hosts_are_tried_as_listed_or_at_random() {
        let (now, listed) = (Instant::now(), hosts("a,b,c", HostOrder::Listed));
        assert!((0..100).all(|seed| sequence(&listed, now, seed) == "abc"));
        let random = hosts("a,b,c", HostOrder::Random);
        let orders: HashSet<_> = (0..100).map(|seed| sequence(&random, now, seed)).collect();
        assert_eq!(orders.len(), 6, "every order comes up");
        assert_eq!(sequence(&random, now, 5), sequence(&random, now, 5));
    }

    #[test]
    fn one_that_failed_comes_last_for_a_while() {
        let (now, hosts) = (Instant::now(), hosts("a,b,c", HostOrder::Listed));
        hosts.hosts[0].avoid(now);
        let almost = AVOIDED - Duration::from_millis(2);
        assert_eq!(sequence(&hosts, now, 0), "bca");
        assert_eq!(sequence(&hosts, now + almost, 0), "bca");
        assert_eq!(sequence(&hosts, now + AVOIDED, 0), "abc");
    }

    #[test]
    fn where_all_failed_that_comes_first_which_failed_longest_ago() {
        let (now, hosts) = (Instant::now(), hosts("a,b,c", HostOrder::Listed));
        for (host, seconds) in [(1, 1), (2, 2), (0, 3)] {
            hosts.hosts[host].avoid(now + Duration::from_secs(seconds));
        }
        assert_eq!(sequence(&hosts, now + Duration::from_secs(4), 0), "bca");
    }

    #[test]
    fn the_next_host_is_tried_where_one_is_not_there() {
        let hosts = hosts("a,b,c", HostOrder::Listed);
        let mut asked = String::new();
        for _ in 0..2 {
            let found = hosts.try_each(soon(), |host, _| {
                asked += host.place.host();
                if host.place.host() == "b" {
                    Ok(())
                } else {
                    Err(refused())
                }
            });
            assert!(found.is_ok());
        }
        assert_eq!(asked, "abb", "the second connect knows of the first");
    }

    #[test]
    fn one_that_lets_us_in_again_is_trusted_again() {
        let hosts = hosts("a", HostOrder::Listed);
        hosts.hosts[0].avoid(Instant::now());
        hosts.try_each(soon(), |_, _| Ok(())).unwrap();
        assert_eq!(hosts.hosts[0].avoided(Instant::now()), None);
    }

    #[test]
    fn a_refused_log_in_is_the_answer() {
        let hosts = hosts("a,b", HostOrder::Listed);
        let mut asked = 0;
        let answer: Result<(), _> = hosts.try_each(soon(), |_, _| {
            asked += 1;
            Err(Error::auth("no"))
        });
        assert_eq!((answer.unwrap_err().message(), asked), ("no", 1));
        assert_eq!(sequence(&hosts, Instant::now(), 0), "ab");
    }

    #[test]
    fn the_error_names_all_that_failed_and_one_alone_as_itself() {
        let every = |list: &str| {
            let outcome: Result<(), _> =
                hosts(list, HostOrder::Listed).try_each(soon(), |host, _| {
                    Err(match host.place.host() {
                        "c" => Error::lost_at_handshake("bye"),
                        _ => Error::connect_host(&host.place.to_string(), "refused"),
                    })
                });
            outcome.unwrap_err()
        };
        assert_eq!(every("a").message(), "Can't connect to MySQL server on 'a:1' (refused)");
        assert_eq!(every("c,c").errno(), 2013);
        let all = every("a,c");
        assert_eq!(
            (all.errno(), all.message()),
            (
                2003,
                "none of the 2 hosts can be reached: Can't connect to MySQL server on 'a:1' \
                 (refused); c:1: Lost connection to MySQL server at handshake (bye)"
            )
        );
        assert!(all.is_outage());
    }

    #[test]
    fn the_time_is_shared_among_the_hosts_left() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let end = now + 6 * second;
        assert_eq!(share(now, end, 3), now + 2 * second);
        assert_eq!(share(now + 2 * second, end, 2), now + 4 * second);
        assert_eq!(share(now + 5 * second, end, 1), end, "what one left over is there for others");
        assert_eq!(share(end + second, end, 2), end + second);
    }
}
