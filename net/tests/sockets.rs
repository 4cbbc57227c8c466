//! Everything that can be listened at, over the machine's own sockets.
#![cfg(test)]

use gearman_net::{Inherited, Listener, Network, SocketDoor, Sockets};
use std::io::ErrorKind;
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A path of this test's own below the build's temporary directory.
fn path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn at(path: &std::path::Path) -> String {
    format!("unix:{}", path.display())
}

/// A byte goes in at the address and out at the door; gives how the door calls the peer.
async fn meet(network: &Sockets, door: &mut SocketDoor, address: &str) -> String {
    let mut peer = network.connect(address).await.unwrap();
    peer.write_all(b"x").await.unwrap();
    let (mut stream, name) = door.accept().await.unwrap();
    let mut byte = [0];
    stream.read_exact(&mut byte).await.unwrap();
    assert_eq!(byte, *b"x");
    name
}

#[tokio::test]
async fn a_name_stands_for_all_its_addresses_at_one_port() {
    let network = Sockets::new(8);
    let mut door = network.bind("localhost:0").await.unwrap();
    let told = door.address().unwrap();
    let addresses: Vec<&str> = told.split(" and ").collect();
    assert!(addresses.iter().any(|address| address.starts_with("127.0.0.1:")), "{told}");
    for address in addresses {
        let host = address.rsplit_once(':').unwrap().0.trim_matches(['[', ']']);
        assert_eq!(meet(&network, &mut door, address).await, host);
    }
}

#[tokio::test]
async fn everywhere_takes_ipv4_by_its_plain_name() {
    let network = Sockets::new(8);
    let mut door = network.bind("*:0").await.unwrap();
    let port = door.address().unwrap().rsplit_once(':').unwrap().1.to_owned();
    assert_eq!(meet(&network, &mut door, &format!("127.0.0.1:{port}")).await, "127.0.0.1");
}

#[tokio::test]
async fn everywhere_takes_ipv6_where_the_machine_has_it() {
    let network = Sockets::new(8);
    let mut door = network.bind("*:0").await.unwrap();
    let told = door.address().unwrap();
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    assert_eq!(told.starts_with("[::]:"), has_ipv6, "{told}");
    if has_ipv6 {
        let port = told.rsplit_once(':').unwrap().1;
        assert_eq!(meet(&network, &mut door, &format!("[::1]:{port}")).await, "::1");
    }
}

#[tokio::test]
async fn a_unix_socket_comes_and_goes_with_its_door() {
    let (network, path) = (Sockets::new(8), path("comes-and-goes"));
    let mut door = network.bind(&at(&path)).await.unwrap();
    assert_eq!(door.address().unwrap(), at(&path));
    assert_eq!(meet(&network, &mut door, &at(&path)).await, "unix");
    drop(door);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_that_a_crash_left_behind_is_replaced() {
    let (network, path) = (Sockets::new(8), path("left-behind"));
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let mut door = network.bind(&at(&path)).await.unwrap();
    meet(&network, &mut door, &at(&path)).await;
}

#[tokio::test]
async fn a_socket_in_use_is_left_alone() {
    let (network, path) = (Sockets::new(8), path("in-use"));
    let mut first = network.bind(&at(&path)).await.unwrap();
    let refusal = network.bind(&at(&path)).await.unwrap_err();
    assert_eq!(refusal.kind(), ErrorKind::AddrInUse);
    assert!(refusal.to_string().starts_with(&at(&path)), "{refusal}");
    // The attempt itself came in as a peer and left again.
    first.accept().await.unwrap();
    meet(&network, &mut first, &at(&path)).await;
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let (network, path) = (Sockets::new(8), path("a-file"));
    std::fs::write(&path, "mine").unwrap();
    assert_eq!(network.bind(&at(&path)).await.unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

#[tokio::test]
async fn a_door_removes_no_socket_but_its_own() {
    let (network, path) = (Sockets::new(8), path("not-ours"));
    let door = network.bind(&at(&path)).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let other = std::os::unix::net::UnixListener::bind(&path).unwrap();
    drop(door);
    assert!(path.exists());
    drop(other);
}

#[tokio::test]
async fn sockets_of_another_process_are_taken_over_once() {
    let path = path("handed-over");
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp_address = tcp.local_addr().unwrap().to_string();
    let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let network = Sockets::new(8).with_inherited([Inherited::Tcp(tcp), Inherited::Unix(unix)]);
    let mut door = network.bind("inherited:0").await.unwrap();
    assert_eq!(meet(&network, &mut door, &tcp_address).await, "127.0.0.1");
    let mut door = network.bind("inherited:1").await.unwrap();
    assert_eq!(meet(&network, &mut door, &at(&path)).await, "unix");
    for none_left in ["inherited:1", "inherited:2", "inherited:x"] {
        assert_eq!(network.bind(none_left).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
    // Who made it goes on using it.
    drop(door);
    assert!(path.exists());
}
