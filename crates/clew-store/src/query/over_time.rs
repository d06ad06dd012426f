//! Questions about numbers over time.

use super::{GoldenQuery, Labels};
use crate::histogram::{Histogram, Latency};
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
    pub steps: Vec<GoldenStep>,
}

/// What was measured in one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GoldenStep {
    /// Responses that are successes.
    pub success: u64,
    /// Responses that are failures of the server or the mesh.
    pub failure: u64,
    /// Requests that their caller gave up: neither.
    pub cancelled: u64,
    /// Time to the end of the response, for what is not a long stream.
    pub latency: Latency,
}

impl GoldenStep {
    /// Requests that ended.
    pub fn responses(&self) -> u64 {
        self.success + self.failure + self.cancelled
    }

    /// Share of successes among what succeeded or failed; `None` when nothing did.
    pub fn success_rate(&self) -> Option<f64> {
        match self.success + self.failure {
            0 => None,
            judged => Some(self.success as f64 / judged as f64),
        }
    }
}

/// Histograms of one group of one family, one for each step.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramSteps {
    /// The group, by the labels that were asked for.
    pub labels: Labels,
    /// In the unit that the family's name ends in.
    pub steps: Vec<Histogram>,
}
