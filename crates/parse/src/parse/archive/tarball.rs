//! Tar.

use std::io::{Cursor, Read};

use super::{bomb, is_litter, names};
use crate::document::{ParsedDocument, warning};
use crate::parse::ParseOptions;
use crate::parse::builder::DocumentBuilder;
use crate::parse::failure::ParseFailure;
use crate::parse::format::Format;

pub(in crate::parse) fn parse(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let mut builder = DocumentBuilder::new(Format::Tar.media_type(), &options.limits);
    read_members(data, options, &mut builder)?;
    Ok(builder.finish())
}

/// Puts the files of an archive into the builder; folders, links and devices are none.
pub(super) fn read_members(
    data: &[u8],
    options: &ParseOptions,
    builder: &mut DocumentBuilder,
) -> Result<(), ParseFailure> {
    let mut archive = tar::Archive::new(Cursor::new(data));
    let entries = archive
        .entries()
        .map_err(|error| ParseFailure::damaged(format!("the archive cannot be read: {error}")))?;
    let mut raw_names = Vec::new();
    let mut contents = Vec::new();
    let mut bytes_left = builder.embedded_bytes_left();
    for (number, entry) in entries.enumerate() {
        if number >= options.limits.max_archive_entries {
            return Err(bomb(&format!("it has more than {number} entries")));
        }
        let Ok(entry) = entry else {
            builder
                .document()
                .warn(warning::PARTLY_DAMAGED, "the archive is damaged; only its beginning was read");
            break;
        };
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path_bytes().into_owned();
        let mut bytes = Vec::new();
        // A sparse file says that it is large and holds nothing: what is read is bounded, not what is stated.
        if entry.size() > bytes_left || entry.take(bytes_left).read_to_end(&mut bytes).is_err() {
            builder.leave_out();
            continue;
        }
        bytes_left -= bytes.len() as u64;
        raw_names.push(name);
        contents.push(bytes);
    }
    for (name, bytes) in names::decode_all(&raw_names).into_iter().zip(contents) {
        if !is_litter(&name) {
            builder.embed(name, bytes);
        }
    }
    Ok(())
}
