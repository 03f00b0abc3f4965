//! The short form, and checks of the harness itself. Speaks the part of the test harness's command line that cargo and
//! nextest use.

use std::process::ExitCode;

use anwen_parse::parse::FailureCode;
use anwen_parse::sandbox::ParseWorker;

use crate::campaign::{self, Plan};
use crate::report::Report;
use crate::seeds::Seeds;

const SHORT_INPUTS: u64 = 2_000;
/// Files of the shared folder above this size are for the long form.
const SHORT_MAX_BYTES: u64 = 64 * 1024;

type Check = (&'static str, fn());

const CHECKS: [Check; 4] = [
    ("two_thousand_changed_files_end_as_a_document_or_with_a_code", changed_files_end),
    ("the_same_numbers_make_the_same_input", same_numbers_same_input),
    ("a_hang_is_a_timeout_and_the_campaign_goes_on", a_hang_is_a_timeout),
    ("an_end_without_a_code_is_a_finding", no_code_is_a_finding),
];

pub fn main(arguments: &[String]) -> ExitCode {
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if has("--list") {
        if !has("--ignored") {
            CHECKS.iter().for_each(|(name, _)| println!("{name}: test"));
        }
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let is_chosen = |name: &str| {
        filters.is_empty()
            || filters
                .iter()
                .any(|filter| if has("--exact") { *filter == name } else { name.contains(*filter) })
    };
    for (name, check) in CHECKS.iter().filter(|(name, _)| is_chosen(name)) {
        check();
        println!("{name}: ok");
    }
    ExitCode::SUCCESS
}

fn changed_files_end() {
    let seeds = Seeds::load(&crate::default_folders(), SHORT_MAX_BYTES);
    let report = run(&Plan { inputs: SHORT_INPUTS, seed: 20_261_121, ..crate::plan() }, &seeds);
    report.print();
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!(report.inputs, SHORT_INPUTS);
    // A harness that feeds rubbish only would pass as well.
    assert!(report.count("document") > SHORT_INPUTS / 4, "hardly anything was read");
}

fn same_numbers_same_input() {
    let seeds = Seeds::load(&[] as &[&str], u64::MAX);
    let plan = crate::plan();
    for number in 0..200 {
        let (once, again) = (campaign::input(&plan, &seeds, number), campaign::input(&plan, &seeds, number));
        assert!(once.bytes == again.bytes && once.file_name == again.file_name, "input {number}");
    }
}

fn shell(script: &str) -> ParseWorker {
    ParseWorker { program: "/bin/sh".into(), arguments: vec!["-c".to_owned(), script.to_owned()] }
}

fn run_against(reader: &str, worker: &str) -> Report {
    let seeds = Seeds::load(&[] as &[&str], u64::MAX);
    let keep = tempfile::tempdir().expect("a folder");
    let plan = Plan {
        inputs: 2,
        jobs: 1,
        cpu_seconds: 1,
        keep: keep.path().to_owned(),
        reader: shell(reader),
        worker: shell(worker),
        ..crate::plan()
    };
    run(&plan, &seeds)
}

fn a_hang_is_a_timeout() {
    let report = run_against("while :; do :; done", "kill -XCPU $$");
    assert_eq!((report.inputs, report.count(FailureCode::ParseTimeout.as_str())), (2, 2));
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

fn no_code_is_a_finding() {
    let report = run_against("kill -SEGV $$", "echo this is no answer");
    assert_eq!((report.inputs, report.findings.len()), (2, 2));
}

fn run(plan: &Plan, seeds: &Seeds) -> Report {
    campaign::run(plan, seeds).expect("the harness works")
}
