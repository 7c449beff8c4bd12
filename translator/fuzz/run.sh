#!/usr/bin/env bash
# Fuzzes each target for so many seconds, coverage-guided: translator/fuzz/run.sh SECONDS [TARGET…]
#
# Stable Rust and a C++ compiler are enough: the coverage that libFuzzer needs comes from LLVM passes that stable
# rustc can run. Inputs that reach new code are kept for the next run (target/corpus). Exits with 1 when a target
# crashes, hangs or leaks memory; the input is kept in target/crashes, and the command to repeat it is printed.
set -euo pipefail

seconds=${1:?usage: run.sh SECONDS [TARGET…]}
shift
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

failed=0
for target in "${targets[@]}"; do
  corpus=$build/corpus/$target
  crashes=$build/crashes/$target
  log=$build/$target.log
  mkdir -p "$corpus" "$crashes"
  echo "fuzzing $target for $seconds s"
  if RUST_BACKTRACE=0 "$build/$host/release/$target" -max_total_time="$seconds" -max_len=65536 -len_control=20 -timeout=20 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$crashes/" "$corpus" "$seeds" >"$log" 2>&1; then
    grep -q 'INFO: Loaded 1 modules' "$log" || { echo "$target: built without coverage, see $log" >&2; failed=1; }
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(grep -o 'cov: [0-9]*' "$log" | tail -1)
    echo "  $executed executions, ${covered:-cov: 0}, $(find "$corpus" -type f | wc -l) inputs kept"
  else
    failed=1
    echo "  $target failed; the end of $log:" >&2
    tail -40 "$log" >&2
    for input in "$crashes"/*; do
      [ -e "$input" ] && echo "  repeat it: $build/$host/release/$target $input" >&2
    done
  fi
done
exit "$failed"
