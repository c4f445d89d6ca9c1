#!/bin/sh
# Puts a backup of backup.sh in the place of the store. Stop every service on it first.
#
#   deploy/restore.sh FOLDER/gaitkeeper-TIME     as the service's user, with its GAITKEEPER_DATA, GAITKEEPER_DATABASE
#                                                and GAITKEEPER_KEYS
#
# What was enrolled since is lost. Who was erased since is erased again before anything is answered, by the journal in the
# data directory; only where there is none, because the machine was lost, is the backup's own taken. GAITKEEPER names the
# command.
set -eu
umask 077

fail() {
    echo "restore: $*" >&2
    exit 2
}

[ $# -eq 1 ] || fail "usage: restore.sh BACKUP"
backup=$1
gaitkeeper=${GAITKEEPER:-gaitkeeper}
data=${GAITKEEPER_DATA:-gaitkeeper-data}
[ -f "$backup/SHA256SUMS" ] || fail "$backup is no backup of backup.sh"
(cd "$backup" && sha256sum --quiet --check --strict SHA256SUMS) || fail "$backup is damaged; nothing was changed"
mkdir -p "$data"

if [ -n "${GAITKEEPER_DATABASE:-}" ]; then
    [ -f "$backup/store.dump" ] || fail "$backup is of SQLite, and GAITKEEPER_DATABASE is set"
    others=$(psql --no-psqlrc --tuples-only --no-align --dbname="$GAITKEEPER_DATABASE" --command="
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
    [ "$others" -eq 0 ] || fail "$others connections to the database are open: stop the services first"
    # What the present database knows of erasures and the journal does not is in the journal from here on.
    there=$(psql --no-psqlrc --tuples-only --no-align --dbname="$GAITKEEPER_DATABASE" \
        --command="SELECT to_regclass('identity') IS NOT NULL")
    if [ "$there" = t ]; then
        "$gaitkeeper" store show --data "$data" >/dev/null ||
            echo "restore: the present database cannot be read; the journal stays as it is" >&2
    fi
fi

if [ ! -e "$data/erasures.jsonl" ] && [ -e "$backup/erasures.jsonl" ]; then
    cp "$backup/erasures.jsonl" "$data/erasures.jsonl"
    echo "restore: there was no journal of erasures in $data; the backup's own was taken" >&2
fi

if [ -n "${GAITKEEPER_DATABASE:-}" ]; then
    # All or nothing: without its last line, nothing of this is done.
    {
        echo "BEGIN;"
        [ "$there" != t ] || cat <<'SQL'
CREATE TEMPORARY TABLE before_identity AS SELECT store, epoch FROM public.identity;
CREATE TEMPORARY TABLE before_counters AS SELECT name, last FROM public.counters;
CREATE TEMPORARY TABLE before_audit AS SELECT * FROM public.audit;
SQL
        echo "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
        pg_restore --no-owner --no-privileges --file=- "$backup/store.dump" || echo "SELECT 1 / 0 AS the_dump_is_damaged;"
        [ "$there" != t ] || cat <<'SQL'
-- Another store's backup belongs into another database.
SELECT 1 / count(*) AS of_another_store FROM public.identity JOIN pg_temp.before_identity USING (store);
-- Numbers are never used again, and entries of the audit log that the backup does not have are kept.
UPDATE public.counters AS now SET last = greatest(now.last, old.last)
  FROM pg_temp.before_counters AS old WHERE old.name = now.name;
UPDATE public.identity SET epoch = greatest(epoch, (SELECT max(epoch) FROM pg_temp.before_identity));
INSERT INTO public.audit SELECT * FROM pg_temp.before_audit AS later
  WHERE later.seq > (SELECT coalesce(max(seq), 0) FROM public.audit) AND EXISTS (
    SELECT 1 FROM public.audit AS last JOIN pg_temp.before_audit AS same USING (seq, hash)
    WHERE last.seq = (SELECT max(seq) FROM public.audit));
SQL
        # Caches of whatever process see by it that nothing they hold counts any more.
        echo "UPDATE public.identity SET epoch = epoch + 1;"
        echo "COMMIT;"
    } | psql --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1 --dbname="$GAITKEEPER_DATABASE" --file=- ||
        fail "PostgreSQL refused; the database is as it was"
    rm -rf "$data/snapshots"
else
    [ -f "$backup/store.db" ] || fail "$backup is of PostgreSQL; set GAITKEEPER_DATABASE"
    "$gaitkeeper" store restore "$backup/store.db" --data "$data" --yes
fi
# Opening it does the erasures again.
"$gaitkeeper" store check --data "$data"
