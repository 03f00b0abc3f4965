//! How much of a file is read. What lies beyond is left out with a warning, or refused.

use serde::{Deserialize, Serialize};

/// Bounds on a file and on what is made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContentLimits {
    /// Larger files are refused.
    pub max_file_bytes: u64,
    /// Pages beyond are not read; a warning says so.
    pub max_pages: u32,
    /// Blocks beyond are not read; a warning says so.
    pub max_blocks: usize,
    /// Characters beyond are not read; a warning says so.
    pub max_characters: usize,
    /// Archives (DOCX) that inflate to more are refused as bombs.
    pub max_inflated_bytes: u64,
    /// Archives whose entries inflate by more than this factor are refused as bombs, once they are larger than
    /// [`INFLATION_GRACE_BYTES`].
    pub max_inflation_ratio: u64,
    /// Archives with more entries are refused as bombs.
    pub max_archive_entries: usize,
    /// Files inside a file (attachments, members of archives) beyond are left out; a warning says so.
    pub max_embedded_files: usize,
    /// Bytes of all files inside a file; those beyond are left out with the same warning.
    pub max_embedded_bytes: u64,
}

/// Small archives may inflate by any factor: a sheet of equal cells compresses a thousandfold.
pub const INFLATION_GRACE_BYTES: u64 = 16 * 1024 * 1024;

impl Default for ContentLimits {
    fn default() -> Self {
        Self {
            max_file_bytes: 512 * 1024 * 1024,
            max_pages: 5_000,
            max_blocks: 200_000,
            max_characters: 20_000_000,
            max_inflated_bytes: 512 * 1024 * 1024,
            max_inflation_ratio: 200,
            max_archive_entries: 20_000,
            max_embedded_files: 2_000,
            max_embedded_bytes: 128 * 1024 * 1024,
        }
    }
}
