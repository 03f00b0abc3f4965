//! The composition root: all four services in one process, and the command line `anwen`.

pub mod cli;
pub mod commands;
pub mod compose;
pub mod data_dir;
pub mod failure;
pub mod memory;
pub mod workplace;
