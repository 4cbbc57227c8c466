# Plays a client or a worker with the C tool `gearman`: driver.sh HOST PORT; peers/README.md has the line protocol.
# The worker starts this file again for each job: driver.sh HOST PORT job FUNCTION, with the workload on standard input.
host=$1 port=$2
export LC_ALL=C
scratch=$(mktemp -d) && trap 'rm -rf "$scratch"' EXIT

# The runner's lines come in on 3 and ours go out on 4, for standard input and output are the job's inside a job.
if [ "${3-}" != job ]; then exec 3<&0 4>&1; fi
say() { printf '%s\n' "$*" >&4; }
word() { printf '=%s' "$(od -An -v -tx1 | tr -d ' \n')"; }
# The bytes of a data word, NUL included.
# shellcheck disable=SC2059
data() { printf "$(sed 's/^=//; s/../\\x&/g' <<<"$1")"; }

tasks=()

# The options of a submit: function, unique, priority.
options() {
    submit=(-h "$host" -p "$port" -f "$1")
    [ "$2" = none ] || submit+=(-u "$2")
    case $3 in high) submit+=(-I) ;; low) submit+=(-L) ;; esac
    [ -z "${timeout-}" ] || submit+=(-t "$timeout")
}

# One task in the foreground: TAG FUNCTION UNIQUE PRIORITY WORKLOAD.
foreground() {
    local tag=$1 end=ran
    options "$2" "$3" "$4"
    data "$5" | gearman "${submit[@]}" >"$scratch/$tag.out" 2>"$scratch/$tag.err"
    local status=$?
    if grep -q 'Job failed' "$scratch/$tag.err"; then
        say "$tag" fail
    elif grep -qi 'timeout' "$scratch/$tag.err"; then
        end=timeout
    # The tool tells of a lost server, and exits with 0 all the same.
    elif [ $status -ne 0 ] || [ -s "$scratch/$tag.err" ]; then
        say "# $(tr '\n' ' ' <"$scratch/$tag.err")"
        end=lost
    else
        say "$tag" complete "$(word <"$scratch/$tag.out")"
    fi
    echo "$end" >>"$scratch/ends"
}

# Runs the tasks that were added, a tool for each, all at once; and says how that ended.
run() {
    local task
    : >"$scratch/ends"
    for task in "${tasks[@]}"; do
        # shellcheck disable=SC2086
        foreground $task &
    done
    wait
    tasks=()
    if grep -q lost "$scratch/ends"; then say lost
    elif grep -q timeout "$scratch/ends"; then say timeout
    else say ran; fi
}

# Does what a client can be told, in a program of its own or inside a job.
command_line() {
    case $1 in
    timeout) timeout=$2 ;;
    task) tasks+=("${*:2}") ;;
    run) run ;;
    background)
        options "$3" "$4" "$5"
        # -v names the handle: "Task created: H:host:1".
        if created=$(data "$6" | gearman "${submit[@]}" -b -v 2>"$scratch/background"); then
            say "$2" created "${created#Task created: }"
        else
            say "$2" lost
        fi
        ;;
    *) say cannot "$1" ;;
    esac
}

if [ "${3-}" = job ]; then
    say job "$4" "$(word)"
    while read -r -a words <&3; do
        case ${words[0]} in
        # What the tool's command prints is the result, and its exit status says whether the job failed.
        complete) data "${words[1]}" && exit 0 ;;
        fail) exit 1 ;;
        *) command_line "${words[@]}" ;;
        esac
    done
    exit 1
fi

while read -r -a words <&3; do
    if [ "${words[0]}" != serve ]; then
        command_line "${words[@]}"
        continue
    fi
    functions=()
    for name in "${words[@]:1}"; do functions+=(-f "$name"); done
    # The tool ends when it has lost its server; who runs it starts it again, and so does this.
    while true; do
        setpriv --pdeathsig KILL gearman -w -h "$host" -p "$port" "${functions[@]}" -- bash "$0" "$host" "$port" job "${words[1]}" </dev/null >/dev/null 2>"$scratch/worker"
        say "# the tool ended: $(tr '\n' ' ' <"$scratch/worker")"
        sleep 0.05
    done
done
