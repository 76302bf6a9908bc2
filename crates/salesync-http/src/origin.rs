//! The one place that a client talks to: scheme, host and port. No link leads anywhere else.

use std::fmt;

use salesync_core::error::{Code, Error, Result};
use url::{Host, Url};

/// A checked origin: https, or plain http to a loopback address.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Origin(Url);

impl Origin {
    /// Reads an origin out of a setting.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let invalid = |rule| Error::new(Code::ConfigInvalid, "read a base URL").with("rule", rule);
        let url = Url::parse(text).map_err(|_| invalid("it is a URL"))?;
        if url.host().is_none() || !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("it has a host and no user"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it has no path"));
        }
        let origin = Self(url);
        match origin.0.scheme() {
            "https" => Ok(origin),
            "http" if origin.is_loopback() => Ok(origin),
            _ => Err(invalid("it is https, or http to a loopback address")),
        }
    }

    /// Reads the origin that a login answered with. A laptop's sandbox can lead to loopback only, a vendor
    /// never does.
    pub(crate) fn sibling(&self, text: &str) -> Result<Self> {
        let foreign = |_| Error::new(Code::SourceForeignLink, "read the origin of a login");
        let sibling = Self::parse(text).map_err(foreign)?;
        if sibling.is_loopback() != self.is_loopback() {
            return Err(Error::new(
                Code::SourceForeignLink,
                "read the origin of a login",
            ));
        }
        Ok(sibling)
    }

    /// Returns whether it is this machine, named by its address or as `localhost`.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    /// Returns the URL of a path, or of a link, on this origin.
    pub(crate) fn resolve(&self, link: &str) -> Result<Url> {
        let foreign = || Error::new(Code::SourceForeignLink, "follow a link");
        let url = self.0.join(link).map_err(|_| foreign())?;
        let stays = url.origin() == self.0.origin()
            && url.username().is_empty()
            && url.password().is_none();
        if stays { Ok(url) } else { Err(foreign()) }
    }

    /// Returns path and query of a link that stays on this origin.
    pub(crate) fn target_of(&self, link: &str) -> Result<String> {
        let url = self.resolve(link)?;
        Ok(match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        })
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_https_or_loopback() {
        let cases = [
            ("https://api.hubapi.com", true),
            ("https://api.hubapi.com/", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost:1", true),
            ("http://api.hubapi.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://localhost.example.com", false),
            ("https://user@api.hubapi.com", false),
            ("https://api.hubapi.com/crm", false),
            ("https://api.hubapi.com/?a=b", false),
            ("ftp://127.0.0.1", false),
            ("api.hubapi.com", false),
            ("", false),
        ];
        for (text, good) in cases {
            match Origin::parse(text) {
                Ok(_) => assert!(good, "{text}"),
                Err(error) => {
                    assert_eq!((error.code(), good), (Code::ConfigInvalid, false), "{text}")
                }
            }
        }
    }

    #[test]
    fn a_link_stays_on_the_origin_or_is_refused() {
        let origin = Origin::parse("https://api.example.com").unwrap();
        let cases = [
            ("/v1/things?after=2", Some("/v1/things?after=2")),
            ("https://api.example.com/v1?a=%20b", Some("/v1?a=%20b")),
            ("https://API.example.com:443/v1", Some("/v1")),
            ("https://api.example.com:8443/v1", None),
            ("http://api.example.com/v1", None),
            ("//evil.example/v1", None),
            ("/\\evil.example/v1", None),
            ("\\\\evil.example/v1", None),
            ("https://api.example.com@evil.example/v1", None),
            ("https://user@api.example.com/v1", None),
            ("https://api.example.com.evil.example/v1", None),
            ("javascript:alert(1)", None),
            ("\t//evil.example", None),
        ];
        for (link, target) in cases {
            assert_eq!(origin.target_of(link).ok().as_deref(), target, "{link}");
        }
    }

    #[test]
    fn a_login_leads_to_another_https_host_but_never_to_this_machine() {
        let login = Origin::parse("https://login.example.com").unwrap();
        assert!(login.sibling("https://na1.example.com").is_ok());
        for text in [
            "http://na1.example.com",
            "http://127.0.0.1",
            "https://localhost",
            "https://x/y",
        ] {
            assert_eq!(
                login.sibling(text).unwrap_err().code(),
                Code::SourceForeignLink,
                "{text}"
            );
        }
        let sandbox = Origin::parse("http://127.0.0.1:1").unwrap();
        assert!(sandbox.sibling("http://127.0.0.1:2").is_ok());
        assert!(sandbox.sibling("https://na1.example.com").is_err());
    }
}
