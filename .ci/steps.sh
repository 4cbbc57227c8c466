# The steps of CI, shared by .ci/run (each push) and .ci/nightly (at length): the same commands with larger numbers.
# Sourced, with these set:
#   fixed_seeds      how many seeds from 0 the simulator runs, the same ones every time
#   derived_seeds    how many it runs from a base derived from the commit
#   bare_seeds       how many of them it runs straight against the engine, which is asked at each end what it still holds
#   checked_seeds    how many of those it runs twice, to compare the traces
#   digest_seeds     how many seeds a debug build runs as well, to compare what they come to
#   sabotage_seeds   how many seeds each sabotage gets, and three times as many more if it is caught in fewer than five of these
#   innocent_seeds   over how many seeds the naive server is judged on bare doors, whom no rule may accuse
#   innocent_storms  over how many under turmoil
#   real_seeds       how many seeds the program itself is put through in real time: on two busy cores 0.6 in a second
#   repeats          how often each conformance case runs
#   guest_variants   in which write variants the cases run against the servers in Perl and Python, of which one is slow
#   page_views       how the conformance page is looked at in a browser
#   clients          which client libraries the transcripts play the server for
#   client_variants  in which write variants
#   clients_can_fail whether each of those cases is seen to fail; not if empty
#   mutations        how many malformed variants our server suffers
#   kills            in which scenarios of the real clients each actor is killed at each step
#   fuzz_targets     which targets the fuzzer works on
#   fuzz_seconds     for how long on each
#   planted_bugs     which of the bugs on purpose are planted; all if empty
#   historical_bugs  which of the bugs of the past are brought back; all if empty
#   mutants          in which packages each expression is changed, and how many of these changes are tried; all if empty
#   mutants_commits  only in what so many last commits have changed, or as many as the clone has; in all if empty
#   bench_rows       which rows of the table of measurements, or the flags for all
#   bench_rounds     how often each of them
#   at_length        whether what takes long is done too: sabotages without a choice of faults, scaling, the slowest call, the reported load, the guide on a clean machine, threads, data races, whether the stage of the program itself can fail, the conformance tool as one static file; yes or no
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null
export PATH="$HOME/.cargo/bin:$PATH"
# Every build here is a build from nothing, which incremental compilation only slows down.
export CARGO_INCREMENTAL=0
# An exported RUSTFLAGS replaces the flags in .cargo/config.toml, without which the simulator does not compile.
unset RUSTFLAGS RUSTDOCFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_ENCODED_RUSTDOCFLAGS
# The steps below look for what was built where cargo puts it by default.
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR

names=()
times=()
started=$SECONDS

# step NAME COMMAND..: runs one numbered step; if it fails, CI ends there.
step() {
    names+=("$1")
    local from=$SECONDS
    printf '\n=== step %d: %s\n' "${#names[@]}" "$1"
    printf '    %s\n' "${*:2}"
    "${@:2}"
    times+=($((SECONDS - from)))
}

# Prints the table of times, however CI ended: a signal too ends it before the last step.
finished=no
table() {
    local index
    printf '\n=== times\n'
    for index in "${!names[@]}"; do
        printf '%3d  %-44s %6s s\n' $((index + 1)) "${names[$index]}" "${times[$index]:-FAILED}"
    done
    printf '     %-44s %6d s\n' "all" $((SECONDS - started))
    local last="before the first step"
    [ ${#names[@]} -eq 0 ] || last="in step ${#names[@]}: ${names[-1]}"
    [ "$finished" = yes ] || echo "CI failed $last"
}
trap table EXIT

# tool NAME VERSION: a cargo subcommand; built without optimisation, which takes a third of the time and is fast enough.
tool() {
    if cargo "${1#cargo-}" --version >/dev/null 2>&1; then
        cargo "${1#cargo-}" --version
        return
    fi
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 cargo install --quiet --locked "$1" --version "$2"
}

toolchains() {
    cargo --version
    cargo +nightly --version || {
        echo "fuzz targets and ThreadSanitizer need a nightly toolchain: rustup toolchain install nightly --profile minimal" >&2
        return 1
    }
}

docs_without_warnings() {
    RUSTDOCFLAGS="--cfg tokio_unstable -D warnings" cargo doc --workspace --no-deps
}

# fuzz TARGET: looks for more, beginning with the seeds.
fuzz() {
    mkdir -p "fuzz/corpus/$1"
    cargo +nightly fuzz run "$1" "fuzz/corpus/$1" "fuzz/seeds/$1" -- \
        -dict=fuzz/packets.dict "-max_total_time=$fuzz_seconds"
}

# conformance PEER VARIANTS: every case against the server that PEER's profile starts.
conformance() {
    mkdir -p target/conformance
    cargo conformance run --peer "$1" --variants "$2" --repeat "$repeats" --json "target/conformance/$1.json"
}

# The page that shows those runs side by side, in a browser.
conformance_page() {
    cargo conformance matrix target/conformance/{gearwright,gearmand-c,perl,gear}.json --html target/conformance/matrix \
        --baseline docs/matrix/results.json
    node conformance/page/check.mjs target/conformance/matrix --views "$page_views"
}

# Bugs on purpose, each of which a test must see; where a slice begins, the commit decides.
planted_bugs() {
    # shellcheck disable=SC2086 # The flags are words.
    cargo xtask planted-bugs --first "$base" $planted_bugs
}

# Bugs of the past, each of which the simulator must see; where a slice begins, the commit decides.
historical_bugs() {
    # shellcheck disable=SC2086 # The flags are words.
    cargo xtask historical-bugs --first "$base" $historical_bugs
}

# Changes of expressions, which tests or the simulator must see; where a slice begins, the commit decides.
mutants() {
    local since=()
    [ -z "$mutants_commits" ] || since=(--since "$(git rev-list --max-count=$((mutants_commits + 1)) HEAD | tail -n 1)")
    # shellcheck disable=SC2086 # The packages and flags are words.
    cargo xtask mutants --first "$base" $mutants "${since[@]}"
}

# Each client library with what its profile says; our own driver is built for it.
clients() {
    cargo build --release -p gearman-client --example driver
    local name
    for name in $clients; do
        cargo conformance clients --client "$name" --variants "$client_variants"
    done
    [ -z "$clients_can_fail" ] || .ci/clients-can-fail
}

# What a seed means must not depend on how the simulator was compiled.
same_in_a_debug_build() {
    mkdir -p target/digests
    cargo sim digests --seeds "$digest_seeds" -j 2 | sort -n >target/digests/release
    cargo run --package gearman-sim -- digests --seeds "$digest_seeds" -j 2 | sort -n >target/digests/debug
    [ "$(wc -l <target/digests/release)" -eq "$digest_seeds" ]
    cmp target/digests/release target/digests/debug
}

# Ratios to other servers on a machine that may be busy: for people to read, but a run that fails is a failure.
side_by_side() {
    local into=()
    if [ "$at_length" = yes ]; then
        mkdir -p target/nightly
        cp docs/measurements.md docs/*.svg target/nightly/
        into=(--into target/nightly/measurements.md)
    fi
    # shellcheck disable=SC2086 # The rows and flags are words.
    cargo bench-server table --rounds "$bench_rounds" --seconds "$bench_seconds" --json target/table.json "${into[@]}" $bench_rows
    filled table
}

# What has been filled in on the nightly copy of the page, if there is one.
filled() {
    [ "$at_length" != yes ] || sed -n "/<!-- $1 -->/,/<!-- end of $1 -->/p" target/nightly/measurements.md
}

# One core and two, and one server to four, onto the same copy of the page.
scaling() {
    cargo bench-server scaling --json target/scaling.json --into target/nightly/measurements.md
    filled scaling
}

# What programs see of each fault must be so on real sockets too, and the page must say it.
faults_compared() {
    cp docs/measurements.md target/measurements.md
    cargo sim faults --compare --into target/measurements.md
    cmp docs/measurements.md target/measurements.md
}

# A campaign shared out as the ready files for GitHub and Kubernetes say, whose parts must come to the whole.
shards() {
    local python=target/peers/python/bin
    "$python/hadolint" sim/shards/Containerfile
    "$python/python" sim/shards/check.py target/release/gearman-sim "$python"
}

# The load that somebody reported, which the server must bear without its memory growing.
reported_load() {
    cargo bench-server run reported-load 765x1100x695 --launch ours --seconds 60 --rounds 1
}

# The operator's guide, done by its own commands under a real systemd.
clean_machine() {
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends mmdebstrap systemd-container
    packaging/clean-machine/try
}

# A base of this commit's own, so that every push visits seeds that no push before has seen.
commit=$(git rev-parse --short=8 HEAD)
base=$((16#$commit))
checked_end=$((base + checked_seeds))
derived_end=$((base + derived_seeds))

# The property tests draw from the same base: what fails in CI fails again on the same commit.
export PROPTEST_RNG_SEED=$base

echo "commit $commit: derived seeds begin at $base (PROPTEST_RNG_SEED as well)"

step "toolchains" toolchains
step "other programs (apt, pip, npm)" .ci/install-peers
step "cargo-fuzz" tool cargo-fuzz 0.13.2
step "cargo-deny" tool cargo-deny 0.20.2
step "cargo-deb" tool cargo-deb 3.8.0
step "cargo-mutants" tool cargo-mutants 27.1.0
step "format" cargo fmt --all --check
step "format, fuzz targets" cargo fmt --manifest-path fuzz/Cargo.toml --check
step "licences, bans, sources" cargo deny check licenses bans sources
step "lint" cargo clippy --workspace --all-targets -- -D warnings
step "documentation" docs_without_warnings
step "tests" cargo test --workspace
step "planted bugs, each seen by its test" planted_bugs
step "mutants, each seen by tests or the simulator" mutants
step "simulation, fixed seeds" cargo sim run --seeds "0..$fixed_seeds"
step "simulation, derived seeds, run twice" cargo sim run --seeds "$base..$checked_end" --check
step "simulation, derived seeds" cargo sim run --seeds "$checked_end..$derived_end"
step "simulation, straight against the engine" cargo sim run --stage bare --seeds "$base..$((base + bare_seeds))"
step "simulation, the same in a debug build" same_in_a_debug_build
step "shards, their files and their union" shards
step "faults, under turmoil and on the machine's own sockets" faults_compared
step "sabotages, each caught by its rule alone" cargo sim sabotage --seeds "$sabotage_seeds" --json target/sabotages.json
step "sabotages, on bare doors" cargo sim sabotage --stage bare --seeds "$sabotage_seeds"
step "bugs of the past, each seen by the simulator" historical_bugs
step "no false alarm" cargo sim run --server naive --stage bare --seeds "$base..$((base + innocent_seeds))"
step "no false alarm, under turmoil" cargo sim run --server naive --seeds "$base..$((base + innocent_storms))"
step "an hour of the reported load, simulated" cargo sim soak load --minutes 60
step "an hour of mixed work, simulated" cargo sim soak day --minutes 60
step "build the server" cargo build --release --package gearman-server --bin gearmand
step "simulation, the program itself in real time" cargo sim run --stage loopback --seeds "$base..$((base + real_seeds))" -j 8
step "Debian package" cargo xtask package
step "container file (hadolint)" target/peers/python/bin/hadolint packaging/Containerfile
step "conformance, our server" conformance gearwright all
step "conformance, gearmand-c" conformance gearmand-c all
step "conformance, every case can fail" cargo conformance can-fail --peers gearwright,gearmand-c
step "conformance, Gearman::Server (Perl)" conformance perl "$guest_variants"
step "conformance, gear (Python)" conformance gear "$guest_variants"
step "conformance, the page in a browser" conformance_page
step "conformance, clients and workers" clients
step "captures, as tshark reads them" cargo xtask tshark
step "malformed variants" cargo conformance mutate --peer gearwright --seed "$base" --count "$mutations"
step "real clients and workers" cargo xtask peers --kills "$kills"
step "metrics and alerts (promtool)" cargo xtask monitoring
step "fuzz targets" cargo +nightly fuzz build
step "fuzz seeds as tests" cargo test --manifest-path fuzz/Cargo.toml --lib
for target in $fuzz_targets; do
    step "fuzz $target" fuzz "$target"
done
step "benches" cargo bench --workspace --no-run
step "costs of codec and engine" cargo costs check
step "side by side (printed, not judged)" side_by_side
if [ "$at_length" = yes ]; then
    step "conformance, the tool as one static file" .ci/static-tool
    step "sabotages, with all that can go wrong in every seed" cargo sim sabotage --uniform --seeds "$sabotage_seeds" --beside target/sabotages.json
    step "simulation, the program itself can fail" .ci/loopback-can-fail
    step "threads, under many schedules" cargo xtask threads --schedules 100000 --seed "$base"
    step "data races, planted and not (ThreadSanitizer)" cargo xtask races --seeds 100 --first "$base"
    step "the slowest call at four million jobs" cargo costs slowest
    step "scaling (printed, not judged)" scaling
    step "the reported load, in real time" reported_load
    step "the operator's guide on a clean machine" clean_machine
fi
finished=yes
