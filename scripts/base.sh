# shellcheck shell=bash
# Sourced by the other scripts: where the checkout and the cache are, and how to speak. It needs neither Rust nor a network.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # the scripts that source this file use it
cache=${SALESYNC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/salesync}

# Writes a remark to stderr, so that stdout stays the program's own.
say() { printf 'salesync: %s\n' "$*" >&2; }

# Writes what is wrong and what to do, and ends the script.
die() {
  say "$*"
  exit 1
}

# Says what is not here and what is passed over for that. With SALESYNC_TEST_STRICT=1 it ends the script instead, so that nobody
# takes for proven what was passed over.
missing() {
  [ "${SALESYNC_TEST_STRICT:-}" != 1 ] || die "$*"
  say "$*"
}

# Ends the script where a program is missing: `need PROGRAM WHERE_TO_GET_IT`.
need() { command -v "$1" >/dev/null || die "$1 was not found: $2"; }

sha256_of() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# Prints the names of the programs that can be deployed: one folder of functions/ each.
programs() { (cd "$repository/functions" && printf '%s\n' *) }

# Prints the release that is being worked on: the workspace's version.
current_release() { sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' "$repository/Cargo.toml"; }

# Ends the script where the name of a release can't be a tag and a folder.
check_release() {
  [[ $1 =~ ^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$ ]] || die "'$1' is no name for a release: letters, digits, '.', '_' and '-'"
}
