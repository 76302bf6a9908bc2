//! Where a queue is at Pub/Sub.

use std::fmt;
use std::time::Duration;

use salesync_core::time::Timestamp;

/// What a subscription is called that messages are received from, where nothing else is said: the topic's name and this.
const PULL: &str = "-pull";
/// How long messages are held by whoever received them. They come to others when that time has passed without a word.
const LEASE: Duration = Duration::from_secs(300);

/// A topic, and the subscription that its messages are received from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PubSubPlace {
    /// The project's id.
    pub project: String,
    /// The topic's name in it.
    pub topic: String,
    /// The subscription's name in it.
    pub subscription: String,
}

impl PubSubPlace {
    /// Reads `PROJECT/TOPIC` or `PROJECT/TOPIC/SUBSCRIPTION`; without a subscription it is the one that is called
    /// `TOPIC-pull`. `None` where a name is none that Google permits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut names = text.split('/');
        let (project, topic) = (names.next()?, names.next()?);
        let subscription = names
            .next()
            .map_or_else(|| format!("{topic}{PULL}"), str::to_owned);
        let is_good = names.next().is_none()
            && is_project(project)
            && is_name(topic)
            && is_name(&subscription);
        is_good.then(|| Self {
            project: project.to_owned(),
            topic: topic.to_owned(),
            subscription,
        })
    }
}

impl fmt::Display for PubSubPlace {
    /// Writes the place as a setting has it, with the subscription only where it is not the usual one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pubsub:{}/{}", self.project, self.topic)?;
        match self.subscription == format!("{}{PULL}", self.topic) {
            true => Ok(()),
            false => write!(f, "/{}", self.subscription),
        }
    }
}

/// Returns whether a project may have that id.
pub(crate) fn is_project(text: &str) -> bool {
    let is_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:".contains(c);
    !text.is_empty() && text.len() <= 128 && text.chars().all(is_char)
}

/// Returns whether a topic or subscription may be called so: Google's rule.
fn is_name(text: &str) -> bool {
    let is_char = |c: char| c.is_ascii_alphanumeric() || "-_.~+%".contains(c);
    (3..=255).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.starts_with("goog")
        && text.chars().all(is_char)
}

/// Which queue, and how it is reached.
#[derive(Debug, Clone)]
pub struct PubSubSettings {
    /// The topic and its subscription; both are there already.
    pub place: PubSubPlace,
    /// The origin of an emulator, which is asked without a login; `None` is Google's own.
    pub emulator: Option<String>,
    /// How long a message that was received is held, from ten seconds to ten minutes.
    pub lease: Duration,
    /// The time of the run.
    pub now: Timestamp,
}

impl PubSubSettings {
    /// Returns the settings of a queue at Google, whose messages are held for five minutes at a time.
    #[must_use]
    pub fn new(place: PubSubPlace, now: Timestamp) -> Self {
        Self {
            place,
            emulator: None,
            lease: LEASE,
            now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_names_project_topic_and_perhaps_a_subscription() {
        let place = PubSubPlace::parse("my-project/letters").unwrap();
        assert_eq!(place.subscription, "letters-pull");
        assert_eq!(place.to_string(), "pubsub:my-project/letters");
        let other = PubSubPlace::parse("my-project/letters/mine").unwrap();
        assert_eq!(other.to_string(), "pubsub:my-project/letters/mine");
        for bad in [
            "",
            "my-project",
            "my-project/",
            "my-project/ab",
            "my-project/google",
            "my-project/9lives",
            "my-project/a b c",
            "My Project/letters",
            "my-project/letters/pull/more",
        ] {
            assert_eq!(PubSubPlace::parse(bad), None, "{bad}");
        }
    }
}
