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
# Starts two emulators of BigQuery, which the tests of the adapter and of whole commands ask in turn: each has one thread.
emulators=()
tables=
aws=
aws_log=
cleanup() {
  if [ ${#emulators[@]} -gt 0 ]; then kill "${emulators[@]}" 2>/dev/null || true; fi
  if [ -n "$aws" ]; then kill "$aws" 2>/dev/null || true; fi
  if [ -n "$tables" ]; then rm -rf "$tables"; fi
  if [ -n "$aws_log" ]; then rm -f "$aws_log"; fi
}
trap cleanup EXIT
if bigquery=$(bigquery_emulator); then
  tables=$(mktemp -d)
  read -ra ports < <(python3 -c 'import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*(it.getsockname()[1] for it in sockets))')
  for at in 0 2; do
    "$bigquery/bin/python" "$repository/scripts/bigquery_emulator.py" --port "${ports[at]}" --grpc-port "${ports[at + 1]}" \
      --project p --dataset d --data-dir "$tables/data$at" serve >"$tables/log$at" 2>&1 &
    emulators+=($!)
  done
  export SALESYNC_TEST_BIGQUERY="http://127.0.0.1:${ports[0]} http://127.0.0.1:${ports[2]}"
  export SALESYNC_TEST_BIGQUERY_WRITE="http://127.0.0.1:${ports[1]} http://127.0.0.1:${ports[3]}"
else
  say "the emulator of BigQuery could not be installed (it needs Python 3.13): the tests that need it pass over it"
fi
# Starts moto, which serves SQS and Secrets Manager.
if folder=$(moto); then
  aws_log=$(mktemp)
  aws_port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
  "$folder/bin/python" -m moto.server -H 127.0.0.1 -p "$aws_port" >"$aws_log" 2>&1 &
  aws=$!
  export SALESYNC_TEST_AWS=http://127.0.0.1:$aws_port
else
  say "moto could not be installed (it needs Python 3.10): the tests that need AWS pass over it"
fi
case " $* " in
  *" -p "* | *" --package "*) ;;
  *) set -- --workspace "$@" ;;
esac
# Tests start the program itself, which cargo does not build for them.
build_salesync
for at in "${!emulators[@]}"; do
  until (exec 3<>"/dev/tcp/127.0.0.1/${ports[at * 2]}") 2>/dev/null; do
    kill -0 "${emulators[at]}" 2>/dev/null || die "an emulator of BigQuery ended: $(tail -n 5 "$tables/log$((at * 2))")"
    sleep 0.3
  done
done
if [ -n "$aws" ]; then
  until (exec 3<>"/dev/tcp/127.0.0.1/$aws_port") 2>/dev/null; do
    kill -0 "$aws" 2>/dev/null || die "moto ended: $(tail -n 5 "$aws_log")"
    sleep 0.3
  done
fi
status=0
with_duckdb test --no-fail-fast "$@" || status=1
checks=()
for at in "${!emulators[@]}"; do
  "$bigquery/bin/python" "$repository/scripts/googlesql.py" "http://127.0.0.1:${ports[at * 2]}" &
  checks+=($!)
done
for check in "${checks[@]}"; do wait "$check" || status=1; done
[ "$status" -eq 0 ]
