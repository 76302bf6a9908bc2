//! What a report says of the answer as a whole.

use super::*;

/// Returns the report on people of some records.
fn report(lines: &[&str]) -> Report {
    let mut records = Records::new(Settings::default());
    for identity in people(lines) {
        records.add(&identity.said());
    }
    let (_, mut reports) = records.reported();
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

#[test]
fn a_report_counts_entities_by_size_and_names_first_what_hangs_on_least() {
    let found = report(&[
        "Dora Lindqvist | dora.lindqvist@quarry.io | +1 415 555 2671",
        "Dora Lindqvist | dora.lindqvist@quarry.io | +1 415 555 2671",
        "Bruno Achterberg | | | Bergwerk",
        "Bruno Achterberg | | | Bergwerk",
        "Irma Falk | irma.falk@harbour.io",
    ]);
    let sizes: Vec<(usize, usize)> = found.sizes.into_iter().collect();
    assert_eq!(sizes, [(1, 1), (2, 2)]);
    let confidences: Vec<f32> = found.weakest.iter().map(|it| it.confidence).collect();
    assert_eq!(confidences.len(), 2, "who is alone hangs on nothing");
    assert!(confidences[0] < confidences[1], "{confidences:?}");
    let weakest = &found.weakest[0];
    assert_eq!(weakest.record_count, 2);
}
