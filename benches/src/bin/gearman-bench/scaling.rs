//! How far it goes: more cores, which is measured on one and two and predicted beyond, and more servers.

use crate::chart::{BLUE, GREY, LIGHT_BLUE, Line, RED, draw};
use crate::failure::Result;
use crate::figure::{Figure, short};
use crate::launch::{Programs, free_address};
use crate::record::Record;
use crate::report::{has_place, replace};
use crate::sample::{Sample, Target};
use crate::say::say;
use crate::stopwatch::Stopwatch;
use crate::timed;
use crate::workload::Workload;
use clap::Args;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Measure our server on one core and on two, how long a job holds its engine, and one to four servers that share a load.
#[derive(Args, Debug)]
pub(crate) struct Scaling {
    /// How often each run is made; medians are shown.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long to count, in seconds.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Where to keep the record.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write what is found into this page, between the comments <!-- scaling --> and <!-- end of scaling -->, instead of
    /// printing it, and draw the charts beside it.
    #[arg(long, value_name = "PAGE")]
    into: Option<PathBuf>,
    #[command(flatten)]
    programs: Programs,
}

/// What is done on one core and on two.
const LOADS: [Workload; 3] = [
    Workload::Foreground { clients: 8, workers: 8, depth: 64, size: 64 },
    Workload::Foreground { clients: 16, workers: 16, depth: 1, size: 64 },
    Workload::Background { waiting: 300_000 },
];
/// The processors, and the threads on them.
const CORES: [(&str, &str); 2] = [("0", "--threads=1"), ("0,1", "--threads=2")];
const TIMED: &str = "timed";
/// Up to how many servers share a load.
const SERVERS: usize = 4;
/// What each of them gets.
const RATE: usize = 2000;
const WORKERS: usize = 16;
/// Each server has its share, or one has all of it.
const EACH: &str = "each";
const ONE: &str = "one";
/// To how many cores the prediction is drawn.
const PREDICTED: u32 = 64;
const CHARTS: [&str; 2] = ["rate-cores.svg", "p99-servers.svg"];

impl Scaling {
    pub(crate) fn run(&self) -> Result<()> {
        self.into.as_ref().map_or(Ok(()), |page| has_place(page, "scaling"))?;
        let (mut record, watch) = (Record::new(self.programs.machine(), self.seconds), Stopwatch::new());
        for round in 1..=self.rounds {
            eprintln!("round {round} of {}", self.rounds);
            LOADS.iter().try_for_each(|load| self.cores(*load, watch, &mut record))?;
            (1..=SERVERS).try_for_each(|count| self.servers(count, watch, &mut record))?;
            self.json.as_ref().map_or(Ok(()), |path| record.write(path))?;
        }
        let text = markdown(&record);
        let Some(page) = &self.into else {
            return say(text.trim_end());
        };
        let folder = page.parent().unwrap_or(page);
        chart_cores(&record, &folder.join(CHARTS[0]))?;
        chart_servers(&record, &folder.join(CHARTS[1]))?;
        let charts = "\n![foreground 8x8x64 against cores: measured, and predicted](rate-cores.svg)\n\
                      ![p99 of a foreground job against servers](p99-servers.svg)\n";
        replace(page, "scaling", &(text + charts))
    }

    /// One load on one core, on two, and with a clock beside the engine.
    fn cores(&self, load: Workload, watch: Stopwatch, record: &mut Record) -> Result<()> {
        for (processors, threads) in CORES {
            let server = self.programs.start_on(processors, &[threads])?;
            let sample = load.run(&server.target(), watch, self.seconds)?;
            keep(record, &load.to_string(), threads, sample);
        }
        let told_at = free_address()?;
        let server = self.programs.start_timed(told_at)?;
        let target = server.target();
        let sample = load.run(&target, watch, self.seconds)?;
        let held = timed::held(told_at)? as f64;
        let ran = target.processes[0].scheduled()?.ran as f64;
        keep(record, &load.to_string(), TIMED, sample.with(Figure::Held, Some(100.0 * held / ran)));
        Ok(())
    }

    /// The same load on each of so many servers, and all of it on one.
    fn servers(&self, count: usize, watch: Stopwatch, record: &mut Record) -> Result<()> {
        let load = Workload::Paced { workers: count * WORKERS, rate: (count * RATE) as u64 };
        // One server alone is both.
        for shared_by in BTreeSet::from([1, count]) {
            let start = |_| self.programs.start_on("0,1", &["--worker-wakeup=1"]);
            let servers = (0..shared_by).map(start).collect::<Result<Vec<_>>>()?;
            let targets: Vec<Target> = servers.iter().map(|server| server.target()).collect();
            let target = Target {
                addresses: targets.iter().flat_map(|target| target.addresses.clone()).collect(),
                metrics: None,
                processes: targets.iter().flat_map(|target| target.processes.clone()).collect(),
            };
            let sample = load.run(&target, watch, self.seconds)?;
            let ways = [(EACH, count), (ONE, 1)].into_iter().filter(|&(_, servers)| servers == shared_by);
            ways.for_each(|(way, _)| keep(record, &count.to_string(), way, sample.clone()));
        }
        Ok(())
    }
}

fn keep(record: &mut Record, row: &str, server: &str, sample: Sample) {
    eprintln!("{row}, {server}: {sample}");
    record.add(row, server, Ok(sample));
}

/// What a load is predicted to reach on many cores, from what it costs on one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Prediction {
    /// Jobs a second that one core does.
    core: f64,
    /// Jobs a second after which the engine is held all the time.
    most: f64,
}

impl Prediction {
    /// From processor time for a job in microseconds, and the percentage of it under the lock.
    fn new(cpu: f64, held: f64) -> Self {
        let core = 1e6 / cpu;
        Self { core, most: core * 100.0 / held }
    }

    /// From how many cores on more of them do not help.
    fn knee(self) -> f64 {
        self.most / self.core
    }

    fn at(self, cores: f64) -> f64 {
        (self.core * cores).min(self.most)
    }
}

fn median(record: &Record, row: &str, server: &str, figure: Figure) -> Option<f64> {
    record.found(row, server)?.median(figure)
}

fn prediction(record: &Record, row: &str) -> Option<Prediction> {
    let cpu = median(record, row, CORES[0].1, Figure::CpuPerJob)?;
    Some(Prediction::new(cpu, median(record, row, TIMED, Figure::Held)?))
}

fn cell(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), short)
}

fn markdown(record: &Record) -> String {
    let mut text = format!("{}; counted for {} s.\n\n", record.machine, record.seconds);
    text += "| work | on 1 core, jobs/s | on 2 cores | CPU us/job | under the lock | *predicted* knee, cores | *predicted* most, jobs/s |\n\
             |---|---|---|---|---|---|---|\n";
    for load in LOADS.map(|load| load.to_string()) {
        let of = |server, figure| cell(median(record, &load, server, figure));
        let [one, two] = CORES.map(|(_, threads)| of(threads, Figure::Rate));
        let (cpu, held) = (of(CORES[0].1, Figure::CpuPerJob), of(TIMED, Figure::Held));
        let prediction = prediction(record, &load);
        let [knee, most] =
            [prediction.map(Prediction::knee), prediction.map(|prediction| prediction.most)].map(cell);
        writeln!(text, "| {load} | {one} | {two} | {cpu} | {held} % | {knee} | {most} |")
            .expect("text has room");
    }
    text += "\n| servers | jobs/s | p50 us | p99 us | CPU us/job | all of it on one server: p50 us | p99 us | CPU us/job |\n\
             |---|---|---|---|---|---|---|---|\n";
    for count in 1..=SERVERS {
        let of = |who: &str| {
            let figures = [Figure::P50, Figure::P99, Figure::CpuPerJob];
            figures.map(|figure| cell(median(record, &count.to_string(), who, figure))).join(" | ")
        };
        let (rate, each, one) = (count * RATE, of(EACH), of(ONE));
        writeln!(text, "| {count} | {rate} | {each} | {one} |").expect("text has room");
    }
    text
}

/// Measured on one core and two, and the prediction.
fn chart_cores(record: &Record, path: &Path) -> Result<()> {
    let load = LOADS[0].to_string();
    let measured = [1.0, 2.0].into_iter().zip(CORES);
    let points =
        measured.filter_map(|(x, (_, threads))| Some((x, median(record, &load, threads, Figure::Rate)?)));
    let measured = Line { title: "measured".to_owned(), colour: RED, points: points.collect() };
    let predicted = prediction(record, &load).map(|prediction| {
        let points = (1..=PREDICTED).map(f64::from).map(|cores| (cores, prediction.at(cores))).collect();
        Line { title: "predicted".to_owned(), colour: GREY, points }
    });
    let lines: Vec<_> = predicted.into_iter().chain([measured]).collect();
    draw(path, ["cores", "jobs/s"], &lines)
}

fn chart_servers(record: &Record, path: &Path) -> Result<()> {
    let line = |title: &str, who: &str, figure, colour| {
        let point = |count: usize| Some((count as f64, median(record, &count.to_string(), who, figure)?));
        Line { title: title.to_owned(), colour, points: (1..=SERVERS).filter_map(point).collect() }
    };
    let lines = [
        line("p99, each server 2,000 jobs/s", EACH, Figure::P99, RED),
        line("p99, all of it on one", ONE, Figure::P99, GREY),
        line("p50, each server 2,000 jobs/s", EACH, Figure::P50, BLUE),
        line("p50, all of it on one", ONE, Figure::P50, LIGHT_BLUE),
    ];
    draw(path, ["servers", "us"], &lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;

    #[test]
    fn the_knee_is_where_the_engine_is_held_all_the_time() {
        // 10 us for a job, of which 2 us are under the lock: five cores fill it, at 500,000 jobs a second.
        let prediction = Prediction::new(10.0, 20.0);
        assert_eq!((prediction.knee(), prediction.most), (5.0, 500_000.0));
        assert_eq!([1.0, 5.0, 50.0].map(|cores| prediction.at(cores)), [100_000.0, 500_000.0, 500_000.0]);
    }

    #[test]
    fn what_was_not_measured_is_not_predicted() {
        let text = markdown(&Record::new(Machine::default(), 1));
        assert!(text.contains("| foreground 8x8x64 | - | - | - | - % | - | - |"), "{text}");
    }
}
