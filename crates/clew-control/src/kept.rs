//! The one file that control may have: telemetry settings that somebody has changed, for the next control. They hold as
//! long as the configuration is the one that they were changed under; one that says something else comes first.

use clew_api::convert::telemetry::{settings_from_rest, settings_to_rest};
use clew_api::rest::settings::TelemetrySettings as Written;
use clew_model::telemetry::TelemetrySettings;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Keeps settings in a file.
#[derive(Debug)]
pub(crate) struct KeptSettings {
    file: PathBuf,
    configured: Written,
    /// Held while the file is written.
    turn: Mutex<()>,
}

/// What is in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    configured: Written,
    in_force: Written,
}

impl KeptSettings {
    pub(crate) fn new(file: PathBuf, configured: &TelemetrySettings) -> Self {
        Self {
            file,
            configured: settings_to_rest(configured),
            turn: Mutex::default(),
        }
    }

    /// What was in force last, if it was under this configuration. Blocks.
    pub(crate) fn load(&self) -> Option<TelemetrySettings> {
        let file = self.file.display();
        let text = match std::fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(%error, %file, "changed settings of before cannot be read");
                return None;
            }
        };
        let content: Option<Content> = serde_json::from_str(&text).ok();
        let settings = content
            .filter(|content| content.configured == self.configured)
            .and_then(|content| settings_from_rest(content.in_force).ok());
        match &settings {
            Some(_) => tracing::info!(%file, "telemetry settings are as they were changed before"),
            None => tracing::info!(
                %file,
                "telemetry settings are those of the configuration, which is another one than before"
            ),
        }
        settings
    }

    /// Keeps what is in force at the moment when its turn comes: the last to write has the last word. Blocks.
    pub(crate) fn save(&self, in_force: impl FnOnce() -> TelemetrySettings) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let content = Content {
            configured: self.configured.clone(),
            in_force: settings_to_rest(&in_force()),
        };
        if let Err(error) = self.write(&content) {
            let file = self.file.display();
            tracing::warn!(%error, %file, "telemetry settings are not kept over a restart of control");
        }
    }

    /// The file appears whole.
    fn write(&self, content: &Content) -> io::Result<()> {
        let text = serde_json::to_string(content)? + "\n";
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut draft = self.file.clone().into_os_string();
        draft.push(".new");
        std::fs::write(&draft, text)?;
        std::fs::rename(&draft, &self.file)
    }
}
