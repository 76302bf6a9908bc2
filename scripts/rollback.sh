#!/usr/bin/env bash
# Goes back to the release before, or to one that is named, and forgets those after it: a second rollback goes one further.
# Tables stay as they are, and an older release reads them: columns are only added. Its packages have to be there still.
# usage: scripts/rollback.sh gcp|aws ENVIRONMENT [RELEASE] [--yes] [--dry-run]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/cloud.sh"
begin_deployment "scripts/rollback.sh gcp|aws ENVIRONMENT [RELEASE] [--yes] [--dry-run]" "$@"
check_login

releases=$(read_releases)
[ -n "$releases" ] || die "nothing was deployed to $environment on $cloud by scripts/deploy_functions.sh"
current=$(tail -n 1 <<<"$releases")
if [ -z "$release" ]; then
  release=$(grep -vxF -- "$current" <<<"$releases" | tail -n 1) || true
  [ -n "$release" ] || die "$current is the only release that $environment on $cloud has had: name another one"
fi
while read -r program; do
  is_there "$program" "$release" || die "$(package_of "$program" "$release") is not there any more: package $release again and deploy it"
done < <(programs)

say "$environment on $cloud: from $current to $release"
open_state
apply_release "$release"
# What came after the last time it was deployed is forgotten; one that is not on the list stands at its end.
kept=$(awk -v wanted="$release" '{ line[NR] = $0; if ($0 == wanted) last = NR }
  END { for (at = 1; at <= (last ? last : NR); at++) print line[at]; if (!last) print wanted }' <<<"$releases")
[ "$kept" = "$releases" ] || write_releases "$kept"
say "next, scripts/verify_deployment.sh $cloud $environment"
