use std::io::{Cursor, Write};

use crate::document::{BlockKind, ParsedDocument};
use crate::parse::{ParseOptions, parse_bytes};

const MESSAGE: &str = "Received: from a by b\r\nFrom: =?utf-8?B?5byg5LiJ?= <zhang@example.com>\r\nTo: Li <li@example.com>\r\n\
    Subject: =?gb2312?B?sLLIq7zssuk=?=\r\nDate: Mon, 1 Jan 2024 08:00:00 +0800\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=X\r\n\r\n--X\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
    Please check.\r\n\r\nLi wrote:\r\n> The pump is loud.\r\n> Very.\r\n\r\n--X\r\nContent-Type: text/csv; name=\"a/b.csv\"\r\n\
    Content-Disposition: attachment; filename=\"a/b.csv\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxiCjEsMgo=\r\n--X--\r\n";

fn read(data: &[u8], name: &str) -> ParsedDocument {
    parse_bytes(data.to_vec(), name, &ParseOptions::default()).unwrap()
}

fn shapes(document: &ParsedDocument) -> Vec<(BlockKind, &str)> {
    document.blocks.iter().map(|block| (block.kind.clone(), block.text.as_str())).collect()
}

#[test]
fn a_message_is_its_subject_fields_and_text_with_quotes_apart() {
    let document = read(MESSAGE.as_bytes(), "a.eml");
    assert_eq!(
        shapes(&document),
        [
            (BlockKind::Heading { level: 1 }, "安全检查"),
            (
                BlockKind::Paragraph,
                "From: 张三 <zhang@example.com>\nTo: Li <li@example.com>\nDate: 2024-01-01T08:00:00+08:00"
            ),
            (BlockKind::Paragraph, "Please check."),
            (BlockKind::Heading { level: 3 }, "Li wrote:"),
            (BlockKind::Paragraph, "The pump is loud.\nVery."),
        ]
    );
    assert_eq!(document.title.as_deref(), Some("安全检查"));
    assert_eq!(document.metadata.created.as_deref(), Some("2024-01-01T08:00:00+08:00"));
}

#[test]
fn attachments_are_embedded_under_a_name_without_folders() {
    let document = read(MESSAGE.as_bytes(), "a.eml");
    let embedded: Vec<_> =
        document.embedded.iter().map(|file| (file.path.as_str(), file.bytes.as_slice())).collect();
    assert_eq!(embedded, [("a_b.csv", &b"a,b\n1,2\n"[..])]);
}

#[test]
fn html_is_read_where_it_has_structure() {
    let message = |html: &str| {
        format!(
            "From: a@x.org\r\nTo: b@x.org\r\nMessage-ID: <1@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=X\r\n\r\n\
             --X\r\nContent-Type: text/plain\r\n\r\nplain words\r\n--X\r\nContent-Type: text/html\r\n\r\n{html}\r\n--X--\r\n"
        )
    };
    let table = message("<table><tr><th>k</th><th>v</th></tr><tr><td>a</td><td>1</td></tr></table>");
    assert_eq!(read(table.as_bytes(), "a.eml").blocks[1].text, "k | v\na | 1");
    let flat = message("<p>html words</p>");
    assert_eq!(read(flat.as_bytes(), "a.eml").blocks[1].text, "plain words");
}

#[test]
fn a_mailbox_is_a_section_for_each_message() {
    let mailbox = "From a@x.org Mon Jan  1 00:00:00 2024\nFrom: a@x.org\nSubject: One\n\nfirst\n\n\
        From b@x.org Mon Jan  1 00:00:00 2024\nFrom: b@x.org\nSubject: Two\n\nsecond\n";
    let document = read(mailbox.as_bytes(), "all.mbox");
    let headings: Vec<&str> = shapes(&document)
        .into_iter()
        .filter(|(kind, _)| matches!(kind, BlockKind::Heading { .. }))
        .map(|(_, text)| text)
        .collect();
    assert_eq!(headings, ["One", "Two"]);
    assert!(document.blocks.iter().any(|block| block.text == "second"));
}

#[test]
fn a_saved_page_is_its_page() {
    let page = "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://example.com/\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/related; type=\"text/html\"; boundary=X\r\n\r\n--X\r\nContent-Type: text/html\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n<html><head><title>T</title></head><body><h1>Head</h1><p>a =3D b</p></body></html>\r\n--X--\r\n";
    let document = read(page.as_bytes(), "page.mhtml");
    assert_eq!(
        shapes(&document),
        [(BlockKind::Heading { level: 1 }, "Head"), (BlockKind::Paragraph, "a = b")]
    );
    assert_eq!(document.title.as_deref(), Some("T"));
}

#[test]
fn an_outlook_message_is_read_with_its_attachment_and_the_message_inside() {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    let mut put = |path: &str, bytes: &[u8]| file.create_stream(path).unwrap().write_all(bytes).unwrap();
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    // 2024-01-01T00:00:00Z in ticks since 1601, as the property 0039 of type 0040.
    let mut properties = vec![0u8; 32];
    properties.extend([0x40, 0, 0x39, 0, 0, 0, 0, 0]);
    properties.extend(133_485_408_000_000_000_u64.to_le_bytes());
    put("/__properties_version1.0", &properties);
    put("/__substg1.0_0037001F", &wide("Pump"));
    put("/__substg1.0_0C1A001F", &wide("Zhang"));
    put("/__substg1.0_5D01001F", &wide("zhang@example.com"));
    put("/__substg1.0_1000001F", &wide("It is loud."));
    file.create_storage("/__attach_version1.0_#00000000").unwrap();
    file.create_storage("/__attach_version1.0_#00000001").unwrap();
    file.create_storage("/__attach_version1.0_#00000001/__substg1.0_3701000D").unwrap();
    let mut put = |path: &str, bytes: &[u8]| file.create_stream(path).unwrap().write_all(bytes).unwrap();
    put("/__attach_version1.0_#00000000/__substg1.0_37010102", b"a,b\n");
    put("/__attach_version1.0_#00000000/__substg1.0_3707001F", &wide("list.csv"));
    put("/__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_0037001F", &wide("Inner"));
    put("/__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_1000001F", &wide("inner text"));
    file.flush().unwrap();
    let document = read(&file.into_inner().into_inner(), "a.msg");
    assert_eq!(
        shapes(&document),
        [
            (BlockKind::Heading { level: 1 }, "Pump"),
            (BlockKind::Paragraph, "From: Zhang <zhang@example.com>\nDate: 2024-01-01T00:00:00Z"),
            (BlockKind::Paragraph, "It is loud."),
            (BlockKind::Heading { level: 2 }, "Inner"),
            (BlockKind::Paragraph, "inner text"),
        ]
    );
    assert_eq!(document.embedded[0].path, "list.csv");
}
