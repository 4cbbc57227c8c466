//! Charts of rate and latency, drawn from a record.

use crate::failure::{Failure, Result};
use crate::figure::Figure;
use crate::launch::Make;
use crate::record::Record;
use crate::row::ROWS;
use clap::Args;
use plotters::prelude::*;
use std::path::{Path, PathBuf};

/// Draw rate and latency against depth and connections, as SVG.
#[derive(Args, Debug)]
pub(crate) struct Chart {
    /// A record that `table --charts --json FILE` has made.
    #[arg(value_name = "FILE")]
    from: PathBuf,
    /// The folder for the charts.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
}

/// A line of a chart.
#[derive(Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) title: String,
    pub(crate) colour: RGBColor,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Ours, and what it is compared with.
pub(crate) const RED: RGBColor = RGBColor(200, 40, 40);
pub(crate) const BLUE: RGBColor = RGBColor(40, 90, 200);
pub(crate) const LIGHT_BLUE: RGBColor = RGBColor(120, 170, 230);
pub(crate) const GREY: RGBColor = RGBColor(120, 120, 120);

/// The files, and what they show.
pub(crate) const CHARTS: [(&str, &str); 4] = [
    ("rate-depth.svg", "submits a second against jobs waiting"),
    ("p99-depth.svg", "p99 of a submit against jobs waiting"),
    ("rate-connections.svg", "foreground jobs a second against connections"),
    ("p99-connections.svg", "p99 of a foreground job against connections"),
];

impl Chart {
    pub(crate) fn run(&self) -> Result<()> {
        draw_all(&Record::read(&self.from)?, &self.into)
    }
}

/// Draws all charts into a folder.
///
/// # Errors
/// If the record has no rows for one of them, or it cannot be written.
pub(crate) fn draw_all(record: &Record, folder: &Path) -> Result<()> {
    let axes = [("depth", "jobs waiting"), ("connections", "connections")];
    let charts = axes.iter().flat_map(|axis| [(axis, Figure::Rate), (axis, Figure::P99)]);
    for ((name, _), ((rows, x), figure)) in CHARTS.iter().zip(charts) {
        let path = folder.join(name);
        draw(&path, [x, figure.unit()], &lines(record, &format!("chart-{rows}-"), figure))?;
    }
    Ok(())
}

fn lines(record: &Record, prefix: &str, figure: Figure) -> Vec<Line> {
    let points = |make: Make| -> Vec<_> {
        let rows = ROWS.iter().filter_map(|row| Some((row.name, number(row.name.strip_prefix(prefix)?)?)));
        rows.filter_map(|(name, x)| Some((x, record.median(name, make, figure)?))).collect()
    };
    let line =
        |make: Make| Line { title: make.title().to_owned(), colour: colour(make), points: points(make) };
    Make::ALL.into_iter().map(line).filter(|line| !line.points.is_empty()).collect()
}

/// 1k is a thousand, 1m a million.
fn number(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(['k', 'm']);
    let unit = match &text[digits.len()..] {
        "k" => 1e3,
        "m" => 1e6,
        _ => 1.0,
    };
    Some(digits.parse::<f64>().ok()? * unit)
}

fn colour(make: Make) -> RGBColor {
    match make {
        Make::Ours => RED,
        Make::CBest => BLUE,
        Make::CDefault => LIGHT_BLUE,
        Make::Floor => GREY,
    }
}

/// Draws lines into a file; both axes are logarithmic.
///
/// # Errors
/// If there are no points, or the file cannot be written.
pub(crate) fn draw(path: &Path, [x, y]: [&str; 2], lines: &[Line]) -> Result<()> {
    let wrong = |what: &str| Failure::says(format!("{}: {what}", path.display()));
    let points = || lines.iter().flat_map(|line| &line.points);
    let [xs, ys] = [points().map(|point| point.0).collect(), points().map(|point| point.1).collect()];
    let (Some(xs), Some(ys)) = (span(xs), span(ys)) else {
        return Err(wrong("the record has no rows for this chart; they come with --charts"));
    };
    let area = SVGBackend::new(path, (720, 420)).into_drawing_area();
    plot(&area, [x, y], [xs, ys], lines).map_err(|error| wrong(&error.to_string()))
}

/// The least and the greatest, with some room.
fn span(values: Vec<f64>) -> Option<std::ops::Range<f64>> {
    let least = values.iter().copied().reduce(f64::min)?;
    let greatest = values.iter().copied().reduce(f64::max)?;
    Some(least * 0.7..greatest * 1.4)
}

/// A number beside an axis.
fn tick(value: &f64) -> String {
    match *value {
        value if value >= 1e6 => format!("{} M", value / 1e6),
        value if value >= 1e3 => format!("{} k", value / 1e3),
        value => value.to_string(),
    }
}

fn plot<B: DrawingBackend>(
    area: &DrawingArea<B, plotters::coord::Shift>,
    [x, y]: [&str; 2],
    [xs, ys]: [std::ops::Range<f64>; 2],
    lines: &[Line],
) -> std::result::Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    area.fill(&WHITE)?;
    let mut builder = ChartBuilder::on(area);
    builder.margin(12).x_label_area_size(40).y_label_area_size(80);
    let mut chart = builder.build_cartesian_2d(xs.log_scale(), ys.log_scale())?;
    let mut mesh = chart.configure_mesh();
    mesh.x_desc(x).y_desc(y).x_label_formatter(&tick).y_label_formatter(&tick).draw()?;
    for Line { title, colour, points } in lines {
        let colour = *colour;
        let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3);
        let drawn = chart.draw_series(line)?.label(title);
        drawn.legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
    area.present()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;

    #[test]
    fn a_chart_has_a_line_for_each_server_that_was_measured() {
        let mut record = Record::new(Machine::default(), 1);
        for (row, value) in [("chart-depth-1k", 10.0), ("chart-depth-1m", 20.0)] {
            record = record.with(row, Make::Ours, Figure::Rate, value);
        }
        let lines = lines(&record, "chart-depth-", Figure::Rate);
        let ours = Line { title: "ours".to_owned(), colour: RED, points: vec![(1e3, 10.0), (1e6, 20.0)] };
        assert_eq!(lines, [ours]);
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (300, 200)).into_drawing_area();
        plot(&area, ["jobs waiting", "jobs/s"], [1.0..1e7, 1.0..100.0], &lines).unwrap();
        drop(area);
        assert!(svg.contains("10 k") && svg.contains("100 k"), "{svg}");
        assert!(svg.contains("polyline") && svg.contains("ours") && !svg.contains("floor"), "{svg}");
    }

    #[test]
    fn a_record_without_rows_for_a_chart_is_told() {
        let error = draw(Path::new("/nowhere/x.svg"), ["x", "y"], &[]).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/x.svg: the record has no rows for this chart"), "{error}");
    }
}
