#!/usr/bin/env bash
# What can become wrong without a change of ours: known weaknesses in what we depend on, licences, origins, and secrets in what
# was ever committed. CI runs it each week; unlike scripts/check.sh it fails where the database of advisories can't be reached.
# usage: scripts/security.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$repository"
[ $# -eq 0 ] || die "usage: scripts/security.sh"
[ "$(git rev-parse --is-shallow-repository)" = false ] || die "this checkout lacks older commits: run 'git fetch --unshallow'"

printf '\n== secrets in what was ever committed\n'
python3 scripts/secret_scan.py --history

deny=$(cargo_deny)
printf '\n== dependencies\n'
"$deny" --locked --log-level error check bans licenses sources advisories
