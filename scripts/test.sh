#!/usr/bin/env bash
# Runs every test: units, tests/it and the examples in the documentation. Words are passed on to `cargo test`.
# Where SALESYNC_TEST_DATA names a folder of test data, the tests that need it run too; else they say so.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# Serves an OpenAPI description with its own examples; the last version made for Node 18 and 20.
prism=@stoplight/prism-cli@5.14.2

if [ -n "${SALESYNC_TEST_DATA:-}" ]; then
  if folder=$(npm_tool "$prism"); then
    export SALESYNC_PRISM=$folder/node_modules/.bin/prism
  else
    say "$prism could not be installed: the tests that need it pass over it"
  fi
fi
case " $* " in
  *" -p "* | *" --package "*) ;;
  *) set -- --workspace "$@" ;;
esac
# Tests start the program itself, which cargo does not build for them.
build_salesync
with_duckdb test --no-fail-fast "$@"
