//! The chance and the clocks of the surroundings, taken away from the threads that run seeds.
//!
//! The standard library draws the keys of its hash tables from the C library's `getrandom`, and so does everything
//! that asks for entropy; clocks are read through `clock_gettime`. Both symbols are defined here, so the linker
//! takes these before the C library's. On a thread that runs a seed, entropy follows from a state that the caller
//! set and the clocks stand still, so that neither can tell two runs apart. Reads of the wall clock are counted
//! while hosts run, because a simulated host has no business with it; the monotonic clock is read by tokio itself,
//! for its statistics. On every other thread both functions do what they always did.
//!
//! This is the one file of the workspace with unsafe code: nothing safe can define a C function, or say how the C
//! library's allocator shall be.
#![expect(unsafe_code, reason = "defining getrandom and clock_gettime takes C functions over raw pointers")]

use libc::{c_int, c_uint, c_void, clockid_t, size_t, ssize_t, timespec};
use std::cell::Cell;

thread_local! {
    // Constants without a destructor: such cells need no set-up, so the C functions may touch them at any time.
    static ENTROPY: Cell<Option<u64>> = const { Cell::new(None) };
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static WALL_READS: Cell<u64> = const { Cell::new(0) };
}

/// Blocks of up to so many bytes are kept, the most that glibc may be told; seeds ask for less.
#[cfg(target_env = "gnu")]
const KEPT: c_int = 32 << 20;

/// What the clocks say on a thread that runs a seed: any moment would do.
const STILL: timespec = timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };

/// From now on the allocator keeps what is given back: every seed takes about as much as the one before, and asking the
/// system for it each time, and for every large workload, takes an eighth of the time on bare doors.
pub(crate) fn keep_memory() {
    #[cfg(target_env = "gnu")]
    for threshold in [libc::M_MMAP_THRESHOLD, libc::M_TRIM_THRESHOLD] {
        // SAFETY: it is given two numbers. What it refuses leaves the allocator as it was, which is slower and no worse.
        unsafe { libc::mallopt(threshold, KEPT) };
    }
}

/// From now on this thread's entropy follows from `seed` and its clocks stand still; `None` undoes both.
pub(crate) fn set_entropy(seed: Option<u64>) {
    ENTROPY.set(seed);
    WALL_READS.set(0);
}

/// Counts this thread's reads of the wall clock while `work` runs.
pub(crate) fn watching_the_wall_clock<T>(work: impl FnOnce() -> T) -> T {
    WATCHING.set(true);
    let done = work();
    WATCHING.set(false);
    done
}

/// How often the wall clock was read under [`watching_the_wall_clock`], since [`set_entropy`].
pub(crate) fn wall_clock_reads() -> u64 {
    WALL_READS.get()
}

/// SplitMix64, byte by byte: no allocation and no call that could come back here.
fn fill(mut state: u64, buffer: &mut [u8]) -> u64 {
    for piece in buffer.chunks_mut(8) {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bytes = (bits ^ (bits >> 31)).to_le_bytes();
        piece.copy_from_slice(&bytes[..piece.len()]);
    }
    state
}

/// The C library's `getrandom`, with a state of the thread's own where one is set.
///
/// # Safety
/// As for the C library's: `buffer` points to `length` bytes that may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
    match ENTROPY.try_with(Cell::get) {
        Ok(Some(state)) if length > 0 => {
            // SAFETY: the caller vouches for `length` writable bytes at `buffer`; a u8 needs no alignment, and
            // zeroing first makes them initialised before they become a slice.
            let bytes = unsafe {
                buffer.cast::<u8>().write_bytes(0, length);
                std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length)
            };
            ENTROPY.set(Some(fill(state, bytes)));
            ssize_t::try_from(length).unwrap_or(ssize_t::MAX)
        }
        Ok(_) | Err(_) => {
            // SAFETY: the arguments are passed on as they came, and the kernel checks them.
            let filled = unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) };
            ssize_t::try_from(filled).unwrap_or(-1)
        }
    }
}

/// The C library's `clock_gettime`, which stands still on a thread that runs a seed.
///
/// # Safety
/// As for the C library's: `time` points to a `timespec` that may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    if matches!(ENTROPY.try_with(Cell::get), Ok(Some(_))) {
        if clock == libc::CLOCK_REALTIME && WATCHING.get() {
            WALL_READS.set(WALL_READS.get() + 1);
        }
        // SAFETY: the caller vouches for `time`.
        unsafe { time.write(STILL) };
        return 0;
    }
    // SAFETY: the arguments are passed on as they came, and the kernel checks them.
    let outcome = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) };
    c_int::try_from(outcome).unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::thread;
    use std::time::{Instant, SystemTime};

    /// The order of a hash table that is made on a fresh thread with this entropy.
    fn order(entropy: Option<u64>) -> Vec<u32> {
        let fresh = thread::spawn(move || {
            set_entropy(entropy);
            let table: HashMap<u32, ()> = (0..64).map(|key| (key, ())).collect();
            table.into_keys().collect()
        });
        fresh.join().unwrap()
    }

    #[test]
    fn the_order_of_hash_tables_follows_the_entropy_that_was_set() {
        assert_eq!(order(Some(1)), order(Some(1)));
        assert_ne!(order(Some(1)), order(Some(2)));
    }

    #[test]
    fn without_a_state_entropy_is_the_systems() {
        assert_ne!(order(None), order(None));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test is about reading clocks where none may be read")]
    fn clocks_stand_still_and_reads_of_the_wall_clock_are_counted_while_watched() {
        set_entropy(Some(1));
        let unwatched = SystemTime::now();
        assert_eq!(wall_clock_reads(), 0);
        let (wall, monotonic) = watching_the_wall_clock(|| (SystemTime::now(), Instant::now()));
        assert_eq!(wall_clock_reads(), 1);
        assert_eq!((wall, monotonic), (unwatched, Instant::now()));
        set_entropy(None);
        assert!(SystemTime::now() > unwatched && Instant::now() != monotonic);
    }
}
