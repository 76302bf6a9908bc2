"""What scripts/api.sh tells schemathesis beyond the document: which sources and streams the program holds.

The document is the same for each program, so it can't say that. Without it each drawn source would be refused, and no
sync would ever begin.
"""

import json
import os
from pathlib import Path

import schemathesis


def streams_by_source() -> dict[str, list[str]]:
    """Returns what the first sync has read: the streams of each source."""
    report = json.loads(Path(os.environ["SALESYNC_API_SYNCED"]).read_text())
    streams: dict[str, list[str]] = {}
    for run in report["runs"]:
        streams.setdefault(run["source"], []).append(run["stream"])
    return streams


def of_source(sync: dict, source: str, streams: list[str]) -> dict:
    """Returns the description of a sync that only one source may be named in."""
    named = {"source": {"type": "string", "enum": [source]}}
    items = {"type": "string", "enum": streams} if streams else {}
    named["streams"] = {"type": "array", "items": items, "maxItems": len(streams)}
    return {**sync, "properties": {**sync["properties"], **named}}


@schemathesis.hook
def before_load_schema(context, raw_schema) -> None:
    held = {**streams_by_source(), "all": []}
    components = raw_schema["components"]
    schemas = components["schemas"]
    components["parameters"]["Source"]["schema"]["enum"] = sorted(held)
    schemas["Redrive"]["properties"]["source"]["enum"] = [*sorted(held), None]
    kinds = [schemas["IncrementalSync"], schemas["FullSync"]]
    schemas["Sync"] = {
        "oneOf": [of_source(kind, source, streams) for source, streams in held.items() for kind in kinds]
    }
