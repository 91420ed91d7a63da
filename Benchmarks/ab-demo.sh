#!/usr/bin/env bash
# Shows on this machine that `swiftlet ab` does not flag a build against itself and finds a planted
# slow-down: one comparison of the tool with itself, then one with a copy that is slower by SHARE.
#
#   Benchmarks/ab-demo.sh TOOL RECORDING [SHARE per cent, default 10] [ROUNDS, default 4]
#
# The slow copy is a script around the tool that adds --plant-slowdown: every stage of a replay is
# lengthened by that share, busy.
set -euo pipefail
tool=$(readlink -f "$1") recording=$2 share=${3:-10} rounds=${4:-4}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
printf '#!/bin/sh\nexec %s "$@" --plant-slowdown %s\n' "$tool" "$share" >"$folder/slower"
chmod +x "$folder/slower"

status=0
echo "== the same build twice: expected no regression (0), or inconclusive on a noisy host (6)"
"$tool" ab --base "$tool" --head "$tool" "$recording" --rounds "$rounds" 2>/dev/null || status=$?
echo "exit $status"
if ((status != 0 && status != 6)); then exit 1; fi
quiet=$((status == 0))
status=0
echo "== slower by $share %: expected slower (2)"
"$tool" ab --base "$tool" --head "$folder/slower" "$recording" --rounds "$rounds" 2>/dev/null || status=$?
echo "exit $status"
((status == 2 || (status == 6 && !quiet)))
