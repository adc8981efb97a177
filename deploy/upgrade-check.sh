#!/usr/bin/env bash
# Upgrades a running installation from one commit to another under steady requests, and counts those that failed:
#
#   deploy/upgrade-check.sh [BEFORE [AFTER]]
#
# BEFORE and AFTER are commits, tags or built binaries; without them the version before the newest migration, and the work tree. Both serve
# at once on one private Postgres with the demo tenants: the old one alone, then beside the new one, then while the new one migrates,
# then the new one alone. Exit code 1 if any request failed that must not, 0 else. docs/how-to/upgrade.md has what it showed.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
chmod 711 "$work" # Postgres does not run as root, and must get to its data
started=()
finish() {
  local pid
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
  git worktree remove --force "$work/tree" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

# binary WHAT NAME: what is built from a commit, or built already.
binary() {
  if [ -x "$1" ] && [ ! -d "$1" ]; then cp "$1" "$work/$2"; return; fi
  git worktree add --quiet --detach "$work/tree" "$1"
  (cd "$work/tree" && CGO_ENABLED=0 GOFLAGS=-trimpath go build -o "$work/$2" ./cmd/vital)
  git worktree remove --force "$work/tree"
}

newest=$(git ls-files 'database/migrations/*.sql' | sort | tail -1)
before=${1:-$(git log --diff-filter=A --format=%H -- "$newest" | tail -1)^}
binary "$before" before || { echo "The version before is not in this clone: name a binary of it." >&2; exit 2; }
if [ $# -ge 2 ]; then binary "$2" after; else CGO_ENABLED=0 GOFLAGS=-trimpath go build -o "$work/after" ./cmd/vital; fi

export VITAL_DATA_DIR=$work/data VITAL_LOG_LEVEL=warn

# start NAME COMMAND…: a server, whose address goes into the variable NAME_address.
start() {
  local name=$1 out=$work/$1.out
  shift
  "$@" --listen 127.0.0.1:0 >"$out" 2>"$work/$name.log" &
  started+=($!)
  eval "${name}_pid=$!"
  for _ in $(seq 300); do
    if grep -q '^ready ' "$out"; then eval "${name}_address=$(sed -n 's/^ready //p' "$out")"; return; fi
    sleep 0.1
  done
  cat "$work/$name.log" >&2
  exit 1
}

# request NAME KIND RATE …: requests at a steady rate until the process ends; one line each: status, seconds. By standard error, which
# curl keeps nothing of back.
request() {
  local file=$work/$1.$2.load rate=$3
  shift 3
  curl -s --rate "$rate" -o /dev/null -w '%{stderr}%{http_code} %{time_total}\n' -H "Authorization: Bearer $token" "$@" 2>>"$file" &
  loads+=($!)
}

# load NAME ADDRESS: what applications do all the time.
load() {
  request "$1" context 50/s "$2/v1/context#[1-100000]"
  request "$1" read 50/s "$2/rest/v1/agents?select=name,slug#[1-100000]"
  request "$1" write 10/s "$2/api/tenants/$tenant/config#[1-100000]" \
    -X PATCH -H 'Content-Type: application/json' -H 'Vital-Reason: load' -d '{"ui_config":{"theme":"dark"}}'
}

# What readiness says of the schema, for a person.
ready() { printf '  %-8s %s\n' "$1" "$(curl -s -m 5 "$2/readyz")"; }

start keeper "$work/before" up # owns Postgres, and stays, so that both others can go
start old "$work/before" serve
token=$("$work/before" token --user ada@digital-health.vital.test)
tenant=$("$work/before" tenant show digital-health --json | sed -n 's/^ *"id": "\([0-9a-f-]*\)".*/\1/p' | head -1)
[[ $tenant =~ ^[0-9a-f-]{36}$ ]] || { echo "The demo tenant was not found." >&2; exit 1; }
loads=()
trap 'kill "${loads[@]}" 2>/dev/null || true; finish' EXIT

echo "The old version serves alone."
load old "$old_address"
sleep 3
ready old "$old_address"

echo "The new version is started beside it: it is not ready before its schema is there."
start new "$work/after" serve
ready new "$new_address"

echo "The new version migrates, while the old one serves."
"$work/after" migrate up 2>"$work/migrate.log" || { cat "$work/migrate.log" >&2; exit 1; }
grep -o '"msg":"migrated".*' "$work/migrate.log" || true
for name in old new; do address=${name}_address; ready $name "${!address}"; done

echo "Both serve."
load new "$new_address"
sleep 5

echo "The old version is asked to end, once nothing is sent there any more; the new one serves alone."
kill "${loads[@]:0:3}"
sleep 0.2
kill "$old_pid"
wait "$old_pid" || { echo "The old version did not end as it should." >&2; exit 1; }
sleep 3
kill "${loads[@]:3}"

failed=0
for file in "$work"/{old,new}.{context,read,write}.load; do
  name=$(basename "$file" .load)
  # A request that was under way when its load was ended has no answer, or half a line, and is none of the servers' failures.
  awk -v name="${name/./ }" '
    NF == 2 && $1 != "000" { n++; if ($1 !~ /^2/) { bad++; code[$1]++ } if ($2 > slowest) slowest = $2 }
    END { printf "  %-12s %5d requests, %d failed, slowest %.0f ms\n", name, n, bad, 1000 * slowest
          for (c in code) printf "               status %s: %d\n", c, code[c]
          exit !n || bad }' "$file" || failed=1
done
exit $failed
