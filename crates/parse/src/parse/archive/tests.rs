use std::io::{Cursor, Write};

use super::*;
use crate::document::{ParsedDocument, warning};
use crate::parse::{ContentLimits, ParseOptions, parse_bytes};

fn zip_with(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar_with(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn read(data: Vec<u8>, name: &str) -> ParsedDocument {
    parse_bytes(data, name, &ParseOptions::default()).unwrap()
}

fn members(document: &ParsedDocument) -> Vec<(&str, &[u8])> {
    document.embedded.iter().map(|file| (file.path.as_str(), file.bytes.as_slice())).collect()
}

#[test]
fn the_members_of_a_zip_are_embedded_files_without_litter() {
    let data = zip_with(&[
        ("docs/a.md", b"# A"),
        ("__MACOSX/docs/._a.md", b"x"),
        (".DS_Store", b"x"),
        ("b.txt", b"b"),
    ]);
    let document = read(data, "all.zip");
    assert_eq!(members(&document), [("docs/a.md", &b"# A"[..]), ("b.txt", b"b")]);
    assert!(document.blocks.is_empty() && document.warnings.is_empty());
}

#[test]
fn names_in_gbk_are_decoded() {
    // The writer takes UTF-8 names only: two placeholders of the same length are replaced in the bytes, and the flag that
    // says UTF-8 is absent, since they are ASCII.
    let placeholder = b"AAAAAAAAAAAA.txt";
    let mut data = zip_with(&[(std::str::from_utf8(placeholder).unwrap(), b"content")]);
    let (name, _, _) = encoding_rs::GBK.encode("年度安全报告.txt");
    assert_eq!(name.len(), placeholder.len());
    while let Some(at) = memchr::memmem::find(&data, placeholder) {
        data[at..at + name.len()].copy_from_slice(&name);
    }
    assert_eq!(members(&read(data, "a.zip")), [("年度安全报告.txt", &b"content"[..])]);
}

#[test]
fn a_tar_is_read_plain_and_compressed() {
    let tar = tar_with(&[("a/b.txt", b"one"), ("c.txt", b"two")]);
    let expected = [("a/b.txt", &b"one"[..]), ("c.txt", b"two")];
    assert_eq!(members(&read(tar.clone(), "x.tar")), expected);
    assert_eq!(members(&read(gzip(&tar), "x.tgz")), expected);
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(&tar).unwrap();
    assert_eq!(members(&read(encoder.finish().unwrap(), "x.tar.bz2")), expected);
}

#[test]
fn an_xz_stream_is_read() {
    // `printf 'hello xz\n' | xz --check=crc32`
    let data = vec![
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36, 0x02, 0x00, 0x21, 0x01, 0x16,
        0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x08, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x78,
        0x7a, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x55, 0x7e, 0x2e, 0x7e, 0x00, 0x01, 0x1d, 0x09, 0x93, 0x61, 0x36,
        0xa6, 0x90, 0x42, 0x99, 0x0d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5a,
    ];
    assert_eq!(members(&read(data.clone(), "a.txt.xz")), [("a.txt", &b"hello xz\n"[..])]);
    let cut =
        parse_bytes(data[..data.len() - 20].to_vec(), "a.txt.xz", &ParseOptions::default()).unwrap_err();
    assert_eq!(cut.code, FailureCode::DamagedFile);
}

#[test]
fn a_single_compressed_file_is_named_after_the_whole() {
    assert_eq!(members(&read(gzip(b"some notes"), "notes.txt.gz")), [("notes.txt", &b"some notes"[..])]);
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0u8; 40 * 1024 * 1024];
    for (data, name) in [(zip_with(&[("zeros", &zeros)]), "a.zip"), (gzip(&zeros), "a.gz")] {
        let failure = parse_bytes(data, name, &ParseOptions::default()).unwrap_err();
        assert_eq!(failure.code, FailureCode::ArchiveBomb, "{name}: {failure}");
    }
    let limits = ContentLimits { max_archive_entries: 1, ..ContentLimits::default() };
    let options = ParseOptions { limits, ..ParseOptions::default() };
    let failure = parse_bytes(zip_with(&[("a", b"1"), ("b", b"2")]), "a.zip", &options).unwrap_err();
    assert_eq!(failure.code, FailureCode::ArchiveBomb);
}

#[test]
fn members_that_do_not_fit_are_left_out_with_a_warning() {
    let limits = ContentLimits { max_embedded_bytes: 10, ..ContentLimits::default() };
    let options = ParseOptions { limits, ..ParseOptions::default() };
    for data in [
        zip_with(&[("a", b"123456"), ("b", b"1234567890")]),
        tar_with(&[("a", b"123456"), ("b", b"1234567890")]),
    ] {
        let document = parse_bytes(data, "a", &options).unwrap();
        assert_eq!(members(&document), [("a", &b"123456"[..])]);
        assert_eq!(document.warnings[0].code, warning::EMBEDDED_LEFT_OUT);
    }
}

#[test]
fn encrypted_members_are_noted_and_a_wholly_encrypted_archive_is_refused() {
    let mark_encrypted = |mut data: Vec<u8>, member: &[u8]| {
        // Bit 0 of the flags, which stand 24 bytes (local header) and 38 bytes (directory) before the name.
        let places: Vec<usize> = memchr::memmem::find_iter(&data, member).collect();
        data[places[0] - 24] |= 1;
        data[places[1] - 38] |= 1;
        data
    };
    let document =
        read(mark_encrypted(zip_with(&[("open.txt", b"1"), ("shut.txt", b"2")]), b"shut.txt"), "a.zip");
    assert_eq!(members(&document), [("open.txt", &b"1"[..])]);
    assert_eq!(document.warnings[0].code, warning::MEMBERS_ENCRYPTED);
    let all = mark_encrypted(zip_with(&[("shut.txt", b"2")]), b"shut.txt");
    assert_eq!(parse_bytes(all, "a.zip", &ParseOptions::default()).unwrap_err().code, FailureCode::Encrypted);
}

#[test]
fn an_archive_without_files_is_refused() {
    let failure = parse_bytes(zip_with(&[]), "a.zip", &ParseOptions::default()).unwrap_err();
    assert_eq!(failure.code, FailureCode::NoText);
}
