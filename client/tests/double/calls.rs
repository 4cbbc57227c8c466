//! A client's calls.

use crate::server::{Place, Server, complete, created, echo, echoed, error, handle, soon, work};
use bytes::Bytes;
use gearman_client::{Client, Error, Loss, Reach, Report, UniqueStatus};
use gearman_net::{Memory, MemoryDoor, MemoryStream, Network};
use gearman_protocol::{DecodeError, Request, Response};
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// Starts a call that nobody has waited for yet, and that must come to an end.
fn begin<T, F>(call: F) -> tokio::task::JoinHandle<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    tokio::spawn(soon(call))
}

fn begin_echo(client: &Client, data: &'static str) -> tokio::task::JoinHandle<Result<Bytes, Error>> {
    let client = client.clone();
    begin(async move { client.echo(data).await })
}

async fn is_alive(client: &Client, server: &mut Server) -> bool {
    let call = begin_echo(client, "alive?");
    assert_eq!(server.hear().await, echo("alive?"));
    server.say(&[echoed("alive?")]).await;
    call.await.unwrap().is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_request_that_the_server_ignores_fails_when_a_later_one_is_answered() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    let ignored = begin_echo(&client, "a");
    assert_eq!(server.hear().await, echo("a"));
    let answered = begin_echo(&client, "b");
    assert_eq!(server.hear().await, echo("b"));
    server.say(&[echoed("b")]).await;
    assert!(matches!(ignored.await.unwrap(), Err(Error::Unanswered)));
    assert_eq!(answered.await.unwrap().unwrap(), "b");
}

#[tokio::test(start_paused = true)]
async fn an_error_answers_the_oldest_request() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    let (first, second) = (begin_echo(&client, "a"), begin_echo(&client, "b"));
    assert_eq!([server.hear().await, server.hear().await], [echo("a"), echo("b")]);
    server.say(&[error("server_error"), echoed("b")]).await;
    let refused = first.await.unwrap();
    assert!(
        matches!(&refused, Err(Error::Refused { code, text }) if code == "server_error" && text == "because")
    );
    assert_eq!(second.await.unwrap().unwrap(), "b");
    // One that answers nothing, and wake-ups for nobody, change nothing.
    server.say(&[error("JOB_NOT_FOUND"), Response::Noop, Response::NoJob]).await;
    assert!(is_alive(&client, &mut server).await);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_understood_however_servers_spell_it() {
    let spellings: [&[u8]; 3] = [
        b"\0RES\0\0\0\x0e\0\0\0\x03H:1",
        // With a NUL that belongs to no handle.
        b"\0RES\0\0\0\x0e\0\0\0\x04H:1\0",
        // As if it went to a server.
        b"\0REQ\0\0\0\x0e\0\0\0\x03H:1",
    ];
    for spelling in spellings {
        let mut place = Place::new().await;
        let (client, mut server) = place.client().await;
        let call = begin(async move { client.job("f", "x").run().await });
        server.hear().await;
        server.say(&[created("H:1")]).await;
        server.write(spelling).await;
        assert!(matches!(call.await.unwrap(), Err(Error::Failed)));
    }
}

#[tokio::test(start_paused = true)]
async fn numbers_that_were_never_set_are_zero() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    let call = begin(async move { client.status(&handle("H:1")).await });
    assert_eq!(server.hear().await, Request::GetStatus { handle: handle("H:1") });
    server.write(b"\0RES\0\0\0\x14\0\0\0\x09H:1\x001\x000\0\0").await;
    let status = call.await.unwrap().unwrap();
    assert!(status.known && !status.running);
    assert_eq!((status.numerator, status.denominator), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_a_unique_is_told_as_the_server_says_it() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    let call = begin(async move { client.status_by_unique("key").await });
    assert_eq!(server.hear().await, Request::GetStatusUnique { unique: "key".into() });
    let (unique, known, running) = ("key".into(), true, true);
    let status = UniqueStatus { unique, known, running, numerator: 1, denominator: 2, watchers: 3 };
    server.say(&[Response::StatusUnique(status.clone())]).await;
    assert_eq!(call.await.unwrap().unwrap(), status);
}

#[tokio::test(start_paused = true)]
async fn an_option_is_on_when_the_server_says_so() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    let name = || "exceptions".into();
    for (answer, is_on) in [(Response::Option { name: name() }, true), (error("unknown_option"), false)] {
        let client = client.clone();
        let call = begin(async move { client.option("exceptions").await });
        assert_eq!(server.hear().await, Request::Option { name: name() });
        server.say(&[answer]).await;
        assert_eq!(call.await.unwrap().is_ok(), is_on);
    }
}

#[tokio::test(start_paused = true)]
async fn reports_after_the_end_are_for_nobody() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    let call = begin({
        let client = client.clone();
        async move { client.job("f", "x").run().await }
    });
    server.hear().await;
    let exception = work("H:1", Report::Exception("why".into()));
    server.say(&[created("H:1"), exception, work("H:1", Report::Fail), complete("H:2", "y")]).await;
    let ended = call.await.unwrap();
    assert!(matches!(&ended, Err(Error::Exception(why)) if why == "why"), "{ended:?}");
    assert!(is_alive(&client, &mut server).await);
}

#[tokio::test(start_paused = true)]
async fn watchers_of_one_job_take_turns() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    let run = || {
        let client = client.clone();
        begin(async move { client.job("f", "x").unique("u").run().await })
    };
    let first = run();
    server.hear().await;
    let data = |data: &'static str| work("H:1", Report::Data(data.into()));
    server.say(&[created("H:1"), data("a")]).await;
    let (second, third) = (run(), run());
    server.hear().await;
    server.hear().await;
    server.say(&[created("H:1"), created("H:1")]).await;
    // From here on the server says everything three times; the third watcher leaves, and keeps its turn.
    third.abort();
    server.say(&[data("b"), data("b"), data("b"), data("c"), data("c"), data("c")]).await;
    server.say(&[complete("H:1", "!"), complete("H:1", "!"), complete("H:1", "!")]).await;
    assert_eq!(first.await.unwrap().unwrap(), "abc!");
    assert_eq!(second.await.unwrap().unwrap(), "bc!");
}

#[tokio::test(start_paused = true)]
async fn a_call_given_up_before_it_was_written_is_never_written() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    // Nobody reads, so what is asked first fills everything up to the brim.
    let big = Bytes::from(vec![7; 2 << 20]);
    let first = begin({
        let (client, big) = (client.clone(), big.clone());
        async move { client.echo(big).await }
    });
    tokio::time::sleep(Duration::from_millis(1)).await;
    let hasty = client.with_deadline(Duration::from_millis(5));
    let given_up = soon(hasty.job("f", "x").background()).await;
    assert!(matches!(given_up, Err(Error::Deadline)));
    let last = begin_echo(&client, "last");
    assert!(server.hear().await == echo(big.clone()));
    assert_eq!(server.hear().await, echo("last"));
    // What the client has to read goes out as the client reads it.
    let reading = begin(async move {
        server.say(&[echoed(big), echoed("last")]).await;
        server
    });
    assert_eq!(last.await.unwrap().unwrap(), "last");
    assert!(first.await.unwrap().is_ok());
    drop(reading.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn more_calls_than_fit_the_buffers_are_all_carried() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    let calls: Vec<_> = (0..100_u8)
        .map(|number| {
            let (client, data) = (client.clone(), vec![number; 100_000]);
            begin(async move { client.echo(data).await })
        })
        .collect();
    for number in 0..100_u8 {
        let data = vec![number; 100_000];
        assert!(server.hear().await == echo(data.clone()));
        server.say(&[echoed(data)]).await;
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_makes_no_sense_is_left() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    let call = begin_echo(&client, "a");
    server.hear().await;
    server.write(b"\0ODD").await;
    let lost = call.await.unwrap();
    let malformed = Loss::Malformed(DecodeError::BadMagic(*b"\0ODD"));
    assert!(matches!(lost, Err(Error::Lost(loss)) if loss == malformed), "{lost:?}");
    let still_lost = soon(client.echo("b")).await;
    assert!(matches!(still_lost, Err(Error::Lost(loss)) if loss == malformed), "{still_lost:?}");
    assert_eq!(server.hear_or_end().await, None);
}

#[tokio::test(start_paused = true)]
async fn the_last_one_to_leave_ends_the_connection() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    let call = begin({
        let client = client.clone();
        async move { client.job("f", "x").submit().await }
    });
    server.hear().await;
    server.say(&[created("H:1")]).await;
    let mut watcher = call.await.unwrap().unwrap();
    drop(client);
    // A watcher is somebody.
    assert!(server.hears_nothing().await);
    server.say(&[complete("H:1", "y")]).await;
    assert_eq!(soon(watcher.next()).await.unwrap(), Some(Report::Complete("y".into())));
    assert_eq!(soon(watcher.next()).await.unwrap(), None);
    drop(watcher);
    assert_eq!(server.hear_or_end().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_writes_what_was_asked_and_reads_until_the_server_leaves_too() {
    let mut place = Place::new().await;
    let (client, mut server) = place.client().await;
    // Nobody reads, so that most of it still waits when nobody waits for its answer any more.
    let big = Bytes::from(vec![7; 1 << 20]);
    let hasty = client.with_deadline(Duration::from_millis(5));
    let given_up = soon(hasty.echo(big.clone())).await;
    assert!(matches!(given_up, Err(Error::Deadline)));
    drop((client, hasty));
    assert!(server.hear().await == echo(big.clone()));
    assert_eq!(server.hear_or_end().await, None);
    // A server that was not read from would not come to an end with this.
    server.say(&[echoed(big)]).await;
}

/// A network in which nobody ever answers.
#[derive(Clone)]
struct Silence;

impl Network for Silence {
    type Stream = MemoryStream;
    type Listener = MemoryDoor;

    async fn bind(&self, address: &str) -> io::Result<MemoryDoor> {
        Memory::new().bind(address).await
    }

    async fn connect(&self, _address: &str) -> io::Result<MemoryStream> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn connecting_has_an_end() {
    let reach = Reach { connect_timeout: Duration::from_secs(3), ..Reach::default() };
    let connecting = Client::connect_with(&Silence, "nowhere", &reach);
    let late = timeout(Duration::from_millis(3001), connecting).await.expect("it is over after 3 s");
    assert!(
        matches!(&late, Err(Error::Connect(error)) if error.kind() == io::ErrorKind::TimedOut),
        "{late:?}"
    );
    assert_eq!(late.unwrap_err().to_string(), "cannot connect: nowhere: no answer");
    let refused = Client::connect(&Memory::new(), "nobody").await.unwrap_err();
    assert_eq!(refused.to_string(), "cannot connect: nobody: nobody is there");
}
