#!/usr/bin/env bash
# Makes the module of WebAssembly that BigQuery asks about records and pairs, out of the crate salesync-wasm, and puts it
# where the adapter takes it from. With --check nothing is put anywhere: it fails where the module that is there is not what
# the sources make.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

cd "$repository"
target=wasm32-unknown-unknown
module=$repository/crates/salesync-gcp/src/sets/salesync.wasm

if ! rustup target list --installed 2>/dev/null | grep -qx "$target"; then
  if ! rustup target add "$target" >&2; then
    missing "Rust's target $target could not be installed: the module for BigQuery is not made anew"
    exit 0
  fi
fi
# The same bytes wherever it is made: no path of a machine is in it, and no randomness is asked for.
sources=$(rustc --print sysroot)/lib/rustlib/src/rust
commit=$(rustc --version --verbose | sed -n 's/^commit-hash: //p')
export CARGO_TARGET_DIR=$CARGO_TARGET_DIR/wasm
RUSTFLAGS="--cfg getrandom_backend=\"unsupported\" --remap-path-prefix=$repository=."
RUSTFLAGS+=" --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo --remap-path-prefix=$sources=/rustc/$commit"
export RUSTFLAGS
unset CARGO_ENCODED_RUSTFLAGS
cargo build --locked --profile wasm --target "$target" --package salesync-wasm >&2
made=$CARGO_TARGET_DIR/$target/wasm/salesync_wasm.wasm
if [ "${1:-}" = --check ]; then
  cmp "$made" "$module" >&2 || die "the module for BigQuery is not what the sources make: run scripts/wasm.sh"
else
  cp "$made" "$module"
fi
