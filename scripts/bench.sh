#!/usr/bin/env bash
# Measures a first sync of 200,000 contacts and of 500,000 opportunities from a server on this machine into
# DuckDB, and the sync after it in which nothing changed: records a second, CPU seconds per million records,
# peak memory. The server's own time does not count. A floor is measured in the same run: DuckDB alone, taking
# in rows that are ready in memory.
# usage: scripts/bench.sh [PERCENT]    of those numbers of records; 100 where nothing is said
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
percent=${1:-100}

build_salesync release
with_duckdb build --package salesync-duckdb --profile release --example measure >&2
folder=$(mktemp -d)
server=
cleanup() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder"

measure() { python3 "$repository/scripts/measure.py" "$@"; }

printf '%-40s %10s %9s %10s %12s %8s\n' what records seconds records/s 'CPU s per M' 'peak MB'
# Of all records 30 % are contacts and 15 % are opportunities.
for case in "hubspot contacts 667000" "salesforce opportunities 3334000"; do
  read -r source stream records <<<"$case"
  rm -f bench.duckdb* settings.json
  export SALESYNC_WAREHOUSE=duckdb:bench.duckdb
  serve --records $((records * percent / 100))
  measure "$source.$stream, first sync" "$SALESYNC_BIN" sync "$source" --streams "$stream" --json
  measure "$source.$stream, nothing changed" "$SALESYNC_BIN" sync "$source" --streams "$stream" --json
  kill "$server" && wait "$server" 2>/dev/null || true
  server=
done
printf '\nthe floor: DuckDB alone, rows of 15 columns ready in memory\n'
"$CARGO_TARGET_DIR/release/examples/measure" $((500000 * percent / 100))
