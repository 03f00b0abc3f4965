//! How far an index has followed the log, on disk.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file with one number that is replaced as a whole, so that a crash leaves the old number or the new one.
#[derive(Debug, Clone)]
pub(super) struct SequenceFile {
    path: PathBuf,
}

impl SequenceFile {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The number, or 0 when none was written yet.
    pub fn read(&self) -> io::Result<u64> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => text.trim().parse().map_err(|_| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the sequence file of the index does not hold a number",
                )
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Makes `sequence` durable.
    pub fn write(&self, sequence: u64) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        write!(file, "{sequence}")?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = SequenceFile::new(folder.path().join("sequence"));
        assert_eq!(file.read().unwrap(), 0);
        file.write(7).unwrap();
        file.write(u64::MAX).unwrap();
        assert_eq!(file.read().unwrap(), u64::MAX);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "temporary files were left behind");
    }
}
