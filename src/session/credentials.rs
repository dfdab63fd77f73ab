//! Who logs in, and with what: given once, or asked for at each connect.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::Error;
use super::options::{ConnectOptions, Secret};

/// What an [`Ask`] answers.
#[derive(Clone, Debug)]
pub struct Token {
    /// The user or the password of this moment.
    pub text: Secret,
    /// How long it is good for from now on; `None`: for ever.
    pub lifetime: Option<Duration>,
}

type Asked = dyn Fn(Instant) -> Result<Token, String> + Send + Sync;

/// Where a user or a password comes from that changes, such as a token of a cloud's.
#[derive(Clone)]
pub struct Ask(Arc<Asked>);

impl Ask {
    /// `ask` is called for each connect, must have answered by the moment that it is told, and
    /// waits with the caller's thread. What it answers instead of a token ends the sentence "the
    /// password callable …", such as "raised KeyError: 'x'", and never holds a secret.
    pub fn new(ask: impl Fn(Instant) -> Result<Token, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ask(..)")
    }
}

/// Those of one connect.
#[derive(Clone, Debug, Default)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: Secret,
    /// The shorter life of the two.
    pub(super) lifetime: Option<Duration>,
}

impl Credentials {
    /// As the options give them; each that must be asked for takes `credential_timeout` at most,
    /// and both no longer than `deadline`.
    pub(super) fn of(options: &ConnectOptions, deadline: Instant) -> Result<Self, Error> {
        let ask = |what: &str, ask: &Ask| {
            let end = Instant::now().checked_add(options.credential_timeout);
            let token = (ask.0)(end.map_or(deadline, |end| end.min(deadline)));
            let token = token.map_err(|why| Error::credential(what, why))?;
            if token.text.reveal().contains('\0') {
                return Err(Error::credential(what, "answered a text with a NUL character in it"));
            }
            Ok(token)
        };
        let user = options.ask_user.as_ref().map(|user| ask("user", user)).transpose()?;
        let password = options.ask_password.as_ref().map(|word| ask("password", word));
        let password = password.transpose()?;
        let lifetimes = [&user, &password].into_iter().flatten().filter_map(|it| it.lifetime);
        Ok(Self {
            lifetime: lifetimes.min(),
            user: user.map_or_else(|| options.own_user(), |it| it.text.reveal().to_owned()),
            password: password.map_or_else(|| options.password.clone(), |it| it.text),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Ask, ConnectOptions, Credentials, Secret, Token};

    const HOUR: Duration = Duration::from_secs(3600);

    fn always(text: &'static str, lifetime: Option<Duration>) -> Option<Ask> {
        Some(Ask::new(move |_| Ok(Token { text: Secret::new(text), lifetime })))
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    #[test]
    fn what_is_asked_for_takes_the_place_of_what_is_given() {
        let given = ConnectOptions {
            user: Some("given".into()),
            password: Secret::new("old"),
            ..ConnectOptions::default()
        };
        let plain = Credentials::of(&given, soon()).unwrap();
        assert_eq!((&*plain.user, plain.password.reveal(), plain.lifetime), ("given", "old", None));
        let asked = ConnectOptions {
            ask_user: always("me", Some(HOUR)),
            ask_password: always("new", Some(HOUR / 2)),
            ..given
        };
        let asked = Credentials::of(&asked, soon()).unwrap();
        assert_eq!((&*asked.user, asked.password.reveal()), ("me", "new"));
        assert_eq!(asked.lifetime, Some(HOUR / 2), "the connection lives as long as both");
    }

    #[test]
    fn an_answer_is_due_before_the_connect_must_be_over() {
        let due = |timeout: Duration, deadline: Instant| {
            let options = ConnectOptions {
                ask_password: Some(Ask::new(|due| Err(format!("{due:?}")))),
                credential_timeout: timeout,
                ..ConnectOptions::default()
            };
            Credentials::of(&options, deadline).unwrap_err().message().to_owned()
        };
        let deadline = soon();
        let at = format!("the password callable {deadline:?}");
        assert_eq!(due(HOUR, deadline), at);
        assert_eq!(due(Duration::MAX, deadline), at);
        assert_ne!(due(Duration::from_millis(1), deadline), at);
    }

    #[test]
    fn a_failure_is_of_the_kind_that_other_attempts_would_meet() {
        let options = ConnectOptions {
            ask_user: Some(Ask::new(|_| Err("raised KeyError: 'x'".into()))),
            ..ConnectOptions::default()
        };
        let error = Credentials::of(&options, soon()).unwrap_err();
        assert_eq!(
            (error.errno(), error.message()),
            (2000, "the user callable raised KeyError: 'x'")
        );
        assert!(error.is_outage() && error.ends_session());
    }

    #[test]
    fn an_answer_that_cannot_travel_is_not_repeated() {
        let options =
            ConnectOptions { ask_password: always("hu\0sh", None), ..ConnectOptions::default() };
        let error = Credentials::of(&options, soon()).unwrap_err();
        assert!(error.message().contains("NUL") && !error.message().contains("sh\""));
        assert!(!format!("{options:?}").contains("hu"));
    }
}
