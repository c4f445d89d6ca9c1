#!/bin/sh
# Backs up the store while the service runs: the database, and the journal of erasures beside it.
#
#   deploy/backup.sh FOLDER        as the service's user, with its GAITKEEPER_DATA and GAITKEEPER_DATABASE
#
# Makes FOLDER/gaitkeeper-TIME/ with store.db (SQLite) or store.dump (PostgreSQL), erasures.jsonl, head (the end of the
# audit log, by which a cut is seen) and SHA256SUMS; whole or not at all. The newest KEEP (14) backups stay. The master
# key is in none of them: keep a copy of it elsewhere, or they are worth nothing. GAITKEEPER names the command.
set -eu
umask 077

fail() {
    echo "backup: $*" >&2
    exit 2
}

[ $# -eq 1 ] || fail "usage: backup.sh FOLDER"
folder=$1
gaitkeeper=${GAITKEEPER:-gaitkeeper}
data=${GAITKEEPER_DATA:-gaitkeeper-data}
keep=${KEEP:-14}
case $keep in '' | *[!0-9]* | 0) fail "KEEP must be a number from 1 on, not '$keep'" ;; esac
[ -d "$data" ] || fail "$data is no data directory; set GAITKEEPER_DATA"
mkdir -p "$folder"

out="$folder/gaitkeeper-$(date -u +%Y%m%dT%H%M%SZ)"
[ ! -e "$out" ] || fail "$out is there already"
part=$(mktemp -d "$folder/.part-XXXXXX")
trap 'rm -rf "$part"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -n "${GAITKEEPER_DATABASE:-}" ]; then
    # What is dumped is one moment, however long it takes and whoever writes meanwhile.
    pg_dump --format=custom --no-owner --no-privileges --file="$part/store.dump" --dbname="$GAITKEEPER_DATABASE"
    pg_restore --list "$part/store.dump" >/dev/null
else
    "$gaitkeeper" store backup "$part/store.db" --data "$data" >/dev/null
fi
# Behind the database, so that it knows every erasure that the copy of the database knows.
if [ -e "$data/erasures.jsonl" ]; then
    cp "$data/erasures.jsonl" "$part/erasures.jsonl"
fi
"$gaitkeeper" audit head --data "$data" >"$part/head"
(cd "$part" && sha256sum -- * >SHA256SUMS && sync -- *)
mv "$part" "$out"
trap - EXIT
sync "$folder"
echo "$out"

# Names sort by time.
find "$folder" -mindepth 1 -maxdepth 1 -type d -name 'gaitkeeper-*Z' | sort -r | tail -n +"$((keep + 1))" |
    while IFS= read -r old; do
        rm -rf "$old"
    done
