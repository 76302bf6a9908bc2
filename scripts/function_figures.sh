#!/usr/bin/env bash
# Measures what a function costs before it does anything: how large its program is, how long it takes from the start of the
# process to the first answer on /live, and how much memory it holds when it is idle. Each beside what is promised: at most 20 MB,
# 30 ms and 30 MB. The first is of the vendors' programs; `salesync` carries what a laptop needs too, and has no promise about its size.
# usage: scripts/function_figures.sh [--built FOLDER] [PROGRAM ...]
#   --built FOLDER  where the programs are; without it they are built as scripts/package.sh does
# It ends with 1 where a promise is not kept. Other work on the machine makes a start slower: the median of 21 is taken.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

built=''
if [ "${1:-}" = --built ]; then
  [ -d "${2:-}" ] || die "usage: scripts/function_figures.sh [--built FOLDER] [PROGRAM ...]"
  built=$(cd "$2" && pwd)
  shift 2
fi
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  while read -r name; do names+=("$name"); done < <(programs)
fi
if [ -z "$built" ]; then
  target=$(host_target)
  find_linker "$target" || die "this machine's programs can't be built here"
  find_duckdb_for "$target" || die "there is no prebuilt DuckDB for this machine, which salesync needs"
  build_functions "$target" "${names[@]}"
  export LD_LIBRARY_PATH=$duckdb_for_target DYLD_LIBRARY_PATH=$duckdb_for_target
fi
python3 "$repository/scripts/function_figures.py" "$built" "${names[@]}"
