//! From a stored file to indexed passages: parse in a child process, clean, chunk, embed, index.

pub mod chunk;
pub mod clean;
pub mod cut;
pub mod document;
pub mod parse;
pub mod pipeline;
pub mod read;
pub mod sandbox;
pub mod worker;
