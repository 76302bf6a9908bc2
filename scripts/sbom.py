#!/usr/bin/env python3
"""Reads `cargo metadata` and writes what the programs of a release are made of, as CycloneDX 1.5 in JSON.

usage: cargo metadata --locked --format-version 1 | sbom.py RELEASE Cargo.lock duckdb@VERSION PROGRAM ...

The library DuckDB lies beside `salesync` and is no crate.
What only tests need is left out; what builds a program is in, with the scope `excluded`. The same input gives the same bytes.
"""

import json
import os
import sys
import tomllib
import uuid
from datetime import datetime, timezone
from pathlib import Path


def reached(nodes, begin, kinds):
    """Returns the ids that are reached from these over dependencies of these kinds."""
    seen, todo = set(), list(begin)
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        for dependency in nodes[at]["deps"]:
            if any(each["kind"] in kinds for each in dependency["dep_kinds"]):
                todo.append(dependency["pkg"])
    return seen


def component(package, checksums, ships):
    name, version = package["name"], package["version"]
    ours = package["source"] is None
    made = {
        "type": "library",
        "bom-ref": f"pkg:cargo/{name}@{version}",
        "name": name,
        "version": version,
        "scope": "required" if ships else "excluded",
        "purl": f"pkg:cargo/{name}@{version}",
    }
    if package.get("license"):
        # The older way of writing `OR`.
        made["licenses"] = [{"expression": " ".join(package["license"].replace("/", " OR ").split())}]
    if (name, version) in checksums:
        made["hashes"] = [{"alg": "SHA-256", "content": checksums[name, version]}]
    if ours:
        made["description"] = package["description"]
    elif package.get("repository"):
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


def main():
    release, lock, duckdb, *programs = sys.argv[1:]
    metadata = json.load(sys.stdin)
    locked = tomllib.loads(Path(lock).read_text())["package"]
    checksums = {(each["name"], each["version"]): each["checksum"] for each in locked if "checksum" in each}
    packages = {each["id"]: each for each in metadata["packages"]}
    nodes = {each["id"]: each for each in metadata["resolve"]["nodes"]}
    begin = [at for at, each in packages.items() if each["source"] is None and each["name"] in programs]
    missing = set(programs) - {packages[at]["name"] for at in begin}
    if missing:
        sys.exit(f"no package is called {', '.join(sorted(missing))}")

    shipped, all_of_it = reached(nodes, begin, [None]), reached(nodes, begin, [None, "build"])
    reference = lambda at: f"pkg:cargo/{packages[at]['name']}@{packages[at]['version']}"
    parts = sorted((component(packages[at], checksums, at in shipped) for at in all_of_it), key=lambda each: each["bom-ref"])
    parts.append({
        "type": "library",
        "bom-ref": f"pkg:generic/{duckdb}",
        "name": "duckdb",
        "version": duckdb.removeprefix("duckdb@"),
        "scope": "required",
        "purl": f"pkg:generic/{duckdb}",
        "licenses": [{"expression": "MIT"}],
    })
    links = [
        {"ref": reference(at), "dependsOn": sorted({reference(each["pkg"]) for each in nodes[at]["deps"] if each["pkg"] in all_of_it})}
        for at in sorted(all_of_it, key=reference)
    ]
    root = f"salesync@{release}"
    links.insert(0, {"ref": root, "dependsOn": sorted([*(reference(at) for at in begin), f"pkg:generic/{duckdb}"])})
    said = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), timezone.utc)
    content = json.dumps([parts, links], sort_keys=True)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, root + content)}",
        "version": 1,
        "metadata": {
            "timestamp": said.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "application", "bom-ref": root, "name": "salesync", "version": release},
        },
        "components": parts,
        "dependencies": links,
    }
    json.dump(document, sys.stdout, indent=1)
    print()


main()
