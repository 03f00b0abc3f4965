//! ZIP.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::{bomb, is_litter, names};
use crate::document::{ParsedDocument, warning};
use crate::parse::ParseOptions;
use crate::parse::builder::DocumentBuilder;
use crate::parse::failure::{FailureCode, ParseFailure};
use crate::parse::format::Format;
use crate::parse::limits::{ContentLimits, INFLATION_GRACE_BYTES};

/// A member as the archive's directory lists it.
struct Member {
    index: usize,
    encrypted: bool,
    /// What the archive says; it may be a lie.
    bytes: u64,
    packed_bytes: u64,
}

pub(in crate::parse) fn parse(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let limits = &options.limits;
    let mut archive = ZipArchive::new(Cursor::new(data)).map_err(|error| {
        ParseFailure::damaged(format!("the archive cannot be opened, it may have been cut off: {error}"))
    })?;
    if archive.len() > limits.max_archive_entries {
        return Err(bomb(&format!("it has {} entries", archive.len())));
    }
    let mut builder = DocumentBuilder::new(Format::Zip.media_type(), limits);
    let mut members = Vec::new();
    let mut raw_names = Vec::new();
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index_raw(index) else {
            builder.leave_out();
            continue;
        };
        if entry.is_file() {
            raw_names.push(entry.name_raw().to_vec());
            members.push(Member {
                index,
                encrypted: entry.encrypted(),
                bytes: entry.size(),
                packed_bytes: entry.compressed_size(),
            });
        }
    }
    let mut encrypted = 0;
    let mut inflated = 0u64;
    for (member, name) in members.iter().zip(names::decode_all(&raw_names)) {
        let name = name.replace('\\', "/");
        if is_litter(&name) {
            continue;
        }
        if member.encrypted {
            encrypted += 1;
        } else if !builder.has_room_for(member.bytes) {
            builder.leave_out();
        } else {
            read_member(&mut archive, member, name, limits, &mut inflated, &mut builder)?;
        }
    }
    note_encrypted(encrypted, members.len(), builder.document())?;
    Ok(builder.finish())
}

fn read_member(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    member: &Member,
    name: String,
    limits: &ContentLimits,
    inflated: &mut u64,
    builder: &mut DocumentBuilder,
) -> Result<(), ParseFailure> {
    let Ok(entry) = archive.by_index(member.index) else {
        builder.leave_out();
        return Ok(());
    };
    let by_ratio =
        member.packed_bytes.max(1).saturating_mul(limits.max_inflation_ratio).max(INFLATION_GRACE_BYTES);
    let allowed = by_ratio.min(limits.max_inflated_bytes.saturating_sub(*inflated));
    let mut bytes = Vec::new();
    // One byte more than is kept tells a member that is too large from one that just fits.
    let readable = allowed.min(builder.embedded_bytes_left()).saturating_add(1);
    let complete = entry.take(readable).read_to_end(&mut bytes).is_ok();
    *inflated = inflated.saturating_add(bytes.len() as u64);
    if bytes.len() as u64 > allowed {
        return Err(bomb(&format!(
            "a member of {} bytes inflates to more than {allowed}",
            member.packed_bytes
        )));
    }
    if complete {
        builder.embed(name, bytes)
    } else {
        builder.leave_out()
    }
    Ok(())
}

fn note_encrypted(
    encrypted: usize,
    members: usize,
    document: &mut ParsedDocument,
) -> Result<(), ParseFailure> {
    if encrypted == 0 {
        return Ok(());
    }
    if encrypted == members {
        return Err(ParseFailure::new(
            FailureCode::Encrypted,
            "the archive is protected by a password; unpack it and upload the files",
        ));
    }
    document.warn(
        warning::MEMBERS_ENCRYPTED,
        format!(
            "{encrypted} of {members} files in the archive are protected by a password and were left out"
        ),
    );
    Ok(())
}
