"""What scripts/api.sh tells schemathesis beyond the document: which sources, streams and runs there are.

The document is the same for each program, so it can't say that. Without it each drawn source would be refused, and no
sync would ever begin.
"""

import json
import os
from pathlib import Path

import schemathesis


def streams_by_source(runs: list[dict]) -> dict[str, list[str]]:
    """Returns what the first sync has read: the streams of each source."""
    streams: dict[str, list[str]] = {}
    for run in runs:
        streams.setdefault(run["source"], []).append(run["stream"])
    return streams


def of_source(sync: dict, source: str, streams: list[str]) -> dict:
    """Returns the description of a sync that only one source may be named in."""
    named = {
        "source": {"type": "string", "enum": [source]},
        "streams": {"type": "array", "items": {"type": "string", "enum": streams}},
    }
    return {**sync, "properties": {**sync["properties"], **named}}


@schemathesis.hook
def before_load_schema(context, raw_schema) -> None:
    runs = json.loads(Path(os.environ["SALESYNC_API_SYNCED"]).read_text())["runs"]
    held = streams_by_source(runs)
    held["all"] = sorted({stream for streams in held.values() for stream in streams})
    components = raw_schema["components"]
    schemas = components["schemas"]
    components["parameters"]["Source"]["schema"]["enum"] = sorted(held)
    schemas["Redrive"]["properties"]["source"]["enum"] = [*sorted(held), None]
    # A drawn run is hardly ever there.
    raw_schema["paths"]["/v1/runs/{id}"]["get"]["parameters"][0]["example"] = runs[0]["run_id"]
    kinds = [schemas["IncrementalSync"], schemas["FullSync"]]
    schemas["Sync"] = {
        "oneOf": [of_source(kind, source, streams) for source, streams in held.items() for kind in kinds]
    }
