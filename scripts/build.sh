#!/usr/bin/env bash
# Builds the program `salesync` and prints where it is. `scripts/build.sh --release` builds the fast one.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

case "${1:-}" in
  '') build_salesync ;;
  --release) build_salesync release ;;
  *) die "usage: scripts/build.sh [--release]" ;;
esac
echo "$SALESYNC_BIN"
