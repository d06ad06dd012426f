//! Reading the files of a folder, as one log.

use super::{ASIDE, CURRENT};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A line that a program wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// When it was read.
    pub(crate) time: Timestamp,
    /// The instance whose program wrote it.
    pub(crate) instance: String,
    /// What it wrote, its end not included.
    pub(crate) text: Vec<u8>,
}

/// All files of a folder. Each line is read once, however often it is asked for news.
#[derive(Debug)]
pub(crate) struct Log {
    folder: PathBuf,
    /// By the path of the current file.
    sources: BTreeMap<PathBuf, Source>,
}

/// The files of one instance.
#[derive(Debug)]
struct Source {
    service: String,
    instance: String,
    /// The file that is being read, and its number, by which it is known when it was put aside.
    open: Option<(BufReader<File>, u64)>,
    /// The begin of a line whose end is not written yet.
    rest: Vec<u8>,
}

impl Log {
    /// Of a folder, which need not be there.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            sources: BTreeMap::new(),
        }
    }

    /// The services that have written something, as far as was read.
    pub(crate) fn services(&self) -> Vec<&str> {
        let mut services: Vec<&str> = self.sources.values().map(|s| s.service.as_str()).collect();
        services.sort_unstable();
        services.dedup();
        services
    }

    /// What has come since it was last asked, in the order of time; of one service, or of all.
    pub(crate) fn news(&mut self, service: Option<&str>) -> io::Result<Vec<Record>> {
        self.look_for_files()?;
        let mut news = Vec::new();
        for (path, source) in &mut self.sources {
            if service.is_none_or(|service| source.service == service) {
                source.read(path, &mut news)?;
            }
        }
        // Stable: lines of one instance stay in their order whatever the clock did.
        news.sort_by_key(|record| record.time);
        Ok(news)
    }

    fn look_for_files(&mut self) -> io::Result<()> {
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if let Some((service, instance)) = name.split_once('.') {
                let source = Source {
                    service: service.to_owned(),
                    instance: instance.to_owned(),
                    open: None,
                    rest: Vec::new(),
                };
                let path = path.with_extension(CURRENT);
                self.sources.entry(path).or_insert(source);
            }
        }
        Ok(())
    }
}

impl Source {
    fn read(&mut self, path: &Path, news: &mut Vec<Record>) -> io::Result<()> {
        if self.open.is_none() {
            let files = [path.with_extension(ASIDE), path.to_owned()];
            for file in files {
                if let Some(open) = open(&file)? {
                    self.open = Some(open);
                    self.read_on(news)?;
                }
            }
            return Ok(());
        }
        self.read_on(news)?;
        // Read to its end a moment ago, or put aside a moment ago: then what came last is read first.
        let current = open(path)?;
        let known = self.open.as_ref().map(|(_, number)| *number);
        if let Some(current) = current.filter(|(_, number)| Some(*number) != known) {
            self.read_on(news)?;
            self.open = Some(current);
            self.read_on(news)?;
        }
        Ok(())
    }

    fn read_on(&mut self, news: &mut Vec<Record>) -> io::Result<()> {
        let Some((file, _)) = &mut self.open else {
            return Ok(());
        };
        while file.read_until(b'\n', &mut self.rest)? > 0 {
            if self.rest.ends_with(b"\n") {
                let line = self.rest.trim_ascii_end();
                news.extend(parse(line, &self.instance));
                self.rest.clear();
            }
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<Option<(BufReader<File>, u64)>> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        file => {
            let file = file?;
            let number = file.metadata()?.ino();
            Ok(Some((BufReader::new(file), number)))
        }
    }
}

/// `None`: no line of a log, as when a machine went down in the middle of one.
fn parse(line: &[u8], instance: &str) -> Option<Record> {
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let time = str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    let _stream = parts.next()?;
    Some(Record {
        time,
        instance: instance.to_owned(),
        text: parts.next().unwrap_or_default().to_owned(),
    })
}
