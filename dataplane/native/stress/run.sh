#!/bin/sh
# Builds and runs the stress program under the sanitizers: short by default (CI), `run.sh long` for an hour or more.
# Further arguments go to the program: `run.sh short --seed 7`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../build/stress
mode=${1:-short}
[ $# -gt 0 ] && shift
make -s -C "$here" -j2
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1
case $mode in
  short)
    for kind in asan tsan; do
      echo "$kind"
      "$build/$kind/stress" --connections 2500 --at-once 300 --restarts 10 "$@"
    done
    ;;
  long)
    # 4,800 connections at once have 19,200 descriptors here: both ends of both sides are in this process.
    for round in $(seq 20); do
      for kind in plain asan tsan; do
        echo "$kind, round $round"
        "$build/$kind/stress" --connections 60000 --at-once 4800 --threads 4 --restarts 50 "$@"
      done
    done
    ;;
  *)
    echo "usage: run.sh [short|long] [--seed n] ..." >&2
    exit 2
    ;;
esac
