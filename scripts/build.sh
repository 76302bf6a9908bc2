#!/usr/bin/env bash
# Builds the program `salesync` and prints where it is. `scripts/build.sh --release` builds the fast one.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

profile=dev folder=debug
case "${1:-}" in
  '') ;;
  --release) profile=release folder=release ;;
  *) die "usage: scripts/build.sh [--release]" ;;
esac
with_duckdb build --package salesync --profile "$profile" >&2
echo "$CARGO_TARGET_DIR/$folder/salesync"
