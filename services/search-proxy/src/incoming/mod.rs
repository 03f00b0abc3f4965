//! What may leave and what may come in, by words and by sites.

pub mod sites;
pub mod variants;
pub mod words;
