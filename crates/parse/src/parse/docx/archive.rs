//! The archive that a Word document is, opened with its teeth drawn.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::parse::failure::{FailureCode, ParseFailure};
use crate::parse::limits::{ContentLimits, INFLATION_GRACE_BYTES};

/// XML parts larger than this are not read by this module; the libraries have bounds of their own.
const MAX_PART_BYTES: u64 = 256 * 1024 * 1024;

pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    limits: &'a ContentLimits,
}

impl<'a> Archive<'a> {
    pub(super) fn open(data: &'a [u8], limits: &'a ContentLimits) -> Result<Self, ParseFailure> {
        let zip = ZipArchive::new(Cursor::new(data)).map_err(|error| {
            ParseFailure::damaged(format!("the archive cannot be opened, it may have been cut off: {error}"))
        })?;
        Ok(Self { zip, limits })
    }

    /// Inflates every entry, without keeping it, to learn its true size: what the archive says of its sizes may be a lie.
    pub(super) fn refuse_bombs(&mut self) -> Result<(), ParseFailure> {
        let bomb = |what: String| {
            ParseFailure::new(
                FailureCode::ArchiveBomb,
                format!("the archive is built to overwhelm its reader: {what}"),
            )
        };
        if self.zip.len() > self.limits.max_archive_entries {
            return Err(bomb(format!("it has {} entries", self.zip.len())));
        }
        let mut total = 0u64;
        for index in 0..self.zip.len() {
            let Ok(entry) = self.zip.by_index(index) else { continue };
            let packed = entry.compressed_size().max(1);
            let ratio_limit =
                packed.saturating_mul(self.limits.max_inflation_ratio).max(INFLATION_GRACE_BYTES);
            let allowed = ratio_limit.min(self.limits.max_inflated_bytes - total);
            // A checksum that does not fit is for the parser to complain about; here only sizes count.
            let inflated = match std::io::copy(&mut entry.take(allowed + 1), &mut std::io::sink()) {
                Ok(bytes) => bytes,
                Err(_) => continue,
            };
            if inflated > allowed {
                return Err(bomb(format!("an entry of {packed} bytes inflates to more than {allowed}")));
            }
            total += inflated;
        }
        Ok(())
    }

    /// A part as text; `None` when it is missing, too large or not UTF-8.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let entry = self.zip.by_name(name).ok()?;
        let mut text = String::new();
        entry.take(MAX_PART_BYTES).read_to_string(&mut text).ok()?;
        Some(text)
    }
}
