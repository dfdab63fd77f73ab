//! Which server a session is with, and as whom: both as the server itself tells it.

/// What a server tells of itself and of a session with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The session's number.
    pub(super) id: u64,
    /// What tells this server from others.
    pub(super) server: String,
}

/// MySQL makes a number for each server that no other one has. MariaDB has none, but a server has
/// its data to itself, and its machine has a name.
const OF_MYSQL: &str = "CONNECTION_ID(), CONCAT_WS(' ', @@server_uuid, @@hostname, @@port)";
const OF_MARIADB: &str =
    "CONNECTION_ID(), CONCAT_WS(' ', @@server_id, @@hostname, @@port, @@datadir)";

impl Identity {
    /// The columns to ask a server of this version for.
    pub(super) fn question(version: &str) -> &'static str {
        match version.contains("MariaDB") {
            true => OF_MARIADB,
            false => OF_MYSQL,
        }
    }

    /// What those columns answer. Nothing where the greeting gave the session another number:
    /// then somebody stands between, with numbers of his own.
    pub(super) fn told(greeted: u32, columns: Option<&[Option<String>]>) -> Option<Self> {
        let [Some(id), Some(server), ..] = columns? else { return None };
        let id: u64 = id.parse().ok()?;
        // The greeting has room for the lower half.
        (id as u32 == greeted).then(|| Self { id, server: server.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::Identity;

    #[test]
    fn a_number_that_is_not_the_greetings_is_of_no_use() {
        let told = |greeted, id: &str| {
            Identity::told(greeted, Some(&[Some(id.into()), Some("here".into())]))
        };
        assert_eq!(told(7, "7"), Some(Identity { id: 7, server: "here".into() }));
        assert_eq!(told(7, "4294967303").map(|identity| identity.id), Some(4_294_967_303));
        assert_eq!(told(7, "8"), None);
        assert_eq!(Identity::told(7, None), None);
        assert_eq!(Identity::told(7, Some(&[Some("7".into()), None])), None);
    }
}
