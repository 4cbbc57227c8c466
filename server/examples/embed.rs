//! A program with a job server in it: `cargo run -p gearman-server --example embed`.

use gearman_engine::{Config, Engine};
use gearman_net::{MachineClock, Tcp};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let engine = Engine::new(Config::default(), 0x5eed);
    let listen = gearman_server::Config::at("127.0.0.1:0");
    let server = gearman_server::serve(&Tcp, MachineClock::new(), engine, listen).await?;
    println!("workers and clients may come to {}", server.addresses()[0]);
    server.stop(); // A program that goes on would call `server.finished().await` alone.
    println!("it ended with code {}", server.finished().await.code());
    Ok(())
}
