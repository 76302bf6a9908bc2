#!/usr/bin/env python3
"""Tests the scripts that package and deploy, without a cloud and without a compiler: in the places of gcloud, aws, terraform and
cargo are programs that write down how they were called, and a registry for containers on this machine.

usage: deploy_test.py [TEST ...]
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import archives
import images

HERE = Path(__file__).resolve().parent.parent
PROGRAMS = ["dialpad-sync", "gmail-sync", "hubspot-sync", "salesforce-sync", "salesync"]

# Writes down its words and answers with the first of the answers whose words are in them.
STAND_IN = """#!{python} -IS
import json, os, sys
folder = os.environ["STAND_INS"]
called = " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]])
with open(folder + "/calls", "a") as calls:
    calls.write(called + "\\n")
for answer in json.load(open(folder + "/answers")):
    if all(word in called for word in answer["to"]):
        if "run" in answer:
            from pathlib import Path
            exec(answer["run"])
        sys.stdout.write(answer.get("says", ""))
        sys.stderr.write(answer.get("complains", ""))
        sys.exit(answer.get("code", 0))
"""

# What cargo does: a program for its target that holds the features that it was built with.
CARGO = """
target = sys.argv[sys.argv.index("--target") + 1]
built = Path(os.environ["CARGO_TARGET_DIR"]) / target / sys.argv[sys.argv.index("--profile") + 1]
built.mkdir(parents=True, exist_ok=True)
machine = {"x86_64": b"\\x3e\\x00", "aarch64": b"\\xb7\\x00"}[target.split("-")[0]]
features = " laptop" if "salesync/laptop" in sys.argv else ""
for at, word in enumerate(sys.argv):
    if word == "--package":
        file = built / sys.argv[at + 1]
        file.write_bytes(b"\\x7fELF" + bytes(14) + machine + bytes(12) + b"GLIBC_2.34\\0" + (file.name + features).encode())
        file.chmod(0o755)
"""


class Registry(BaseHTTPRequestHandler):
    """The part of a registry that is used: blobs and manifests by digest and tag, and a login for those who have none."""

    stored, uploads, tokens = {}, [], set()

    def log_message(self, *_):
        pass

    def reply(self, status, content=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(content), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def allowed(self):
        login = self.headers.get("Authorization", "")
        self.tokens.add(login)
        if login in ("Bearer anonymous", "Basic " + base64.b64encode(b"oauth2accesstoken:token").decode()):
            return True
        realm = f"http://{self.headers['Host']}/token"
        self.reply(401, WWW_Authenticate=f'Bearer realm="{realm}",service="here",scope="pull"')
        return False

    def do_GET(self):
        if self.path.startswith("/token"):
            return self.reply(200, b'{"token": "anonymous"}')
        if self.allowed():
            content = self.stored.get(self.path)
            self.reply(200 if content is not None else 404, content or b"")

    do_HEAD = do_GET

    def do_POST(self):
        if self.allowed():
            self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(202, Location="/upload?state=1&name=" + self.path.split("/blobs/")[0])

    def do_PUT(self):
        if not self.allowed():
            return
        content = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path
        if path.startswith("/upload"):
            name, digest = re.fullmatch(r"/upload\?state=1&name=(.*)&digest=sha256%3A(.*)", path).groups()
            path = f"{name}/blobs/sha256:{digest}"
            if digest != hashlib.sha256(content).hexdigest():
                return self.reply(400)
        if "/manifests/" in path:
            manifest = json.loads(content)
            wanted = [each["digest"] for each in [manifest["config"], *manifest["layers"]]]
            if not all(f"{path.split('/manifests/')[0]}/blobs/{each}" in self.stored for each in wanted):
                return self.reply(400)
        self.uploads.append(path)
        self.stored[path] = content
        self.reply(201)


def digest(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def encoded(document):
    return json.dumps(document).encode()


class Scene(unittest.TestCase):
    """A checkout with the scripts alone, stand-ins on PATH, and a registry that holds a base."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        Registry.stored, Registry.uploads, Registry.tokens = {}, [], set()
        server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.registry = f"127.0.0.1:{server.server_port}"
        self.put_base()
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        (self.bin / "python3").symlink_to(sys.executable)
        for name in ("gcloud", "aws", "terraform", "gh"):
            self.stand_in(name)
        self.answers = []
        self.logged_in()
        self.checkout = self.check_out("checkout")

    def stand_in(self, name):
        file = self.bin / name
        file.write_text(STAND_IN.format(python=sys.executable))
        file.chmod(0o755)

    def check_out(self, name):
        checkout = self.folder / name
        shutil.copytree(HERE / "scripts", checkout / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        for program in PROGRAMS:
            (checkout / "functions" / program).mkdir(parents=True)
        environments = checkout / "infrastructure/environments"
        environments.mkdir(parents=True)
        for file in (HERE / "infrastructure/environments").glob("*.tfvars"):
            (environments / file.name).write_text(file.read_text().replace("europe-west3-docker.pkg.dev", self.registry))
        for file in ("Cargo.toml", "LICENSE", "README.md"):
            shutil.copy(HERE / file, checkout)
        (checkout / "Cargo.lock").write_text('[[package]]\nname = "serde"\nversion = "1.0.0"\nchecksum = "ab"\n')
        (checkout / ".gitignore").write_text("/dist\n__pycache__\n")
        return checkout

    def put_base(self):
        layer, config = b"the base", encoded({"architecture": "amd64", "os": "linux", "config": {"Env": ["A=b"]}, "rootfs": {"type": "layers", "diff_ids": ["sha256:1"]}})
        manifest = encoded({
            "config": {"digest": digest(config), "size": len(config), "mediaType": "application/vnd.oci.image.config.v1+json"},
            "layers": [{"digest": digest(layer), "size": len(layer), "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip"}],
        })
        index = encoded({"manifests": [
            {"digest": "sha256:" + "0" * 64, "platform": {"architecture": "arm64", "os": "linux"}},
            {"digest": digest(manifest), "platform": {"architecture": "amd64", "os": "linux"}},
        ]})
        self.base_digest = digest(index)
        base = "/v2/base/cc"
        Registry.stored |= {f"{base}/manifests/nonroot": index, f"{base}/manifests/{digest(manifest)}": manifest}
        Registry.stored |= {f"{base}/blobs/{digest(each)}": each for each in (layer, config)}

    def logged_in(self):
        self.answer(["gcloud auth"], says="token")
        self.answer(["aws sts get-caller-identity"], says="111111111111\n")

    def answer(self, to, **how):
        self.answers.insert(0, {"to": to, **how})

    def run_script(self, *words, checkout=None, **settings):
        (self.bin / "answers").write_text(json.dumps(self.answers))
        (self.bin / "calls").write_text("")
        environment = {"HOME": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", "PATH": f"{self.bin}:{os.environ['PATH']}", "STAND_INS": str(self.bin), "TRIAL_PAUSE_SECS": "0", **settings}
        checkout = checkout or self.checkout
        done = subprocess.run([checkout / "scripts" / words[0], *words[1:]], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.calls = (self.bin / "calls").read_text().replace(str(checkout), "").splitlines()
        return done

    def succeeds(self, *words, **settings):
        done = self.run_script(*words, **settings)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def fails(self, remark, *words, **settings):
        done = self.run_script(*words, **settings)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertIn(remark, done.stderr + done.stdout)

    def calls_with(self, *begins):
        return [call for call in self.calls if call.startswith(begins)]

    def make_packages(self, release, machine=b"\xb7\x00"):
        """What scripts/package.sh leaves, from a program that does nothing."""
        dist = self.checkout / "dist" / release
        dist.mkdir(parents=True)
        program, base = self.folder / "program", self.folder / "base"
        program.write_bytes(b"\x7fELF" + bytes(14) + machine + bytes(12))
        program.chmod(0o755)
        base.mkdir(exist_ok=True)
        images.pull(f"{self.registry}/base/cc:nonroot", "x86_64", base)
        for name in PROGRAMS:
            archives.write_zip(dist / f"{name}.zip", [f"bootstrap={program}"])
            images.build(base, dist / f"{name}.oci.tar", name, release, [f"{name}={program}"])
        archives.write_sums(dist)


class Deploy(Scene):
    def test_a_release_goes_to_google_cloud_once(self):
        self.make_packages("0.2.0")
        self.answer(["gcloud artifacts docker images describe"], code=1)
        self.answer(["gcloud storage cat"], says="0.1.0\n")
        self.succeeds("deploy_functions.sh", "gcp", "staging", "0.2.0", "--yes")
        self.assertEqual(self.calls_with("terraform"), [
            "terraform -chdir=/infrastructure/gcp init -input=false -reconfigure -backend-config=bucket=example-salesync-staging-salesync-state -backend-config=prefix=salesync",
            "terraform -chdir=/infrastructure/gcp apply -var-file=/infrastructure/environments/staging.gcp.tfvars -var=release=0.2.0 -input=false -auto-approve",
        ])
        tags = [path for path in Registry.uploads if path.endswith("/manifests/0.2.0")]
        self.assertEqual(tags, [f"/v2/example-salesync-staging/salesync/{name}/manifests/0.2.0" for name in PROGRAMS])
        self.assertEqual(len(self.calls_with("gcloud storage cp")), 1)
        # Once more: packages and list are there.
        del self.answers[0:2]
        self.answer(["gcloud storage cat"], says="0.1.0\n0.2.0\n")
        Registry.uploads.clear()
        self.succeeds("deploy_functions.sh", "gcp", "staging", "0.2.0", "--yes")
        self.assertEqual(Registry.uploads, [])
        self.assertEqual(self.calls_with("gcloud storage cp"), [])

    def test_a_release_goes_to_aws(self):
        self.make_packages("0.1.0")
        self.answer(["aws s3api head-object"], code=254)
        self.answer(["aws s3 cp s3://", " - "], code=1, complains="fatal error: An error occurred (404) when calling the HeadObject operation")
        self.succeeds("deploy_functions.sh", "aws", "staging", "--yes")
        self.assertEqual(self.calls_with("aws s3api put-object"), [
            f"aws s3api put-object --region eu-central-1 --bucket salesync-packages-111111111111 --key 0.1.0/{name}.zip --body /dist/0.1.0/{name}.zip --checksum-algorithm SHA256 --if-none-match *"
            for name in PROGRAMS
        ])
        self.assertIn("-var=release=0.1.0", self.calls_with("terraform")[-1])
        self.assertIn("-backend-config=bucket=salesync-state-111111111111 -backend-config=region=eu-central-1", self.calls_with("terraform")[0])

    def test_a_dry_run_changes_nothing(self):
        self.make_packages("0.1.0")
        self.answer(["describe"], code=1)
        self.answer(["head-object"], code=1)
        self.answer(["gcloud storage cat"], code=1, complains="The following URLs matched no objects or files")
        self.answer(["aws s3 cp"], code=1, complains="NoSuchKey")
        for cloud in ("gcp", "aws"):
            done = self.succeeds("deploy_functions.sh", cloud, "staging", "--dry-run")
            self.assertIn("would run: terraform", done.stderr)
            self.assertIn("would write to", done.stderr)
            self.assertEqual(self.calls_with("terraform", "gcloud storage cp", "aws s3api put", "aws s3 cp /"), [])
        self.assertEqual(Registry.uploads, [])

    def test_what_is_missing_is_said(self):
        self.fails("usage", "deploy_functions.sh", "gcp")
        self.fails("gcp or aws", "deploy_functions.sh", "azure", "staging")
        self.fails("copy staging.gcp.tfvars", "deploy_functions.sh", "gcp", "elsewhere")
        self.fails("no name for a release", "deploy_functions.sh", "gcp", "staging", "../0.1.0")
        self.answer(["describe"], code=1)
        self.fails("run 'scripts/package.sh 0.1.0'", "deploy_functions.sh", "gcp", "staging")
        self.answer(["gcloud auth print-access-token"], code=1)
        self.fails("gcloud auth login", "deploy_functions.sh", "gcp", "staging")
        self.answer(["aws sts"], says="999999999999\n")
        self.fails("account 999999999999", "deploy_functions.sh", "aws", "staging")
        tools = self.folder / "tools"
        tools.mkdir()
        for name in ("bash", "dirname", "sed", "python3", "env"):
            (tools / name).symlink_to(shutil.which(name))
        self.fails("terraform was not found: https://", "deploy_functions.sh", "gcp", "staging", PATH=str(tools))

    def test_other_packages_than_those_that_were_made_are_refused(self):
        self.make_packages("0.1.0", machine=b"\x3e\x00")
        self.answer(["head-object"], code=1)
        self.fails("not for arm64", "deploy_functions.sh", "aws", "staging")
        self.answer(["describe"], code=1)
        (self.checkout / "dist/0.1.0/dialpad-sync.oci.tar").write_bytes(b"another")
        self.fails("not what SHA256SUMS says", "deploy_functions.sh", "gcp", "staging")

    def test_a_list_that_can_not_be_read_is_not_taken_for_an_empty_one(self):
        self.answer(["gcloud storage cat"], code=1, complains="HTTPError 403: no access")
        self.fails("list of releases can't be read", "deploy_functions.sh", "gcp", "staging", "--yes")
        self.assertEqual(self.calls_with("terraform -chdir=/infrastructure/gcp apply", "gcloud storage cp"), [])


class Release(Scene):
    """What CI does with a release of GitHub."""

    def setUp(self):
        super().setUp()
        self.make_packages("0.2.0")
        self.answer(["gcloud storage cat"], says="0.1.0\n0.2.0\n")

    def test_one_that_does_not_work_is_taken_back(self):
        self.answer(["terraform", "output"], code=1)
        self.fails("0.2.0 does not work in staging on gcp", "deploy_release.sh", "staging", "0.2.0", "gcp aws", GITHUB_REPOSITORY="a/b")
        applied = [re.search("release=(\\S+)", call)[1] for call in self.calls_with("terraform") if " apply " in call]
        self.assertEqual(applied, ["0.2.0", "0.1.0"])

    def test_one_that_terraform_can_not_deploy_is_taken_back(self):
        self.answer(["terraform", "apply", "release=0.2.0"], code=1)
        self.fails("0.2.0 does not work in staging on gcp", "deploy_release.sh", "staging", "0.2.0", "gcp", GITHUB_REPOSITORY="a/b")
        self.assertIn("-var=release=0.1.0", self.calls_with("terraform")[-1])

    def stays(self):
        """Fails unless nothing that runs was changed by a deployment."""
        self.fails("nothing has changed", "deploy_release.sh", "staging", "0.2.0", "gcp", GITHUB_REPOSITORY="a/b")
        changes = [call for call in self.calls if " apply " in call or call.startswith("gcloud storage cp")]
        self.assertEqual(changes, [])

    def test_what_runs_stays_where_a_package_could_not_be_brought(self):
        self.answer(["gcloud storage cat"], says="0.0.9\n0.1.0\n")
        self.answer(["describe"], code=1)
        (self.checkout / "dist/0.2.0/dialpad-sync.oci.tar").write_bytes(b"another")
        self.stays()

    def test_what_runs_stays_where_terraform_can_not_begin(self):
        self.answer(["terraform", "init"], code=1)
        self.stays()

    def test_one_that_is_not_signed_is_not_deployed(self):
        self.answer(["gh attestation verify dist/0.2.0/SHA256SUMS --repo a/b"], code=1)
        self.assertNotEqual(self.run_script("deploy_release.sh", "staging", "0.2.0", "gcp", GITHUB_REPOSITORY="a/b").returncode, 0)
        self.assertEqual(self.calls_with("terraform", "gcloud"), [])

    def test_an_environment_without_a_cloud_deploys_nothing(self):
        self.succeeds("deploy_release.sh", "staging", "0.2.0", "")
        self.assertEqual(self.calls, [])


class Rollback(Scene):
    def written(self, *words):
        """The list that a rollback leaves."""
        self.answer(["gcloud storage cp"], run='Path(folder, "list").write_text(Path(sys.argv[-2]).read_text())')
        self.succeeds("rollback.sh", "gcp", "staging", *words, "--yes")
        return (self.bin / "list").read_text().split()

    def test_it_goes_one_back_and_then_one_further(self):
        self.answer(["gcloud storage cat"], says="0.1.0\n0.2.0\n0.3.0\n")
        self.assertEqual(self.written(), ["0.1.0", "0.2.0"])
        self.assertIn("-var=release=0.2.0", self.calls_with("terraform")[-1])
        self.answer(["gcloud storage cat"], says="0.1.0\n0.2.0\n")
        self.assertEqual(self.written(), ["0.1.0"])

    def test_it_goes_to_a_release_that_is_named(self):
        self.answer(["gcloud storage cat"], says="0.1.0\n0.2.0\n0.3.0\n")
        self.assertEqual(self.written("0.1.0"), ["0.1.0"])
        self.assertEqual(self.written("0.0.9"), ["0.1.0", "0.2.0", "0.3.0", "0.0.9"])

    def test_it_begins_only_where_it_can_end(self):
        self.answer(["aws s3 cp"], says="0.1.0\n")
        self.fails("the only release", "rollback.sh", "aws", "staging")
        self.answer(["aws s3 cp"], says="0.1.0\n0.2.0\n")
        self.answer(["head-object", "0.1.0/gmail-sync.zip"], code=1)
        self.fails("gmail-sync.zip is not there any more", "rollback.sh", "aws", "staging")
        self.assertEqual(self.calls_with("terraform"), [])


TENANTS = {
    "north": {"functions": {"north-hubspot-sync": {"schedules": ["north-hubspot-full-sync", "north-hubspot-incremental-sync"]}}, "log_group": "/salesync/north"},
    "sales": {
        "functions": {"hubspot-sync": {"schedules": ["hubspot-full-sync", "hubspot-incremental-sync"]}, "salesync": {"schedules": ["entity-resolution"]}},
        "log_group": "/salesync/sales",
    },
}


class Verify(Scene):
    def setUp(self):
        super().setUp()
        self.answer(["terraform", "output -json tenants"], says=json.dumps(TENANTS))
        self.answer(["gcloud storage cat"], says="0.1.0\n")
        self.answer(["aws s3 cp"], says="0.1.0\n")
        for name, program in (("hubspot-sync", "hubspot-sync"), ("salesync", "salesync"), ("north-hubspot-sync", "hubspot-sync")):
            self.answer([f"run services describe {name} "], says=json.dumps(self.service(program)))
        self.answer(["gcloud logging read", "severity>=ERROR"], says="[]")
        self.answer(["gcloud logging read", "run_ended"], says=json.dumps([{"jsonPayload": {"source": "hubspot", "stream": "contacts", "status": "succeeded"}}]))
        self.answer(["aws lambda get-function-configuration"], says=json.dumps({"State": "Active", "LastUpdateStatus": "Successful", "CodeSha256": "c3Vt"}))
        self.answer(["aws s3api head-object"], says="c3Vt\n")
        self.answer(["aws lambda invoke"], says="{}", run="Path(sys.argv[-1]).write_text(json.dumps({'runs': [{'source': 'hubspot', 'stream': 'contacts', 'status': 'succeeded'}]}))")
        self.answer(["aws logs filter-log-events"], says='{"events": []}')

    def service(self, program, release="0.1.0", ready="True"):
        image = f"{self.registry}/example-salesync-staging/salesync/{program}:{release}"
        return {
            "status": {"conditions": [{"type": "Ready", "status": ready, "message": "the probe failed"}], "latestReadyRevisionName": "a", "latestCreatedRevisionName": "a"},
            "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
        }

    def test_a_deployment_that_works_is_said_to(self):
        done = self.succeeds("verify_deployment.sh", "gcp", "staging")
        self.assertIn("north: north-hubspot-sync is healthy", done.stdout)
        self.assertIn("hubspot contacts succeeded", done.stdout)
        self.assertEqual(self.calls_with("gcloud scheduler"), ["gcloud scheduler jobs run hubspot-incremental-sync --project example-salesync-staging --location europe-west3"])
        self.succeeds("verify_deployment.sh", "aws", "staging")
        self.assertEqual(len(self.calls_with("aws lambda get-function-configuration")), 3)
        self.assertIn('--payload {"sync": {"source": "hubspot", "effect": "dry_run"}}', self.calls_with("aws lambda invoke")[0])
        self.assertEqual([call.split()[4] for call in self.calls_with("aws logs")], ["/salesync/north", "/salesync/sales"])

    def test_what_does_not_work_on_google_cloud_is_named(self):
        self.answer(["run services describe salesync "], says=json.dumps(self.service("salesync", release="0.0.9")))
        self.fails("not " + f"{self.registry}/example-salesync-staging/salesync/salesync:0.1.0", "verify_deployment.sh", "gcp", "staging")
        self.answer(["run services describe salesync "], says=json.dumps(self.service("salesync", ready="False")))
        self.fails("the probe failed", "verify_deployment.sh", "gcp", "staging")
        self.answer(["run services describe salesync "], says=json.dumps(self.service("salesync")))
        self.answer(["gcloud logging read", "severity>=ERROR"], says=json.dumps([{"jsonPayload": {"code": "ERR_STORE_DENIED", "message": "no"}}]))
        self.fails("ERR_STORE_DENIED", "verify_deployment.sh", "gcp", "staging")
        self.answer(["gcloud logging read", "run_ended"], says="[]")
        self.fails("no run of hubspot-sync ended within 0 s", "verify_deployment.sh", "gcp", "staging", TRIAL_SECS="0")

    def test_what_does_not_work_on_aws_is_named(self):
        self.answer(["aws s3api head-object"], says="YW5vdGhlcg==\n")
        self.fails("other code than the package", "verify_deployment.sh", "aws", "staging")
        self.answer(["aws s3api head-object"], says="c3Vt\n")
        failed = {"runs": [{"source": "hubspot", "stream": "contacts", "status": "failed", "code": "ERR_SOURCE_AUTH_REVOKED"}]}
        self.answer(["aws lambda invoke"], says="{}", run=f"Path(sys.argv[-1]).write_text({json.dumps(failed)!r})")
        self.fails("ERR_SOURCE_AUTH_REVOKED", "verify_deployment.sh", "aws", "staging")
        self.answer(["aws lambda invoke"], says='{"FunctionError": "Unhandled"}', run="Path(sys.argv[-1]).write_text('{\"errorMessage\": \"out of memory\"}')")
        self.fails("the function failed: out of memory", "verify_deployment.sh", "aws", "staging")


METADATA = {
    "packages": [
        *({"id": name, "name": name, "version": "0.1.0", "source": None, "license": "Apache-2.0", "description": name} for name in PROGRAMS),
        {"id": "serde", "name": "serde", "version": "1.0.0", "source": "registry", "license": "MIT/Apache-2.0", "repository": "https://example.com"},
        {"id": "cc", "name": "cc", "version": "1.0.0", "source": "registry", "license": "MIT"},
        {"id": "proptest", "name": "proptest", "version": "1.0.0", "source": "registry", "license": "MIT"},
    ],
    "resolve": {"nodes": [
        *({"id": name, "deps": [{"pkg": pkg, "dep_kinds": [{"kind": kind}]} for pkg, kind in (("serde", None), ("cc", "build"), ("proptest", "dev"))]} for name in PROGRAMS),
        *({"id": name, "deps": []} for name in ("serde", "cc", "proptest")),
    ]},
}


class Package(Scene):
    def setUp(self):
        super().setUp()
        for name in ("cargo", "rustc", "rustup", "npm", "getconf", "aarch64-linux-gnu-gcc"):
            self.stand_in(name)
        self.answer(["cargo build"], run=CARGO)
        self.answer(["cargo metadata"], says=json.dumps(METADATA))
        self.answer(["rustc -vV"], says="host: x86_64-unknown-linux-gnu\n")
        self.answer(["rustup target list"], says="x86_64-unknown-linux-gnu\naarch64-unknown-linux-gnu\n")
        self.answer(["getconf GNU_LIBC_VERSION"], says="glibc 2.36\n")

    def package(self, name, *words, **settings):
        """Packages in a new checkout with new caches, and returns the folder."""
        checkout = self.check_out(name)
        git = lambda *words, **more: subprocess.run(["git", "-C", checkout, "-c", "user.name=a", "-c", "user.email=a@example.com", *words], check=True, capture_output=True, **more)
        git("init", "--quiet")
        git("add", ".")
        git("commit", "--quiet", "--message", "all", env={**os.environ, "GIT_COMMITTER_DATE": "2026-02-03T04:05:06Z"})
        cache = self.folder / f"cache-{name}"
        for folder in ("1.5.6", "1.5.6-linux-arm64"):
            (cache / "duckdb" / folder).mkdir(parents=True)
            (cache / "duckdb" / folder / "libduckdb.so").write_text(f"DuckDB {folder}")
        self.done = self.succeeds("package.sh", *words, checkout=checkout, SALESYNC_CACHE=str(cache), IMAGE_BASE=f"{self.registry}/base/cc:nonroot", **settings)
        return checkout / "dist"

    def test_two_packages_of_one_commit_are_the_same_bytes(self):
        one, other = self.package("one", "0.2.0"), self.package("other", "0.2.0")
        sums = (one / "0.2.0/SHA256SUMS").read_text()
        self.assertEqual(sums, (other / "0.2.0/SHA256SUMS").read_text())
        files = [line.split()[1] for line in sums.splitlines()]
        archives = [f"salesync-0.2.0-{target}.tar.gz" for target in ("aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu")]
        self.assertEqual(files, sorted([f"{name}.{kind}" for name in PROGRAMS for kind in ("oci.tar", "zip")] + archives + ["sbom.cdx.json"]))
        for line in sums.splitlines():
            wanted, file = line.split()
            self.assertEqual(wanted, hashlib.sha256((one / "0.2.0" / file).read_bytes()).hexdigest())

    def test_each_package_holds_its_program_for_its_processor(self):
        dist = self.package("one", "0.2.0") / "0.2.0"
        with zipfile.ZipFile(dist / "salesync.zip") as opened:
            self.assertEqual(opened.namelist(), ["bootstrap"])
            self.assertEqual(opened.read("bootstrap")[18:20], b"\xb7\x00")
            self.assertTrue(opened.read("bootstrap").endswith(b"\0salesync"))
            self.assertEqual(opened.infolist()[0].external_attr >> 16, 0o100755)
            self.assertEqual(opened.infolist()[0].date_time, (2026, 2, 3, 4, 5, 6))
        with tarfile.open(dist / "salesync-0.2.0-aarch64-unknown-linux-gnu.tar.gz") as opened:
            held = {Path(name).name: opened.extractfile(name).read() for name in opened.getnames() if opened.getmember(name).isfile()}
            self.assertEqual(set(held), {"salesync", "libduckdb.so", "LICENSE", "README.md"})
            self.assertTrue(held["salesync"].endswith(b"\0salesync laptop"))
            self.assertEqual(held["libduckdb.so"], b"DuckDB 1.5.6-linux-arm64")
        with tarfile.open(dist / "salesync.oci.tar") as opened:
            blob = lambda digest: opened.extractfile("blobs/sha256/" + digest.removeprefix("sha256:")).read()
            manifest = json.loads(blob(json.load(opened.extractfile("index.json"))["manifests"][0]["digest"]))
            config = json.loads(blob(manifest["config"]["digest"]))
            self.assertEqual(config["config"], {"Env": ["A=b"], "Entrypoint": ["/app/salesync"], "Cmd": None, "User": "65532:65532", "WorkingDir": "/"})
            self.assertEqual(len(config["rootfs"]["diff_ids"]), len(manifest["layers"]))
            self.assertEqual(blob(manifest["layers"][0]["digest"]), b"the base")
            self.assertEqual(manifest["annotations"]["org.opencontainers.image.base.digest"], self.base_digest)
            layer = self.folder / "layer"
            layer.write_bytes(blob(manifest["layers"][1]["digest"]))
        with tarfile.open(layer) as opened:
            self.assertEqual(opened.getnames(), ["app", "app/salesync"])
            self.assertEqual(opened.extractfile("app/salesync").read()[18:20], b"\x3e\x00")
        parts = {part["name"]: part for part in json.loads((dist / "sbom.cdx.json").read_text())["components"]}
        self.assertEqual(set(parts), {*PROGRAMS, "serde", "cc", "duckdb"})
        self.assertEqual((parts["serde"]["scope"], parts["cc"]["scope"]), ("required", "excluded"))
        self.assertEqual(parts["serde"]["hashes"], [{"alg": "SHA-256", "content": "ab"}])

    def test_what_can_not_be_built_is_said(self):
        self.answer(["rustup target"], code=1)
        dist = self.package("one")
        self.assertIn("aarch64-unknown-linux-gnu is left out", self.done.stderr)
        self.assertIn("the zips are for x86_64-unknown-linux-gnu", self.done.stderr)
        self.assertTrue((dist / "0.1.0/hubspot-sync.zip").exists())
        del Registry.stored["/v2/base/cc/manifests/nonroot"]
        dist = self.package("other", "--target", "x86_64-unknown-linux-gnu")
        self.assertIn("there are no containers", self.done.stderr)
        self.assertEqual(list(dist.glob("0.1.0/*.zip")), [])


if __name__ == "__main__":
    unittest.main()
