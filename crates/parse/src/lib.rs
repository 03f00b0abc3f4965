//! From a file of any kind to passages: bytes to a [`document`] of blocks ([`parse`]), the text tidied ([`clean`]), cut
//! into passages ([`chunk`]). Pure functions over bytes and text; [`sandbox`] runs them in a limited child process.
//!
//! A crate of its own, because nothing of it knows the service around it: the fuzzer, the benchmarks and the child process
//! link the parsers and nothing else.

pub mod chunk;
pub mod clean;
pub mod document;
pub mod parse;
pub mod sandbox;
