//! How many requests a second go to one client.

/// Lets so many through between two ticks, and counts the others.
#[derive(Debug)]
pub(super) struct Pace {
    most: u32,
    left: u32,
    skipped: u64,
}

impl Pace {
    pub(super) fn new(most: u32) -> Self {
        Self {
            most,
            left: most,
            skipped: 0,
        }
    }

    /// One more request, and how many its proxy left out before it: may it go through?
    pub(super) fn admits(&mut self, skipped_before: u64) -> bool {
        self.skipped += skipped_before;
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                self.skipped += 1;
                false
            }
        }
    }

    /// A second has passed: how many were skipped that nobody was told of, if any.
    pub(super) fn tick(&mut self) -> Option<u64> {
        self.left = self.most;
        match std::mem::take(&mut self.skipped) {
            0 => None,
            skipped => Some(skipped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_past_the_rate_is_counted_and_told_once() {
        let mut pace = Pace::new(2);
        assert_eq!(
            [pace.admits(0), pace.admits(5), pace.admits(0)],
            [true, true, false]
        );
        assert_eq!(pace.tick(), Some(6));
        assert_eq!(pace.tick(), None);
        assert!(pace.admits(0));
    }
}
