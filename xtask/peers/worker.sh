# worker.sh PORT FUNCTION RECORD: upper-cases workloads, fails those that say so, and records each.
export RECORD=$3 LC_ALL=C
# The program is started once for each job, with the workload on its standard input.
# shellcheck disable=SC2016
exec gearman -w -h 127.0.0.1 -p "$1" -f "$2" -- sh -c '
    job=$(mktemp "$RECORD.XXXXXX") && cat >"$job"
    { cat "$job"; echo; } >>"$RECORD"
    [ "$(tr -d "\0" <"$job")" != fail ] && tr a-z A-Z <"$job"'
