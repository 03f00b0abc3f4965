//! What crosses services, through HTTP as a browser or a client would, against all services in one process or
//! against the program itself.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_input;
mod command_line;
mod crash;
mod harness;
mod main_job;
mod permissions;
mod stray;
mod tables;
mod watching;
mod web_results;
