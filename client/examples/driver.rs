//! Plays a client or a worker with this library: `driver HOST PORT`; `peers/README.md` has the line protocol.
//!
//! The conformance suite puts it under test (`cargo conformance clients --client gearwright`), and it shows at the
//! same time most of what the library can do.

use std::fmt::Write as _;
use std::future::Future;
use std::io::BufRead as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use gearman_client::{Client, Error, Failure, Handle, Job, Priority, Report, Watcher, Worker};
use gearman_net::Tcp;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (host, port) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let player = Arc::new(Mutex::new(Player::new(format!("{host}:{port}"))));
    while let Some(words) = Player::hear(&player).await {
        if words[0] == "serve" {
            serve(&player, &words[1..]).await;
        } else {
            player.lock().await.command(&words).await;
        }
    }
}

/// Says one line.
fn say(words: impl AsRef<str>) {
    println!("{}", words.as_ref());
}

/// Bytes as a word.
fn word(bytes: &[u8]) -> String {
    bytes.iter().fold("=".to_owned(), |mut word, byte| {
        let _ = write!(word, "{byte:02x}");
        word
    })
}

/// The bytes of a word.
fn data(word: &str) -> Vec<u8> {
    let digits = word.trim_start_matches('=').as_bytes();
    let pairs = digits.chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

/// A task that was told and not yet run.
struct Task {
    tag: String,
    function: String,
    unique: String,
    priority: Priority,
    workload: Vec<u8>,
}

/// What the lines have said so far.
struct Player {
    address: String,
    lines: Arc<Mutex<mpsc::UnboundedReceiver<String>>>,
    client: Option<Client>,
    exceptions: bool,
    limit: Option<Duration>,
    tasks: Vec<Task>,
}

impl Player {
    fn new(address: String) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let lines = Arc::new(Mutex::new(receiver));
        Self { address, lines, client: None, exceptions: false, limit: None, tasks: Vec::new() }
    }

    /// The words of the next line; `None` when there are no more.
    async fn hear(player: &Arc<Mutex<Self>>) -> Option<Vec<String>> {
        let lines = Arc::clone(&player.lock().await.lines);
        let line = lines.lock().await.recv().await?;
        Some(line.split(' ').map(str::to_owned).collect())
    }

    /// What a client can be told, in a program of its own or inside a job.
    async fn command(&mut self, words: &[String]) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["exceptions"] => self.exceptions = true,
            ["timeout", limit] => self.limit = limit.parse().ok().map(Duration::from_millis),
            ["task", tag, function, unique, priority, workload] => {
                self.tasks.push(task(tag, function, unique, priority, workload));
            }
            ["background", tag, function, unique, priority, workload] => {
                let task = task(tag, function, unique, priority, workload);
                match self.background(task).await {
                    Ok(handle) => say(format!("{tag} created {handle}")),
                    Err(error) => self.give_up(&error, &format!("{tag} lost")),
                }
            }
            ["run"] => self.run().await,
            ["poll" | "progress", handle] => self.poll(words[0], handle).await,
            _ => say(format!("cannot {}", words[0])),
        }
    }

    /// The connection; it is made when it is needed, and anew when it was lost.
    async fn connected(&mut self) -> Result<Client, Error> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let mut client = Client::connect(&Tcp, &self.address).await?;
        if let Some(limit) = self.limit {
            client = client.with_deadline(limit);
        }
        if self.exceptions {
            client.option("exceptions").await?;
        }
        self.client = Some(client.clone());
        Ok(client)
    }

    fn give_up(&mut self, error: &Error, words: &str) {
        say(format!("# {error}"));
        self.client = None;
        say(words);
    }

    async fn background(&mut self, task: Task) -> Result<Handle, Error> {
        let client = self.connected().await?;
        client
            .job(task.function, task.workload)
            .unique(task.unique)
            .priority(task.priority)
            .background()
            .await
    }

    /// Submits the tasks that were added, tells of each as it goes, and says how it ended.
    async fn run(&mut self) {
        let limit = self.limit.unwrap_or(Duration::MAX);
        match timeout(limit, self.all()).await {
            Ok(Ok(())) => say("ran"),
            Ok(Err(error)) if matches!(error, Error::Deadline) => self.give_up(&error, "timeout"),
            Ok(Err(error)) => self.give_up(&error, "lost"),
            Err(_) => self.give_up(&Error::Deadline, "timeout"),
        }
    }

    async fn all(&mut self) -> Result<(), Error> {
        let tasks = std::mem::take(&mut self.tasks);
        let client = self.connected().await?;
        let mut running = tokio::task::JoinSet::new();
        for Task { tag, function, unique, priority, workload } in tasks {
            let client = client.clone();
            running.spawn(async move {
                let job = client.job(function, workload).unique(unique).priority(priority);
                watch(&tag, job.submit().await?).await
            });
        }
        let mut ended = Ok(());
        while let Some(one) = running.join_next().await {
            ended = ended.and(one.unwrap_or(Ok(())));
        }
        ended
    }

    async fn poll(&mut self, verb: &str, handle: &str) {
        let handle = Handle::new(handle.to_owned());
        let asked = async { self.connected().await?.status(&handle).await };
        match asked.await {
            Ok(status) if verb == "poll" => {
                say(format!("polled {} {}", u8::from(status.known), u8::from(status.running)));
            }
            Ok(status) => {
                say(format!("progressed {} {}", status.numerator, status.denominator));
            }
            Err(error) => self.give_up(&error, "polled nothing"),
        }
    }
}

fn task(tag: &str, function: &str, unique: &str, priority: &str, workload: &str) -> Task {
    let priority = match priority {
        "high" => Priority::High,
        "low" => Priority::Low,
        _ => Priority::Normal,
    };
    let unique = if unique == "none" { "" } else { unique };
    let (tag, function) = (tag.to_owned(), function.to_owned());
    Task { tag, function, unique: unique.to_owned(), priority, workload: data(workload) }
}

/// Tells of a task until it has ended.
async fn watch(tag: &str, mut watcher: Watcher) -> Result<(), Error> {
    while let Some(report) = watcher.next().await? {
        match report {
            Report::Data(bytes) => say(format!("{tag} data {}", word(&bytes))),
            Report::Warning(bytes) => say(format!("{tag} warning {}", word(&bytes))),
            Report::Status { numerator, denominator } => {
                say(format!("{tag} status {} {}", numerator.escape_ascii(), denominator.escape_ascii()));
            }
            Report::Complete(bytes) => say(format!("{tag} complete {}", word(&bytes))),
            Report::Fail => say(format!("{tag} fail")),
            Report::Exception(bytes) => say(format!("{tag} exception {}", word(&bytes))),
        }
    }
    Ok(())
}

/// Serves functions until this program is ended.
async fn serve(player: &Arc<Mutex<Player>>, functions: &[String]) {
    let mut worker = Worker::new(Tcp, player.lock().await.address.clone());
    for function in functions {
        let (name, limit) = function.split_once(':').unwrap_or((function, "0"));
        let player = Arc::clone(player);
        let handler = move |job: Job| -> Doing { Box::pin(job_as_told(Arc::clone(&player), job)) };
        let registered = match limit.parse() {
            Ok(0) | Err(_) => worker.register(name.to_owned(), handler),
            Ok(seconds) => worker.register_within(name.to_owned(), Duration::from_secs(seconds), handler),
        };
        if let Err(error) = registered {
            say(format!("# {error}"));
        }
    }
    worker.run().await;
}

type Doing = Pin<Box<dyn Future<Output = Result<Vec<u8>, Failure>> + Send>>;

/// Does one job as the lines say.
async fn job_as_told(player: Arc<Mutex<Player>>, job: Job) -> Result<Vec<u8>, Failure> {
    say(format!("job {} {}", job.function(), word(job.workload())));
    while let Some(words) = Player::hear(&player).await {
        let list: Vec<&str> = words.iter().map(String::as_str).collect();
        match list[..] {
            ["complete", bytes] => return Ok(data(bytes)),
            ["fail"] => return Err(Failure::Fail),
            ["exception" | "die", bytes] => return Err(Failure::Exception(data(bytes).into())),
            ["data", bytes] => job.data(data(bytes)).await?,
            ["warning", bytes] => job.warning(data(bytes)).await?,
            ["status", numerator, denominator] => {
                job.status(numerator.parse().unwrap_or(0), denominator.parse().unwrap_or(0)).await?;
            }
            ["unique"] => say(format!("unique {}", job.unique())),
            _ => player.lock().await.command(&words).await,
        }
    }
    // The runner is gone, and so is the reason to work.
    std::process::exit(0)
}
