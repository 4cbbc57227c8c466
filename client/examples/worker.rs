//! A worker that reverses text: `cargo run -p gearman-client --example worker -- 127.0.0.1:4730`.

use gearman_client::{Failure, Job, Worker};
use gearman_net::Tcp;

async fn reverse(job: Job) -> Result<String, Failure> {
    Ok(std::str::from_utf8(job.workload())?.chars().rev().collect())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gearman_client::Error> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4730".to_owned());
    let mut worker = Worker::new(Tcp, address);
    worker.register("reverse", reverse)?;
    worker.run().await;
    Ok(())
}
