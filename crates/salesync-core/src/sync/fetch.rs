//! The first stage: pages, one after the other, until the stream has caught up or the run must end.

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::SyncContext;
use crate::cursor::Cursor;
use crate::error::{Code, Error, Result};
use crate::source::{Page, Progress, Stream};

/// Fetches pages into `pages` and returns how the reading ended: `Ok` when the stream has caught up.
///
/// The next page is asked for while the last one is decoded; two pages in a row with one cursor end
/// the run, since nobody moves then.
pub(super) async fn pages(
    cx: &SyncContext,
    stream: &dyn Stream,
    mut from: Option<Cursor>,
    pages: mpsc::Sender<Page>,
) -> Result<()> {
    let mut stop = cx.stop.clone();
    loop {
        if *stop.borrow_and_update() {
            return Err(Error::new(Code::RunStopped, "read a stream"));
        }
        if cx
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
        {
            return Err(Error::new(Code::RunDeadline, "read a stream"));
        }
        let page = tokio::select! {
            page = stream.fetch(from.as_ref()) => page?,
            Ok(_) = stop.wait_for(|stop| *stop) => {
                return Err(Error::new(Code::RunStopped, "read a stream"));
            }
        };
        let progress = page.progress;
        if progress == Progress::More && from.as_ref() == Some(&page.next) {
            return Err(Error::new(Code::RunNoProgress, "read a stream"));
        }
        from = Some(page.next.clone());
        // The receiver is gone only when the commit failed, and then it says why.
        if pages.send(page).await.is_err() || progress == Progress::CaughtUp {
            return Ok(());
        }
    }
}
