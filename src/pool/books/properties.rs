//! Random sequences of all that can happen to the books, beside a model that knows the rules and
//! no numbers. Each answer is foretold: who gets what, who is woken, who is sent away. A sequence
//! that fails is cut down to the shortest that does.
#![allow(clippy::unwrap_used)]

mod callers;
mod model;
mod server;
mod upkeep;
mod world;

use proptest::prelude::*;
use world::World;

/// What can happen. A number picks one of those to whom it can.
#[derive(Clone, Debug)]
enum Act {
    /// A caller takes what there is, or queues up, or hears that the server is down.
    Ask,
    /// A caller wants to open a connection because there are fewer than `min_size`.
    AskToOpen,
    /// A caller in the queue looks what became of its place.
    Collect(usize),
    /// A caller gives up its place.
    Leave(usize),
    /// An attempt to connect goes well.
    Connect(usize),
    /// It fails; because of the server, or not.
    Refuse(usize, bool, u64),
    /// A holder's connection is let go, and the slot kept.
    Break(usize),
    /// A holder without a connection wants something else for its slot.
    Exchange(usize),
    /// A connection goes back.
    PutBack(usize),
    /// A slot goes back empty.
    Release(usize),
    /// The oldest idle one is looked at, and is unfit or not.
    Sweep(bool),
    /// The oldest idle one is to be tested.
    Test,
    Resize(usize, usize),
    Suspend,
    Resume,
    Drain,
    /// All those are to go that are of the same age as one that is read-only.
    DrainAsOldAs(usize),
    Close,
    /// Milliseconds pass.
    Wait(u64),
}

/// What comes and goes, many times a second.
fn traffic() -> impl Strategy<Value = Act> {
    let pick = any::<usize>;
    prop_oneof![
        20 => Just(Act::Ask),
        2 => Just(Act::AskToOpen),
        12 => pick().prop_map(Act::Collect),
        4 => pick().prop_map(Act::Leave),
        12 => pick().prop_map(Act::Connect),
        4 => (pick(), any::<bool>(), any::<u64>()).prop_map(|(n, down, seed)| Act::Refuse(n, down, seed)),
        4 => pick().prop_map(Act::Break),
        4 => pick().prop_map(Act::Exchange),
        12 => pick().prop_map(Act::PutBack),
        8 => pick().prop_map(Act::Release),
        2 => any::<bool>().prop_map(Act::Sweep),
        1 => Just(Act::Test),
        5 => (0_u64..6000).prop_map(Act::Wait),
    ]
}

/// What somebody decides, now and then.
fn decisions() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0_usize..4, 1_usize..6).prop_map(|(min, max)| Act::Resize(min.min(max), max)),
        Just(Act::Suspend),
        Just(Act::Resume),
        Just(Act::Drain),
        any::<usize>().prop_map(Act::DrainAsOldAs),
    ]
}

/// What happens to a server that is wanted by many.
fn comeback() -> impl Strategy<Value = Act> {
    prop_oneof![
        10 => Just(Act::Ask),
        5 => any::<usize>().prop_map(Act::Collect),
        5 => any::<usize>().prop_map(Act::Connect),
        1 => any::<usize>().prop_map(Act::PutBack),
        1 => any::<usize>().prop_map(Act::Break),
        1 => any::<usize>().prop_map(Act::Exchange),
        1 => any::<usize>().prop_map(|pick| Act::Refuse(pick, true, 0)),
    ]
}

/// Closing comes near the end, if at all: not much can happen after it.
fn acts() -> impl Strategy<Value = Vec<Act>> {
    let open = prop::collection::vec(prop_oneof![12 => traffic(), 1 => decisions()], 0..100);
    let closed = prop::collection::vec(traffic(), 0..20);
    (open, prop::option::weighted(0.3, closed)).prop_map(|(mut acts, closed)| {
        if let Some(after) = closed {
            acts.push(Act::Close);
            acts.extend(after);
        }
        acts
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    /// At no time more than there may be, no slot and no connection lost or doubled, nobody
    /// starves, first come first served: in all that can happen.
    #[test]
    fn no_slot_is_lost_and_nobody_starves(
        (min_size, max_size) in (0_usize..4, 1_usize..6).prop_map(|(min, max)| (min.min(max), max)),
        max_waiting in prop_oneof![Just(0_usize), 1_usize..5],
        acts in acts(),
    ) {
        let mut world = World::new(min_size, max_size, max_waiting);
        for act in &acts {
            world.act(act)?;
        }
        world.wind_down()?;
        world.assert_every_slot_is_back()?;
    }

    /// While the server is down, callers of all kinds make one attempt at a time, and each comes
    /// after a delay within its bounds.
    #[test]
    fn a_server_that_stays_down_is_asked_seldom(
        max_size in 1_usize..4,
        attempts in prop::collection::vec((0_u64..6000, any::<u64>()), 0..40),
    ) {
        let mut world = World::new(0, max_size, 0);
        for (millis, seed) in attempts {
            world.act(&Act::Wait(millis))?;
            world.act(&Act::Ask)?;
            world.act(&Act::Ask)?;
            world.act(&Act::Refuse(0, true, seed))?;
            world.act(&Act::Release(0))?;
        }
    }

    /// When the server is back, attempts at once are 1, 2, 4 and so on; those beyond wait.
    #[test]
    fn a_server_that_is_back_is_not_met_by_everybody_at_once(
        max_size in 3_usize..12,
        acts in prop::collection::vec(comeback(), 10..60),
    ) {
        let mut world = World::new(0, max_size, 0);
        let down = [Act::Refuse(0, true, 0), Act::Release(0), Act::Wait(6000)];
        let outage = [const { Act::Ask }; 3].into_iter().chain(down);
        for act in outage.chain(acts) {
            world.act(&act)?;
        }
        world.wind_down()?;
        world.assert_every_slot_is_back()?;
    }
}
