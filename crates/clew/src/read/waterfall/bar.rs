//! The bar of a span on the time axis.

use crate::output::{APPLICATION, DOUBTFUL, PROXY, WORK, painted, units};
use anstyle::Style;
use clew_api::rest::span::{PROXY_SCOPE, Span};

/// The time axis.
pub(super) struct Scale {
    /// Time at its end; it begins at 0.
    pub(super) total_ms: f64,
    /// Columns.
    pub(super) cells: usize,
}

impl Scale {
    /// Its marks: `0 ms      61.5 ms      123 ms`, each below which it stands for; the last ends the axis.
    pub(super) fn axis(&self) -> String {
        if self.total_ms <= 0.0 {
            return "0 ms".to_owned();
        }
        let middle = units::millis(self.total_ms / 2.0);
        let end = units::millis(self.total_ms);
        let mut axis = "0 ms".to_owned();
        let room = self.cells / 2;
        if room > axis.len() + 1 && room + middle.len() + 1 + end.len() <= self.cells {
            axis = format!("{axis:room$}{middle}");
        }
        let left = self.cells.saturating_sub(end.len());
        format!("{axis:left$}{end}")
    }

    /// Column of a time, not past the end.
    fn position(&self, ms: f64) -> f64 {
        if self.total_ms > 0.0 {
            (ms / self.total_ms).clamp(0.0, 1.0) * self.cells as f64
        } else {
            0.0
        }
    }

    /// Number of columns of a duration, rounded.
    fn length(&self, ms: f64) -> usize {
        self.position(ms).round() as usize
    }
}

/// What a column of a bar stands for. In the order of the legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Glyph {
    Request,
    Work,
    Wait,
    Application,
}

impl Glyph {
    fn sign(self) -> &'static str {
        match self {
            Self::Request => "━",
            Self::Work => "▓",
            Self::Wait => "░",
            Self::Application => "═",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Request => PROXY,
            Self::Work => WORK,
            Self::Wait => DOUBTFUL,
            Self::Application => APPLICATION,
        }
    }

    /// For the legend.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Request => "request, as a proxy saw it",
            Self::Work => "the proxy's own work (a column at least)",
            Self::Wait => "the proxy waiting to connect",
            Self::Application => "span of the application's own library",
        }
    }

    /// Some of them, painted.
    pub(super) fn render(self, count: usize) -> String {
        painted(&self.sign().repeat(count), self.style())
    }
}

/// Runs of columns after a gap.
pub(super) struct Bar {
    gap: usize,
    runs: Vec<(Glyph, usize)>,
}

impl Bar {
    /// Painted.
    pub(super) fn render(&self) -> String {
        let runs: String = self
            .runs
            .iter()
            .map(|(glyph, count)| glyph.render(*count))
            .collect();
        format!("{:gap$}{runs}", "", gap = self.gap)
    }

    /// What occurs in it.
    pub(super) fn glyphs(&self) -> impl Iterator<Item = Glyph> + '_ {
        self.runs.iter().map(|(glyph, _)| *glyph)
    }
}

/// The bar of a span, a column at least. A proxy's own time is drawn at the beginning, where most of it
/// was spent.
pub(super) fn of(span: &Span, scale: &Scale) -> Bar {
    let last = scale.cells.saturating_sub(1);
    let gap = (scale.position(span.offset_ms).floor() as usize).min(last);
    let end = scale.position(span.offset_ms + span.duration_ms).ceil() as usize;
    let length = end.saturating_sub(gap).clamp(1, scale.cells - gap);
    if span.scope != PROXY_SCOPE {
        return Bar {
            gap,
            runs: vec![(Glyph::Application, length)],
        };
    }
    let (work_us, wait_us) = span
        .proxy_time
        .as_ref()
        .map_or((0, 0), |time| (time.work_us, time.wait_us));
    // A column of its own even where it is less than one: that there is work is not to be overlooked.
    let least = usize::from(work_us > 0 && length >= 3);
    let work = scale.length(work_us as f64 / 1e3).max(least).min(length);
    let wait = scale.length(wait_us as f64 / 1e3).min(length - work);
    let runs = [
        (Glyph::Work, work),
        (Glyph::Wait, wait),
        (Glyph::Request, length - work - wait),
    ];
    Bar {
        gap,
        runs: runs.into_iter().filter(|(_, count)| *count > 0).collect(),
    }
}
