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
# Starts the emulator of BigQuery, which the tests of the adapter and of whole commands ask.
emulator=
tables=
cleanup() {
  if [ -n "$emulator" ]; then kill "$emulator" 2>/dev/null || true; fi
  if [ -n "$tables" ]; then rm -rf "$tables"; fi
}
trap cleanup EXIT
if bigquery=$(bigquery_emulator); then
  tables=$(mktemp -d)
  read -r port grpc_port < <(python3 -c 'import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(it.getsockname()[1] for it in sockets))')
  "$bigquery/bin/python" "$repository/scripts/bigquery_emulator.py" --port "$port" --grpc-port "$grpc_port" \
    --project p --dataset d --data-dir "$tables/data" serve >"$tables/log" 2>&1 &
  emulator=$!
  export SALESYNC_TEST_BIGQUERY=http://127.0.0.1:$port SALESYNC_TEST_BIGQUERY_WRITE=http://127.0.0.1:$grpc_port
else
  say "the emulator of BigQuery could not be installed (it needs Python 3.13): the tests that need it pass over it"
fi
case " $* " in
  *" -p "* | *" --package "*) ;;
  *) set -- --workspace "$@" ;;
esac
# Tests start the program itself, which cargo does not build for them.
build_salesync
if [ -n "$emulator" ]; then
  until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 "$emulator" 2>/dev/null || die "the emulator of BigQuery ended: $(tail -n 5 "$tables/log")"
    sleep 0.3
  done
fi
status=0
with_duckdb test --no-fail-fast "$@" || status=1
if [ -n "$emulator" ]; then "$bigquery/bin/python" "$repository/scripts/googlesql.py" "$SALESYNC_TEST_BIGQUERY" || status=1; fi
[ "$status" -eq 0 ]
