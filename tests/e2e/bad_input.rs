//! What cannot be read fails alone, with its own code; what can be read is, whatever it is called.

use crate::harness::{Anwen, Person};
use serde_json::Value;
use std::io::Write as _;

fn zip_bomb() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    archive.start_file("[Content_Types].xml", options).unwrap();
    archive
        .write_all(b"<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>")
        .unwrap();
    archive.start_file("word/document.xml", options).unwrap();
    archive
        .write_all(
            b"<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>",
        )
        .unwrap();
    let zeros = vec![b' '; 1024 * 1024];
    for _ in 0..1024 {
        archive.write_all(&zeros).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A PDF with an empty page tree.
fn pdf_without_pages() -> Vec<u8> {
    let mut pdf = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for object in [
        "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n",
        "2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n",
    ] {
        offsets.push(pdf.len());
        pdf.extend_from_slice(object.as_bytes());
    }
    let start = pdf.len();
    let mut tail = "xref\n0 3\n0000000000 65535 f \n".to_owned();
    for offset in offsets {
        tail += &format!("{offset:010} 00000 n \n");
    }
    tail += &format!("trailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    pdf.extend_from_slice(tail.as_bytes());
    pdf
}

fn sample_pdf() -> Vec<u8> {
    let library = crate::harness::root().join("samples/library");
    let mut paths: Vec<_> = std::fs::read_dir(library).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let pdf = paths.iter().find(|path| path.extension().is_some_and(|extension| extension == "pdf")).unwrap();
    std::fs::read(pdf).unwrap()
}

async fn code_of(person: &Person, base: &str, name: &str, bytes: Vec<u8>) -> String {
    let document = person.add(base, name, bytes).await;
    assert_eq!(document["status"], "failed", "{name}: {document}");
    assert!(!document["error"]["message"].as_str().unwrap().is_empty());
    document["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_fails_alone_with_its_own_code() {
    let anwen = Anwen::start().await;
    let person = anwen.administrator().await;
    let base = person.make_base("Bad").await;

    assert_eq!(code_of(&person, &base, "empty.pdf", Vec::new()).await, "empty_file");
    assert_eq!(code_of(&person, &base, "no-pages.pdf", pdf_without_pages()).await, "no_pages");
    let mut cut = sample_pdf();
    cut.truncate(cut.len() / 20);
    let code = code_of(&person, &base, "cut.pdf", cut).await;
    assert!(["damaged_file", "no_text", "no_pages"].contains(&code.as_str()), "{code}");
    assert_eq!(code_of(&person, &base, "bomb.docx", zip_bomb()).await, "archive_bomb");
    let png =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\0IEND\xaeB`\x82"
            .to_vec();
    assert_eq!(code_of(&person, &base, "picture.pdf", png).await, "damaged_file");
    let program = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0>\0\x01\0\0\0".to_vec();
    assert_eq!(code_of(&person, &base, "program.pdf", program).await, "unsupported_media_type");

    // Nothing else is disturbed.
    let good = person.add(&base, "good.md", b"# Good\n\nThe gate code is 4711.\n".to_vec()).await;
    assert_eq!(good["status"], "indexed");
    assert_eq!(person.retrieve("gate code").await[0]["document_name"], "good.md");
    anwen.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_but_readable_files_are_indexed() {
    let anwen = Anwen::start().await;
    let person = anwen.administrator().await;
    let base = person.make_base("Odd").await;

    let mut line = "the quick brown fox is line number one and ".repeat(10 * 1024 * 1024 / 43);
    line.push_str("the password of the vault is heliotrope");
    let long = person.add(&base, "long.txt", line.into_bytes()).await;
    assert_eq!(long["status"], "indexed", "{long}");

    let mut invalid = b"The caf\xe9 opens at seven. ".to_vec();
    invalid.extend_from_slice(&[0xff, 0xfe, 0x80]);
    invalid.extend_from_slice(b" The zeppelin leaves at nine.\n");
    let document = person.add(&base, "invalid.txt", invalid).await;
    assert_eq!(document["status"], "indexed", "{document}");
    assert!(!person.retrieve("when does the zeppelin leave").await.is_empty());

    // 《采购管理办法》 in GB18030.
    let gb = b"\xb2\xc9\xb9\xba\xb9\xdc\xc0\xed\xb0\xec\xb7\xa8\xa3\xac\xb2\xc9\xb9\xba\xbd\xf0\xb6\xee\xb3\xac\xb9\xfd\xce\xe5\xcd\xf2\xd4\xaa\xa3\xac\xd0\xeb\xc8\xfd\xbc\xd2\xb1\xc8\xbc\xdb\xa1\xa3".to_vec();
    let document = person.add(&base, "采购.txt", gb).await;
    assert_eq!(document["status"], "indexed", "{document}");
    let hits = person.retrieve("采购管理办法 比价").await;
    assert!(hits[0]["text"].as_str().unwrap().contains("采购管理办法"), "{hits:?}");
    anwen.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_made_safe_and_files_are_what_they_hold() {
    let anwen = Anwen::start().await;
    let person = anwen.administrator().await;
    let base = person.make_base("Names").await;
    let document =
        person.add(&base, "../../etc/passwd", b"root is a plant part, the passwd test\n".to_vec()).await;
    assert_eq!(document["status"], "indexed", "{document}");
    for field in ["name", "path"] {
        let value = document[field].as_str().unwrap();
        assert!(!value.contains("..") && !value.starts_with('/'), "{field}: {value}");
    }
    let pdf_called_txt = person.add(&base, "report.txt", sample_pdf()).await;
    assert_eq!(pdf_called_txt["media_type"], "application/pdf", "{pdf_called_txt}");
    let text_called_pdf =
        person.add(&base, "note.pdf", b"Only a line of text about marmots.\n".to_vec()).await;
    let is_text = |document: &Value| document["media_type"].as_str().unwrap().starts_with("text/");
    assert!(is_text(&text_called_pdf) && text_called_pdf["status"] == "indexed", "{text_called_pdf}");
    anwen.stop().await;
}
