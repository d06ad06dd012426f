//! Exit codes, the same for every command, so that scripts can use them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what it was asked.
    Ok,
    /// It did not, or `clew check` found a failure.
    Failed,
    /// There is nothing to show: no workload, route, edge, trace or request in the window.
    Empty,
    /// The command line or a configuration is wrong (`EX_USAGE`).
    Usage,
    /// No mesh answers at the address (`EX_UNAVAILABLE`).
    Unreachable,
    /// The code of the process that was run.
    Process(u8),
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Empty => 2,
            Self::Usage => 64,
            Self::Unreachable => 69,
            Self::Process(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The end of `clew --help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   failed; `clew check`: a check failed; `clew up`: a program failed
  2   nothing found: no such traffic, trace or request in the window
  64  wrong usage or configuration
  69  no mesh answers
  `clew run` ends with the code of the process that it ran: 128 + signal when a signal ended it, 127 when
  there is no such program, 126 when it cannot be run";
