#!/usr/bin/env bash
# Makes what a release consists of, in dist/RELEASE:
#   PROGRAM.zip                        for Lambda: `bootstrap`, for arm64 where that can be built here
#   PROGRAM.oci.tar                    for Cloud Run: a container as an OCI archive, for amd64
#   salesync-RELEASE-TARGET.tar.gz     the command line, for each target that was built
#   sbom.cdx.json, SHA256SUMS          what is inside (CycloneDX), and the checksums of all of it
# usage: scripts/package.sh [RELEASE] [--target T]
#   RELEASE     its name; the workspace's version where nothing is said
#   --target T  only this one: zips from aarch64-unknown-linux-gnu, containers from x86_64-unknown-linux-gnu
# It builds for this machine, and for the other processor where a linker for it can be had. Two runs at one commit give the
# same bytes: times are those of the commit, paths are left out. A container stands on the base that IMAGE_BASE names;
# without a digest in that name it is whatever the registry then shows, and the container says which one it was.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

image_base=${IMAGE_BASE:-gcr.io/distroless/cc-debian12:nonroot}
usage="usage: scripts/package.sh [RELEASE] [--target T]"
release='' only=''
while [ $# -gt 0 ]; do
  case $1 in
    --target) [ $# -gt 1 ] || die "$usage"; only=$2 && shift ;;
    -*) die "$usage" ;;
    *) [ -z "$release" ] || die "$usage"; release=$1 ;;
  esac
  shift
done
release=${release:-$(current_release)}
check_release "$release"
cd "$repository"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
if [ -n "$(git status --porcelain)" ]; then say "the checkout holds what is not committed: nobody else can make these bytes again"; fi

passed_over=()
pass_over() {
  passed_over+=("$*")
  say "$*"
}
dist=$repository/dist/$release
mkdir -p "$dist"
names=()
while read -r name; do names+=("$name"); done < <(programs)
archives() { python3 "$repository/scripts/archives.py" "$@"; }

make_zips() {
  local name
  for name in "${names[@]}"; do
    archives glibc "$lambda_glibc" "$built/$name" || die "$name asks for a newer glibc than Lambda has: build it where zig can be installed"
    archives zip "$dist/$name.zip" "bootstrap=$built/$name"
  done
}

make_images() {
  local target=$1 name base
  base=$(mktemp -d)
  if ! python3 scripts/images.py pull "$image_base" "${target%%-*}" "$base"; then
    pass_over "the containers' base $image_base could not be had: there are no containers"
  else
    for name in "${names[@]}"; do
      archives glibc "$container_glibc" "$built/$name" || die "$name asks for a newer glibc than its container has: build it where zig can be installed"
      python3 scripts/images.py build "$base" "$dist/$name.oci.tar" --name "$name" --release "$release" "$name=$built/$name"
    done
  fi
  rm -rf "$base"
}

make_archive() {
  local library libraries=()
  for library in "$duckdb_for_target"/libduckdb.*; do libraries+=("lib/$(basename "$library")=$library"); done
  archives tar "$dist/salesync-$release-$1.tar.gz" "salesync=$built/salesync" "${libraries[@]}" LICENSE=LICENSE README.md=README.md
}

host=$(host_target)
if [ -n "$only" ]; then
  targets=("$only") zip_target=aarch64-unknown-linux-gnu image_target=x86_64-unknown-linux-gnu
else
  targets=("$host")
  for other in aarch64-unknown-linux-gnu x86_64-unknown-linux-gnu; do
    if [ "$other" != "$host" ]; then targets+=("$other"); fi
  done
  zip_target=$host image_target=$host
fi
ready=()
for target in "${targets[@]}"; do
  if ! find_linker "$target"; then
    [ -z "$only" ] || die "$target can't be built here"
    pass_over "$target is left out"
    continue
  fi
  find_duckdb_for "$target" || die "there is no prebuilt DuckDB for $target, which the command line is shipped with"
  say "building for $target"
  build_laptop "$target"
  make_archive "$target"
  build_functions "$target" "${names[@]}"
  ready+=("$target")
done
[ ${#ready[@]} -gt 0 ] || die "nothing can be built here"
# Both are made once all that can be built is there, so that each is for the processor that it should be for.
for target in "${ready[@]}"; do
  if [ -z "$only" ] && [ "$target" = aarch64-unknown-linux-gnu ]; then zip_target=$target; fi
  if [ -z "$only" ] && [ "$target" = x86_64-unknown-linux-gnu ]; then image_target=$target; fi
done
for target in "${ready[@]}"; do
  built=$CARGO_TARGET_DIR/$target/function
  if [ "$target" = "$zip_target" ] && [[ $target == *-linux-gnu ]]; then make_zips; fi
  if [ "$target" = "$image_target" ] && [[ $target == *-linux-gnu ]]; then make_images "$target"; fi
done
if [ -z "$only" ] && [ "$zip_target" != aarch64-unknown-linux-gnu ]; then
  pass_over "the zips are for $zip_target: infrastructure/ runs arm64, and scripts/deploy_functions.sh refuses these"
fi

cargo metadata --locked --format-version 1 --filter-platform "${ready[0]}" |
  python3 scripts/sbom.py "$release" Cargo.lock "duckdb@$duckdb_version" "${names[@]}" >"$dist/sbom.cdx.json"
archives sums "$dist"
say "dist/$release is ready"
if [ ${#passed_over[@]} -gt 0 ]; then printf 'salesync: passed over: %s\n' "${passed_over[@]}" >&2; fi
