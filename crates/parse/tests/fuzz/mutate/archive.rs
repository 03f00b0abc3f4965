//! Changes to a ZIP archive that leave it one: members changed, exchanged, doubled, left out, renamed.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::change_bytes;
use crate::random::Random;
use crate::seeds::{Seed, Seeds};

/// Larger members are copied as they are.
const MAX_MEMBER_BYTES: u64 = 4 * 1024 * 1024;

/// `None` when the archive cannot be opened any more.
pub fn change(random: &mut Random, bytes: &[u8], seed: &Seed, seeds: &Seeds) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    if archive.is_empty() {
        return None;
    }
    let chosen = random.below(archive.len());
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(bytes.len())));
    let kind = random.below(10);
    for index in 0..archive.len() {
        if index != chosen {
            writer.raw_copy_file(archive.by_index_raw(index).ok()?).ok()?;
            continue;
        }
        let name = archive.by_index_raw(index).ok()?.name().to_owned();
        match kind {
            0 => {}
            1 => {
                let other = random.pick(&["word/document.xml", "../../x", "a/a/a", "[Content_Types].xml"]);
                writer.raw_copy_file_rename(archive.by_index_raw(index).ok()?, *other).ok()?;
            }
            2 => {
                // Another member under this name.
                let other = random.below(archive.len());
                writer.raw_copy_file_rename(archive.by_index_raw(other).ok()?, name).ok()?;
            }
            3 => {
                let member = member_of_relative(random, seed, seeds).unwrap_or_default();
                write(&mut writer, &name, &member)?;
            }
            _ => {
                let member = read(&mut archive, index)?;
                let changed = change_bytes(random, member.clone(), |_| member.as_slice());
                write(&mut writer, &name, &changed)?;
            }
        }
    }
    Some(writer.finish().ok()?.into_inner())
}

fn read(archive: &mut ZipArchive<Cursor<&[u8]>>, index: usize) -> Option<Vec<u8>> {
    let file = archive.by_index(index).ok()?;
    let mut member = Vec::new();
    file.take(MAX_MEMBER_BYTES).read_to_end(&mut member).ok()?;
    Some(member)
}

fn write(writer: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, member: &[u8]) -> Option<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1));
    writer.start_file(name, options).ok()?;
    writer.write_all(member).ok()
}

fn member_of_relative(random: &mut Random, seed: &Seed, seeds: &Seeds) -> Option<Vec<u8>> {
    let relative = &seeds.relative(random, seed).bytes;
    let mut archive = ZipArchive::new(Cursor::new(relative.as_slice())).ok()?;
    let index = random.below(archive.len());
    read(&mut archive, index)
}
