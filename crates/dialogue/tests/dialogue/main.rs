//! The crate as engines use it: prompts, answers and grammars of every family that is claimed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answers;
mod families;
mod go;
mod grammars;
mod jinja;
mod prompts;
mod support;
