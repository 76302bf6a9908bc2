#!/usr/bin/env bash
# Checks infrastructure/ without a cloud and without Terraform's registry: format, every resource against its provider's
# schema, the tests, a plan of both clouds in both environments, broken variants that have to be noticed, a policy scanner,
# and the rules for Prometheus. What is not on this machine and can't be had is named and passed over;
# with SALESYNC_TEST_STRICT=1 nothing may be.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$repository"

# The prebuilt bindings that hold the schemas of the providers google 6.50.0 and aws 6.25.0.
google_bindings=@cdktf/provider-google@16.12.1
aws_bindings=@cdktf/provider-aws@21.22.1

[ $# -eq 0 ] || die "usage: scripts/infra.sh"

# Terraform neither reads this machine's own settings nor asks for newer versions.
export TF_CLI_CONFIG_FILE=/dev/null TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1

passed_over=()
pass_over() {
  passed_over+=("$*")
  missing "$*"
}
step() { printf '\n== %s\n' "$*"; }

work=$(mktemp -d)
stand_in=
cleanup() {
  if [ -n "$stand_in" ]; then kill "$stand_in" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

# Installs the Python tools and prints their folder; fails where it can't.
infra_tools() { python_packages infra "the policy scanner and the stand-in's libraries (about 340 MB)" python3; }

download_npm() { (cd "$2" && npm pack --silent "$1" >/dev/null && mv ./*.tgz package.tgz); }

# Downloads a package from npm as it is, once, and prints the file; fails where it can't.
npm_package() {
  local folder
  folder=$cache/tools/npm-package-$(printf '%s' "$1" | tr -c 'A-Za-z0-9.\n' '-')
  if [ ! -d "$folder" ]; then
    command -v npm >/dev/null || return 1
    say "downloading $1 (about 35 MB)"
    build_folder "$folder" download_npm "$1" || return 1
  fi
  echo "$folder/package.tgz"
}

# Prints the types of a provider that the configuration uses, and those that the broken variants need.
types_of() {
  grep -rhoE "(resource|data) \"$1_[a-z0-9_]+\"" --include '*.tf' --include infra_mutations.py infrastructure scripts |
    sed -E 's/(resource|data) "(.*)"/\1:\2/' | sort -u
}

# Makes the schema of a provider, once for each list of types, and prints the file.
schema_of() {
  local provider=$1 package types folder
  package=$(npm_package "$2") || return 1
  types=$(types_of "$provider")
  folder=$cache/infra/$provider-$({ echo "$2 $types" && cat scripts/terraform_schema.py; } >"$work/key" && sha256_of "$work/key" | cut -c 1-12)
  if [ ! -e "$folder" ]; then
    # shellcheck disable=SC2086 # each line is a word
    build_folder "$folder" write_schema "$package" $types || return 1
  fi
  echo "$folder/schema.json"
}
write_schema() {
  local folder=${!#}
  python3 scripts/terraform_schema.py "${@:1:$#-1}" >"$folder/schema.json"
}

extract_promtool() {
  (cd "$1" && apt-get download -qq prometheus >/dev/null 2>&1 && dpkg-deb -x prometheus_*.deb unpacked &&
    mv unpacked/usr/bin/promtool . && rm -rf unpacked prometheus_*.deb)
}

# Prints the path of promtool: this machine's, or the one out of Debian's package; fails where there is neither.
find_promtool() {
  local folder=$cache/tools/promtool
  command -v promtool && return 0
  if [ ! -d "$folder" ]; then
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    say "unpacking promtool out of Debian's package prometheus (about 20 MB)"
    build_folder "$folder" extract_promtool || return 1
  fi
  echo "$folder/promtool"
}

# Starts the stand-in for the providers and tells Terraform where it is.
start_stand_in() {
  "$tools/bin/python" scripts/terraform_provider.py "google=$google_schema" "aws=$aws_schema" >"$work/reattach" &
  stand_in=$!
  until [ -s "$work/reattach" ]; do
    kill -0 "$stand_in" 2>/dev/null || die "the stand-in for Terraform's providers ended"
    sleep 0.1
  done
  TF_REATTACH_PROVIDERS=$(cat "$work/reattach")
  export TF_REATTACH_PROVIDERS
}

# Runs a command whose output only matters when it fails.
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }; }

check_terraform() {
  local copy=$work/infrastructure root cloud environment tests
  cp -r infrastructure "$copy"

  step "every resource against its provider's schema"
  for root in foundation/gcp foundation/aws gcp aws; do
    # The state's bucket is not there: a plan keeps its state in the copy.
    printf 'terraform {\n  backend "local" {}\n}\n' >"$copy/$root/backend_override.tf"
    quietly terraform -chdir="$copy/$root" init -no-color -input=false
    printf '%s: ' "$root"
    terraform -chdir="$copy/$root" validate -no-color | head -n 1
  done

  step "tests"
  while read -r tests; do
    root=$(dirname "$tests")
    quietly terraform -chdir="$root" init -no-color -input=false -backend=false
    quietly terraform -chdir="$root" test -no-color
    printf '%s: %s\n' "${root#"$copy/"}" "$(tail -n 1 "$work/log")"
  done < <(find "$copy" -type d -name tests | sort)

  step "plans of whole deployments"
  for cloud in gcp aws; do
    for environment in staging production; do
      quietly terraform -chdir="$copy/$cloud" plan -no-color -input=false -out="$work/$environment.plan" \
        -var-file="../environments/$environment.$cloud.tfvars"
      terraform -chdir="$copy/$cloud" show -json "$work/$environment.plan" >"$work/$environment.$cloud.json"
    done
  done
  python3 scripts/infra_plan.py infrastructure/sources.yaml "$work"/*.json

  step "broken variants"
  python3 scripts/infra_mutations.py "$copy"
}

# Prints each question of the dashboard as a rule, which promtool can read.
dashboard_rules() {
  python3 - infrastructure/observability/grafana-dashboard.json <<'PYTHON'
import json, sys
panels = json.load(open(sys.argv[1]))["panels"]
rules = [{"record": f"panel_{each['id']}", "expr": target["expr"]} for each in panels for target in each["targets"]]
print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
PYTHON
}

if ! command -v terraform >/dev/null; then
  pass_over "terraform is not here (https://developer.hashicorp.com/terraform/install): nothing of it is checked"
else
  step "format"
  terraform fmt -check -recursive -diff infrastructure
  if tools=$(infra_tools) && google_schema=$(schema_of google "$google_bindings") && aws_schema=$(schema_of aws "$aws_bindings"); then
    start_stand_in
    check_terraform
  else
    pass_over "the providers' schemas could not be had (they need npm and Python 3 with venv): resources are not checked"
  fi
fi

step "policies"
if tools=$(infra_tools); then
  "$tools/bin/python" -m checkov.main --config-file infrastructure/checkov.yaml --directory infrastructure 2>/dev/null |
    tee "$work/policies" | grep -vE '^$' || true
  grep -q 'Failed checks: 0,' "$work/policies" || die "a policy is not kept: mend it, or explain it in infrastructure/checkov.yaml"
else
  pass_over "the policy scanner could not be installed: policies are not checked"
fi

step "rules for Prometheus"
if promtool=$(find_promtool); then
  dashboard_rules >"$work/dashboard.rules.json"
  "$promtool" check rules infrastructure/observability/alerts.rules.yaml "$work/dashboard.rules.json" | grep -v '^$'
  "$promtool" test rules infrastructure/observability/alerts.test.yaml | grep -v '^$'
else
  pass_over "promtool is not here and not in a Debian package (brew install prometheus): rules are not checked"
fi

printf '\ninfrastructure is as it should be'
if [ ${#passed_over[@]} -gt 0 ]; then printf '; passed over:\n' && printf '  %s\n' "${passed_over[@]}"; else printf '\n'; fi
