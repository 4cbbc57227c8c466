//! Real clients and workers at the real engine.

use crate::crier::{HERE, Still};
use bytes::Bytes;
use gearman_client::{Client, Failure, Job, Worker};
use gearman_engine::{Config as Policy, Engine};
use gearman_net::Memory;
use gearman_net::sync::explore;
use gearman_server::{Config, Control, Finish, serve};
use shuttle::future::{JoinHandle, block_on, spawn};
use std::sync::Arc;

async fn start(network: &Memory) -> Control {
    let engine = Engine::new(Policy::default(), 1);
    serve(network, Still::new(), engine, Config::at(HERE)).await.unwrap()
}

async fn same(job: Job) -> Result<Bytes, Failure> {
    Ok(job.workload().clone())
}

fn worker(network: &Memory) -> Worker<Memory> {
    let mut worker = Worker::new(network.clone(), HERE);
    worker.register("same", same).unwrap();
    worker
}

fn submit(client: &Client, workload: &'static str) -> JoinHandle<bool> {
    let client = client.clone();
    spawn(async move { client.job("same", workload).run().await.is_ok_and(|result| result == workload) })
}

#[test]
fn a_worker_that_is_asked_to_stop_stops_whatever_it_does() {
    explore(|| {
        block_on(async {
            let network = Memory::new();
            let _server = start(&network).await;
            let worker = Arc::new(worker(&network));
            let stop = worker.stopper();
            let working = spawn(async move { worker.run_once().await });
            let client = Client::connect(&network, HERE).await.unwrap();
            assert!(submit(&client, "a").await.unwrap());
            stop.stop();
            working.await.unwrap().unwrap();
        });
    });
}

#[test]
fn a_drain_ends_when_the_last_job_has() {
    explore(|| {
        block_on(async {
            let network = Memory::new();
            let server = start(&network).await;
            let worker = worker(&network);
            let working = spawn(async move { worker.run_once().await });
            let client = Client::connect(&network, HERE).await.unwrap();
            // Whose job is done is served by a worker that the drain finds there.
            assert!(submit(&client, "a").await.unwrap());
            let last = submit(&client, "b");
            // The client leaves when it has its answer, and the server tells all to leave at about that time.
            drop(client);
            server.drain();
            assert_eq!(server.finished().await, Finish::Finished);
            last.await.unwrap();
            working.await.unwrap().unwrap_err();
        });
    });
}
