//! The task behind a client: calls become requests, and responses find the calls and watchers they are for.

use super::calls::{Awaited, Call};
use crate::link::Link;
use crate::{Error, Loss};
use gearman_net::Stream;
use gearman_protocol::{Handle, Report, Response};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

pub(super) struct Driver<S> {
    link: Link<S>,
    calls: mpsc::Receiver<Call>,
    /// In the order in which they were sent, which is the order of the answers.
    awaited: VecDeque<Awaited>,
    watchers: Watchers,
}

impl<S: Stream> Driver<S> {
    pub(super) fn new(link: Link<S>, calls: mpsc::Receiver<Call>) -> Self {
        Self { link, calls, awaited: VecDeque::new(), watchers: Watchers::default() }
    }

    /// Carries calls until the connection is lost, whose reason is left in `loss`, or nobody can call any more.
    pub(super) async fn run(mut self, loss: Arc<OnceLock<Loss>>) {
        match poll_fn(|cx| self.poll_end(cx)).await {
            // All who wait learn of it when their channels are dropped with this task.
            Some(reason) => drop(loss.set(reason)),
            None => self.link.close().await,
        }
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Loss>> {
        loop {
            while !self.link.is_full() {
                match self.calls.poll_recv(cx) {
                    Poll::Ready(Some(call)) => self.send(call),
                    Poll::Ready(None) => return Poll::Ready(None),
                    Poll::Pending => break,
                }
            }
            match ready!(self.link.poll_next_or_room(cx)) {
                Ok(Some(response)) => self.receive(response),
                Ok(None) => {}
                Err(loss) => return Poll::Ready(Some(loss)),
            }
        }
    }

    fn send(&mut self, call: Call) {
        if !call.awaited.is_abandoned() {
            self.link.send(&call.request);
            self.awaited.push_back(call.awaited);
        }
    }

    fn receive(&mut self, response: Response) {
        if let Response::Work { handle, report } = response {
            self.watchers.tell(&handle, report);
        } else if let Response::Error { code, text } = response {
            if let Some(awaited) = self.awaited.pop_front() {
                awaited.fail(Error::Refused { code, text });
            }
        } else {
            self.answer(response);
        }
    }

    /// Gives an answer to the first call that it can be for. Calls before that were not answered and will not
    /// be: some servers ignore what they do not know.
    fn answer(&mut self, response: Response) {
        let Some(position) = self.awaited.iter().position(|awaited| awaited.is(&response)) else {
            return;
        };
        for passed_over in self.awaited.drain(..position) {
            passed_over.fail(Error::Unanswered);
        }
        if let Some(awaited) = self.awaited.pop_front() {
            awaited.answer(response, &mut self.watchers);
        }
    }
}

/// Those who hear of each job.
///
/// A server sends each report once per attached submit, so watchers of one job on one connection take turns.
#[derive(Default)]
pub(super) struct Watchers(HashMap<Handle, VecDeque<mpsc::UnboundedSender<Report>>>);

impl Watchers {
    pub(super) fn attach(&mut self, handle: Handle, watcher: mpsc::UnboundedSender<Report>) {
        self.0.entry(handle).or_default().push_back(watcher);
    }

    /// Gives the report to the watcher whose turn it is. Reports on jobs that nobody watches are for nobody:
    /// some servers go on after what others take for the end.
    fn tell(&mut self, handle: &Handle, report: Report) {
        let Some(turns) = self.0.get_mut(handle) else { return };
        let is_terminal = report.is_terminal();
        if let Some(watcher) = turns.pop_front() {
            // A watcher that was dropped keeps its turn, because the server goes on counting it.
            let _ = watcher.send(report);
            if !is_terminal {
                turns.push_back(watcher);
            }
        }
        if turns.is_empty() {
            self.0.remove(handle);
        }
    }
}
