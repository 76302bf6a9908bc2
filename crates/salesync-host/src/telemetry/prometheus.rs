//! Metrics in the text format of Prometheus, version 0.0.4.

use std::fmt::Display;

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, HistogramDataPoint, MetricData, ResourceMetrics,
};

use super::names::{self, Metric};

/// Writes all metrics with their kinds and meanings, and what was measured of each in the order of its labels.
pub(super) fn text(measured: &ResourceMetrics) -> String {
    let mut text = String::new();
    for metric in names::ALL {
        let (name, kind, meaning) = (metric.name, metric.kind.as_str(), metric.meaning);
        text.push_str(&format!("# HELP {name} {meaning}\n# TYPE {name} {kind}\n"));
        let mut found = measured.scope_metrics().flat_map(|scope| scope.metrics());
        let found = found.find(|found| found.name() == name);
        let mut points = found.map_or_else(Vec::new, |found| match found.data() {
            AggregatedMetrics::F64(data) => points(metric, data),
            AggregatedMetrics::U64(data) => points(metric, data),
            AggregatedMetrics::I64(data) => points(metric, data),
        });
        points.sort();
        text.extend(points);
    }
    text
}

/// Returns the lines of each set of labels.
fn points<T: Display + Copy>(metric: &Metric, data: &MetricData<T>) -> Vec<String> {
    let line = |labels: &str, value: T| format!("{}{} {value}\n", metric.name, in_braces(labels));
    match data {
        MetricData::Gauge(gauge) => gauge
            .data_points()
            .map(|point| line(&labels(metric, point.attributes()), point.value()))
            .collect(),
        MetricData::Sum(sum) => sum
            .data_points()
            .map(|point| line(&labels(metric, point.attributes()), point.value()))
            .collect(),
        MetricData::Histogram(histogram) => histogram
            .data_points()
            .map(|point| buckets(metric, point))
            .collect(),
        // None of ours is one.
        MetricData::ExponentialHistogram(_) => Vec::new(),
    }
}

/// Returns the lines of a histogram: each bucket holds all that is not above its end.
fn buckets<T: Display + Copy>(metric: &Metric, point: &HistogramDataPoint<T>) -> String {
    let name = metric.name;
    let of_point = labels(metric, point.attributes());
    let ends = point.bounds().map(|end| end.to_string());
    let ends = ends.chain(std::iter::once("+Inf".to_owned()));
    let (mut lines, mut count) = (String::new(), 0);
    for (end, in_bucket) in ends.zip(point.bucket_counts()) {
        count += in_bucket;
        let separator = if of_point.is_empty() { "" } else { "," };
        lines.push_str(&format!(
            "{name}_bucket{{{of_point}{separator}le=\"{end}\"}} {count}\n"
        ));
    }
    let (shown, sum, count) = (in_braces(&of_point), point.sum(), point.count());
    lines.push_str(&format!(
        "{name}_sum{shown} {sum}\n{name}_count{shown} {count}\n"
    ));
    lines
}

/// Writes labels in the order in which the metric names them.
fn labels<'a>(metric: &Metric, attributes: impl Iterator<Item = &'a KeyValue>) -> String {
    let attributes: Vec<&KeyValue> = attributes.collect();
    let value = |label: &&str| {
        let given = attributes.iter().find(|it| it.key.as_str() == *label);
        given.map(|it| format!("{label}=\"{}\"", escaped(&it.value.as_str())))
    };
    let labels: Vec<String> = metric.labels.iter().filter_map(value).collect();
    labels.join(",")
}

fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace('\n', "\\n")
}

fn in_braces(labels: &str) -> String {
    match labels {
        "" => String::new(),
        labels => format!("{{{labels}}}"),
    }
}
