//! What only Dialpad has to be told.

use std::time::Duration;

use salesync_core::error::{Code, Error, Result};
use salesync_core::source::{SourceSetting, SourceSettings};
use url::Url;

const HOUR: Duration = Duration::from_secs(3_600);

/// The settings' names and rules.
pub(crate) const SETTINGS: &[SourceSetting] = &[
    SourceSetting {
        name: "LONGEST_CALL_HOURS",
        default: "6",
        meaning: "how long a call may last; each sync looks so far back, since a call appears when it ends",
        check: |text| {
            within(text, 1, 72)
                .is_none()
                .then_some("a whole number of hours, 1 to 72")
        },
    },
    SourceSetting {
        name: "TRANSCRIPTS",
        default: "on",
        meaning: "whether transcripts are read: on, or off",
        check: |text| switch(text).is_none().then_some("on or off"),
    },
    SourceSetting {
        name: "STATS_DAYS",
        default: "90",
        meaning: "how many days back voicemails and texts are exported the first time",
        check: |text| {
            within(text, 1, 3_650)
                .is_none()
                .then_some("a whole number of days, 1 to 3650")
        },
    },
    SourceSetting {
        name: "EXPORT_ORIGIN",
        default: "",
        meaning: "the origin that exported files may be fetched from, where it is not the API's own",
        check: |text| {
            let rule = "empty, or an https origin without a path";
            (!text.is_empty() && origin(text).is_none()).then_some(rule)
        },
    },
];

/// The settings, read.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) longest_call: Duration,
    pub(crate) transcripts: Transcripts,
    pub(crate) export_days: i64,
    /// Where exported files may lie beside the API's own origin.
    pub(crate) export_origin: Option<String>,
}

/// Whether transcripts are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transcripts {
    On,
    Off,
}

impl Settings {
    pub(crate) fn read(given: &SourceSettings) -> Result<Self> {
        let value = |name| given.value(name);
        let wrong = |name: &str| {
            Error::new(Code::ConfigInvalid, "read settings")
                .with("setting", format!("SALESYNC_DIALPAD_{name}"))
        };
        let number =
            |name, least, most| within(value(name), least, most).ok_or_else(|| wrong(name));
        let hours = number("LONGEST_CALL_HOURS", 1, 72)?;
        Ok(Self {
            longest_call: HOUR.saturating_mul(hours),
            transcripts: switch(value("TRANSCRIPTS")).ok_or_else(|| wrong("TRANSCRIPTS"))?,
            export_days: number("STATS_DAYS", 1, 3_650)?.into(),
            export_origin: match value("EXPORT_ORIGIN") {
                "" => None,
                text => Some(origin(text).ok_or_else(|| wrong("EXPORT_ORIGIN"))?),
            },
        })
    }
}

fn within(text: &str, least: u32, most: u32) -> Option<u32> {
    text.parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
}

fn switch(text: &str) -> Option<Transcripts> {
    match text {
        "on" => Some(Transcripts::On),
        "off" => Some(Transcripts::Off),
        _ => None,
    }
}

fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    (url.scheme() == "https" && is_plain).then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_keeps_its_rule_and_a_wrong_value_breaks_it() {
        let wrong = ["0", "yes", "-1", "ftp://x"];
        for (setting, wrong) in SETTINGS.iter().zip(wrong) {
            assert_eq!((setting.check)(setting.default), None, "{}", setting.name);
            assert!((setting.check)(wrong).is_some(), "{} {wrong}", setting.name);
        }
    }
}
