//! What other drivers and pools call their options, and what to write here.

mod drivers;
mod pools;

/// What stands here for a name of another's.
enum Here {
    /// This option, with the same meaning and unit.
    Called(&'static str),
    /// This option, and how it differs.
    Near(&'static str, &'static str),
    /// No option; a clause that says what to do, or why there is none.
    No(&'static str),
}

/// Whose a name is, the name, and what stands for it here.
type Row = (&'static str, &'static str, Here);

/// What to write instead of `name`, if another driver or pool has an option of that name: the
/// sentence, and the option that it speaks of.
pub(super) fn answer(name: &str) -> Option<(String, Option<&'static str>)> {
    let (whose, _, here) = [pools::TABLE, drivers::TABLE]
        .into_iter()
        .flatten()
        .find(|(_, theirs, _)| *theirs == name)?;
    Some(match here {
        Here::Called(own) => (format!("{whose}'s {name} is called {own} here"), Some(own)),
        Here::Near(own, how) => {
            (format!("instead of {whose}'s {name} there is {own} here: {how}"), Some(own))
        }
        Here::No(why) => (format!("{whose}'s {name} is no option here: {why}"), None),
    })
}
