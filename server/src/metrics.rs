//! What those who watch over a server may ask of it, over HTTP: `/metrics` in Prometheus' text format, `/healthz`
//! and `/readyz`.

mod exposition;
mod label;
mod row;

use crate::Control;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use gearman_net::{Listener, Network};
use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
use std::io;
use std::time::Duration;
use tokio::time::sleep;

/// How long to wait after the system would not hand over a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the three pages at an address until the server has ended; says where.
///
/// `functions` is how many functions have labels of their own: the oldest that are known. The rest is summed up
/// as the function `other`, as is a function of that name.
///
/// # Errors
/// If the address cannot be listened at; the text names it.
pub async fn serve_metrics<N: Network>(
    network: &N,
    address: &str,
    control: Control,
    functions: usize,
) -> io::Result<String> {
    let listener = network.bind(address).await?;
    let address = listener.address()?;
    let door = Door { listener, address: address.clone() };
    let pages = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(Watcher { control, functions });
    tokio::spawn(async move { axum::serve(door, pages).await });
    Ok(address)
}

#[derive(Clone)]
struct Watcher {
    control: Control,
    functions: usize,
}

async fn metrics(State(watcher): State<Watcher>) -> impl IntoResponse {
    let rows = row::rows(&watcher.control, watcher.functions).await;
    let text = exposition::Page::new(&watcher.control, rows).text().await;
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text)
}

/// The process answers, and nobody holds the engine for ever.
async fn healthz(State(watcher): State<Watcher>) -> &'static str {
    let _ = watcher.control.figures();
    "ok\n"
}

/// Whether new connections are taken: not any more when it drains.
async fn readyz(State(watcher): State<Watcher>) -> (StatusCode, &'static str) {
    if watcher.control.is_accepting() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    }
}

/// Our listener, as axum wants it.
struct Door<L> {
    listener: L,
    address: String,
}

impl<L: Listener> axum::serve::Listener for Door<L> {
    type Io = L::Stream;
    type Addr = String;

    async fn accept(&mut self) -> (L::Stream, String) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<String> {
        Ok(self.address.clone())
    }
}
