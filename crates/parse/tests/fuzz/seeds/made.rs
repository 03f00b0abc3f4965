//! One small file of every format, made here: enough of each for its parser to have something to read.

use std::io::{Cursor, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lopdf::content::{Content, Operation};
use lopdf::{Document, Object, Stream, dictionary};
use zip::write::SimpleFileOptions;

pub fn files() -> Vec<(&'static str, Vec<u8>)> {
    let mut files: Vec<(&'static str, Vec<u8>)> =
        TEXTS.iter().map(|&(name, text)| (name, text.into())).collect();
    files.extend([
        ("made.pdf", pdf()),
        ("made-gb18030.txt", gb18030()),
        ("made-utf16.txt", utf16()),
        ("made.docx", archive(DOCX)),
        ("made.xlsx", archive(XLSX)),
        ("made.pptx", archive(PPTX)),
        ("made.odt", archive(ODT)),
        ("made.ods", archive(ODS)),
        ("made.odp", archive(ODP)),
        ("made.epub", archive(EPUB)),
        ("made.zip", archive(&[("a/notes.md", "# Notes\n\ntext\n"), ("b.csv", "a,b\n1,2\n")])),
        ("made.tar", tar()),
        ("made.png", STANDARD.decode(PNG).unwrap()),
        ("made.gif", STANDARD.decode(GIF).unwrap()),
        ("made.tiff", tiff()),
        ("made.bmp", bitmap()),
        ("made.doc", compound("WordDocument")),
        ("made.xls", compound("Workbook")),
        ("made.ppt", compound("PowerPoint Document")),
        ("made.msg", compound("__properties_version1.0")),
        ("made", b"\x00\x01\x02 neither this nor that".to_vec()),
    ]);
    files
}

const TEXTS: &[(&str, &str)] = &[
    ("made.txt", "第一条 为了规范管理，制定本办法。\n\nPlain text, two paragraphs.\nSecond line.\n"),
    (
        "made.md",
        "---\ntitle: 手册\n---\n# Heading\n\n- one\n  - two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```rust\nfn a() {}\n```\n\n> quoted [link](x) ![alt](y)\n\n[^1]: note\n",
    ),
    (
        "made.html",
        "<!doctype html><html><head><title>标题</title></head><body><nav>x</nav><main><h1>One</h1><p>Text <b>bold</b></p><table><tr><th>a<th>b<tr><td rowspan=2>1<td>2</table><ul><li>x<ul><li>y</ul></ul><pre><code>z</code></pre></main></body></html>",
    ),
    ("made.csv", "name,price,stock\n螺丝,1.20,300\n\"a, \"\"b\"\"\",2,\n"),
    ("made.tsv", "name\tprice\na\t1\n"),
    ("made.json", "{\"title\": \"员工\", \"items\": [{\"a\": 1, \"b\": [true, null, 1e9]}], \"n\": -0.5}"),
    ("made.jsonl", "{\"id\": 1, \"text\": \"一\"}\n{\"id\": 2, \"text\": \"two\"}\n"),
    (
        "made.xml",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!DOCTYPE a [<!ENTITY e \"x\">]><a><b id=\"1\">文本 &e;</b><![CDATA[raw]]></a>",
    ),
    ("made.yaml", "title: a\nitems:\n  - one\n  - {k: v}\n"),
    ("made.toml", "[a]\nb = 1\n"),
    ("made.py", "def f(x):\n    \"\"\"Doc.\"\"\"\n    return x\n"),
    (
        "made.ipynb",
        "{\"cells\": [{\"cell_type\": \"markdown\", \"source\": [\"# A\\n\", \"b\"]}, {\"cell_type\": \"code\", \"source\": \"1+1\", \"outputs\": []}], \"nbformat\": 4, \"metadata\": {}}",
    ),
    (
        "made.rtf",
        "{\\rtf1\\ansi\\ansicpg936\\deff0{\\fonttbl{\\f0\\fcharset134 SimSun;}}{\\info{\\title T}}\\pard\\b Head\\b0\\par \\u25991?\\'b2\\'e2 text\\par\\trowd\\cellx100\\cellx200 a\\cell b\\cell\\row}",
    ),
    (
        "made.eml",
        "From: =?utf-8?B?5byg5LiJ?= <a@example.org>\r\nTo: b@example.org\r\nSubject: =?gb2312?B?suLK1A==?=\r\nDate: Fri, 20 Nov 2026 10:00:00 +0800\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n--x\r\nContent-Type: text/csv; name=a.csv\r\nContent-Disposition: attachment; filename=a.csv\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxiCjEsMgo=\r\n--x--\r\n",
    ),
    (
        "made.mbox",
        "From a@example.org Fri Nov 20 10:00:00 2026\nFrom: a@example.org\nSubject: one\n\nbody\n>From here\n\nFrom b@example.org Fri Nov 20 11:00:00 2026\nSubject: two\n\nbody two\n",
    ),
    ("made.adoc", "= Title\n\n== Section\n\n* item\n\n|===\n|a |b\n|===\n"),
    ("made.rst", "Title\n=====\n\n* item\n\n.. note:: text\n"),
    ("made.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"><text x=\"1\" y=\"2\">words</text></svg>"),
];

const DOCX: &[(&str, &str)] = &[
    (
        "[Content_Types].xml",
        "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>",
    ),
    (
        "_rels/.rels",
        "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"word/document.xml\"/></Relationships>",
    ),
    (
        "word/document.xml",
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body><w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r><w:t>Heading 标题</w:t></w:r></w:p><w:p><w:pPr><w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"1\"/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r><w:ins w:id=\"1\"><w:r><w:t>new</w:t></w:r></w:ins><w:del w:id=\"2\"><w:r><w:delText>old</w:delText></w:r></w:del></w:p><w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl><w:p/></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body></w:document>",
    ),
    (
        "word/numbering.xml",
        "<w:numbering xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:abstractNum w:abstractNumId=\"0\"><w:lvl w:ilvl=\"0\"><w:start w:val=\"1\"/><w:numFmt w:val=\"decimal\"/><w:lvlText w:val=\"%1.\"/></w:lvl></w:abstractNum><w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num></w:numbering>",
    ),
    (
        "word/styles.xml",
        "<w:styles xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:style w:type=\"paragraph\" w:styleId=\"Heading1\"><w:name w:val=\"heading 1\"/><w:pPr><w:outlineLvl w:val=\"0\"/></w:pPr></w:style></w:styles>",
    ),
    (
        "word/footnotes.xml",
        "<w:footnotes xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:footnote w:id=\"2\"><w:p><w:r><w:t>note</w:t></w:r></w:p></w:footnote></w:footnotes>",
    ),
];

const XLSX: &[(&str, &str)] = &[
    (
        "[Content_Types].xml",
        "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/></Types>",
    ),
    (
        "_rels/.rels",
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>",
    ),
    (
        "xl/workbook.xml",
        "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"价格\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
    ),
    (
        "xl/_rels/workbook.xml.rels",
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>",
    ),
    (
        "xl/worksheets/sheet1.xml",
        "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><dimension ref=\"A1:B3\"/><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>name</t></is></c><c r=\"B1\" t=\"inlineStr\"><is><t>price</t></is></c></row><row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c><c r=\"B2\" s=\"1\"><f>1+1</f><v>45000.5</v></c></row></sheetData><mergeCells count=\"1\"><mergeCell ref=\"A2:A3\"/></mergeCells></worksheet>",
    ),
    (
        "xl/sharedStrings.xml",
        "<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><si><t>螺丝</t></si></sst>",
    ),
    (
        "xl/styles.xml",
        "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy-mm-dd\"/></numFmts><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>",
    ),
];

const PPTX: &[(&str, &str)] = &[
    (
        "[Content_Types].xml",
        "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>",
    ),
    (
        "_rels/.rels",
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"ppt/presentation.xml\"/></Relationships>",
    ),
    (
        "ppt/presentation.xml",
        "<p:presentation xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><p:sldIdLst><p:sldId id=\"256\" r:id=\"rId1\"/></p:sldIdLst></p:presentation>",
    ),
    (
        "ppt/_rels/presentation.xml.rels",
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/slide\" Target=\"slides/slide1.xml\"/></Relationships>",
    ),
    (
        "ppt/slides/slide1.xml",
        "<p:sld xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\" xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\"><p:cSld><p:spTree><p:sp><p:nvSpPr><p:nvPr><p:ph type=\"title\"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>标题</a:t></a:r></a:p></p:txBody></p:sp><p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>x</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame></p:spTree></p:cSld></p:sld>",
    ),
];

const ODT: &[(&str, &str)] = &[
    ("mimetype", "application/vnd.oasis.opendocument.text"),
    (
        "content.xml",
        "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\"><office:body><office:text><text:h text:outline-level=\"1\">标题</text:h><text:p>Text<text:s text:c=\"3\"/>more</text:p><text:list><text:list-item><text:p>item</text:p></text:list-item></text:list><table:table><table:table-row><table:table-cell table:number-columns-repeated=\"2\"><text:p>a</text:p></table:table-cell></table:table-row></table:table></office:text></office:body></office:document-content>",
    ),
    (
        "meta.xml",
        "<office:document-meta xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><office:meta><dc:title>t</dc:title></office:meta></office:document-meta>",
    ),
];

const ODS: &[(&str, &str)] = &[
    ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
    (
        "content.xml",
        "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\"><office:body><office:spreadsheet><table:table table:name=\"S\"><table:table-row table:number-rows-repeated=\"2\"><table:table-cell office:value-type=\"float\" office:value=\"1.5\"><text:p>1.5</text:p></table:table-cell><table:covered-table-cell/></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>",
    ),
];

const ODP: &[(&str, &str)] = &[
    ("mimetype", "application/vnd.oasis.opendocument.presentation"),
    (
        "content.xml",
        "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" xmlns:draw=\"urn:oasis:names:tc:opendocument:xmlns:drawing:1.0\"><office:body><office:presentation><draw:page draw:name=\"1\"><draw:frame><draw:text-box><text:p>Slide</text:p></draw:text-box></draw:frame></draw:page></office:presentation></office:body></office:document-content>",
    ),
];

const EPUB: &[(&str, &str)] = &[
    ("mimetype", "application/epub+zip"),
    (
        "META-INF/container.xml",
        "<container xmlns=\"urn:oasis:names:tc:opendocument:xmlns:container\"><rootfiles><rootfile full-path=\"o/c.opf\" media-type=\"application/oebps-package+xml\"/></rootfiles></container>",
    ),
    (
        "o/c.opf",
        "<package xmlns=\"http://www.idpf.org/2007/opf\" version=\"3.0\"><metadata xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>书</dc:title></metadata><manifest><item id=\"a\" href=\"a.xhtml\" media-type=\"application/xhtml+xml\"/></manifest><spine><itemref idref=\"a\"/></spine></package>",
    ),
    (
        "o/a.xhtml",
        "<html xmlns=\"http://www.w3.org/1999/xhtml\"><body><h1>第一章</h1><p>Text.</p></body></html>",
    ),
];

/// A picture of one white point.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const GIF: &str = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn gb18030() -> Vec<u8> {
    encoding_rs::GB18030
        .encode("第一条 为了规范管理，保障员工的合法权益，根据国家有关规定，制定本办法。")
        .0
        .into_owned()
}

fn utf16() -> Vec<u8> {
    "\u{feff}编码 and text\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Two pages with text, a table's rules, an outline, a form field and page labels.
fn pdf() -> Vec<u8> {
    let mut document = Document::with_version("1.5");
    let pages = document.new_object_id();
    let font =
        document.add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Courier" });
    let resources = document.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
    let kids: Vec<Object> = (0..2)
        .map(|number| {
            let mut operations =
                vec![Operation::new("BT", vec![]), Operation::new("Tf", vec!["F1".into(), 12.into()])];
            for line in 0..20 {
                operations.push(Operation::new("Td", vec![0.into(), (-14).into()]));
                let text = format!("Page {number} line {line} of a text that is long enough to read");
                operations.push(Operation::new("Tj", vec![Object::string_literal(text)]));
            }
            operations.push(Operation::new("ET", vec![]));
            operations.push(Operation::new("re", vec![50.into(), 50.into(), 300.into(), 20.into()]));
            operations.push(Operation::new("S", vec![]));
            let content =
                document.add_object(Stream::new(dictionary! {}, Content { operations }.encode().unwrap()));
            let page = document.add_object(dictionary! {
                "Type" => "Page", "Parent" => pages, "Contents" => content, "Resources" => resources,
                "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
            });
            page.into()
        })
        .collect();
    let first = kids[0].clone();
    document.objects.insert(pages, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => 2 }.into());
    let outline = document.new_object_id();
    let entry = document.add_object(dictionary! {
        "Title" => Object::string_literal("One"), "Parent" => outline, "Dest" => vec![first, "Fit".into()],
    });
    document.objects.insert(outline, dictionary! { "First" => entry, "Last" => entry, "Count" => 1 }.into());
    let field = document.add_object(dictionary! {
        "FT" => "Tx", "T" => Object::string_literal("name"), "V" => Object::string_literal("value"),
    });
    let catalog = document.add_object(dictionary! {
        "Type" => "Catalog", "Pages" => pages, "Outlines" => outline,
        "AcroForm" => dictionary! { "Fields" => vec![field.into()] },
        "PageLabels" => dictionary! { "Nums" => vec![0.into(), dictionary! { "S" => "r" }.into()] },
    });
    document.trailer.set("Root", catalog);
    document.compress();
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

/// A tape archive of one file.
fn tar() -> Vec<u8> {
    let content = b"# Notes\n\ntext\n";
    let mut header = [0u8; 512];
    header[..8].copy_from_slice(b"notes.md");
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(512 * 4, 0);
    bytes
}

/// A baseline TIFF: 8 by 8 points, one bit each.
fn tiff() -> Vec<u8> {
    let entries: [(u16, u16, u32, u32); 8] = [
        (256, 3, 1, 8),
        (257, 3, 1, 8),
        (258, 3, 1, 1),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (278, 3, 1, 8),
        (279, 4, 1, 8),
    ];
    let mut bytes = b"II*\0\x10\0\0\0".to_vec();
    bytes.extend_from_slice(&[0xff, 0x81, 0xbd, 0xa5, 0xa5, 0xbd, 0x81, 0xff]);
    bytes.extend_from_slice(&(entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&kind.to_le_bytes());
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes
}

/// A bitmap of 2 by 2 points in 24 bits.
fn bitmap() -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    for number in [70u32, 0, 54, 40, 2, 2] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&[1, 0, 24, 0]);
    bytes.extend_from_slice(&[0; 24]);
    bytes.extend_from_slice(&[0xff; 16]);
    bytes
}

/// A compound file (version 3) with one stream of the name, so that its sectors and directory are walked.
fn compound(stream: &str) -> Vec<u8> {
    const FREE: u32 = 0xffff_ffff;
    const END: u32 = 0xffff_fffe;
    const TABLE: u32 = 0xffff_fffd;
    let mut header = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    header.extend_from_slice(&[0; 16]);
    for short in [0x3eu16, 3, 0xfffe, 9, 6] {
        header.extend_from_slice(&short.to_le_bytes());
    }
    header.extend_from_slice(&[0; 10]);
    for number in [1u32, 1, 0, 4096, END, 0, END, 0, 0] {
        header.extend_from_slice(&number.to_le_bytes());
    }
    header.resize(512, 0xff);
    let mut table: Vec<u8> = [TABLE, END].iter().flat_map(|number| number.to_le_bytes()).collect();
    // Eight sectors of the stream, from the third on, each leading to the next.
    table.extend((3u32..=10).flat_map(|next| if next == 10 { END } else { next }.to_le_bytes()));
    table.resize(512, 0xff);
    let mut directory = [entry("Root Entry", 5, 1, END, 0), entry(stream, 2, FREE, 2, 4096)].concat();
    directory.resize(512, 0);
    let mut content = b"\xec\xa5\xc1\x00 text of the stream ".repeat(256);
    content.resize(4096, 0);
    [header, table, directory, content].concat()
}

/// A directory entry: name, kind (5 root, 2 stream), child, first sector, length.
fn entry(name: &str, kind: u8, child: u32, sector: u32, length: u32) -> Vec<u8> {
    let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let name_bytes = entry.len() as u16 + 2;
    entry.resize(64, 0);
    entry.extend_from_slice(&name_bytes.to_le_bytes());
    entry.extend_from_slice(&[kind, 1]);
    for number in [0xffff_ffffu32, 0xffff_ffff, child] {
        entry.extend_from_slice(&number.to_le_bytes());
    }
    entry.resize(116, 0);
    entry.extend_from_slice(&sector.to_le_bytes());
    entry.extend_from_slice(&length.to_le_bytes());
    entry.resize(128, 0);
    entry
}
