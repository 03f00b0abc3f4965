//! House rules as tests: what ARCHITECTURE.md and CONTRIBUTING.md promise and a machine can check.
//!
//! Each rule is a pure function from sources to violations, so that each can be shown to fail on a made-up bad input;
//! the tests below apply them to this repository.

// All of this target is test code, also what stands outside its test functions.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod boundaries;
mod habits;
mod lexer;
mod links;
mod machine;
mod migrations;
mod repository;
mod samples;
mod settings;
mod sizes;

use std::fmt;

use repository::Repository;

/// A broken rule and where: `path:line: what is wrong and what to do`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub path: String,
    pub line: usize,
    pub message: String,
}

impl Violation {
    pub fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.message)
    }
}

fn assert_none(violations: Vec<Violation>) {
    let lines: Vec<String> = violations.iter().map(Violation::to_string).collect();
    assert!(lines.is_empty(), "{} broken rules:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn crates_depend_only_on_those_below_them() {
    assert_none(boundaries::crate_dependencies(&Repository::load()));
}

#[test]
fn sql_stands_in_stores_only_and_stores_know_no_http() {
    assert_none(Repository::load().each_rust_file(boundaries::sql_and_http));
}

#[test]
fn only_their_own_modules_name_engines_and_file_formats() {
    assert_none(Repository::load().each_rust_file(boundaries::guarded_crates));
}

#[test]
fn files_and_functions_stay_short() {
    assert_none(Repository::load().each_rust_file(sizes::too_long));
}

#[test]
fn code_outside_tests_neither_panics_on_purpose_nor_is_left_unfinished() {
    assert_none(Repository::load().each_rust_file(habits::broken_habits));
}

#[test]
fn links_between_documents_resolve() {
    assert_none(links::broken_links(&Repository::load()));
}

#[test]
fn no_file_names_a_machine_or_a_private_registry() {
    assert_none(machine::traces(&Repository::load()));
}

#[test]
fn the_sample_questions_are_answered_by_the_sample_library() {
    assert_none(samples::broken_samples(&Repository::load()));
}

#[test]
fn the_example_settings_and_the_services_agree() {
    assert_none(settings::disagreements(&Repository::load()));
}

#[test]
fn every_migration_is_applied_on_both_databases() {
    assert_none(migrations::forgotten(&Repository::load()));
}
