//! From a stored file to indexed passages: parse in a child process, clean, chunk, embed, index.

pub mod cut;
pub mod pipeline;
pub mod read;
mod screening;
mod withdrawal;
pub mod worker;

pub use anwen_parse::{chunk, clean, document, parse, sandbox};
