//! Archives: their members become documents of their own; an archive has no text itself.

mod names;
mod packed;
mod tarball;
mod zipped;

pub(super) use packed::{Packing, parse as parse_packed};
pub(super) use tarball::parse as parse_tar;
pub(super) use zipped::parse as parse_zip;

use super::failure::{FailureCode, ParseFailure};

/// What systems put beside people's files.
fn is_litter(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.starts_with("__MACOSX/")
        || name.starts_with("._")
        || matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini" | "PaxHeader")
}

fn bomb(what: &str) -> ParseFailure {
    ParseFailure::new(
        FailureCode::ArchiveBomb,
        format!("the archive is built to overwhelm its reader: {what}"),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
