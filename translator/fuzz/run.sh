#!/usr/bin/env bash
# Fuzzes each target, coverage-guided, for so many runs or so long:
#   translator/fuzz/run.sh runs=N [TARGET…]      the same inputs each time, from an empty corpus: a check
#   translator/fuzz/run.sh seconds=N [TARGET…]   other inputs each time, from all that was found so far: a search
#
# Stable Rust and a C++ compiler are enough: the coverage that libFuzzer needs comes from LLVM passes that stable
# rustc can run. A search keeps the inputs that reach new code (target/corpus). Exits with 1 when a target
# crashes, hangs or leaks memory; the input is kept in target/crashes, and the command to repeat it is printed.
set -euo pipefail

usage='usage: run.sh runs=N|seconds=N [TARGET…]'
bound=${1:?$usage}
shift
case $bound in
  runs=*) limit="-runs=${bound#runs=} -seed=1" ;;
  seconds=*) limit="-max_total_time=${bound#seconds=}" ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(protobuf json translate bridge)

command -v "${CXX:-c++}" >/dev/null || { echo "libFuzzer needs a C++ compiler, for example: apt install g++" >&2; exit 1; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
seeds=$here/../../tests/fixtures/otlp
build=${CARGO_TARGET_DIR:-$here/target}
host=$(rustc -vV | sed -n 's/^host: //p')

# The flags hold for the targets alone: with --target, build scripts are compiled without them.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
env -u CARGO_ENCODED_RUSTFLAGS RUSTFLAGS="$(echo $coverage)" \
  cargo build --quiet --release --manifest-path "$here/Cargo.toml" --target-dir "$build" --target "$host" --bins

# Prints what came of one target.
fuzz() {
  local target=$1 corpus=$build/corpus/$1 crashes=$build/crashes/$1 log=$build/$1.log
  [[ $bound = seconds=* ]] || corpus=$(mktemp -d)
  mkdir -p "$corpus" "$crashes"
  if RUST_BACKTRACE=0 "$build/$host/release/$target" $limit -max_len=65536 -len_control=20 -timeout=20 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$crashes/" "$corpus" "$seeds" >"$log" 2>&1; then
    grep -q 'INFO: Loaded 1 modules' "$log" || { echo "$target: built without coverage, see $log" >&2; return 1; }
    local executed covered
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(grep -o 'cov: [0-9]*' "$log" | tail -1)
    echo "$target, $bound: $executed executions, ${covered:-cov: 0}, $(find "$corpus" -type f | wc -l) inputs kept"
  else
    echo "$target failed; the end of $log:" >&2
    tail -40 "$log" >&2
    for input in "$crashes"/*; do
      [ -e "$input" ] && echo "  repeat it: $build/$host/release/$target $input" >&2
    done
    return 1
  fi
}

# A target is one thread: as many run at once as there are cores.
export -f fuzz
export bound limit build host seeds
printf '%s\n' "${targets[@]}" | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I{} bash -euo pipefail -c 'fuzz {}' || exit 1
