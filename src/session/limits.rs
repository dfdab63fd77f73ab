//! What the server allows.

use std::time::Duration;

use super::body::Body;
use super::command::Answer;
use super::error::Error;
use super::identity::Identity;

const ASK_ALL: &str =
    "SELECT @@wait_timeout, @@max_allowed_packet, @@max_connections, @@max_user_connections";
/// Of a server that knows fewer variables than MySQL and MariaDB.
const ASK_LESS: &[u8] = b"SELECT @@wait_timeout, @@max_allowed_packet";
const ASK_WAIT_TIMEOUT: &[u8] = b"SELECT @@wait_timeout";

/// What the server allows a session and its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ServerLimits {
    /// How long a session may rest.
    pub(super) wait_timeout: Option<Duration>,
    /// In bytes.
    pub(super) max_allowed_packet: usize,
    /// How many sessions the user may have. The one more that MySQL and MariaDB keep for an
    /// administrator comes on top of `max_connections`, so nothing is taken off here.
    pub(super) connections: Option<usize>,
}

impl Default for ServerLimits {
    /// Until the server has been asked.
    fn default() -> Self {
        Self { wait_timeout: None, max_allowed_packet: 1 << 20, connections: None }
    }
}

impl ServerLimits {
    fn of(answer: &[Option<u64>]) -> Self {
        let number = |place: usize| answer.get(place).copied().flatten();
        let count = |place| number(place).and_then(|number| usize::try_from(number).ok());
        let (all, of_user) = (count(2), count(3).filter(|limit| *limit > 0));
        Self {
            wait_timeout: number(0).map(Duration::from_secs),
            max_allowed_packet: count(1).unwrap_or(Self::default().max_allowed_packet),
            connections: all.into_iter().chain(of_user).min(),
        }
    }
}

impl Body {
    pub(super) fn ask_limits(&mut self) -> Result<(), Error> {
        let identity = Identity::question(&self.greeting.version);
        let mut answer = self.query(format!("{ASK_ALL}, {identity}").as_bytes());
        for less in [ASK_ALL.as_bytes(), ASK_LESS] {
            if answer.as_ref().is_err_and(|refusal| !refusal.ends_session()) {
                answer = self.query(less);
            }
        }
        let texts = texts(&answer?);
        self.learn(ServerLimits::of(&numbers(&texts)));
        self.identity = Identity::told(self.greeting.connection_id, texts.get(4..));
        self.marks.wait_timeout = false;
        Ok(())
    }

    /// Ask again what a statement may have changed.
    pub(super) fn follow_wait_timeout(&mut self) -> Result<(), Error> {
        if self.marks.wait_timeout {
            let answer = texts(&self.query(ASK_WAIT_TIMEOUT)?);
            self.limits.wait_timeout = ServerLimits::of(&numbers(&answer)).wait_timeout;
            self.marks.wait_timeout = false;
        }
        Ok(())
    }
}

/// The first row.
pub(super) fn texts(answer: &Answer) -> Vec<Option<String>> {
    match answer {
        Answer::Rows(rows) => rows.texts(0).unwrap_or_default(),
        Answer::Done(_) | Answer::Flow(..) => Vec::new(),
    }
}

fn numbers(texts: &[Option<String>]) -> Vec<Option<u64>> {
    texts.iter().map(|text| text.as_ref()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Duration, ServerLimits};

    fn connections(all: u64, of_user: u64) -> Option<usize> {
        let answer = [Some(28_800), Some(1 << 24), Some(all), Some(of_user)];
        ServerLimits::of(&answer).connections
    }

    #[test]
    fn a_user_may_have_what_both_limits_allow() {
        assert_eq!(connections(151, 0), Some(151));
        assert_eq!(connections(151, 20), Some(20));
        assert_eq!(connections(151, 1000), Some(151));
    }

    #[test]
    fn a_server_that_answers_less_is_taken_as_far_as_it_goes() {
        let some = ServerLimits::of(&[Some(60), None]);
        assert_eq!(some.wait_timeout, Some(Duration::from_secs(60)));
        assert_eq!((some.max_allowed_packet, some.connections), (1 << 20, None));
        assert_eq!(ServerLimits::of(&[]), ServerLimits::default());
    }
}
