#!/usr/bin/env bash
# Holds docs/api/openapi.yaml to the running program: serves it with invented vendors, lets it sync and resolve, and
# sends it requests that schemathesis draws from the document it serves, good ones and bad ones. No answer may be a
# server error, and each must have the status, the type, the headers and the shape that the document says.
# usage: scripts/api.sh [--bad] [EXAMPLES [SEED]]
#   --bad      only requests that are to be refused, which takes a minute: good ones begin syncs, and take some
#   EXAMPLES   drawn requests for each address, 4 where nothing is said
#   SEED       the number that they are drawn from, the same each time where nothing is said
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
modes=all
if [ "${1:-}" = --bad ]; then modes=negative && shift; fi
examples=${1:-4} seed=${2:-4711}

python=$(api_tools) || die "schemathesis could not be installed: Python 3.10 or later with venv is needed"
"$python/bin/python" -m openapi_spec_validator "$repository/docs/api/openapi.yaml" >&2
build_salesync

folder=$(mktemp -d)
server=
serving=
cleanup() {
  for process in $serving $server; do kill "$process" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder"

# Few records, and only the vendors that a sync need not wait for, so that it takes no longer than a request.
serve --records 5 --messages 5
unset SALESYNC_SECRET_DIALPAD SALESYNC_SECRET_GMAIL
SALESYNC_TRIGGER_SECRET=$(python3 -c 'import secrets; print(secrets.token_hex(20))')
export SALESYNC_TRIGGER_SECRET SALESYNC_WAREHOUSE=duckdb:api.duckdb SALESYNC_DEADLINE_SECS=10
SALESYNC_LOG=info "$SALESYNC_BIN" serve --port 0 --json >serving.json 2>serving.log &
serving=$!
until [ -s serving.json ]; do
  kill -0 "$serving" 2>/dev/null || die "salesync serve ended: $(tail -n 5 serving.log)"
  sleep 0.1
done
url=$(python3 -c 'import json; print(json.load(open("serving.json"))["url"])')

# Sends a command and leaves what came of it in a file: `ask PATH BODY FILE`.
ask() {
  printf 'header = "Authorization: Bearer %s"\n' "$SALESYNC_TRIGGER_SECRET" |
    curl --silent --show-error --fail --config - --header 'Content-Type: application/json' --data "$2" --output "$3" "$url$1"
}
ask /v1/syncs '{"source": "all"}' synced.json
ask /v1/resolve '{}' resolved.json

started=$SECONDS status=0
SALESYNC_API_SYNCED=$folder/synced.json PYTHONPATH=$repository/scripts/api PYTHONDONTWRITEBYTECODE=1 \
  "$python/bin/python" -m schemathesis.cli --config-file "$repository/scripts/api/schemathesis.toml" run "$url/openapi.yaml" \
  --phases examples,coverage,fuzzing --mode "$modes" --max-examples "$examples" --seed "$seed" --no-color >drawn.txt 2>&1 || status=$?
if [ "$status" -ne 0 ]; then
  cat drawn.txt >&2
  die "the program and docs/api/openapi.yaml disagree (seed $seed)"
fi
kill -0 "$serving" 2>/dev/null || die "salesync serve ended: $(tail -n 5 serving.log)"
if grep -n 'ERR_INTERNAL\|panicked' serving.log >&2; then die "a request met a fault of ours"; fi
grep -E 'Tested:|generated' drawn.txt || true
echo "the program answers as docs/api/openapi.yaml says: $((SECONDS - started)) s, seed $seed"
