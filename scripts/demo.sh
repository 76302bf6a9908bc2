#!/usr/bin/env bash
# Builds salesync and runs its demo: invented vendors on this machine, synced and resolved; no account needed.
# Words are passed on: `scripts/demo.sh --records 20000`.
set -euo pipefail

program=$("$(dirname "${BASH_SOURCE[0]}")/build.sh")
exec "$program" demo "$@"
