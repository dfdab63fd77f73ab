//! How many processes do the same as this one.

/// This process and the other children of its parent that run the same program with the same
/// command line: the workers of one server, as far as `/proc` tells. 1 where it does not, and
/// where this process has other threads. Never waits, and takes no lock.
#[cfg(target_os = "linux")]
pub fn siblings() -> usize {
    // A child that another thread forks while a file is open here would keep that open.
    if !is_single_threaded() {
        return 1;
    }
    let own = std::process::id();
    let Some(program) = Program::of(own) else { return 1 };
    let parent = nix::unistd::getppid().as_raw().unsigned_abs();
    let others = children_of(parent).into_iter().filter(|pid| *pid != own);
    1 + others.filter(|pid| Program::of(*pid).as_ref() == Some(&program)).count()
}

/// Elsewhere nobody tells.
#[cfg(not(target_os = "linux"))]
pub fn siblings() -> usize {
    1
}

#[cfg(target_os = "linux")]
use linux::{children_of, is_single_threaded, Program};

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::path::PathBuf;

    /// What a process runs. One that has ended and was not waited for runs nothing.
    #[derive(PartialEq, Eq)]
    pub(super) struct Program {
        executable: PathBuf,
        command_line: Vec<u8>,
    }

    impl Program {
        pub(super) fn of(pid: u32) -> Option<Self> {
            let executable = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
            let command_line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            Some(Self { executable, command_line })
        }
    }

    /// By the number of links to the directory of threads: one for each, and two. Asked without a
    /// descriptor.
    pub(super) fn is_single_threaded() -> bool {
        fs::metadata("/proc/self/task").is_ok_and(|threads| threads.nlink() == 3)
    }

    /// As its threads tell, each for those that it forked; where the kernel does not list them, by
    /// a look at every process.
    pub(super) fn children_of(parent: u32) -> Vec<u32> {
        let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else { return Vec::new() };
        let lists =
            threads.flatten().map(|thread| fs::read_to_string(thread.path().join("children")));
        match lists.collect::<Result<Vec<_>, _>>() {
            Ok(lists) => numbers(&lists.concat()),
            Err(_) => {
                all_processes().into_iter().filter(|pid| parent_of(*pid) == Some(parent)).collect()
            }
        }
    }

    fn numbers(list: &str) -> Vec<u32> {
        list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }

    fn all_processes() -> Vec<u32> {
        let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
        let name = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
        processes.flatten().filter_map(name).collect()
    }

    /// The second field after the name, which stands in brackets and may contain any.
    fn parent_of(pid: u32) -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        rest.split_ascii_whitespace().nth(1)?.parse().ok()
    }

    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    mod tests {
        use super::*;

        #[test]
        fn the_parent_is_read_whatever_the_name_of_the_process() {
            let parent = nix::unistd::getppid().as_raw().unsigned_abs();
            assert_eq!(parent_of(std::process::id()), Some(parent));
            assert!(all_processes().contains(&std::process::id()));
        }

        #[test]
        fn this_process_is_found_among_the_children_of_its_parent() {
            let parent = nix::unistd::getppid().as_raw().unsigned_abs();
            let own = std::process::id();
            assert!(children_of(parent).contains(&own));
            assert_eq!(numbers("1 22  333 "), [1, 22, 333]);
            assert!(children_of(u32::MAX).is_empty());
        }

        #[test]
        fn a_program_is_known_by_what_it_runs_and_how_it_was_called() {
            assert!(Program::of(std::process::id()).is_some());
            assert!(Program::of(std::process::id()) != Program::of(1));
            assert!(Program::of(u32::MAX).is_none());
        }
    }
}
