//! Program text.

pub(super) mod languages;
