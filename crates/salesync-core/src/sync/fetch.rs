//! The first stage: pages, one after the other, until the stream has caught up or the run must end.

use std::future::pending;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::SyncContext;
use crate::backlog::Due;
use crate::cursor::Cursor;
use crate::error::{Code, Error, Result};
use crate::source::{Page, Progress, Stream};

/// So much side data is asked for before what came is committed.
const DUE_AT_ONCE: usize = 200;
/// A page that was asked for before the deadline may come so much later. Longer than that a source may keep us waiting for
/// minutes, and what is in hand must be committed before a platform ends the process.
const GRACE: Duration = Duration::from_secs(10);

/// Where one part's pages go: its number, and the queue that all parts share.
#[derive(Debug, Clone)]
pub(super) struct PageSender {
    pub(super) index: usize,
    pub(super) pages: mpsc::Sender<(usize, Page)>,
}

impl PageSender {
    /// Sends a page; returns whether anyone takes it. Nobody does only when the commit failed, and then it
    /// says why.
    async fn send(&self, page: Page) -> bool {
        self.pages.send((self.index, page)).await.is_ok()
    }
}

/// Fetches pages into `pages` and returns how the reading ended: `Ok` when the stream has caught up.
///
/// The next page is asked for while the last one is decoded; two pages in a row with one cursor end
/// the run, since nobody moves then.
pub(super) async fn pages(
    cx: &SyncContext,
    stream: &dyn Stream,
    mut from: Option<Cursor>,
    pages: PageSender,
) -> Result<()> {
    loop {
        let page = unless_stopped(cx, stream.fetch(from.as_ref())).await?;
        let progress = page.progress;
        if progress == Progress::More && from.as_ref() == Some(&page.next) {
            return Err(Error::new(Code::RunNoProgress, "read a stream"));
        }
        from = Some(page.next.clone());
        if !pages.send(page).await || progress == Progress::CaughtUp {
            return Ok(());
        }
    }
}

/// Fetches what is due into `pages`. The cursor is `from` until all of it was asked for, then `to`.
pub(super) async fn due(
    cx: &SyncContext,
    stream: &dyn Stream,
    (due, from, to): (Vec<Due>, Cursor, Cursor),
    pages: PageSender,
) -> Result<()> {
    let mut chunks = due.chunks(DUE_AT_ONCE).peekable();
    while let Some(chunk) = chunks.next() {
        let page = unless_stopped(cx, stream.look_up(chunk)).await?;
        let next = match chunks.peek() {
            Some(_) => from.clone(),
            None => to.clone(),
        };
        if !pages.send(Page { next, ..page }).await {
            break;
        }
    }
    Ok(())
}

/// Waits for a page, unless the run must end.
async fn unless_stopped(
    cx: &SyncContext,
    page: impl Future<Output = Result<Page>>,
) -> Result<Page> {
    let mut stop = cx.stop.clone();
    if *stop.borrow_and_update() {
        return Err(Error::new(Code::RunStopped, "read a stream"));
    }
    if cx
        .deadline
        .is_some_and(|deadline| Instant::now() >= deadline)
    {
        return Err(Error::new(Code::RunDeadline, "read a stream"));
    }
    let too_late = async {
        match cx.deadline {
            Some(deadline) => sleep_until(deadline + GRACE).await,
            None => pending().await,
        }
    };
    tokio::select! {
        page = page => page,
        Ok(_) = stop.wait_for(|stop| *stop) => Err(Error::new(Code::RunStopped, "read a stream")),
        () = too_late => Err(Error::new(Code::RunDeadline, "wait for a page")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::watch;

    use super::*;
    use crate::memory::MemoryWarehouse;
    use crate::run::RunId;
    use crate::sync::{BatchLimits, Observation};
    use crate::time::Timestamp;

    #[tokio::test(start_paused = true)]
    async fn a_page_that_does_not_come_is_given_up_soon_after_the_deadline() {
        let (_sender, stop) = watch::channel(false);
        let started = Instant::now();
        let deadline = started + Duration::from_secs(5);
        let cx = SyncContext {
            warehouse: Arc::new(MemoryWarehouse::new()),
            run_id: RunId::new(Timestamp::EPOCH),
            now: Timestamp::EPOCH,
            started,
            deadline: Some(deadline),
            stop,
            limits: BatchLimits::default(),
            observe: Arc::new(|_: &Observation| {}),
            adapters: String::new(),
        };
        let error = unless_stopped(&cx, pending()).await.unwrap_err();
        assert_eq!(error.code(), Code::RunDeadline);
        let late = Instant::now() - deadline;
        assert!(
            late >= GRACE && late < GRACE + Duration::from_secs(1),
            "{late:?}"
        );
    }
}
