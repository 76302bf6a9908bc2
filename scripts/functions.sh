# shellcheck shell=bash
# Sourced by the scripts that build what is deployed: the same bytes wherever the checkout and the caches lie.
#
# Functions are built in the profile `function` of Cargo.toml and hold no DuckDB. The command line for laptops, which is
# `salesync` with all that a laptop needs, is built in `release` and looks for libduckdb in `lib/` beside itself.

source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# The newest glibc that Lambda's provided.al2023 has, and the newest that the containers' base has.
lambda_glibc=2.34
container_glibc=2.36

host_target() { rustc -vV | sed -n 's/^host: //p'; }

# Says whether this machine's own linker would ask for a newer glibc than containers have.
glibc_is_too_new() {
  local here
  here=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d ' ' -f 2) || return 1
  [ "$(printf '%s\n' "$here" "$container_glibc" | sort -V | tail -n 1)" != "$container_glibc" ]
}

# Installs the linker for other systems and prints its folder; fails where it can't.
zig() { python_packages package "the linker for other systems (about 100 MB)" python3; }

# Leaves in `linker` how a target is linked here: `own`, `gcc` or `zig`; fails, and says why, where it can't be.
find_linker() {
  local target=$1
  if [ "$target" = "$(host_target)" ] && ! { [[ $target == *-linux-gnu ]] && glibc_is_too_new; }; then
    linker=own
    return 0
  fi
  if [[ $target != *-linux-gnu ]]; then
    say "$target can only be built on such a machine"
    return 1
  fi
  if ! rustup target list --installed 2>/dev/null | grep -qx "$target" && ! rustup target add "$target" >&2; then
    say "Rust's library for $target could not be had"
    return 1
  fi
  if command -v "${target%%-*}-linux-gnu-gcc" >/dev/null && ! glibc_is_too_new; then
    linker=gcc
  elif zig_folder=$(zig); then
    linker=zig
  else
    say "there is no linker for $target: neither ${target%%-*}-linux-gnu-gcc nor zig, which needs Python 3 with venv"
    return 1
  fi
}

# Leaves in `duckdb_for_target` the folder with the prebuilt DuckDB of a target; fails where there is none.
find_duckdb_for() {
  local platform
  case $1 in
    x86_64-unknown-linux-gnu) platform=linux-x64 ;;
    aarch64-unknown-linux-gnu) platform=linux-arm64 ;;
    aarch64-apple-darwin) platform=darwin-arm64 ;;
    x86_64-apple-darwin) platform=darwin-x64 ;;
    *) return 1 ;;
  esac
  if [ "$platform" = "$(duckdb_platform || true)" ] && [ "$duckdb_is" = prebuilt ]; then
    duckdb_for_target=$duckdb_folder
  else
    duckdb_for_target=$cache/duckdb/$duckdb_version-$platform
    [ -d "$duckdb_for_target" ] || build_folder "$duckdb_for_target" download_duckdb "$platform"
  fi
}

# Prints the flags for a target and a profile with which a path of this machine is not seen in what is compiled.
flags_for() {
  local target=$1 origin tables=()
  # shellcheck disable=SC2016 # the loader reads $ORIGIN, not the shell
  origin='$ORIGIN'
  if [[ $target == *-darwin ]]; then origin=@executable_path; fi
  # A program that does not unwind needs no tables for it; Apple's systems want them all the same.
  if [[ $target == *-linux-* && $2 == function ]]; then tables=("-C link-arg=-Wl,-T,$repository/scripts/no_unwind_tables.ld"); fi
  printf '%s ' "--remap-path-prefix=$repository=/salesync" "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
    "--remap-path-prefix=$CARGO_TARGET_DIR=/target" "${tables[@]}" "-C link-arg=-Wl,-rpath,$origin/lib"
}

# Calls cargo for a target with its linker.
cargo_for() {
  local target=$1 name
  shift
  case $linker in
    own) cargo build --target "$target" "$@" ;;
    gcc)
      name=$(tr 'a-z-' 'A-Z_' <<<"$target")
      env "CARGO_TARGET_${name}_LINKER=${target%%-*}-linux-gnu-gcc" cargo build --target "$target" "$@"
      ;;
    zig) PATH=$zig_folder/bin:$PATH cargo zigbuild --target "$target.$lambda_glibc" "$@" ;;
  esac
}

# Calls cargo for programs of a target, `build_for TARGET PROFILE WORDS ...`, and leaves their folder in `built`.
build_for() {
  local target=$1 profile=$2
  shift 2
  # shellcheck disable=SC2034 # the scripts that source this file use it
  built=$CARGO_TARGET_DIR/$target/$profile
  (
    cd "$repository" || exit 1
    export RUSTFLAGS CFLAGS CXXFLAGS
    RUSTFLAGS=$(flags_for "$target" "$profile")
    CFLAGS="-ffile-prefix-map=${CARGO_HOME:-$HOME/.cargo}=/cargo -ffile-prefix-map=$CARGO_TARGET_DIR=/target"
    CXXFLAGS=$CFLAGS
    cargo_for "$target" --locked --profile "$profile" --no-default-features "$@" >&2
  )
}

# Builds functions, `build_functions TARGET PROGRAM ...`. `find_linker` was called before.
build_functions() {
  local target=$1 program packages=()
  shift
  for program in "$@"; do packages+=(--package "$program"); done
  build_for "$target" function "${packages[@]}"
}

# Builds the command line for laptops. `find_duckdb_for` was called before.
build_laptop() {
  DUCKDB_LIB_DIR=$duckdb_for_target DUCKDB_INCLUDE_DIR=$duckdb_for_target \
    build_for "$1" release --package salesync --features salesync/laptop
}
