#!/usr/bin/env bash
# Runs on the real BigQuery what else runs on an emulator: every promise of the adapter, a table of ten million rows with
# the dry run of its merge, and the comparison of both warehouses row by row. Each test makes datasets of its own in
# the project and removes them; all of it bills a few GiB. It needs Application Default Credentials that may make
# datasets and run jobs (docs/settings.md).
# usage: scripts/cloud_check.sh PROJECT
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
[ $# -eq 1 ] || die "usage: scripts/cloud_check.sh PROJECT"
command -v gcloud >/dev/null || die "it asks gcloud for a token: https://cloud.google.com/sdk/docs/install"
command -v curl >/dev/null || die "its own questions go through curl, which is not here"
token=$(gcloud auth application-default print-access-token 2>/dev/null) ||
  die "there are no credentials: run 'gcloud auth application-default login'"

headers=$(mktemp)
trap 'rm -f "$headers"' EXIT
printf 'authorization: Bearer %s\n' "$token" >"$headers"
unset BIGQUERY_EMULATOR_HOST
export SALESYNC_TEST_BIGQUERY=$1 SALESYNC_TEST_BIGQUERY_HEADERS=$headers

build_salesync
status=0
# One after the other: a project may run so many jobs at once, and a failure is then easier to read.
with_duckdb test --no-fail-fast --package salesync-gcp -- --test-threads 4 || status=1
with_duckdb test --no-fail-fast --package salesync-tests --test it -- --test-threads 1 parity || status=1
[ "$status" -eq 0 ] && say "BigQuery in $1 keeps every promise"
