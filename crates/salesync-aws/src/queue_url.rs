//! Where a queue is.

use url::{Host, Url};

/// The longest name of a queue, `.fifo` included (API reference of SQS, CreateQueue).
const LONGEST_NAME: usize = 80;

/// The URL of an SQS queue: `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrl {
    url: String,
    name: String,
    region: Option<String>,
}

impl QueueUrl {
    /// Returns the queue with that URL, where it is one: `https`, or `http` on this machine, with an account of twelve
    /// digits and a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let host = url.host()?;
        let is_plain = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here(&host));
        let mut path = url.path_segments()?;
        let (account, name) = (path.next()?, path.next()?);
        let is_account = account.len() == 12 && account.chars().all(|c| c.is_ascii_digit());
        if !is_plain || !is_safe || !is_account || !is_name(name) || path.next().is_some() {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            region: region(&host),
            url: url.into(),
        })
    }

    /// Returns the whole URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Returns the queue's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the region that the URL names; an endpoint of one's own names none.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Returns whether the queue keeps order and takes a message once: its name says so.
    pub(crate) fn is_fifo(&self) -> bool {
        self.name.ends_with(".fifo")
    }
}

fn is_here(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn is_name(name: &str) -> bool {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !stem.is_empty() && name.len() <= LONGEST_NAME && stem.chars().all(is_letter)
}

/// Reads `sqs.REGION.…`, `….sqs.REGION.vpce.…` and the older `REGION.queue.…`.
fn region(host: &Host<&str>) -> Option<String> {
    let Host::Domain(name) = host else {
        return None;
    };
    let labels: Vec<&str> = name.split('.').collect();
    let mut pairs = labels.iter().zip(labels.iter().skip(1));
    let named = pairs.find_map(|(first, second)| match (*first, *second) {
        ("sqs" | "sqs-fips", region) => Some(region),
        (region, "queue") => Some(region),
        _ => None,
    });
    named
        .filter(|region| region.contains('-'))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_queue_and_region() {
        let cases = [
            (
                "https://sqs.eu-west-1.amazonaws.com/123456789012/letters.fifo",
                Some("eu-west-1"),
            ),
            (
                "https://sqs-fips.us-east-1.amazonaws.com/123456789012/letters.fifo",
                Some("us-east-1"),
            ),
            (
                "https://vpce-0a-1b.sqs.us-east-1.vpce.amazonaws.com/123456789012/letters.fifo",
                Some("us-east-1"),
            ),
            (
                "https://eu-west-1.queue.amazonaws.com/123456789012/letters.fifo",
                Some("eu-west-1"),
            ),
            ("http://127.0.0.1:5000/123456789012/letters.fifo", None),
        ];
        for (text, region) in cases {
            let queue = QueueUrl::parse(text).unwrap();
            assert_eq!(queue.as_str(), text);
            assert_eq!(
                (queue.name(), queue.region()),
                ("letters.fifo", region),
                "{text}"
            );
            assert!(queue.is_fifo());
        }
    }

    #[test]
    fn what_is_no_url_of_a_queue_is_refused() {
        for text in [
            "",
            "letters",
            "https://sqs.eu-west-1.amazonaws.com/letters",
            "https://sqs.eu-west-1.amazonaws.com/12345/letters",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/a b",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/letters/more",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/letters?x=1",
            "https://me:secret@sqs.eu-west-1.amazonaws.com/123456789012/letters",
            "http://sqs.eu-west-1.amazonaws.com/123456789012/letters",
            "arn:aws:sqs:eu-west-1:123456789012:letters",
        ] {
            assert_eq!(QueueUrl::parse(text), None, "{text}");
        }
    }
}
