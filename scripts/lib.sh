# Sourced by the other scripts: where things are, and how a step is told.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# PostgreSQL's server programs, newest first; they are not on Debian's PATH.
shopt -s nullglob
postgres_bins=(/usr/lib/postgresql/*/bin /usr/pgsql-*/bin)
shopt -u nullglob
postgres_bin=$(printf '%s\n' "${postgres_bins[@]}" | sort -V | tail -n 1)

PATH=$root/.tools/bin:$root/frontend/node_modules/.bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH${postgres_bin:+:$postgres_bin}
export PATH

target=${CARGO_TARGET_DIR:-$root/target}
server=$target/debug/backend

# Every build of the server selects the same packages, so that features unify once and nothing is compiled twice. The
# browser tests stay apart: what drives the browser turns on serde_json's `preserve_order`, which the server goes without.
host=(--locked --workspace --exclude frontend --exclude e2e)

# Tests and examples bring dev-dependencies, and those bring features. `--examples` (there are none) asks for the same
# features without building a test, so that server and tests share all they are made of.
build_server() { cargo build "${host[@]}" --bin backend --examples "$@"; }

has() { command -v "$1" >/dev/null 2>&1; }

# step TITLE COMMAND…: says what begins, does it, says how long it took. A failure ends the script.
step() {
  running=$1
  local began=$SECONDS
  shift
  printf '\n▸ %s\n' "$running"
  "$@"
  printf '  %s: %s s\n' "$running" "$((SECONDS - began))"
  running=
}
trap 'status=$?; [ "$status" = 0 ] || printf "✗ %s (exit %s)\n" "${running:-$0}" "$status" >&2' EXIT

# quietly COMMAND…: shows the command's output only when it fails.
quietly() {
  local log
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || { local status=$?; cat "$log" >&2; rm -f "$log"; return "$status"; }
  rm -f "$log"
}

# become_server DIR: sets `as_server`, the prefix of commands of PostgreSQL's server, which refuses to run as root: it takes
# nobody's id in a user namespace, or becomes the account `postgres`, to whom DIR is given, and who may pass through
# folders that are closed to others, for DIR may be below them.
become_server() {
  as_server=()
  [ "$(id -u)" = 0 ] || return 0
  if unshare --user --map-user=65534 --map-group=65534 true 2>/dev/null; then
    as_server=(unshare --user --map-user=65534 --map-group=65534)
  else
    chown postgres "$1"
    as_server=(setpriv --reuid=postgres --regid="$(id -g postgres)" --clear-groups
      --inh-caps=+dac_override --ambient-caps=+dac_override)
  fi
}

# Does this compiler know the console's target, with a standard library that it can read? (As root, an output file
# named /dev/null would be replaced by a real one, so the answer goes through standard output.)
knows_wasm() {
  echo 'pub fn probe() -> Option<std::string::String> { None }' |
    "$1" --target wasm32-unknown-unknown --crate-type lib --emit metadata -o - - >/dev/null 2>&1
}

# for_wasm COMMAND…: runs it with the compiler that knows the console's target: the default one, or Debian's beside it.
# Each compiler gets its own target folder, or the two would rebuild each other's work.
for_wasm() {
  if knows_wasm rustc; then
    CARGO_TARGET_DIR=$target/wasm "$@"
  else
    PATH=/usr/bin:$PATH CARGO_TARGET_DIR=$target/wasm "$@"
  fi
}
