//! What this machine has: memory, and descriptors for the process.

use rustix::process::{Resource, getrlimit};
use std::fs;
use std::path::Path;

/// How many descriptors are kept for other things than peers: listeners, logs, stores, whoever is being told that
/// there are too many.
const SPARE: usize = 64;

/// How many descriptors the process may have.
pub(crate) fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// How many connections so many descriptors are good for: at least half of them.
pub(crate) fn connections(descriptors: usize) -> usize {
    descriptors.saturating_sub(SPARE).max(descriptors.div_ceil(2)).max(1)
}

/// How many bytes of memory the process may use: the machine's, or fewer if its control group says so.
pub(crate) fn memory() -> u64 {
    let machine = rustix::system::sysinfo();
    let machine = machine.totalram.saturating_mul(u64::from(machine.mem_unit));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    machine.min(group_limit(Path::new("/sys/fs/cgroup"), &groups).unwrap_or(u64::MAX))
}

/// The smallest limit of the control groups that the process is in, given the text of `/proc/self/cgroup`.
fn group_limit(mount: &Path, groups: &str) -> Option<u64> {
    let limits = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let path = path.trim_start_matches('/');
        match controllers {
            "" => smallest(mount, path, "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                smallest(&mount.join("memory"), path, "memory.limit_in_bytes")
            }
            _ => None,
        }
    });
    limits.min()
}

/// The smallest number in files of this name, from the group's directory up to the mount. A group that is not
/// there is that of a container, which sees its own as the mount.
fn smallest(mount: &Path, path: &str, file: &str) -> Option<u64> {
    let directory = mount.join(path);
    let above = directory.ancestors().take_while(|directory| directory.starts_with(mount));
    let texts = above.filter_map(|directory| fs::read_to_string(directory.join(file)).ok());
    texts.filter_map(|text| text.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_descriptors_are_for_peers() {
        assert_eq!([1, 2, 40, 100, 128, 1024, 20_000].map(connections), [1, 1, 20, 50, 64, 960, 19_936]);
    }

    #[test]
    fn the_tightest_control_group_counts() {
        let mount = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = mount.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        write("memory.max", "max\n");
        write("system.slice/memory.max", "3000000\n");
        write("system.slice/gearmand.service/memory.max", "5000000\n");
        write("memory/docker/memory.limit_in_bytes", "7000000\n");
        write("memory/other/memory.limit_in_bytes", "1000000\n");
        let limit = |groups: &str| group_limit(mount.path(), groups);
        assert_eq!(limit("0::/system.slice/gearmand.service\n"), Some(3_000_000));
        assert_eq!(limit("0::/\n"), None);
        assert_eq!(limit("5:cpu,cpuacct:/other\n4:memory:/docker\n"), Some(7_000_000));
        assert_eq!(limit("0::/of/the/host\n"), None);
        write("memory.max", "9000000\n");
        assert_eq!(limit("0::/of/the/host\n"), Some(9_000_000));
        assert_eq!(limit(""), None);
    }

    #[test]
    fn this_machine_has_something() {
        assert!(memory() > 1 << 20);
        assert!(descriptors() > 2);
    }
}
