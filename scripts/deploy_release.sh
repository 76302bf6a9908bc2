#!/usr/bin/env bash
# What CI does with a release of GitHub: fetches its packages, proves where they were built, deploys them to each cloud, verifies, and
# goes back where the deployment does not work. The first deployment has nothing to go back to.
# usage: scripts/deploy_release.sh ENVIRONMENT RELEASE 'CLOUD ...'
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/base.sh"
[ $# -eq 3 ] || die "usage: scripts/deploy_release.sh ENVIRONMENT RELEASE 'CLOUD ...'"
environment=$1 release=$2
read -ra clouds <<<"$3"
check_release "$release"
if [ ${#clouds[@]} -eq 0 ]; then
  say "no cloud is named for $environment: nothing is deployed"
  exit 0
fi
need gh https://cli.github.com
cd "$repository"

gh release download "v$release" --dir "dist/$release" --pattern '*.zip' --pattern '*.oci.tar' --pattern SHA256SUMS --clobber
# The list is signed, and each package is compared with it before it is brought to a cloud.
gh attestation verify "dist/$release/SHA256SUMS" --repo "${GITHUB_REPOSITORY:?}"

for cloud in "${clouds[@]}"; do
  ended=0
  scripts/deploy_functions.sh "$cloud" "$environment" "$release" --yes || ended=$?
  # What runs there is another release, and a good one: it stays.
  if [ "$ended" -ne 0 ] && [ "$ended" -ne 3 ]; then die "$release was not deployed to $environment on $cloud, where nothing has changed"; fi
  if [ "$ended" -ne 0 ] || ! scripts/verify_deployment.sh "$cloud" "$environment" "$release"; then
    scripts/rollback.sh "$cloud" "$environment" --yes || say "it could not go back: look at it by hand"
    die "$release does not work in $environment on $cloud"
  fi
done
