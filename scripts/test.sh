#!/usr/bin/env bash
# Runs every test: units, tests/it and the examples in the documentation. Words are passed on to `cargo test`.
# Where SALESYNC_TEST_DATA names a folder of test data, the tests that need it run too; else they say so. With
# SALESYNC_TEST_STRICT=1 every stand-in has to be here.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# Serves an OpenAPI description with its own examples; the last version made for Node 18 and 20.
prism=@stoplight/prism-cli@5.14.2

if [ -n "${SALESYNC_TEST_DATA:-}" ]; then
  if folder=$(npm_tool "$prism"); then
    export SALESYNC_PRISM=$folder/node_modules/.bin/prism
  else
    missing "$prism could not be installed: the tests that need it pass over it"
  fi
fi
# What stands in for a cloud, and where each one listens; all of it ends with the tests.
stand_ins=()
names=()
listens=()
work=$(mktemp -d)
cleanup() {
  if [ ${#stand_ins[@]} -gt 0 ]; then kill "${stand_ins[@]}" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT
free_ports() {
  python3 -c 'import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(it.getsockname()[1] for it in sockets))' "$1"
}
# Starts a program that listens on a port: its name, the port, and the command.
start_stand_in() {
  local name=$1 port=$2
  shift 2
  "$@" >"$work/log$port" 2>&1 &
  stand_ins+=($!)
  names+=("$name")
  listens+=("$port")
}
# Two emulators of BigQuery, which the tests of the adapter and of whole commands ask in turn: each has one thread.
tables=()
if bigquery=$(bigquery_emulator); then
  read -ra ports < <(free_ports 4)
  for at in 0 2; do
    start_stand_in "an emulator of BigQuery" "${ports[at]}" \
      "$bigquery/bin/python" "$repository/scripts/bigquery_emulator.py" --port "${ports[at]}" --grpc-port "${ports[at + 1]}" \
      --project p --dataset d --data-dir "$work/data$at" serve
    tables+=("http://127.0.0.1:${ports[at]}")
  done
  export SALESYNC_TEST_BIGQUERY="${tables[*]}"
  export SALESYNC_TEST_BIGQUERY_WRITE="http://127.0.0.1:${ports[1]} http://127.0.0.1:${ports[3]}"
else
  missing "the emulator of BigQuery could not be installed (it needs Python 3.13): the tests that need it pass over it"
fi
# Google's emulator of Pub/Sub, which the tests of the queue ask.
if pubsub=$(pubsub_emulator); then
  port=$(free_ports 1)
  start_stand_in "the emulator of Pub/Sub" "$port" "$pubsub" --host=127.0.0.1 --port="$port"
  export SALESYNC_TEST_PUBSUB=127.0.0.1:$port
else
  missing "the Cloud SDK with its emulator of Pub/Sub is not here: the tests that need it pass over it"
fi
# Moto, which serves SQS and Secrets Manager.
if moto=$(moto); then
  port=$(free_ports 1)
  start_stand_in moto "$port" "$moto/bin/python" -m moto.server -H 127.0.0.1 -p "$port"
  export SALESYNC_TEST_AWS=http://127.0.0.1:$port
else
  missing "moto could not be installed (it needs Python 3.10): the tests that need AWS pass over it"
fi
# cargo-lambda, which serves the API of Lambda's runtime to the functions of this workspace.
watch_lambda() {
  cd "$repository"
  exec "$1" lambda watch --only-lambda-apis --invoke-address 127.0.0.1 --invoke-port "$2"
}
if lambda=$(cargo_lambda); then
  port=$(free_ports 1)
  start_stand_in "the emulator of Lambda" "$port" watch_lambda "$lambda" "$port"
  export SALESYNC_TEST_LAMBDA=http://127.0.0.1:$port
else
  missing "cargo-lambda could not be installed (it needs Python 3): the test that needs it passes over it"
fi
case " $* " in
  *" -p "* | *" --package "*) ;;
  *) set -- --workspace "$@" ;;
esac
# Tests start the programs themselves, which cargo does not build for them.
packages=()
while read -r program; do packages+=(--package "$program"); done < <(programs)
with_duckdb build "${packages[@]}" >&2
for at in "${!stand_ins[@]}"; do
  until (exec 3<>"/dev/tcp/127.0.0.1/${listens[at]}") 2>/dev/null; do
    kill -0 "${stand_ins[at]}" 2>/dev/null || die "${names[at]} ended: $(tail -n 5 "$work/log${listens[at]}")"
    sleep 0.3
  done
done
status=0
with_duckdb test --no-fail-fast "$@" || status=1
checks=()
for origin in "${tables[@]}"; do
  "$bigquery/bin/python" "$repository/scripts/googlesql.py" "$origin" &
  checks+=($!)
done
for check in "${checks[@]}"; do wait "$check" || status=1; done
[ "$status" -eq 0 ]
