//! What the system says of this process (proc(5)). What it does not say is not reported.

use std::fs;

/// Numbers of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Process {
    pub(super) resident_bytes: Option<u64>,
    pub(super) cpu_seconds: Option<f64>,
    pub(super) open_fds: Option<u64>,
}

impl Process {
    /// Reads them now.
    pub(super) fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").ok();
        let stat = fs::read_to_string("/proc/self/stat").ok();
        let open_fds = fs::read_dir("/proc/self/fd").ok().map(|directory| {
            // Reading the directory has one open, too.
            (directory.count() as u64).saturating_sub(1)
        });
        Self {
            resident_bytes: status.as_deref().and_then(resident_bytes),
            cpu_seconds: stat.as_deref().and_then(cpu_seconds),
            open_fds,
        }
    }
}

/// `VmRSS:      1234 kB`, which are KiB.
fn resident_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace()
        .next()?
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

/// Fields 14 and 15, `utime` and `stime`, in ticks. The name in field 2 may hold anything, a `)` too.
fn cpu_seconds(stat: &str) -> Option<f64> {
    /// `USER_HZ`, which is 100 on every architecture that Clew is built for.
    const TICKS_PER_SECOND: f64 = 100.0;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut ticks = after_name
        .split_ascii_whitespace()
        .skip(11)
        .map(|field| field.parse::<f64>().ok());
    Some((ticks.next()?? + ticks.next()??) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_whatever_the_process_is_called() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 3 0 900 1000 200";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds("42 (a) S 1"), None);
        assert_eq!(
            resident_bytes("VmPeak:\t  99 kB\nVmRSS:\t   12 kB\n"),
            Some(12 * 1024)
        );
        assert_eq!(resident_bytes("Name: x\n"), None);
    }
}
