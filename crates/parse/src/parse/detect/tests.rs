use std::io::{Cursor, Write};

use super::*;

fn zip_with(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn compound_with(streams: &[&str]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for name in streams {
        file.create_stream(format!("/{name}")).unwrap().write_all(b"x").unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

fn tar_with(name: &str, content: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    builder.append_data(&mut header, name, content).unwrap();
    builder.into_inner().unwrap()
}

fn check(data: &[u8], name: &str, expected: Format) {
    let head = String::from_utf8_lossy(&data[..data.len().min(20)]).into_owned();
    assert_eq!(detect(data, name), Ok(expected), "{name}: {head:?}");
}

#[test]
fn an_archive_is_what_stands_in_it() {
    for (entries, expected) in [
        (&[("[Content_Types].xml", ""), ("word/document.xml", "")][..], Format::Docx),
        (&[("[Content_Types].xml", ""), ("xl/workbook.xml", "")], Format::Xlsx),
        (&[("[Content_Types].xml", ""), ("xl/workbook.bin", "")], Format::Xlsb),
        (&[("[Content_Types].xml", ""), ("ppt/presentation.xml", "")], Format::Pptx),
        (&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", "")], Format::Odt),
        (&[("mimetype", "application/vnd.oasis.opendocument.spreadsheet-template\n")], Format::Ods),
        (&[("mimetype", "application/vnd.oasis.opendocument.presentation")], Format::Odp),
        (&[("mimetype", "application/epub+zip"), ("META-INF/container.xml", "")], Format::Epub),
        (&[("META-INF/container.xml", "")], Format::Epub),
        (&[("notes/a.txt", "")], Format::Zip),
    ] {
        check(&zip_with(entries), "named.pdf", expected);
    }
}

#[test]
fn a_compound_file_is_what_stands_in_its_root() {
    for (streams, expected) in [
        (&["WordDocument", "1Table"][..], Format::Doc),
        (&["Workbook"], Format::Xls),
        (&["Book"], Format::Xls),
        (&["PowerPoint Document"], Format::Ppt),
        (&["__properties_version1.0"], Format::Msg),
    ] {
        check(&compound_with(streams), "a.txt", expected);
    }
}

#[test]
fn a_damaged_compound_file_is_known_by_the_names_in_it() {
    let mut data = compound_with(&["WordDocument"]);
    data[0x30..0x34].copy_from_slice(&0xfff0_0000_u32.to_le_bytes());
    check(&data, "a.doc", Format::Doc);
}

#[test]
fn packed_files_and_pictures_are_known_by_their_first_bytes() {
    check(&tar_with("a.txt", b"text"), "a.txt", Format::Tar);
    for (data, expected) in [
        (&b"\x1f\x8b\x08\0\0\0\0\0"[..], Format::Gzip),
        (b"BZh91AY&SY", Format::Bzip2),
        (b"\xfd7zXZ\0\0\x04", Format::Xz),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0", Format::Png),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01", Format::Jpeg),
        (b"II*\0\x08\0\0\0\0\0\0\0\0\0", Format::Tiff),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", Format::Bmp),
        (b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0", Format::WebP),
        (b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0", Format::Gif),
        (b"{\\rtf1\\ansi x}", Format::Rtf),
    ] {
        check(data, "a.txt", expected);
    }
}

#[test]
fn the_content_of_a_text_decides_and_its_name_breaks_ties() {
    let mail = b"Received: from a by b\nFrom: a@example.com\nTo: b@example.com\nSubject: x\n\nbody\n";
    let memo = b"From: Anna\nTo: Ben\nSubject: x\n\nbody\n";
    let mailbox = b"From a@example.com Mon Jan  1 00:00:00 2024\nFrom: a@example.com\nSubject: x\n\nbody\n";
    let page = b"From: <Saved>\nSnapshot-Content-Location: http://x\nMIME-Version: 1.0\nContent-Type: multipart/related\n\n";
    for (data, name, expected) in [
        (b"%PDF-1.4\n".as_slice(), "a.txt", Format::Pdf),
        (b"\xef\xbb\xbfjunk\n%PDF-1.4\n", "a", Format::Pdf),
        (b"<!DOCTYPE html><p>x", "a.txt", Format::Html),
        (b"<?xml version=\"1.0\"?>\n<!-- c -->\n<html>", "a", Format::Html),
        (b"<p>one<p>two", "a.html", Format::Html),
        (b"no tags here", "a.html", Format::PlainText),
        (b"<?xml version=\"1.0\"?><a>x</a>", "a", Format::Xml),
        (b"<article>x</article>", "a.nxml", Format::Xml),
        (b"not really", "a.xml", Format::PlainText),
        (b"{\"a\": 1}", "a.txt", Format::Json),
        (b"{\"a\": 1}\n{\"a\": 2}\n", "a.log", Format::JsonLines),
        (b"{\"a\": 1, // no JSON\n}", "a.json", Format::SourceCode),
        (b"[see below] for more", "a.txt", Format::PlainText),
        (b"plain", "a.md", Format::Markdown),
        (b"# Title\n\n[a](b)\n", "README", Format::Markdown),
        (b"# Title\n\n[a](b)\n", "notes.txt", Format::PlainText),
        (b"a,b\n1,2\n", "a.csv", Format::Csv),
        (b"a\tb\n1\t2\n", "a.tsv", Format::Tsv),
        (b"fn main() {}", "a.rs", Format::SourceCode),
        (b"#!/bin/sh\nls", "run", Format::SourceCode),
        (b"caf\xe9 au lait", "a", Format::PlainText),
        (b"\xff\xfeh\0i\0", "a", Format::PlainText),
        (mail, "a", Format::Eml),
        (mail, "a.txt", Format::Eml),
        (memo, "a.txt", Format::PlainText),
        (memo, "a.eml", Format::Eml),
        (mailbox, "a", Format::Mbox),
        (page, "a", Format::Mhtml),
    ] {
        check(data, name, expected);
    }
}

#[test]
fn what_cannot_be_read_has_its_own_code() {
    let mut locked = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    locked.extend("EncryptedPackage".bytes().flat_map(|byte| [byte, 0]));
    let iwork = zip_with(&[("Index/Document.iwa", "")]);
    let mut program = b"\x7fELF\x02\x01\x01\0".to_vec();
    program.resize(128, 0);
    for (data, name, code, says) in [
        (b"".as_slice(), "a.pdf", FailureCode::EmptyFile, "empty"),
        (&program, "a.pdf", FailureCode::UnsupportedMediaType, "executable"),
        (&iwork, "a.pages", FailureCode::UnsupportedMediaType, "iWork"),
        (b"PK\x03\x04\x14\0\0\0", "a.docx", FailureCode::DamagedFile, "archive"),
        (&locked, "a.docx", FailureCode::Encrypted, "password"),
        (b"\0\x01\x02\x03\x80\x81\0\0\x05\x06", "a.txt", FailureCode::UnsupportedMediaType, "octet-stream"),
    ] {
        let failure = detect(data, name).expect_err(name);
        assert_eq!(failure.code, code, "{name}");
        assert!(failure.message.contains(says), "{} should say {says}", failure.message);
    }
}
