# shellcheck shell=bash
# Sourced by the other scripts: where things are kept, and how cargo is called.
#
# Everything that is downloaded or compiled goes to one cache folder outside of the checkout:
#   SALESYNC_CACHE     the folder; ~/.cache/salesync where nothing else is said
#   CARGO_TARGET_DIR   what cargo compiles; "target" in that folder where nothing else is said
#
# Use `with_duckdb SUBCOMMAND ...` in the place of `cargo SUBCOMMAND ...`, and `build_salesync` for the program.

cargo_deny_version=0.20.2
duckdb_version=1.5.6
duckdb_package_version=1.5.6-r.1
# SHA-256 of the library in the package for linux-x64, which CI builds with.
duckdb_linux_x64=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633

source "$(dirname "${BASH_SOURCE[0]}")/base.sh"
duckdb_folder=$cache/duckdb/$duckdb_version

# Makes a folder whole or not at all: `build_folder FOLDER COMMAND ...` runs the command with the name of a
# temporary folder as its last word, and gives that folder its name when the command succeeds.
build_folder() {
  local folder=$1 temporary
  shift
  mkdir -p "$(dirname "$folder")"
  temporary=$(mktemp -d "$folder.XXXXXX")
  if "$@" "$temporary"; then
    # Another script may have been faster; its folder is as good.
    if [ -e "$folder" ] || ! mv "$temporary" "$folder"; then rm -rf "$temporary"; fi
    [ -d "$folder" ]
  else
    rm -rf "$temporary"
    return 1
  fi
}

# Names the npm package that carries a prebuilt DuckDB for this machine; fails where there is none.
duckdb_platform() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo linux-x64 ;;
    Linux-aarch64 | Linux-arm64) echo linux-arm64 ;;
    Darwin-arm64) echo darwin-arm64 ;;
    Darwin-x86_64) echo darwin-x64 ;;
    *) return 1 ;;
  esac
}

# Downloads the prebuilt library into a folder.
download_duckdb() {
  local platform=$1 folder=$2 package="@duckdb/node-bindings-$1@$duckdb_package_version" library
  say "downloading DuckDB $duckdb_version ($package, about 25 MB)"
  (cd "$folder" && npm pack --silent "$package" >/dev/null && tar -xzf ./*.tgz) || return 1
  library=$(find "$folder/package" -name 'libduckdb.so' -o -name 'libduckdb.dylib' | head -n 1)
  [ -n "$library" ] || return 1
  if [ "$platform" = linux-x64 ] && [ "$(sha256_of "$library")" != "$duckdb_linux_x64" ]; then
    rm -rf "$folder"
    die "$package does not hold the library that this version was tested with; it was not installed"
  fi
  mv "$library" "$folder/package/LICENSE" "$folder" && rm -rf "$folder/package" "$folder"/*.tgz
}

# Finds the prebuilt library, or downloads it. Fails where there is none for this machine.
find_duckdb() {
  local platform
  [ ! -e "$duckdb_folder/libduckdb.so" ] && [ ! -e "$duckdb_folder/libduckdb.dylib" ] || return 0
  platform=$(duckdb_platform) && command -v npm >/dev/null && command -v tar >/dev/null || return 1
  build_folder "$duckdb_folder" download_duckdb "$platform"
}

command -v cargo >/dev/null || die "cargo was not found: install Rust from https://rustup.rs"
case $cache in
  *[[:space:]]*) die "the cache folder's path holds a space, which rustc's flags can't carry: set SALESYNC_CACHE" ;;
esac
mkdir -p "$cache"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}

if find_duckdb; then
  duckdb_is=prebuilt
  export DUCKDB_LIB_DIR=$duckdb_folder DUCKDB_INCLUDE_DIR=$duckdb_folder
  rpath="-C link-arg=-Wl,-rpath,$duckdb_folder"
  case "${RUSTFLAGS:-}" in *"$rpath"*) ;; *) export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }$rpath" ;; esac
  case "${RUSTDOCFLAGS:-}" in *"$rpath"*) ;; *) export RUSTDOCFLAGS="${RUSTDOCFLAGS:+$RUSTDOCFLAGS }$rpath" ;; esac
else
  duckdb_is=bundled
  say "there is no prebuilt DuckDB to be had here: it is compiled from source, once, in some twenty minutes"
fi

# Calls cargo with the features that go with this machine's DuckDB. Further words follow the subcommand.
with_duckdb() {
  local subcommand=$1 features=()
  shift
  case " $* " in
    *" --workspace "* | *" --package salesync "* | *" -p salesync "*) features=(--features salesync/laptop) ;;
  esac
  case $duckdb_is in
    prebuilt) (cd "$repository" && cargo "$subcommand" --locked --no-default-features "${features[@]}" "$@") ;;
    bundled) (cd "$repository" && cargo "$subcommand" --locked "$@") ;;
  esac
}

# Builds the program, `build_salesync` or `build_salesync release`, and leaves its path in SALESYNC_BIN.
build_salesync() {
  local profile=dev folder=debug
  if [ "${1:-}" = release ]; then profile=release folder=release; fi
  with_duckdb build --package salesync --profile "$profile" >&2
  # shellcheck disable=SC2034 # the scripts that source this file use it
  SALESYNC_BIN=$CARGO_TARGET_DIR/$folder/salesync
}

# Serves invented vendors into the folder it is called in: `serve WORDS ...`, which are those of `sandbox`. Exports the
# settings that go with them, and leaves the server's process in `server`.
serve() {
  "$SALESYNC_BIN" sandbox --port 0 "$@" --json >settings.json &
  # shellcheck disable=SC2034 # the scripts that source this file use it
  server=$!
  until [ -s settings.json ]; do sleep 0.2; done
  eval "$(python3 -c 'import json, shlex
for name, value in json.load(open("settings.json"))["settings"].items():
    print(f"export {name}={shlex.quote(value)}")')"
}

# Makes a Python environment with the checking tools, once for each list of versions, and prints its folder.
python_tools() {
  local list=$repository/scripts/requirements.txt folder
  folder=$cache/tools/python-$(sha256_of "$list" | cut -c 1-12)
  if [ ! -e "$folder/complete" ]; then
    say "installing $(grep -v '^#' "$list" | tr '\n' ' ')"
    if python3 -m venv --clear "$folder" >&2 &&
      "$folder/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$list" >&2; then
      touch "$folder/complete"
    else
      die "the checking tools could not be installed: Python 3 with venv is needed"
    fi
  fi
  echo "$folder"
}

# Installs packages from npm into a folder.
npm_install() {
  local folder
  folder=${!#}
  npm install --silent --no-fund --no-audit --prefix "$folder" "${@:1:$#-1}" >&2
}

# Installs one npm package of that version, once, and prints its folder.
npm_tool() {
  local package=$1 folder
  folder=$cache/tools/npm-$(printf '%s' "$package" | tr -c 'A-Za-z0-9.\n' '-')
  if [ ! -d "$folder" ]; then
    command -v npm >/dev/null || return 1
    say "installing $package"
    build_folder "$folder" npm_install "$package" || return 1
  fi
  echo "$folder"
}

# Finds Python 3.13 or later, which the emulator of BigQuery needs; prints its path.
python_313() {
  local candidate
  for candidate in python3.14 python3.13 python3 "$HOME"/.pyenv/versions/3.1[3-9]*/bin/python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

# Installs the packages that are listed in a file into a folder: `install_python PYTHON LIST [WORDS FOR PIP ...] FOLDER`.
install_python() {
  local folder=${!#}
  "$1" -m venv "$folder" >&2 &&
    "$folder/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "${@:3:$#-3}" -r "$2" >&2
}

# Installs what scripts/NAME-requirements.txt lists, once for each list of versions, and prints its folder; fails where it
# can't: `python_packages NAME WHAT_IT_IS PYTHON [WORDS FOR PIP ...]`.
python_packages() {
  local list=$repository/scripts/$1-requirements.txt what=$2 folder
  folder=$cache/tools/$1-$(sha256_of "$list" | cut -c 1-12)
  shift 2
  if [ ! -d "$folder" ]; then
    [ -n "$1" ] || return 1
    say "installing $what"
    build_folder "$folder" install_python "$1" "$list" "${@:2}" || return 1
  fi
  echo "$folder"
}

# Installs the emulator of BigQuery and prints its folder; fails where it can't.
bigquery_emulator() { python_packages bigquery "the emulator of BigQuery" "$(python_313 || true)"; }

# Finds Google's own emulator of Pub/Sub, a part of the Cloud SDK that needs Java, and prints its program; fails where it
# is not there. It is Google's, under the SDK's terms, and is never installed from here.
pubsub_emulator() {
  local program
  program=$(command -v gcloud) && command -v java >/dev/null || return 1
  program=$(python3 -c 'import os, sys; print(os.path.realpath(sys.argv[1]))' "$program")
  program=${program%/bin/gcloud}/platform/pubsub-emulator/bin/cloud-pubsub-emulator
  [ -x "$program" ] || return 1
  echo "$program"
}

# Installs moto, which stands in for AWS, and prints its folder; fails where it can't.
moto() { python_packages moto "moto, which stands in for AWS" python3; }

# Installs schemathesis, which draws requests from an OpenAPI document, and prints its folder; fails where it can't.
api_tools() { python_packages api schemathesis python3; }

# Installs cargo-lambda, whose emulator stands in for Lambda, without the compiler that it asks for, and prints its program;
# fails where it can't.
cargo_lambda() {
  local folder
  folder=$(python_packages lambda "cargo-lambda, which stands in for Lambda" python3 --no-deps) || return 1
  echo "$folder/bin/cargo-lambda"
}

# Prints the path of cargo-deny; compiles it once where this machine has none of that version.
cargo_deny() {
  local folder=$cache/tools/cargo-deny-$cargo_deny_version
  if [ ! -x "$folder/bin/cargo-deny" ]; then
    say "compiling cargo-deny $cargo_deny_version, once; this takes some minutes"
    RUSTFLAGS='' CARGO_TARGET_DIR=$folder/build CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
      CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
      cargo install --quiet --locked --version "$cargo_deny_version" --root "$folder" cargo-deny >&2
    rm -rf "$folder/build"
  fi
  echo "$folder/bin/cargo-deny"
}
