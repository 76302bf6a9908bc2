#!/usr/bin/env bash
# Resolves the people and companies of the invented vendors twice, in an emulator of BigQuery by itself and here, and counts
# the pairs of records that are one entity in one answer alone; tells how long each took, and how much memory it needed here.
# usage: scripts/in_warehouse.sh [RECORDS]    about 100,000 without a word on it
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
emulator=$(bigquery_emulator) || die "the emulator of BigQuery could not be installed: it needs Python 3.13"
build_salesync release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$emulator/bin/python" "$repository/scripts/in_warehouse.py" "$SALESYNC_BIN" "$work" "${1:-130000}"
