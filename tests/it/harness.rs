//! A sandbox, a temporary folder, and the program itself: what every test of this binary stands on.
//!
//! The program is the real one, started as a process with nothing of the user's environment. Each bench
//! has its own vendors, its own folder and its own DuckDB file.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use salesync_sandbox::{
    GmailQuota, Sandbox, SandboxConfig, World, gmail_secret, hubspot_secret, salesforce_secret,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::tables::Tables;

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// Returns the one JSON document on stdout.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not one JSON document: {error}\n{self:#?}"))
    }

    /// Returns the runs of a sync's report.
    pub(crate) fn runs(&self) -> Vec<Value> {
        self.document()["runs"]
            .as_array()
            .unwrap_or_else(|| panic!("no runs: {self:#?}"))
            .clone()
    }

    /// Returns the run of one stream of a sync's report.
    pub(crate) fn stream(&self, stream: &str) -> Value {
        let mut runs = self.runs().into_iter();
        runs.find(|run| run["stream"] == stream)
            .unwrap_or_else(|| panic!("no run of {stream}: {self:#?}"))
    }
}

/// Invented vendors and a place to sync them to.
pub(crate) struct Bench {
    world: World,
    folder: TempDir,
    settings: BTreeMap<String, String>,
    // Last, so that nothing asks a server that is gone.
    _sandbox: Option<Sandbox>,
}

impl Bench {
    /// Starts vendors that hold about so many records.
    pub(crate) fn with_records(records: usize) -> Self {
        Self::new(SandboxConfig {
            records,
            ..SandboxConfig::default()
        })
    }

    /// Starts vendors.
    pub(crate) fn new(config: SandboxConfig) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let sandbox = runtime.block_on(Sandbox::start(config)).unwrap();
        let mut bench = Self::beside(&sandbox.url(), sandbox.world().clone());
        bench._sandbox = Some(sandbox);
        bench
    }

    /// Starts vendors, mailboxes among them, whose mail is read too: with a service account that may act for all
    /// of their owners.
    pub(crate) fn with_mail(config: SandboxConfig) -> Self {
        let quota = match config.gmail_quota {
            GmailQuota::Legacy => "legacy",
            GmailQuota::New => "new",
        };
        let mut bench = Self::new(config);
        let url = bench.url().to_owned();
        bench.set("SALESYNC_SECRET_GMAIL", gmail_secret());
        bench.set("SALESYNC_GMAIL_TOKEN_URL", format!("{url}/token"));
        bench.set("SALESYNC_GMAIL_BASE_URL", url);
        bench.set("SALESYNC_GMAIL_QUOTA", quota);
        bench.set(
            "SALESYNC_GMAIL_MAILBOXES",
            bench.world().mailboxes().join(","),
        );
        bench
    }

    /// Returns a second, empty warehouse for the same vendors and with the same settings.
    pub(crate) fn another(&self) -> Self {
        Self {
            world: self.world.clone(),
            folder: tempfile::tempdir().unwrap(),
            settings: self.settings.clone(),
            _sandbox: None,
        }
    }

    /// Returns the one origin of all vendors.
    pub(crate) fn url(&self) -> &str {
        &self.settings["SALESYNC_HUBSPOT_BASE_URL"]
    }

    fn beside(url: &str, world: World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = [
            ("SALESYNC_HUBSPOT_BASE_URL", url.to_owned()),
            ("SALESYNC_SALESFORCE_BASE_URL", url.to_owned()),
            ("SALESYNC_SECRET_HUBSPOT", hubspot_secret()),
            ("SALESYNC_SECRET_SALESFORCE", salesforce_secret()),
        ];
        let settings = settings
            .map(|(name, value)| (name.to_owned(), value))
            .into();
        Self {
            world,
            folder,
            settings,
            _sandbox: None,
        }
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Gives a setting another value.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.settings.insert(name.to_owned(), value.into());
    }

    /// Returns a setting's value, where it has one.
    pub(crate) fn setting(&self, name: &str) -> Option<String> {
        self.settings.get(name).cloned()
    }

    /// Takes a setting away.
    pub(crate) fn unset(&mut self, name: &str) {
        self.settings.remove(name);
    }

    /// Returns the program with these words, not yet started.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.command_of("salesync", words)
    }

    /// Returns one of the programs with these words, not yet started.
    pub(crate) fn command_of(&self, name: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program_named(name));
        command
            .env_clear()
            .envs(&self.settings)
            .current_dir(self.folder())
            .args(words)
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        self.command(words).output().unwrap().into()
    }

    /// Starts the program and does not wait for it.
    pub(crate) fn start(&self, words: &[&str]) -> Child {
        self.command(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs the program with `--json`, which must succeed, and returns its document.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let ended = self.run(&[words, &["--json"]].concat());
        assert_eq!(ended.code, Some(0), "{words:?}: {ended:#?}");
        ended.document()
    }

    /// Runs a sync with these further words; every stream must succeed with counts that add up.
    pub(crate) fn sync(&self, words: &[&str]) -> Ended {
        let ended = self.run(&[&["sync"], words, &["--json"]].concat());
        assert_eq!(ended.code, Some(0), "{words:?}: {ended:#?}");
        for run in ended.runs() {
            assert_eq!(
                (&run["status"], &run["code"]),
                (&"succeeded".into(), &Value::Null),
                "{ended:#?}"
            );
            let count = |name: &str| run[name].as_u64().unwrap();
            let parts = [
                "new",
                "changed",
                "unchanged",
                "older_ignored",
                "duplicate",
                "tombstoned",
                "rejected",
            ];
            assert_eq!(
                count("fetched"),
                parts.map(count).iter().sum::<u64>(),
                "{run}"
            );
        }
        ended
    }

    /// Opens the warehouse to look at it.
    pub(crate) fn tables(&self) -> Tables {
        Tables::open(&self.folder().join("salesync.duckdb"))
    }

    /// Asks the vendors with a plain request, as no code of the product does.
    pub(crate) fn ask(&self, path: &str) -> Value {
        let host = self.url().trim_start_matches("http://");
        let mut socket = std::net::TcpStream::connect(host).unwrap();
        let token = salesync_sandbox::HUBSPOT_TOKEN;
        write!(
            socket,
            "GET {path} HTTP/1.0\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

/// Returns what a started process left behind.
pub(crate) fn wait(child: Child) -> Ended {
    child.wait_with_output().unwrap().into()
}

/// Waits for a process, at most so long, and returns whether it has ended by then.
pub(crate) fn ends_within(child: &mut Child, limit: Duration) -> bool {
    let step = Duration::from_millis(5);
    let steps = limit.as_millis() / step.as_millis();
    (0..=steps).any(|_| child.try_wait().unwrap().is_some() || !pause(step))
}

/// Sends a signal by its name, such as `TERM`.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Passes real time for a process: nothing in it can be paused from here. Returns true.
pub(crate) fn pause(time: Duration) -> bool {
    let (_keep, never) = mpsc::channel::<()>();
    never.recv_timeout(time).is_err()
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// Returns a number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// Finds one of the programs, `salesync` or a vendor's own, beside this test, where cargo puts both.
fn program_named(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program = profile.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "{} is not there: build it first, with `scripts/test.sh` or `cargo build -p {name}`",
        program.display()
    );
    program
}

/// Returns the folder of test data, or says that a test passes over it.
pub(crate) fn test_data() -> Option<PathBuf> {
    let folder = from_environment("SALESYNC_TEST_DATA");
    if folder.is_none() {
        println!("SALESYNC_TEST_DATA is not set: passed over");
    }
    folder
}

/// Reads a path that the environment gives to the tests.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests' own inputs are no settings of the product"
)]
pub(crate) fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
