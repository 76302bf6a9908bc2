#!/usr/bin/env python3
"""Makes containers and moves them, without a container engine: a base as it is, and one layer of ours on it.

usage: images.py pull BASE PROCESSOR FOLDER      BASE is REGISTRY/NAME:TAG, or @sha256:DIGEST; nobody logs in
       images.py build FOLDER ARCHIVE --name NAME --release RELEASE PATH=FILE ...     the files go below /app
       images.py push ARCHIVE REGISTRY/NAME:TAG  the password of `oauth2accesstoken` is in REGISTRY_TOKEN

The same files on the same base give the same bytes; the time in them is SOURCE_DATE_EPOCH's.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import sys
import tarfile
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

import archives

PROCESSORS = {"x86_64": "amd64", "aarch64": "arm64"}
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKERS_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKERS_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def digest_of(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def describe(media_type, content):
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def encode(document):
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


class Registry:
    """Asks the registry of one repository."""

    def __init__(self, reference, login=None):
        found = re.fullmatch(r"([^/]+)/([^@:]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]{64}))?", reference)
        if not found:
            sys.exit(f"{reference} is not REGISTRY/NAME:TAG")
        host, self.name, tag, digest = found.groups()
        self.at = digest or tag or "latest"
        plain = host.split(":")[0] in ("127.0.0.1", "localhost")
        self.origin = f"{'http' if plain else 'https'}://{host}"
        self.login = login

    def ask(self, method, path, content=None, headers=None, may_miss=False):
        url = urllib.parse.urljoin(f"{self.origin}/v2/{self.name}/", path)
        for attempt in (1, 2):
            request = urllib.request.Request(url, content, headers or {}, method=method)
            # A login goes to the registry alone, not to where it keeps its blobs.
            if self.login and url.startswith(self.origin + "/"):
                request.add_unredirected_header("Authorization", self.login)
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:
                    return answer.headers, answer.read()
            except urllib.error.HTTPError as error:
                if error.code == 404 and may_miss:
                    return None, b""
                if error.code == 401 and attempt == 1 and self.login is None:
                    self.login = self.anonymous(error.headers.get("WWW-Authenticate", ""))
                    continue
                raise

    def anonymous(self, challenge):
        said = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        words = urllib.parse.urlencode({key: said[key] for key in ("service", "scope") if key in said})
        with urllib.request.urlopen(f"{said['realm']}?{words}", timeout=60) as answer:
            document = json.load(answer)
        return f"Bearer {document.get('token') or document['access_token']}"

    def manifest(self, at):
        accept = {"Accept": ", ".join([INDEX, MANIFEST, DOCKERS_INDEX, DOCKERS_MANIFEST])}
        _, content = self.ask("GET", f"manifests/{at}", headers=accept)
        if at.startswith("sha256:") and digest_of(content) != at:
            sys.exit(f"the registry sent other bytes than {at}")
        return content

    def blob(self, digest):
        _, content = self.ask("GET", f"blobs/{digest}")
        if digest_of(content) != digest:
            sys.exit(f"the registry sent other bytes than {digest}")
        return content

    def put_blob(self, digest, content):
        if self.ask("HEAD", f"blobs/{digest}", may_miss=True)[0] is not None:
            return
        headers, _ = self.ask("POST", "blobs/uploads/", b"")
        place = urllib.parse.urljoin(f"{self.origin}/v2/{self.name}/blobs/uploads/", headers["Location"])
        place += ("&" if "?" in place else "?") + urllib.parse.urlencode({"digest": digest})
        self.ask("PUT", place, content, {"Content-Type": "application/octet-stream"})


def pull(base, processor, folder):
    registry = Registry(base)
    content = registry.manifest(registry.at)
    named = digest_of(content)
    document = json.loads(content)
    if "manifests" in document:
        wanted = {"architecture": PROCESSORS[processor], "os": "linux"}
        fits = [each for each in document["manifests"] if wanted.items() <= each.get("platform", {}).items()]
        if not fits:
            sys.exit(f"{base} is not there for {processor}")
        document = json.loads(registry.manifest(fits[0]["digest"]))
    for each in [document["config"], *document["layers"]]:
        (folder / each["digest"].removeprefix("sha256:")).write_bytes(registry.blob(each["digest"]))
    (folder / "base.json").write_bytes(encode({"name": base.split("@")[0], "digest": named, "manifest": document}))


def build(folder, archive, name, release, words):
    base = json.loads((folder / "base.json").read_text())
    read = lambda each: (folder / each["digest"].removeprefix("sha256:")).read_bytes()
    created = datetime.fromtimestamp(archives.epoch(), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    plain = archives.tarred((f"app/{path}", content, mode) for path, content, mode in archives.entries(words))
    layer = archives.gzipped(plain)

    config = json.loads(read(base["manifest"]["config"]))
    config["created"] = created
    config.setdefault("config", {}).update({"Entrypoint": [f"/app/{name}"], "Cmd": None, "User": "65532:65532", "WorkingDir": "/"})
    config["rootfs"]["diff_ids"].append(digest_of(plain))
    config.setdefault("history", []).append({"created": created, "created_by": f"salesync {release}"})
    config = encode(config)

    # Both kinds of media types name the same bytes.
    layers = [{**each, "mediaType": LAYER} for each in base["manifest"]["layers"]]
    manifest = encode({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": describe(CONFIG, config),
        "layers": [*({key: each[key] for key in ("mediaType", "digest", "size")} for each in layers), describe(LAYER, layer)],
        "annotations": {
            "org.opencontainers.image.title": name,
            "org.opencontainers.image.version": release,
            "org.opencontainers.image.created": created,
            "org.opencontainers.image.licenses": "Apache-2.0",
            "org.opencontainers.image.base.name": base["name"],
            "org.opencontainers.image.base.digest": base["digest"],
        },
    })
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [describe(MANIFEST, manifest)]}
    blobs = [config, layer, manifest, *(read(each) for each in layers)]
    files = {f"blobs/sha256/{digest_of(blob).removeprefix('sha256:')}": blob for blob in blobs}
    files |= {"oci-layout": encode({"imageLayoutVersion": "1.0.0"}), "index.json": encode(index)}
    Path(archive).write_bytes(archives.tarred((path, content, 0o644) for path, content in sorted(files.items())))


def push(archive, reference):
    token = os.environ.get("REGISTRY_TOKEN")
    login = token and "Basic " + base64.b64encode(f"oauth2accesstoken:{token}".encode()).decode()
    registry = Registry(reference, login)
    with tarfile.open(archive) as tar:
        read = lambda digest: tar.extractfile(f"blobs/sha256/{digest.removeprefix('sha256:')}").read()
        digest = json.load(tar.extractfile("index.json"))["manifests"][0]["digest"]
        manifest = read(digest)
        document = json.loads(manifest)
        for each in [*document["layers"], document["config"]]:
            registry.put_blob(each["digest"], read(each["digest"]))
    registry.ask("PUT", f"manifests/{registry.at}", manifest, {"Content-Type": MANIFEST})
    print(f"{reference}@{digest}")


def main():
    words = argparse.ArgumentParser(usage=__doc__)
    commands = words.add_subparsers(dest="command", required=True)
    one = commands.add_parser("pull")
    one.add_argument("base")
    one.add_argument("processor", choices=PROCESSORS)
    one.add_argument("folder", type=Path)
    one = commands.add_parser("build")
    one.add_argument("folder", type=Path)
    one.add_argument("archive", type=Path)
    one.add_argument("--name", required=True)
    one.add_argument("--release", required=True)
    one.add_argument("files", nargs="+")
    one = commands.add_parser("push")
    one.add_argument("archive", type=Path)
    one.add_argument("reference")
    given = words.parse_args()
    try:
        match given.command:
            case "pull":
                pull(given.base, given.processor, given.folder)
            case "build":
                build(given.folder, given.archive, given.name, given.release, given.files)
            case "push":
                push(given.archive, given.reference)
    except urllib.error.HTTPError as error:
        sys.exit(f"{urllib.parse.urlsplit(error.url).netloc} answered {error.code}")
    except (urllib.error.URLError, TimeoutError) as error:
        sys.exit(f"the registry can't be reached: {getattr(error, 'reason', error)}")


if __name__ == "__main__":
    main()
