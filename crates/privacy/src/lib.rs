//! Finding and masking what should not be passed on: personal data, secrets, and words of an organisation's own.
//!
//! One set of detectors serves the ingest of documents and the queries that leave for a search engine. Everything
//! here is pure, takes time linear in the text, and never fails on a text.
//!
//! A text is read in a folded form ([full-width letters and digits, the many dashes and spaces][folded] as their
//! ASCII relatives, invisible characters left out), so that `１３８－１２３４－５６７８` is the number that a reader takes it
//! for. Offsets are byte offsets into the text as it was given.
//!
//! Where a check digit or a distinctive shape exists it decides. Where it does not (a passport number, an old
//! identity number, digits that only a label makes a telephone), the words before the value decide: the nearest of
//! those that speak for it and those that speak against it (an order, a standard, an amount).

mod address;
mod checksum;
mod context;
mod email;
mod entropy;
mod folded;
mod kind;
mod mask;
mod numbers;
mod passport;
mod phone;
mod plate;
mod scan;
mod secret;
mod tokens;
mod words;

pub use kind::{Kind, UnknownKind};
pub use mask::{Masked, mask, placeholder, sample};
pub use scan::{Detector, Finding};
pub use words::{MAX_WORD_CHARS, MAX_WORDS, WordListError};
