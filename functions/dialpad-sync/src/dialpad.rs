//! Dialpad, all streams of one company.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use salesync_core::error::{Code, Error, Result};
use salesync_core::source::{Source, SourceSettings, Stream};
use salesync_core::time::Timestamp;
use salesync_http::{Client, Request};

use crate::SOURCE;
use crate::calls::{CallStream, latest};
use crate::client::{self, API};
use crate::export::{EXPORTS, ExportStream};
use crate::kinds::KINDS;
use crate::listing::ListingStream;
use crate::settings::Settings;
use crate::transcripts::TranscriptStream;

/// One company.
struct Dialpad {
    http: Client,
    settings: Settings,
    now: Timestamp,
}

/// Returns Dialpad; nothing is sent before it is used.
pub(crate) fn connect(given: SourceSettings) -> Result<Arc<dyn Source>> {
    Ok(Arc::new(Dialpad {
        settings: Settings::read(&given)?,
        http: client::connect(&given)?,
        now: given.now,
    }))
}

#[async_trait]
impl Source for Dialpad {
    async fn check(&self) -> Result<()> {
        // What needs the one scope that nothing works without.
        let request = Request::get("check the login", latest(&self.http), API);
        self.http.send(&request).await.map(drop)
    }

    async fn open(&self, stream: &str, _part: Option<&str>) -> Result<Arc<dyn Stream>> {
        let http = self.http.for_stream();
        if let Some(kind) = KINDS.iter().find(|kind| kind.stream == stream) {
            return Ok(Arc::new(ListingStream::new(http, kind)?));
        }
        if let Some(export) = EXPORTS.iter().find(|export| export.stream == stream) {
            let origin = self.settings.export_origin.as_deref();
            let range = (self.settings.export_days, origin);
            return Ok(Arc::new(ExportStream::new(http, export, range, self.now)?));
        }
        match stream {
            "calls" | "recordings" => Ok(Arc::new(CallStream::new(http, self.settings.clone())?)),
            "transcripts" => Ok(Arc::new(TranscriptStream::new(
                http,
                self.settings.transcripts,
            )?)),
            _ => Err(Error::new(Code::RequestInvalid, "open a stream").with("source", SOURCE.name)),
        }
    }

    fn clock(&self) -> Timestamp {
        self.http.clock()
    }
}

impl fmt::Debug for Dialpad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dialpad").field(&self.http).finish()
    }
}
