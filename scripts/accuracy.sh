#!/usr/bin/env bash
# Resolves every labelled set in a folder with `salesync match` and prints how well it did.
# usage: scripts/accuracy.sh [FOLDER] [RECORDS]    the folder holds NAME.csv.gz and NAME.truth.csv.gz; without it
# $SALESYNC_TEST_DATA/er is taken. With RECORDS an invented universe of that size comes last: scripts/universe.py.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/env.sh
. scripts/env.sh
sets="${1:-${SALESYNC_TEST_DATA:?name a folder with labelled sets, or set SALESYNC_TEST_DATA}/er}"
build_salesync release
answers="$(mktemp -d)"
trap 'rm -rf "$answers"' EXIT
if [ -n "${2:-}" ]; then python3 scripts/universe.py "$2" "$answers"; fi
echo "set / kind    records  pairwise: P, R, F1        B-cubed: P, R, F1"
for truth in "$sets"/*.truth.csv.gz "$answers"/*.truth.csv.gz; do
  if [ ! -e "$truth" ]; then continue; fi
  name="$(basename "$truth" .truth.csv.gz)"
  line="$("$SALESYNC_BIN" match "${truth%.truth.csv.gz}.csv.gz" --out "$answers/$name.csv" 2> /dev/null)"
  echo "$name: ${line%: *}"
  python3 scripts/accuracy.py "$answers/$name.csv" "$truth"
done
