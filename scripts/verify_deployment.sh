#!/usr/bin/env bash
# Looks whether a deployment works: every function is there, healthy and of the release; a trial sync of one source ends well;
# nothing was logged as an error since. It can be repeated at any time.
# usage: scripts/verify_deployment.sh gcp|aws ENVIRONMENT [RELEASE]
#   RELEASE               the one that was deployed last where nothing is said
#   TRIAL        the source of the trial, hubspot where nothing is said; `none` leaves it out, and says so
#   TRIAL_SECS   how long it may take, 600 where nothing is said
# On AWS the trial is a dry run, which writes nothing. On Google Cloud, where a service is called from inside the project alone, it is
# the source's schedule, started now: an ordinary sync, which the next one goes on from.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/cloud.sh"
begin_deployment "scripts/verify_deployment.sh gcp|aws ENVIRONMENT [RELEASE]" "$@"
[ "$dry_run" = no ] || die "this script changes nothing: it needs no --dry-run"
trial=${TRIAL:-hubspot} trial_secs=${TRIAL_SECS:-600}
check_login
release=${release:-$(read_releases | tail -n 1)}
[ -n "$release" ] || die "nothing was deployed to $environment on $cloud by scripts/deploy_functions.sh: name the release"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
open_state
terraform -chdir="$root" output -json tenants >"$work/tenants" || die "Terraform's state names no tenants: deploy first"
# Answers questions about what the clouds print: scripts/deployed.py.
deployed() { python3 "$repository/scripts/deployed.py" "$@"; }

failures=0
wrong() {
  say "$*"
  failures=$((failures + 1))
}

step() { printf '\n== %s\n' "$*"; }

check_health() {
  local tenant name program wanted
  while read -r tenant name program; do
    case $cloud in
      gcp)
        gcloud run services describe "$name" --project "$project" --region "$region" --format json >"$work/function" 2>"$work/error" ||
          { wrong "$name is not there: $(head -n 1 "$work/error")"; continue; }
        deployed service "$(package_of "$program" "$release")" <"$work/function" || { wrong "$name is not as it should be"; continue; }
        ;;
      aws)
        aws lambda get-function-configuration --function-name "$name" --region "$region" --output json >"$work/function" 2>"$work/error" ||
          { wrong "$name is not there: $(head -n 1 "$work/error")"; continue; }
        wanted=$(aws s3api head-object --bucket "$packages" --key "$release/$program.zip" --region "$region" \
          --checksum-mode ENABLED --query ChecksumSHA256 --output text) || { wrong "$program $release is not in the bucket"; continue; }
        deployed function "$wanted" <"$work/function" || { wrong "$name is not as it should be"; continue; }
        ;;
    esac
    printf '%s: %s is healthy\n' "$tenant" "$name"
  done < <(deployed functions <"$work/tenants")
}

# Starts a source's schedule and waits for the lines that its runs end with: until there are no more from one look to the next.
try_on_gcp() {
  local name=$1 schedule=$2 until ended=0 before
  gcloud scheduler jobs run "$schedule" --project "$project" --location "$region" >/dev/null || { wrong "$schedule could not be started"; return 0; }
  until=$((SECONDS + trial_secs))
  while true; do
    gcloud logging read "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"$name\" AND jsonPayload.event=\"run_ended\" AND timestamp>=\"$begun\"" \
      --project "$project" --limit 200 --format json >"$work/runs"
    before=$ended
    ended=$(deployed count <"$work/runs")
    if [ "$ended" -gt 0 ] && [ "$ended" -eq "$before" ]; then break; fi
    if [ "$SECONDS" -ge "$until" ]; then
      if [ "$ended" -gt 0 ]; then break; fi
      wrong "no run of $name ended within $trial_secs s"
      return 0
    fi
    sleep "${TRIAL_PAUSE_SECS:-10}"
  done
  deployed runs <"$work/runs" || wrong "the trial sync of $trial failed"
}

try_on_aws() {
  local name=$1
  aws lambda invoke --function-name "$name" --region "$region" --cli-binary-format raw-in-base64-out --cli-read-timeout "$trial_secs" \
    --payload "{\"sync\": {\"source\": \"$trial\", \"effect\": \"dry_run\"}}" --output json "$work/report" >"$work/invoked" ||
    { wrong "$name could not be invoked"; return 0; }
  deployed report "$work/report" <"$work/invoked" || wrong "the trial sync of $trial failed"
}

# Prints nothing where nothing was logged as an error since the beginning.
errors_of() {
  case $cloud in
    gcp)
      gcloud logging read "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"$(deployed functions <"$work/tenants" | awk '{ printf "%s^%s$", (NR > 1 ? "|" : ""), $2 }')\" AND severity>=ERROR AND timestamp>=\"$begun\"" \
        --project "$project" --limit 20 --format json | deployed errors
      ;;
    aws)
      deployed groups <"$work/tenants" | while read -r group; do
        aws logs filter-log-events --log-group-name "$group" --region "$region" --start-time "$(deployed millis "$begun")" \
          --filter-pattern '{ $.severity = "ERROR" }' --max-items 20 --output json | deployed errors
      done
      ;;
  esac
}

begun=$(date -u +%Y-%m-%dT%H:%M:%SZ)
step "health: release $release of $environment on $cloud"
check_health

step "a trial sync"
if [ "$trial" = none ]; then
  say "TRIAL is none: no sync is tried"
elif ! found=$(deployed source "$trial" <"$work/tenants"); then
  wrong "no tenant has the source $trial: set TRIAL"
else
  read -r name schedule <<<"$found"
  "try_on_$cloud" "$name" "$schedule"
fi

step "log"
errors=$(errors_of) || wrong "the log can't be read"
if [ -n "$errors" ]; then
  printf '%s\n' "$errors"
  wrong "errors were logged"
else
  echo "no errors since $begun"
fi

[ "$failures" -eq 0 ] || die "$environment on $cloud is not as it should be: $failures findings; scripts/rollback.sh $cloud $environment goes back"
printf '\n%s on %s works\n' "$environment" "$cloud"
