#!/usr/bin/env bash
# Brings a release to a cloud: its packages, where they are not there yet, then every function, schedule and alert by Terraform,
# which shows what it would change and asks. Doing it twice changes nothing. Packages are those of scripts/package.sh.
# usage: scripts/deploy_functions.sh gcp|aws ENVIRONMENT [RELEASE] [--yes] [--dry-run]
#   ENVIRONMENT  infrastructure/environments/ENVIRONMENT.gcp.tfvars or .aws.tfvars
#   RELEASE      what the variable file says where nothing else is said
#   --yes        without asking
# It ends with 3 where Terraform failed, which may have changed what runs; with 1 where it came to an end before.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/cloud.sh"
begin_deployment "scripts/deploy_functions.sh gcp|aws ENVIRONMENT [RELEASE] [--yes] [--dry-run]" "$@"
release=${release:-$(variable release)}
check_release "$release"
check_login
dist=$repository/dist/$release

# Ends the script where a package is not as it was made.
check_sum() {
  local file=$1 wanted
  [ -f "$dist/$file" ] || die "dist/$release/$file is not there: run 'scripts/package.sh $release'"
  wanted=$(awk -v file="$file" '$2 == file { print $1 }' "$dist/SHA256SUMS")
  [ "$(sha256_of "$dist/$file")" = "$wanted" ] || die "dist/$release/$file is not what SHA256SUMS says: package again"
}

# Brings a package to the cloud; one that is there stays what it is.
bring() {
  local program=$1 file
  if is_there "$program" "$release"; then
    say "$program $release is there"
    return 0
  fi
  case $cloud in
    gcp)
      file=$program.oci.tar
      check_sum "$file"
      REGISTRY_TOKEN=$(gcloud auth print-access-token)
      export REGISTRY_TOKEN
      change python3 "$repository/scripts/images.py" push "$dist/$file" "$(package_of "$program" "$release")"
      ;;
    aws)
      file=$program.zip
      check_sum "$file"
      [ "$(python3 "$repository/scripts/archives.py" machine "$dist/$file")" = aarch64 ] ||
        die "dist/$release/$file is not for arm64, which the functions run on: package where aarch64 can be built"
      # In one piece, so that the checksum is the file's own: scripts/verify_deployment.sh compares it.
      change aws s3api put-object --region "$region" --bucket "$packages" --key "$release/$file" \
        --body "$dist/$file" --checksum-algorithm SHA256 --if-none-match '*'
      ;;
  esac
}

while read -r program; do bring "$program"; done < <(programs)
open_state
# It is written down before anything changes: what fails half-way can be rolled back too.
releases=$(read_releases)
if [ "$(tail -n 1 <<<"$releases")" != "$release" ]; then
  write_releases "${releases:+$releases$'\n'}$release"
fi
apply_release "$release" || exit 3
say "$environment on $cloud: release $release; next, scripts/verify_deployment.sh $cloud $environment"
