# client.sh PORT foreground|background FUNCTION < workload: prints the result, or the handle; exits with 3 when the job failed.
port=$1 mode=$2 function=$3
case $mode in
background)
    # -v names the handle: "Task created: H:host:1".
    gearman -h 127.0.0.1 -p "$port" -f "$function" -b -v | sed 's/^Task created: //'
    ;;
foreground)
    errors=$(mktemp) && trap 'rm -f "$errors"' EXIT
    gearman -h 127.0.0.1 -p "$port" -f "$function" 2>"$errors"
    status=$?
    grep -q 'Job failed' "$errors" && exit 3
    cat "$errors" >&2
    exit $status
    ;;
esac
