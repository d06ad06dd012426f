//! Questions about numbers over time.

use super::{Ended, GoldenQuery, Labels};
use crate::label::Label;
use crate::steps::Steps;

/// The most groups that are answered with.
pub const MAX_SERIES: usize = 1_000;
/// The most steps of all groups together: half a kilobyte each, with their histograms.
pub const MAX_SERIES_STEPS: usize = 60_000;

/// The question for golden metrics step by step.
#[derive(Clone, Debug)]
pub struct GoldenStepsQuery {
    /// Which series, and how they are added up. Its window is the one of the steps.
    pub golden: GoldenQuery,
    /// Beside the filters all labels of one of these must hold; of an empty list nothing has to.
    pub any_of: Vec<Vec<(Label, String)>>,
    /// Times.
    pub steps: Steps,
}

/// Golden metrics step by step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GoldenSteps {
    /// By requests, most first.
    pub groups: Vec<GroupSteps>,
    /// There are more groups than [`MAX_SERIES`] and [`MAX_SERIES_STEPS`] let through.
    pub truncated: bool,
}

/// Golden metrics of one group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupSteps {
    /// The group, by the labels that were asked for.
    pub labels: Labels,
    /// One for each step.
    pub steps: Vec<Ended>,
}
