//! The service manager that may have started us: systemd, or whatever speaks its protocol.

use gearman_net::Inherited;
use listenfd::ListenFd;
use sd_notify::NotifyState;
use std::io;

/// The listening sockets that it opened for us. To be asked once, before there are threads.
///
/// # Errors
/// If one of them is not of a kind that peers can connect to: one line that says which.
pub(crate) fn inherited() -> Result<Vec<Inherited>, String> {
    let mut handed_over = ListenFd::from_env();
    (0..handed_over.len()).map(|index| take(&mut handed_over, index)).collect()
}

fn take(handed_over: &mut ListenFd, index: usize) -> Result<Inherited, String> {
    let of_tcp = handed_over.take_tcp_listener(index).map(|listener| listener.map(Inherited::Tcp));
    let of_unix =
        |_: io::Error| handed_over.take_unix_listener(index).map(|listener| listener.map(Inherited::Unix));
    match of_tcp.or_else(of_unix) {
        Ok(Some(listener)) => Ok(listener),
        _ => Err(format!(
            "socket {index} of those handed over does not listen; use ListenStream= in the socket unit"
        )),
    }
}

/// Peers can connect.
pub(crate) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// The configuration is being read anew; [`ready`] says when that is done.
pub(crate) fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        notify(&[NotifyState::Reloading, now]);
    }
}

/// We are on our way out.
pub(crate) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Nobody may be there to hear it.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("the service manager does not hear us: {error}");
    }
}
