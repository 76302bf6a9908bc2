//! Secrets in Google's Secret Manager: a secret is a list of versions, and the newest one that is enabled counts. Facts
//! from Google's discovery document of the API, v1, revision 20261021.

use std::fmt;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use salesync_core::error::{Code, Error, Result};
use salesync_core::secret::{Secret, SecretStore};
use salesync_core::time::Timestamp;
use salesync_core::validate::parse_timestamp;
use salesync_http::{Answer, Client, Request, segment};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::pubsub::is_project;
use crate::rest::{self, REST, Service};

const SECRETS: Service = Service {
    name: "secret_manager",
    origin: "https://secretmanager.googleapis.com",
    scope: "https://www.googleapis.com/auth/cloud-platform",
};
const READ: &str = "read a secret";
const STORE: &str = "store a rotated secret";
/// So many versions are looked at for one that is enabled, the newest first.
const VERSIONS_LOOKED_AT: u32 = 100;

/// Which project's secrets, and what their names begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPlace {
    /// The project's id.
    pub project: String,
    /// What stands before each name: a tenant's own, or nothing.
    pub prefix: String,
}

impl SecretPlace {
    /// Reads `PROJECT`, or `PROJECT/PREFIX`. `None` where a name is none that Google permits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (project, prefix) = text.split_once('/').unwrap_or((text, ""));
        let is_char = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let is_good = is_project(project) && prefix.len() <= 200 && prefix.chars().all(is_char);
        is_good.then(|| Self {
            project: project.to_owned(),
            prefix: prefix.to_owned(),
        })
    }

    /// Returns the whole name of a secret, as Google writes it.
    #[must_use]
    pub fn named(&self, name: &str) -> String {
        format!("projects/{}/secrets/{}{name}", self.project, self.prefix)
    }
}

/// Which secrets, and how they are reached.
#[derive(Debug, Clone)]
pub struct SecretSettings {
    /// Where they are.
    pub place: SecretPlace,
    /// The origin of what stands in for Google in tests, which is asked without a login.
    pub stand_in: Option<String>,
    /// The time of the run.
    pub now: Timestamp,
}

/// The secrets of a project. It needs the role `secretmanager.secretAccessor`, and where tokens are rotated
/// `secretmanager.secretVersionManager`.
pub struct GoogleSecretStore {
    http: Client,
    place: SecretPlace,
}

/// The version that counts.
struct Version {
    number: u64,
    text: Secret,
    /// The number of the last version that was added, in whatever state.
    last: u64,
}

#[derive(Deserialize)]
struct Accessed {
    name: String,
    payload: Sealed,
}

/// A text as it travels. It has no `Debug`.
#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(rename = "data")]
    text: Secret64,
}

/// A text in base64.
struct Secret64(Secret);

impl Serialize for Secret64 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for Secret64 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Secret::deserialize(deserializer).map(Self)
    }
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    versions: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    create_time: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    etag: Option<String>,
}

impl GoogleSecretStore {
    /// Returns the store; nothing is asked yet.
    ///
    /// # Errors
    /// `ERR_CONFIG_INVALID` where there is no login to be had.
    pub fn new(settings: &SecretSettings) -> Result<Self> {
        Ok(Self {
            http: SECRETS.client(settings.stand_in.as_deref(), settings.now)?,
            place: settings.place.clone(),
        })
    }

    /// Returns whether there is a secret of that name with a version in it.
    ///
    /// # Errors
    /// `ERR_SOURCE_FORBIDDEN` where we may not read it, or what Secret Manager says.
    pub async fn has(&self, name: &str) -> Result<bool> {
        let answer = self.access(name, "latest").await?;
        match answer.status {
            404 => Ok(false),
            // The latest version is disabled: whoever reads it is told.
            400 => Ok(true),
            _ => self.good(&answer, name).map(|_| true),
        }
    }

    /// Returns when the newest version of a secret was made. It needs the permission `secretmanager.versions.get`, which the
    /// role `secretmanager.viewer` has.
    ///
    /// # Errors
    /// `ERR_SOURCE_FORBIDDEN` where we may not see it, or what Secret Manager says.
    pub async fn created(&self, name: &str) -> Result<Timestamp> {
        let path = format!("{}/versions/latest", self.path(name));
        let answer = self.ask(&Request::get(READ, path, REST)).await?;
        let made: Made = self.good(&answer, name)?.json()?;
        parse_timestamp(&made.create_time)
            .map_err(|_| Error::new(Code::StoreUnavailable, READ).with("must be", "an instant"))
    }

    /// Returns the version that counts.
    async fn newest(&self, name: &str) -> Result<Version> {
        let latest = self.access(name, "latest").await?;
        // The latest one may be disabled or destroyed: then an older one counts.
        let (answer, last) = match latest.status {
            400 => {
                let (number, last) = self.newest_enabled(name).await?;
                (self.access(name, &number.to_string()).await?, Some(last))
            }
            _ => (latest, None),
        };
        let accessed: Accessed = self
            .good(&answer, name)?
            .json()
            .map_err(|error| Error::new(Code::StoreUnavailable, READ).because(error))?;
        // The decoder's own message could quote the secret.
        let unreadable = || Error::new(Code::ConfigInvalid, READ).with("must be text", name);
        let bytes = STANDARD.decode(accessed.payload.text.0.expose());
        let text = String::from_utf8(bytes.map_err(|_| unreadable())?);
        let number = number_of(&accessed.name)?;
        Ok(Version {
            number,
            text: Secret::new(text.map_err(|_| unreadable())?),
            last: last.unwrap_or(number),
        })
    }

    async fn access(&self, name: &str, version: &str) -> Result<Answer> {
        let path = format!("{}/versions/{version}:access", self.path(name));
        self.ask(&Request::get(READ, path, REST)).await
    }

    /// Returns the number of the newest version that is enabled, and that of the last one.
    async fn newest_enabled(&self, name: &str) -> Result<(u64, u64)> {
        let path = format!("{}/versions", self.path(name));
        let request = Request::get(READ, path, REST).query("pageSize", VERSIONS_LOOKED_AT);
        let answer = self.ask(&request).await?;
        let listed: Listed = self.good(&answer, name)?.json()?;
        // The newest one comes first.
        let mut enabled = listed.versions.iter().filter(|it| it.state == "ENABLED");
        match (enabled.next(), listed.versions.first()) {
            (Some(newest), Some(last)) => Ok((number_of(&newest.name)?, number_of(&last.name)?)),
            _ => Err(Error::new(Code::ConfigInvalid, READ)
                .with("no version is enabled of", self.place.named(name))),
        }
    }

    /// Adds a version; returns its number and what it is destroyed by.
    async fn add(&self, name: &str, text: &Secret) -> Result<(u64, Named)> {
        let sealed = Sealed {
            text: Secret64(Secret::new(STANDARD.encode(text.expose()))),
        };
        let path = format!("{}:addVersion", self.path(name));
        let request = Request::post(STORE, path, REST).json(&json!({"payload": sealed}))?;
        let answer = self.ask(&request).await?;
        let added: Named = self
            .good(&answer, name)?
            .json()
            .map_err(|error| Error::new(Code::StoreUnavailable, STORE).because(error))?;
        Ok((number_of(&added.name)?, added))
    }

    /// Destroys a version, for good: of each that is not destroyed Google bills the keeping.
    async fn destroy(&self, name: &str, number: u64, etag: Option<&str>) -> Result<()> {
        let path = format!("{}/versions/{number}:destroy", self.path(name));
        let body = etag.map_or_else(|| json!({}), |etag| json!({"etag": etag}));
        let answer = self
            .ask(&Request::post(STORE, path, REST).json(&body)?)
            .await?;
        match answer.status {
            // It is destroyed already, or was never there.
            400 | 404 => Ok(()),
            _ => self.good(&answer, name).map(drop),
        }
    }

    /// Keeps one predecessor of the version that counts now, and nothing older. Where that is not permitted, all stay.
    async fn forget_older(&self, name: &str, replaced: u64) {
        let Some(older) = replaced.checked_sub(1).filter(|number| *number > 0) else {
            return;
        };
        if let Err(error) = self.destroy(name, older, None).await {
            tracing::warn!(secret = name, %error, "an old version of a secret stays");
        }
    }

    async fn ask(&self, request: &Request) -> Result<Answer> {
        rest::ask(&self.http, request, "ask Secret Manager").await
    }

    fn good<'a>(&self, answer: &'a Answer, name: &str) -> Result<&'a Answer> {
        rest::good(answer, &self.place.named(name))
    }

    fn path(&self, name: &str) -> String {
        let secret = segment(&format!("{}{name}", self.place.prefix));
        format!(
            "/v1/projects/{}/secrets/{secret}",
            segment(&self.place.project)
        )
    }
}

/// Returns the number at the end of a version's name.
fn number_of(name: &str) -> Result<u64> {
    let number = name.rsplit('/').next().and_then(|text| text.parse().ok());
    number.ok_or_else(|| {
        Error::new(Code::StoreUnavailable, READ).with("must end with a number", name)
    })
}

#[async_trait]
impl SecretStore for GoogleSecretStore {
    async fn get(&self, name: &str) -> Result<Secret> {
        Ok(self.newest(name).await?.text)
    }

    /// Versions are numbered in the order in which they were added, so that the first one after those that were there
    /// when `old` was found took its place.
    /// One that was added later is destroyed again, before anybody is told that it was stored.
    async fn put_if_unchanged(&self, name: &str, old: &Secret, new: &Secret) -> Result<bool> {
        let held = self.newest(name).await?;
        if held.text.expose() != old.expose() {
            return Ok(false);
        }
        let (number, added) = self.add(name, new).await?;
        if number == held.last + 1 {
            self.forget_older(name, held.number).await;
            return Ok(true);
        }
        self.destroy(name, number, added.etag.as_deref()).await?;
        // The answer to our own first request may have been lost.
        Ok(self.newest(name).await?.text.expose() == new.expose())
    }
}

impl fmt::Debug for GoogleSecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoogleSecretStore")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
