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

/// A line of a chart: a server, and its points.
type Line = (Make, Vec<(f64, f64)>);

impl Chart {
    pub(crate) fn run(&self) -> Result<()> {
        let record = Record::read(&self.from)?;
        for (rows, x) in [("depth", "jobs waiting"), ("connections", "connections")] {
            for (figure, name) in [(Figure::Rate, "rate"), (Figure::P99, "p99")] {
                let path = self.into.join(format!("{name}-{rows}.svg"));
                let lines = lines(&record, &format!("chart-{rows}-"), figure);
                draw(&path, [x, figure.unit()], &lines)
                    .map_err(|error| Failure::says(format!("{}: {error}", path.display())))?;
                println!("{}", path.display());
            }
        }
        Ok(())
    }
}

fn lines(record: &Record, prefix: &str, figure: Figure) -> Vec<Line> {
    let points = |make: Make| -> Vec<_> {
        let rows = ROWS.iter().filter_map(|row| Some((row.name, number(row.name.strip_prefix(prefix)?)?)));
        rows.filter_map(|(name, x)| Some((x, record.median(name, make, figure)?))).collect()
    };
    Make::ALL.map(|make| (make, points(make))).into_iter().filter(|(_, points)| !points.is_empty()).collect()
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
        Make::Ours => RGBColor(200, 40, 40),
        Make::CBest => RGBColor(40, 90, 200),
        Make::CDefault => RGBColor(120, 170, 230),
        Make::Floor => RGBColor(120, 120, 120),
    }
}

/// Both axes are logarithmic.
fn draw(path: &Path, [x, y]: [&str; 2], lines: &[Line]) -> std::result::Result<(), String> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let [xs, ys] = [points().map(|point| point.0).collect(), points().map(|point| point.1).collect()];
    let (Some(xs), Some(ys)) = (span(xs), span(ys)) else {
        return Err("the record has no such rows".to_owned());
    };
    let area = SVGBackend::new(path, (720, 420)).into_drawing_area();
    plot(&area, [x, y], [xs, ys], lines).map_err(|error| error.to_string())
}

/// The least and the greatest, with some room.
fn span(values: Vec<f64>) -> Option<std::ops::Range<f64>> {
    let least = values.iter().copied().reduce(f64::min)?;
    let greatest = values.iter().copied().reduce(f64::max)?;
    Some(least * 0.7..greatest * 1.4)
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
    chart.configure_mesh().x_desc(x).y_desc(y).draw()?;
    for (make, points) in lines {
        let colour = colour(*make);
        let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3);
        let drawn = chart.draw_series(line)?.label(make.title());
        drawn.legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
    area.present()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_a_line_for_each_server_that_was_measured() {
        let mut record = Record::new(1);
        for (row, value) in [("chart-depth-1k", 10.0), ("chart-depth-1m", 20.0)] {
            record = record.with(row, Make::Ours, Figure::Rate, value);
        }
        let lines = lines(&record, "chart-depth-", Figure::Rate);
        assert_eq!(lines, [(Make::Ours, vec![(1e3, 10.0), (1e6, 20.0)])]);
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (300, 200)).into_drawing_area();
        plot(&area, ["jobs waiting", "jobs/s"], [1.0..1e7, 1.0..100.0], &lines).unwrap();
        drop(area);
        assert!(svg.contains("polyline") && svg.contains("ours") && !svg.contains("floor"), "{svg}");
    }

    #[test]
    fn a_record_without_rows_for_a_chart_is_told() {
        assert!(draw(Path::new("/nowhere/x.svg"), ["x", "y"], &[]).unwrap_err().contains("no such rows"));
    }
}
