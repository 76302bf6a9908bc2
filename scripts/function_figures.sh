#!/usr/bin/env bash
# Measures what a function costs before it does anything: how large its program is, how long it takes from the start of the
# process to the first answer on /live, and how much memory it holds when it is idle. Each beside what is promised: at most 20 MB,
# 30 ms and 30 MB.
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
  build_functions "$target" "${names[@]}"
fi
python3 "$repository/scripts/function_figures.py" "$built" "${names[@]}"
