#!/usr/bin/env bash
# Shows for each source how near the sync comes to what the vendor permits: invented vendors that refuse what is too
# much, answer 120 ms late and tell one request in 1,000 to come back in two seconds; a first sync of all of them for
# as long as is said; then what was admitted in the busiest minute beside what is permitted, how long callers were
# told to stay away in that minute, how many requests were over the limit, and how many came back before they were
# told to. The share is of what is permitted in the rest of that minute.
# usage: scripts/pacing.sh [SECONDS] [legacy|new]    90, and Gmail's legacy quota, where nothing is said
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
seconds=${1:-90} quota=${2:-legacy}

build_salesync release
folder=$(mktemp -d)
server=
cleanup() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder"

serve --records 400000 --messages 80000 --quota-model "$quota" --limits --latency 120 --disturb 1000 2>limits.json
export SALESYNC_WAREHOUSE=duckdb:pacing.duckdb SALESYNC_DEADLINE_SECS=$seconds
# It stops at the deadline, which is no success: only the server's figures count here.
"$SALESYNC_BIN" sync all --json >runs.json 2>sync.log || true
kill -INT "$server"
wait "$server" || true
server=
python3 "$repository/scripts/pacing.py" limits.json runs.json
