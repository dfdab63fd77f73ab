//! How many processes do the same as this one. Each test forks a parent of its own, so that none
//! counts the children of another.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;

use common::{ends_well, in_fork, start_fork, until};
use forksafe::process::siblings;
use nix::unistd::Pid;

/// Children that live until the second of this pair is dropped.
fn children(count: usize) -> (Vec<Pid>, UnixStream) {
    let (mut reader, writer) = UnixStream::pair().unwrap();
    let mut writer = Some(writer);
    let mut born = Vec::new();
    for _ in 0..count {
        born.push(start_fork(|| {
            drop(writer.take());
            assert_eq!(reader.read(&mut [0]).unwrap(), 0);
        }));
    }
    (born, writer.unwrap())
}

#[test]
fn siblings_are_counted_with_oneself_and_without_children_of_ones_own() {
    in_fork(|| {
        in_fork(|| assert_eq!(siblings(), 1));
        let (others, alive) = children(3);
        in_fork(|| {
            assert_eq!(siblings(), 4);
            let (own, alive) = children(2);
            assert_eq!(siblings(), 4);
            drop(alive);
            own.into_iter().for_each(ends_well);
        });
        drop(alive);
        others.into_iter().for_each(ends_well);
        in_fork(|| assert_eq!(siblings(), 1));
    });
}

#[test]
fn beside_other_threads_nobody_is_counted_for_no_file_may_be_opened() {
    in_fork(|| {
        let (others, alive) = children(2);
        in_fork(|| {
            let (stop, stopped) = std::sync::mpsc::channel::<()>();
            let other = thread::spawn(move || stopped.recv().unwrap_err());
            assert_eq!(siblings(), 1);
            drop(stop);
            other.join().unwrap();
            // The kernel's own account of a thread's end may come a moment later.
            until(|| siblings() == 3);
        });
        drop(alive);
        others.into_iter().for_each(ends_well);
    });
}

#[test]
fn children_that_were_forked_by_different_threads_are_siblings() {
    in_fork(|| {
        let (others, alive) = children(1);
        let seen = thread::spawn(|| in_fork(|| assert_eq!(siblings(), 2)));
        seen.join().unwrap();
        drop(alive);
        others.into_iter().for_each(ends_well);
    });
}

#[test]
fn another_program_and_one_that_has_ended_are_no_siblings() {
    in_fork(|| {
        let mut other = Command::new("sleep").arg("20").spawn().unwrap();
        let ended = start_fork(|| ());
        let state = || std::fs::read_to_string(format!("/proc/{ended}/stat")).unwrap();
        until(|| state().contains(") Z "));
        in_fork(|| assert_eq!(siblings(), 1));
        ends_well(ended);
        other.kill().unwrap();
        other.wait().unwrap();
    });
}
