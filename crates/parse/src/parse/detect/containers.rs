//! Formats that are an archive or a file system of their own: what stands in it says what it is.

use std::io::Cursor;

use super::unsupported;
use crate::parse::failure::{FailureCode, ParseFailure};
use crate::parse::format::Format;

/// Longest `mimetype` entry that is looked at.
const MAX_MEDIA_TYPE_BYTES: u64 = 256;

/// What a ZIP archive is: an office document, a book, or just an archive.
pub(super) fn zip_format(data: &[u8]) -> Result<Format, ParseFailure> {
    let mut archive = zip::ZipArchive::new(Cursor::new(data)).map_err(|error| {
        ParseFailure::damaged(format!("the archive cannot be opened, it may have been cut off: {error}"))
    })?;
    if let Some(format) = declared_media_type(&mut archive).as_deref().and_then(open_document_format) {
        return Ok(format);
    }
    let has = |name: &str| archive.index_for_name(name).is_some();
    let has_under = |prefix: &str| archive.file_names().any(|name| name.starts_with(prefix));
    // The main part of a Word document is `word/document.xml` in practice; the package may name it otherwise.
    let is_package = has("[Content_Types].xml");
    if has("word/document.xml") || is_package && has_under("word/") {
        return Ok(Format::Docx);
    }
    if has("xl/workbook.bin") {
        return Ok(Format::Xlsb);
    }
    if has("xl/workbook.xml") || is_package && has_under("xl/") {
        return Ok(Format::Xlsx);
    }
    if has("ppt/presentation.xml") || is_package && has_under("ppt/") {
        return Ok(Format::Pptx);
    }
    if has("META-INF/container.xml") {
        return Ok(Format::Epub);
    }
    if has("Index/Document.iwa") || has("Index.zip") {
        return Err(unsupported("an Apple iWork document"));
    }
    Ok(Format::Zip)
}

/// What OpenDocument and EPUB files put first: their media type, as an entry of its own.
fn declared_media_type(archive: &mut zip::ZipArchive<Cursor<&[u8]>>) -> Option<String> {
    use std::io::Read;
    let mut text = String::new();
    archive.by_name("mimetype").ok()?.take(MAX_MEDIA_TYPE_BYTES).read_to_string(&mut text).ok()?;
    Some(text.trim().to_owned())
}

fn open_document_format(media_type: &str) -> Option<Format> {
    // Templates and master documents are read as what they are templates of.
    let base = media_type.trim_end_matches("-template").trim_end_matches("-master");
    Format::by_media_type(base)
        .filter(|format| matches!(format, Format::Odt | Format::Ods | Format::Odp | Format::Epub))
}

/// What an OLE compound file is, by the names in its root folder.
pub(super) fn compound_format(data: &[u8]) -> Result<Format, ParseFailure> {
    let names = root_names(data);
    let has = |name: &str| match &names {
        Some(names) => names.iter().any(|known| known.eq_ignore_ascii_case(name)),
        // A damaged file system: the names still stand somewhere, in UTF-16.
        None => {
            let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            memchr::memmem::find(data, &wide).is_some()
        }
    };
    if has("EncryptedPackage") {
        return Err(ParseFailure::new(
            FailureCode::Encrypted,
            "the document is protected by a password; save it without one and upload it again",
        ));
    }
    let known = [
        ("__properties_version1.0", Format::Msg),
        ("WordDocument", Format::Doc),
        ("PowerPoint Document", Format::Ppt),
        ("Workbook", Format::Xls),
        ("Book", Format::Xls),
    ];
    let found = known.into_iter().find(|(name, _)| has(name)).map(|(_, format)| format);
    found.ok_or_else(|| unsupported("application/x-ole-storage, of no known kind"))
}

fn root_names(data: &[u8]) -> Option<Vec<String>> {
    let file = cfb::CompoundFile::open(Cursor::new(data)).ok()?;
    Some(file.read_root_storage().map(|entry| entry.name().to_owned()).collect())
}
