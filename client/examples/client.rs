//! A client that has text reversed: `cargo run -p gearman-client --example client -- 127.0.0.1:4730 hello`.

use gearman_client::Client;
use gearman_net::Tcp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), gearman_client::Error> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:4730".to_owned());
    let client = Client::connect(&Tcp, &address).await?;
    let result = client.job("reverse", arguments.next().unwrap_or_default()).run().await?;
    println!("{}", result.escape_ascii());
    Ok(())
}
