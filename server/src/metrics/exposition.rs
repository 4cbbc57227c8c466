//! The figures in Prometheus' text format.

use super::row::Row;
use crate::{Control, Traffic};
use gearman_engine::{Figures, Refused};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use tokio::task::yield_now;

/// How many functions are told of in one go, while everybody else waits.
const PIECE: usize = 256;

/// Everything that a page shows.
#[derive(Debug)]
pub(super) struct Page {
    figures: Figures,
    traffic: Traffic,
    is_accepting: bool,
    rows: Vec<Row>,
}

impl Page {
    pub(super) fn new(control: &Control, rows: Vec<Row>) -> Self {
        Self {
            figures: control.figures(),
            traffic: control.traffic(),
            is_accepting: control.is_accepting(),
            rows,
        }
    }

    /// Writes the page, piece by piece; between two pieces others have their turn.
    pub(super) async fn text(self) -> String {
        let page = Arc::new(self);
        let mut text = String::new();
        for family in Family::all() {
            let mut rows = 0..PIECE.min(page.rows.len());
            loop {
                Piece { page: Arc::clone(&page), family, rows: rows.clone() }.write(&mut text);
                yield_now().await;
                rows = rows.end..page.rows.len().min(rows.end + PIECE);
                if rows.is_empty() {
                    break;
                }
            }
        }
        text
    }
}

/// Some rows of a family; the first of them have its head as well.
#[derive(Debug)]
struct Piece {
    page: Arc<Page>,
    family: Family,
    rows: Range<usize>,
}

/// Metrics that are written together.
#[derive(Clone, Copy, Debug)]
enum Family {
    /// All that are not about functions.
    OfServer,
    /// Jobs that wait, by priority.
    Waiting,
    /// For how long the first of them has.
    Oldest,
    /// Any other number of each function.
    OfFunction(&'static OfFunction),
}

impl Family {
    fn all() -> impl Iterator<Item = Self> {
        [Self::OfServer, Self::Waiting, Self::Oldest]
            .into_iter()
            .chain(OF_FUNCTION.iter().map(Self::OfFunction))
    }
}

impl Piece {
    fn write(self, text: &mut String) {
        let (is_first, mut piece) = (self.rows.start == 0, String::new());
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        encode(&mut piece, &registry).expect("a string takes everything");
        text.extend(piece.split_inclusive('\n').skip_while(|line| !is_first && line.starts_with('#')));
    }

    fn rows(&self) -> &[Row] {
        &self.page.rows[self.rows.clone()]
    }
}

/// A number of the whole server.
struct OfServer {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    value: fn(&Page) -> u64,
}

/// A number of each function.
#[derive(Debug)]
struct OfFunction {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    value: fn(&Row) -> u64,
}

use MetricType::{Counter, Gauge};

const OF_SERVER: &[OfServer] = &[
    OfServer {
        name: "gearmand_ready",
        help: "Whether new connections are taken: 0 while it drains",
        kind: Gauge,
        value: |page| u64::from(page.is_accepting),
    },
    OfServer {
        name: "gearmand_connections",
        help: "Connections that are open",
        kind: Gauge,
        value: |page| page.figures.vitals.connections as u64,
    },
    OfServer {
        name: "gearmand_connections_opened",
        help: "Connections since the start, those that were sent away included",
        kind: Counter,
        value: |page| page.figures.opened,
    },
    OfServer {
        name: "gearmand_accept_failures",
        help: "How often the system would not hand over a connection; mostly it has no descriptors left",
        kind: Counter,
        value: |page| page.traffic.accept_failures,
    },
    OfServer {
        name: "gearmand_received_bytes",
        help: "Bytes that peers have sent",
        kind: Counter,
        value: |page| page.traffic.received,
    },
    OfServer {
        name: "gearmand_sent_bytes",
        help: "Bytes that peers have taken",
        kind: Counter,
        value: |page| page.traffic.sent,
    },
    OfServer {
        name: "gearmand_memory_bytes",
        help: "Bytes of workloads, buffers and tables, as the memory limit counts them",
        kind: Gauge,
        value: |page| page.figures.vitals.memory as u64,
    },
    OfServer {
        name: "gearmand_memory_limit_bytes",
        help: "Bytes that workloads, buffers and tables may take",
        kind: Gauge,
        value: |page| page.figures.memory_limit as u64,
    },
    OfServer {
        name: "gearmand_functions",
        help: "Functions that are known",
        kind: Gauge,
        value: |page| page.figures.vitals.functions as u64,
    },
    OfServer {
        name: "gearmand_jobs",
        help: "Jobs that are scheduled, wait or run, or wait for the store",
        kind: Gauge,
        value: |page| page.figures.vitals.jobs as u64,
    },
];

const OF_FUNCTION: &[OfFunction] = &[
    OfFunction {
        name: "gearmand_jobs_scheduled",
        help: "Jobs that are not due yet",
        kind: Gauge,
        value: |row| row.scheduled,
    },
    OfFunction {
        name: "gearmand_jobs_running",
        help: "Jobs that workers hold",
        kind: Gauge,
        value: |row| row.running,
    },
    OfFunction {
        name: "gearmand_workers",
        help: "Workers that can do the function",
        kind: Gauge,
        value: |row| row.workers,
    },
    OfFunction {
        name: "gearmand_jobs_submitted",
        help: "Submits that made a job",
        kind: Counter,
        value: |row| row.counts.submitted,
    },
    OfFunction {
        name: "gearmand_jobs_coalesced",
        help: "Submits that joined a live job",
        kind: Counter,
        value: |row| row.counts.coalesced,
    },
    OfFunction {
        name: "gearmand_jobs_completed",
        help: "Jobs that ended with WORK_COMPLETE",
        kind: Counter,
        value: |row| row.counts.completed,
    },
    OfFunction {
        name: "gearmand_jobs_failed",
        help: "Jobs that ended with WORK_FAIL or WORK_EXCEPTION of their worker",
        kind: Counter,
        value: |row| row.counts.failed,
    },
    OfFunction {
        name: "gearmand_jobs_dropped",
        help: "Jobs that failed because their worker was lost too often (see --job-retries)",
        kind: Counter,
        value: |row| row.counts.dropped,
    },
    OfFunction {
        name: "gearmand_jobs_cancelled",
        help: "Jobs that ended with the text command cancel job",
        kind: Counter,
        value: |row| row.counts.cancelled,
    },
    OfFunction {
        name: "gearmand_jobs_abandoned",
        help: "Foreground jobs that ended because nobody waited for them any more",
        kind: Counter,
        value: |row| row.counts.abandoned,
    },
    OfFunction {
        name: "gearmand_jobs_retried",
        help: "How often a job went back to its queue because its worker was lost",
        kind: Counter,
        value: |row| row.counts.retried,
    },
    OfFunction {
        name: "gearmand_jobs_timed_out",
        help: "How often a job took longer than its worker said it may",
        kind: Counter,
        value: |row| row.counts.timed_out,
    },
];

const WAITING: &str = "gearmand_jobs_waiting";
const OLDEST: &str = "gearmand_oldest_waiting_seconds";
const REFUSALS: &str = "gearmand_refusals";
const PRIORITIES: [&str; 3] = ["high", "normal", "low"];

impl Collector for Piece {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        match self.family {
            Family::OfServer => self.page.encode_server(encoder),
            Family::Waiting => encode_waiting(self.rows(), encoder),
            Family::Oldest => encode_oldest(self.rows(), encoder),
            Family::OfFunction(number) => number.encode(self.rows(), encoder),
        }
    }
}

impl Page {
    fn encode_server(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for OfServer { name, help, kind, value } in OF_SERVER {
            let metric = encoder.encode_descriptor(name, help, None, *kind)?;
            encode_value(metric, *kind, value(self))?;
        }
        let mut refusals =
            encoder.encode_descriptor(REFUSALS, "What was declined, by reason", None, Counter)?;
        for reason in Refused::ALL {
            let count = self.figures.refusals.of(reason);
            encode_value(refusals.encode_family(&[("reason", reason.as_str())])?, Counter, count)?;
        }
        Ok(())
    }
}

fn encode_waiting(rows: &[Row], mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
    let mut waiting = encoder.encode_descriptor(WAITING, "Jobs that wait for a worker", None, Gauge)?;
    for row in rows {
        for (priority, count) in PRIORITIES.into_iter().zip(row.waiting) {
            let labels = [("function", row.label.as_str()), ("priority", priority)];
            encode_value(waiting.encode_family(&labels)?, Gauge, count)?;
        }
    }
    Ok(())
}

fn encode_oldest(rows: &[Row], mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
    let help = "For how long the job has waited that has waited longest; 0 if none waits";
    let mut oldest = encoder.encode_descriptor(OLDEST, help, None, Gauge)?;
    for row in rows {
        let labels = [("function", row.label.as_str())];
        oldest.encode_family(&labels)?.encode_gauge(&row.oldest.as_secs_f64())?;
    }
    Ok(())
}

impl OfFunction {
    fn encode(&self, rows: &[Row], mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, self.kind)?;
        for row in rows {
            let labels = [("function", row.label.as_str())];
            encode_value(metric.encode_family(&labels)?, self.kind, (self.value)(row))?;
        }
        Ok(())
    }
}

fn encode_value(mut metric: MetricEncoder<'_>, kind: MetricType, value: u64) -> fmt::Result {
    if matches!(kind, Counter) {
        metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
    } else {
        metric.encode_gauge(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gearman_engine::Counts;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::time::Duration;

    /// Each line of `text` that begins with `name`.
    fn lines<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
        text.lines().filter(|line| line.starts_with(name)).collect()
    }

    async fn text(rows: Vec<Row>) -> String {
        let (figures, traffic) = (Figures::default(), Traffic::default());
        Page { figures, traffic, is_accepting: true, rows }.text().await
    }

    #[tokio::test]
    async fn a_function_is_told_by_priority_and_in_seconds() {
        let row = Row {
            label: r#"say "hi" \\ größe"#.into(),
            waiting: [1, 2, 3],
            oldest: Duration::from_millis(1500),
            counts: Counts { completed: 7, ..Counts::default() },
            ..Row::default()
        };
        let text = text(vec![row]).await;
        let function = r#"function="say \"hi\" \\\\ größe""#;
        let waiting = [("high", 1), ("normal", 2), ("low", 3)].map(|(priority, count)| {
            format!(r#"gearmand_jobs_waiting{{{function},priority="{priority}"}} {count}"#)
        });
        assert_eq!(lines(&text, "gearmand_jobs_waiting{"), waiting);
        let oldest = lines(&text, "gearmand_oldest_waiting_seconds{");
        assert_eq!(oldest, [format!("gearmand_oldest_waiting_seconds{{{function}}} 1.5")]);
        let completed = lines(&text, "gearmand_jobs_completed_total{");
        assert_eq!(completed, [format!("gearmand_jobs_completed_total{{{function}}} 7")]);
    }

    #[tokio::test]
    async fn every_reason_of_a_refusal_is_told() {
        let text = text(vec![]).await;
        let refusals = lines(&text, "gearmand_refusals_total{");
        assert_eq!(refusals.len(), Refused::ALL.len());
        assert_eq!(refusals[0], r#"gearmand_refusals_total{reason="maxqueue"} 0"#);
    }

    #[tokio::test]
    async fn very_many_functions_are_told_in_pieces_that_make_one_page() {
        let labels: Vec<String> = (0..2 * PIECE + 1).map(|number| format!("f{number}")).collect();
        let row = |label: &String| Row { label: label.clone(), running: 1, ..Row::default() };
        let (mut telling, mut turns) = (pin!(text(labels.iter().map(row).collect())), 0);
        let text = poll_fn(|cx| {
            turns += 1;
            telling.as_mut().poll(cx)
        })
        .await;
        // Others have their turn after each piece.
        assert!(turns > 3 * (Family::all().count() - 1), "{turns}");
        assert_eq!(lines(&text, "# TYPE gearmand_jobs_running ").len(), 1);
        let told = labels.iter().map(|label| format!("gearmand_jobs_running{{function=\"{label}\"}} 1"));
        assert_eq!(lines(&text, "gearmand_jobs_running{"), told.collect::<Vec<_>>());
        assert_eq!(lines(&text, "gearmand_jobs_waiting{").len(), 3 * labels.len());
    }
}
