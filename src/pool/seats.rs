use super::holder::Holder;

/// The right to one slot: with its connection, or else with the right to open one. Lasts until the
/// number is released or put back.
#[derive(PartialEq, Eq, Debug)]
#[must_use]
pub(super) struct Grant<E> {
    pub(super) number: usize,
    pub(super) entry: Option<E>,
}

/// The slots in use, by number.
pub(super) struct Seats {
    seats: Vec<Seat>,
    /// Numbers that nobody uses.
    unused: Vec<usize>,
    connecting: usize,
}

struct Seat {
    /// Whoever has it, once somebody has.
    holder: Option<Holder>,
    /// When what is in it was idle last, or the right to open it was given, counted in drains.
    era: u64,
    right: Right,
}

/// To open a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Right {
    None,
    Given,
    /// Given before the server went down. It holds, but counts no more.
    Disowned,
}

impl Seats {
    pub(super) fn new() -> Self {
        Self { seats: Vec::new(), unused: Vec::new(), connecting: 0 }
    }

    pub(super) fn in_use(&self) -> usize {
        self.seats.len() - self.unused.len()
    }

    /// How many have the right to connect, without those that were disowned.
    pub(super) fn connecting(&self) -> usize {
        self.connecting
    }

    #[inline]
    pub(super) fn occupy(&mut self, era: u64) -> usize {
        let seat = Seat { holder: None, era, right: Right::None };
        match self.unused.pop() {
            Some(number) => {
                self.seats[number] = seat;
                number
            }
            None => {
                self.seats.push(seat);
                self.seats.len() - 1
            }
        }
    }

    /// With whatever right it has.
    #[inline]
    pub(super) fn vacate(&mut self, number: usize) {
        self.end_right(number);
        self.seats[number].holder = None;
        self.unused.push(number);
    }

    #[inline]
    pub(super) fn set_holder(&mut self, number: usize, holder: Holder) {
        self.seats[number].holder = Some(holder);
    }

    pub(super) fn era(&self, number: usize) -> u64 {
        self.seats[number].era
    }

    pub(super) fn set_era(&mut self, number: usize, era: u64) {
        self.seats[number].era = era;
    }

    pub(super) fn give_right(&mut self, number: usize) {
        self.end_right(number);
        self.seats[number].right = Right::Given;
        self.connecting += 1;
    }

    #[inline]
    pub(super) fn end_right(&mut self, number: usize) {
        let right = std::mem::replace(&mut self.seats[number].right, Right::None);
        self.connecting -= usize::from(right == Right::Given);
    }

    pub(super) fn is_disowned(&self, number: usize) -> bool {
        self.seats[number].right == Right::Disowned
    }

    /// The rights that were given until now count no more.
    pub(super) fn disown_rights(&mut self) {
        for seat in self.seats.iter_mut().filter(|seat| seat.right == Right::Given) {
            seat.right = Right::Disowned;
        }
        self.connecting = 0;
    }

    pub(super) fn holders(&self) -> impl Iterator<Item = &Holder> {
        self.seats.iter().filter_map(|seat| seat.holder.as_ref())
    }

    pub(super) fn holders_mut(&mut self) -> impl Iterator<Item = &mut Holder> {
        self.seats.iter_mut().filter_map(|seat| seat.holder.as_mut())
    }

    pub(super) fn holder_mut(&mut self, number: usize) -> Option<&mut Holder> {
        self.seats[number].holder.as_mut()
    }
}
