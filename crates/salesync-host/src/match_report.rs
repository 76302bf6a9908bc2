//! `salesync match --report`: one page of HTML that shows how good a matching is. It needs nothing from anywhere.

use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use salesync_core::error::{Code, Error, Result};
use salesync_core::resolve::{EntityKind, Report, SamplePair, ShownRecord, Sort};

const STYLE: &str = "
body{font:15px/1.5 system-ui,sans-serif;color:#1c2330;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid #d5dae3}h3{margin-top:1.8rem}
p{color:#4a5466}table{border-collapse:collapse;width:100%;margin:.4rem 0 1.2rem}
td,th{padding:.2rem .6rem;text-align:left;vertical-align:top;border-top:1px solid #e6e9ef}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.pair{border:1px solid #d5dae3;border-radius:6px;padding:.4rem .8rem;margin:.8rem 0}
.for{color:#136c3a}.against{color:#a3261b}svg{width:100%;height:auto}small{color:#4a5466}
";

/// Writes the page.
///
/// # Errors
/// `ERR_REQUEST_INVALID` where the file can't be written.
pub(crate) fn write(path: &Path, file: &Path, reports: &[Report]) -> Result<()> {
    let page = page(&file.display().to_string(), reports).into_string();
    std::fs::write(path, page).map_err(|error| {
        Error::new(Code::RequestInvalid, "write the report")
            .with("file", path.display())
            .because(error)
    })
}

fn page(file: &str, reports: &[Report]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "Matching of " (file) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Matching of " (file) }
                p { "By salesync " (env!("CARGO_PKG_VERSION")) ". Weights are in bits: one more makes it twice as likely that two records are one." }
                @for report in reports { (kind(report)) }
            }
        }
    }
}

fn kind(report: &Report) -> Markup {
    let (title, one) = match report.kind {
        EntityKind::Person => ("People", "person"),
        EntityKind::Company => ("Companies", "company"),
    };
    let entities: usize = report.sizes.values().sum();
    html! {
        h2 { (title) }
        p {
            (report.records) " records are " (entities) " " (title.to_lowercase()) "; "
            (report.pairs_compared) " pairs of records that have a value in common were compared."
        }
        h3 { "How the compared pairs score" }
        p {
            "Each bar holds the pairs of so many bits, on a scale of powers of ten. From " (report.accept_bits)
            " bits on (green) a pair speaks for joining. Good data shows two hills with a valley between them there."
        }
        (histogram(report))
        h3 { "How many records a " (one) " has" }
        table {
            tr { th class="n" { "records" } th class="n" { (title.to_lowercase()) } th class="n" { "share" } }
            @for (size, count) in &report.sizes {
                tr {
                    td class="n" { (size) }
                    td class="n" { (count) }
                    td class="n" { (share(*count, entities)) }
                }
            }
        }
        h3 { "The weakest" }
        p { "What hangs on the weakest pairs, the weakest first: if something was joined wrongly, it is likely to be here." }
        @if report.weakest.is_empty() { p { "Nothing was joined." } }
        @for weak in &report.weakest {
            div class="pair" {
                strong { (weak.entity_id) } " "
                small { (weak.record_count) " records, confidence " (format!("{:.3}", weak.confidence)) }
                table { @for record in &weak.records { (row(record)) } }
            }
        }
        @for (sort, pairs) in &report.samples {
            h3 { (sort_title(*sort)) }
            @for pair in pairs { (sample(pair)) }
        }
    }
}

fn sort_title(sort: Sort) -> &'static str {
    match sort {
        Sort::Joined => "Joined pairs, from the strongest to the weakest",
        Sort::BarelyJoined => "Pairs that were joined on the least evidence",
        Sort::NearMiss => "Pairs that were nearly joined",
        Sort::Refused => {
            "Pairs that speak for joining and were not joined: others of their entities contradict each other, or nothing else ties them together"
        }
    }
}

fn row(record: &ShownRecord) -> Markup {
    html! {
        tr {
            td { (record.id) }
            td {
                @for (field, value) in &record.values { small { (field) } " " (value) "  " }
            }
        }
    }
}

fn sample(pair: &SamplePair) -> Markup {
    let evidence = &pair.evidence;
    html! {
        div class="pair" {
            small {
                (evidence.outcome.as_str()) ", met by " (evidence.key) ", " (format!("{:+.1}", evidence.total_bits)) " bits, probability "
                (format!("{:.3}", evidence.probability))
            }
            table { @for record in &pair.records { (row(record)) } }
            table {
                tr { td { "before" } td { "how rare a match is" } td class="n" { (format!("{:+.1}", evidence.prior_bits)) } }
                @for field in &evidence.fields {
                    tr class=(if field.bits < 0.0 { "against" } else { "for" }) {
                        td { (field.field) }
                        td { (field.level) }
                        td class="n" { (format!("{:+.1}", field.bits)) }
                    }
                }
            }
        }
    }
}

/// Draws the distribution of scores, without the empty bins at both ends.
fn histogram(report: &Report) -> Markup {
    const HEIGHT: u32 = 180;
    let filled = |(_, count): &&(i16, u64)| *count > 0;
    let first = report.scores.iter().find(filled).map(|bin| bin.0);
    let last = report.scores.iter().rev().find(filled).map(|bin| bin.0);
    let Some((first, last)) = first.zip(last) else {
        return html! { p { "No two records have a value in common." } };
    };
    let shown: Vec<(i16, u64)> = report
        .scores
        .iter()
        .copied()
        .filter(|bin| (first..=last).contains(&bin.0))
        .collect();
    let logs = shown.iter().filter_map(|bin| bin.1.checked_ilog2());
    let tallest = logs.max().unwrap_or_default() + 1;
    let bars = (0u32..).zip(&shown).map(|(at, (bits, count))| {
        let height = count
            .checked_ilog2()
            .map_or(0, |log| (log + 1) * HEIGHT / tallest);
        (at * 24, height, *bits, *count)
    });
    let width = u32::try_from(shown.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(24);
    html! {
        svg viewBox=(format!("0 0 {width} {}", HEIGHT + 24)) role="img" aria-label="distribution of scores" {
            @for (x, height, bits, count) in bars {
                rect x=(x + 2) y=(HEIGHT - height) width="20" height=(height)
                    fill=(if f32::from(bits) >= report.accept_bits { "#2e9e5b" } else { "#9aa5b8" }) {
                    title { (count) " pairs of " (bits) " bits and more" }
                }
                text x=(x + 12) y=(HEIGHT + 16) text-anchor="middle" font-size="10" fill="#4a5466" { (bits) }
            }
        }
    }
}

fn share(count: usize, of: usize) -> String {
    let thousandths = count
        .saturating_mul(1_000)
        .checked_div(of)
        .unwrap_or_default();
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use salesync_core::resolve::{Identity, RecordRef, Records, Settings};

    #[test]
    fn a_page_shows_the_pairs_and_no_value_is_taken_for_markup() {
        let mut records = Records::new(Settings::default());
        for (id, name) in [("1", "Ann <script>Lee"), ("2", "Ann Lee"), ("3", "Bo Cho")] {
            let record = RecordRef::new("file", "people", id);
            let mut identity = Identity::new(record, EntityKind::Person);
            identity.full_name = Some(name.to_owned());
            identity.emails = vec![format!(
                "{}@lee.example",
                if id == "3" { "bo" } else { "ann" }
            )];
            records.add(&identity.said());
        }
        let (grouped, reports) = records.reported();
        assert_eq!(grouped.people(), 2);
        let page = page("<people>.csv", &reports).into_string();
        for shown in [
            "ann@lee.example",
            "3 records are 2 people",
            "&lt;people&gt;.csv",
            "met by mailbox",
        ] {
            assert!(page.contains(shown), "{shown}");
        }
        assert!(!page.contains("<script"));
    }
}
