#!/usr/bin/env bash
# The deterministic speed gate: instructions a frame on the avx2 path, counted twice by callgrind (the
# counts must agree), against the number stored beside the recording's name. No host disturbs it.
#
#   Benchmarks/instruction-gate.sh TOOL RECORDING BASELINE.json [--update]
#
# Exit codes: 0 within ±0.5 %, 2 outside, 5 no baseline yet (--update writes it).
set -euo pipefail
tool=$1 recording=$2 baseline=$3 update=${4:-}
count() {
  "$tool" instructions "$recording" --frames 2 --json |
    sed -n 's/.*"instructions_per_frame" : \([0-9]*\).*/\1/p'
}
first=$(count)
second=$(count)
echo "instructions a frame: $first, again $second"
[[ -n $first && $first == "$second" ]] || { echo "the counts do not repeat"; exit 1; }
if [[ $update == --update ]]; then
  printf '{"recording": "%s", "instructions_per_frame": %s}\n' "$(basename "$recording")" "$first" >"$baseline"
  exit 0
fi
[[ -e $baseline ]] || { echo "no baseline: run with --update"; exit 5; }
stored=$(sed -n 's/.*"instructions_per_frame": \([0-9]*\).*/\1/p' "$baseline")
awk -v now="$first" -v was="$stored" 'BEGIN {
  change = (now / was - 1) * 100
  printf "%+.3f %% of %d, accepted are ±0.5 %%\n", change, was
  exit (change > 0.5 || change < -0.5) ? 2 : 0
}'
