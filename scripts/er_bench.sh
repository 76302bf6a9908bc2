#!/usr/bin/env bash
# Resolves sets with known answers and prints how well, how fast and in how much memory.
# usage: scripts/er_bench.sh [--splink] [FOLDER] [RECORDS ...]    the folder holds NAME.csv.gz and NAME.truth.csv.gz;
# without it $SALESYNC_TEST_DATA/er is taken. After it come the people and companies of the invented vendors, read by a
# sync of all four, and invented universes of so many records each, 10,000, 100,000 and 1,000,000 without a word on it:
# scripts/universe.py. With --splink each set is resolved by Splink too, and what it does at its best threshold stands
# beside ours.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/env.sh
. scripts/env.sh
peer=
if [ "${1:-}" = --splink ]; then
  shift
  peer="$(python_packages splink "Splink, to compare with" python3)/bin/python3" || die "Splink could not be installed"
fi
sets="${1:-${SALESYNC_TEST_DATA:+$SALESYNC_TEST_DATA/er}}"
[ -d "$sets" ] || die "name a folder with labelled sets, or set SALESYNC_TEST_DATA"
if [ $# -gt 1 ]; then sizes=("${@:2}"); else sizes=(10000 100000 1000000); fi
build_salesync release
universes="$(mktemp -d)"
trap 'rm -rf "$universes"' EXIT
for size in "${sizes[@]}"; do python3 scripts/universe.py "$size" "$universes" > /dev/null; done
# Reads a DuckDB file from Python.
install_duckdb() { python3 -m venv "$1" >&2 && "$1/bin/pip" install --quiet --disable-pip-version-check "duckdb==$duckdb_version" >&2; }
python="$cache/tools/python-duckdb-$duckdb_version"
[ -d "$python" ] || build_folder "$python" install_duckdb || die "duckdb $duckdb_version could not be installed for Python"
"$python/bin/python3" scripts/er_bench.py ${peer:+--splink "$peer"} "$SALESYNC_BIN" "$sets" "$universes"
