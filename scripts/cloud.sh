# shellcheck shell=bash
# Sourced by the scripts that deploy: what a deployment is called, who is logged in, and which releases it has had.
#
# A deployment is one cloud and one environment: infrastructure/environments/ENVIRONMENT.CLOUD.tfvars says all about it. Its
# releases stand in the bucket of Terraform's state, one a line, the newest last; so anybody who may deploy may roll back.
#
# With --dry-run everything is asked that has to be known, and what would change anything is only printed.

source "$(dirname "${BASH_SOURCE[0]}")/base.sh"

dry_run=no

# Takes the words of a script: `begin_deployment USAGE WORDS ...`. Leaves them in `cloud`, `environment`, `release` (empty where
# nothing is said), `dry_run` and `agreed`.
begin_deployment() {
  local usage="usage: $1" words=()
  shift
  # shellcheck disable=SC2034 # the scripts that source this file use it
  agreed=no
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run) dry_run=yes ;;
      --yes) agreed=yes ;;
      -*) die "$usage" ;;
      *) words+=("$1") ;;
    esac
    shift
  done
  [ ${#words[@]} -ge 2 ] && [ ${#words[@]} -le 3 ] || die "$usage"
  cloud=${words[0]} environment=${words[1]} release=${words[2]:-}
  [ "$cloud" = gcp ] || [ "$cloud" = aws ] || die "the cloud is gcp or aws: $usage"
  [[ $environment =~ ^[a-z][a-z0-9-]*$ ]] || die "'$environment' is no name for an environment"
  variables=$repository/infrastructure/environments/$environment.$cloud.tfvars
  [ -f "$variables" ] || die "there is no infrastructure/environments/$environment.$cloud.tfvars: copy staging.$cloud.tfvars and put your names into it"
  if [ -n "$release" ]; then check_release "$release"; fi
  root=$repository/infrastructure/$cloud
  project=$(variable project)
  region=$(variable region)
  case $cloud in
    gcp) packages=$(variable image_registry) ;;
    aws) packages=$(variable package_bucket) && account=$(variable account) ;;
  esac
  export TF_IN_AUTOMATION=1 TF_DATA_DIR=$root/.terraform/$environment
}

# Prints a text of the variable file; fails where it has none of that name.
variable() {
  local value
  value=$(sed -n "s/^$1[[:space:]]*=[[:space:]]*\"\(.*\)\"[[:space:]]*\(#.*\)\{0,1\}$/\1/p" "$variables")
  [ -n "$value" ] || die "${variables#"$repository/"} names no $1"
  echo "$value"
}

# Does what changes something; with --dry-run prints it on stderr.
change() {
  if [ "$dry_run" = yes ]; then
    say "would run:$(printf ' %q' "$@")"
  else
    "$@"
  fi
}

# Ends the script where a program or a login is missing that the cloud needs.
check_login() {
  local who
  need terraform https://developer.hashicorp.com/terraform/install
  need python3 https://www.python.org
  need gcloud https://cloud.google.com/sdk/docs/install
  if [ "$cloud" = gcp ]; then
    gcloud auth print-access-token >/dev/null 2>&1 || die "gcloud is not logged in: run 'gcloud auth login'"
  else
    need aws https://docs.aws.amazon.com/cli/
    who=$(aws sts get-caller-identity --query Account --output text 2>/dev/null) || die "aws is not logged in: run 'aws configure sso' or set AWS_PROFILE"
    [ "$who" = "$account" ] || die "aws is logged in to the account $who, and ${variables#"$repository/"} is for $account"
  fi
  # Terraform asks Google with these, for AWS too: the warehouse is there.
  gcloud auth application-default print-access-token >/dev/null 2>&1 ||
    die "Terraform has no login for Google Cloud: run 'gcloud auth application-default login'"
}

# Connects Terraform with the deployment's state.
open_state() {
  local words=()
  case $cloud in
    gcp) words=(-backend-config=bucket="$project-salesync-state" -backend-config=prefix=salesync) ;;
    aws) words=(-backend-config=bucket="salesync-state-$account" -backend-config=region="$region" -backend-config=key=salesync) ;;
  esac
  change terraform -chdir="$root" init -input=false -reconfigure "${words[@]}" >&2 ||
    die "Terraform can't open its state: is infrastructure/foundation/$cloud applied?"
}

releases_url() {
  case $cloud in
    gcp) echo "gs://$project-salesync-state/salesync-releases.txt" ;;
    aws) echo "s3://salesync-state-$account/salesync-releases.txt" ;;
  esac
}

# Prints the releases that were deployed, the newest last; nothing before the first one.
read_releases() {
  local told
  case $cloud in
    gcp) told=$(gcloud storage cat "$(releases_url)" 2>&1) ;;
    aws) told=$(aws s3 cp "$(releases_url)" - --region "$region" 2>&1) ;;
  esac || {
    # That there is no list yet is no failure; that it can't be read is one.
    if grep -qiE '404|not found|matched no objects|NoSuchKey|does not exist' <<<"$told"; then return 0; fi
    die "the list of releases can't be read: $(head -n 1 <<<"$told")"
  }
  printf '%s\n' "$told"
}

# Puts a list of releases, one a line, in the place of the one that is there.
write_releases() {
  local file
  if [ "$dry_run" = yes ]; then
    say "would write to $(releases_url): $(printf '%s' "$1" | tr '\n' ' ')"
    return 0
  fi
  file=$(mktemp)
  printf '%s\n' "$1" >"$file"
  case $cloud in
    gcp) gcloud storage cp --quiet "$file" "$(releases_url)" ;;
    aws) aws s3 cp --only-show-errors --region "$region" "$file" "$(releases_url)" ;;
  esac
  rm -f "$file"
}

# Prints where a release's package of a program is.
package_of() {
  case $cloud in
    gcp) echo "$packages/$1:$2" ;;
    aws) echo "s3://$packages/$2/$1.zip" ;;
  esac
}

# Says whether a release's package of a program is in the cloud.
is_there() {
  case $cloud in
    gcp) gcloud artifacts docker images describe "$(package_of "$1" "$2")" --project "$project" ;;
    aws) aws s3api head-object --bucket "$packages" --key "$2/$1.zip" --region "$region" ;;
  esac >/dev/null 2>&1
}

# Makes the deployment run a release.
apply_release() {
  local words=(-var-file="$variables" -var="release=$1")
  if [ "$agreed" = yes ]; then words+=(-input=false -auto-approve); fi
  change terraform -chdir="$root" apply "${words[@]}"
}
