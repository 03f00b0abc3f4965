//! Files with tables, made by hand as the programs that people use write them: spreadsheets, Word documents, PDF with
//! and without rules, HTML.

use std::fmt::Write as _;
use std::io::Write as _;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A table under a title.
#[derive(Debug, Clone)]
pub struct Table {
    pub title: &'static str,
    /// The first row holds the names of the columns.
    pub rows: Vec<Vec<String>>,
}

/// What kind of file the tables stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    Spreadsheet,
    Word,
    PdfRuled,
    PdfUnruled,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Self::Spreadsheet => "spreadsheet",
            Self::Word => "word",
            Self::PdfRuled => "pdf, ruled",
            Self::PdfUnruled => "pdf, unruled",
        }
    }

    pub fn extension(self) -> &'static str {
        match self {
            Self::Spreadsheet => "xlsx",
            Self::Word => "docx",
            Self::PdfRuled | Self::PdfUnruled => "pdf",
        }
    }

    pub fn write(self, tables: &[Table]) -> Vec<u8> {
        match self {
            Self::Spreadsheet => xlsx(tables),
            Self::Word => docx(tables),
            Self::PdfRuled => pdf(tables, Rules::Drawn),
            Self::PdfUnruled => pdf(tables, Rules::None),
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn zipped(parts: &[(String, String)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn relations(targets: &[(&str, String)]) -> String {
    let mut text = format!("{XML}<Relationships xmlns=\"{PACKAGE}/relationships\">");
    for (number, (kind, target)) in (1..).zip(targets) {
        write!(text, "<Relationship Id=\"rId{number}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/>")
            .unwrap();
    }
    text + "</Relationships>"
}

fn content_types(overrides: &[(String, &str)]) -> String {
    let mut text = format!(
        "{XML}<Types xmlns=\"{PACKAGE}/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/>"
    );
    for (part, kind) in overrides {
        write!(
            text,
            "<Override PartName=\"/{part}\" ContentType=\"application/vnd.openxmlformats-officedocument.{kind}+xml\"/>"
        )
        .unwrap();
    }
    text + "</Types>"
}

/// A workbook with a sheet a table; what looks like a number is one.
fn xlsx(tables: &[Table]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let (mut sheets, mut parts) = (String::new(), Vec::new());
    let mut types = vec![("xl/workbook.xml".to_owned(), "spreadsheetml.sheet.main")];
    let mut targets = Vec::new();
    for (number, table) in (1..).zip(tables) {
        write!(
            sheets,
            "<sheet name=\"{}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>",
            escaped(table.title)
        )
        .unwrap();
        targets.push(("worksheet", format!("worksheets/sheet{number}.xml")));
        let part = format!("xl/worksheets/sheet{number}.xml");
        types.push((part.clone(), "spreadsheetml.worksheet"));
        let mut data = String::new();
        for (index, row) in (1..).zip(&table.rows) {
            write!(data, "<row r=\"{index}\">").unwrap();
            for (column, cell) in ('A'..='Z').zip(row) {
                if cell.parse::<f64>().is_ok() {
                    write!(data, "<c r=\"{column}{index}\"><v>{cell}</v></c>").unwrap();
                } else {
                    let text = escaped(cell);
                    write!(data, "<c r=\"{column}{index}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
                        .unwrap();
                }
            }
            data.push_str("</row>");
        }
        parts.push((
            part,
            format!("{XML}<worksheet xmlns=\"{MAIN}\"><sheetData>{data}</sheetData></worksheet>"),
        ));
    }
    let workbook =
        format!("{XML}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>{sheets}</sheets></workbook>");
    parts.extend([
        ("[Content_Types].xml".to_owned(), content_types(&types)),
        ("_rels/.rels".to_owned(), relations(&[("officeDocument", "xl/workbook.xml".to_owned())])),
        ("xl/workbook.xml".to_owned(), workbook),
        ("xl/_rels/workbook.xml.rels".to_owned(), relations(&targets)),
    ]);
    // Readers look for the types first.
    parts.rotate_right(4);
    zipped(&parts)
}

/// A document with a heading and a sentence above each table.
fn docx(tables: &[Table]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    let paragraph = |properties: &str, text: &str| {
        format!("<w:p>{properties}<w:r><w:t xml:space=\"preserve\">{}</w:t></w:r></w:p>", escaped(text))
    };
    let mut body = String::new();
    for table in tables {
        body += &paragraph("<w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr>", table.title);
        body.push_str("<w:tbl>");
        for (index, row) in table.rows.iter().enumerate() {
            let properties = if index == 0 { "<w:trPr><w:tblHeader/></w:trPr>" } else { "" };
            write!(body, "<w:tr>{properties}").unwrap();
            for cell in row {
                write!(body, "<w:tc>{}</w:tc>", paragraph("", cell)).unwrap();
            }
            body.push_str("</w:tr>");
        }
        body.push_str("</w:tbl>");
        body += &paragraph("", "");
    }
    let document = format!("{XML}<w:document xmlns:w=\"{MAIN}\"><w:body>{body}</w:body></w:document>");
    let styles = format!(
        "{XML}<w:styles xmlns:w=\"{MAIN}\"><w:style w:type=\"paragraph\" w:styleId=\"Heading1\">\
         <w:name w:val=\"heading 1\"/><w:pPr><w:outlineLvl w:val=\"0\"/></w:pPr></w:style></w:styles>"
    );
    zipped(&[
        (
            "[Content_Types].xml".to_owned(),
            content_types(&[
                ("word/document.xml".to_owned(), "wordprocessingml.document.main"),
                ("word/styles.xml".to_owned(), "wordprocessingml.styles"),
            ]),
        ),
        ("_rels/.rels".to_owned(), relations(&[("officeDocument", "word/document.xml".to_owned())])),
        ("word/document.xml".to_owned(), document),
        ("word/styles.xml".to_owned(), styles),
        ("word/_rels/document.xml.rels".to_owned(), relations(&[("styles", "styles.xml".to_owned())])),
    ])
}

/// Whether a table's cells stand in boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// Boxes around cells, and the header again on each page.
    Drawn,
    /// Nothing but space between columns, and the header on the first page alone.
    None,
}

const PAGE: (f32, f32) = (842.0, 595.0);
const MARGIN: f32 = 48.0;
const SIZE: f32 = 9.0;
const ROW_HEIGHT: f32 = 17.0;
const COLUMN_GAP: f32 = 16.0;

/// Pages of text in one font whose codes are UTF-16: characters need no table beside the one that says so.
fn pdf(tables: &[Table], rules: Rules) -> Vec<u8> {
    let mut pages = Vec::new();
    for table in tables {
        pages.extend(pages_of(table, rules));
    }
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        {
            let kids: Vec<String> = (0..pages.len()).map(|page| format!("{} 0 R", 7 + 2 * page)).collect();
            format!("<< /Type /Pages /Count {} /Kids [{}] >>", pages.len(), kids.join(" "))
        },
        "<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /Identity-H /DescendantFonts [4 0 R] /ToUnicode 6 0 R >>"
            .to_owned(),
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Song /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) \
         /Supplement 0 >> /FontDescriptor 5 0 R /DW 1000 /W [32 126 500] >>"
            .to_owned(),
        "<< /Type /FontDescriptor /FontName /Song /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 880 \
         /Descent -120 /CapHeight 700 /StemV 80 >>"
            .to_owned(),
        stream(&to_unicode()),
    ];
    for (page, content) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {} {}] /Resources << /Font << /F 3 0 R >> >> /Contents {} 0 R >>",
            PAGE.0,
            PAGE.1,
            8 + 2 * page
        ));
        objects.push(stream(content));
    }
    let mut file = "%PDF-1.7\n".to_owned();
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        offsets.push(file.len());
        write!(file, "{number} 0 obj\n{object}\nendobj\n").unwrap();
    }
    let start = file.len();
    write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).unwrap();
    for offset in offsets {
        writeln!(file, "{offset:010} 00000 n ").unwrap();
    }
    write!(file, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1)
        .unwrap();
    file.into_bytes()
}

fn stream(content: &str) -> String {
    format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len())
}

fn to_unicode() -> String {
    let mut text =
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /U def\n/CMapType 2 def\n\
                    1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
            .to_owned();
    let high: Vec<u16> = (0..=0xff).collect();
    for rows in high.chunks(64) {
        writeln!(text, "{} beginbfrange", rows.len()).unwrap();
        for row in rows {
            writeln!(text, "<{row:02X}00> <{row:02X}FF> <{row:02X}00>").unwrap();
        }
        text.push_str("endbfrange\n");
    }
    text + "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
}

fn width(text: &str) -> f32 {
    text.chars().map(|c| if c.is_ascii() { SIZE / 2.0 } else { SIZE }).sum()
}

fn pages_of(table: &Table, rules: Rules) -> Vec<String> {
    let columns = table.rows[0].len();
    let widths: Vec<f32> = (0..columns)
        .map(|column| table.rows.iter().map(|row| width(&row[column])).fold(0.0, f32::max) + COLUMN_GAP)
        .collect();
    let mut pages = Vec::new();
    let mut content = String::new();
    let mut y = PAGE.1 - MARGIN;
    show(&mut content, MARGIN, y, 14.0, table.title);
    y -= 2.0 * ROW_HEIGHT;
    for (index, row) in table.rows.iter().enumerate() {
        if y < MARGIN {
            pages.push(std::mem::take(&mut content));
            y = PAGE.1 - MARGIN;
            if rules == Rules::Drawn && index > 0 {
                show_row(&mut content, y, &table.rows[0], &widths, rules);
                y -= ROW_HEIGHT;
            }
        }
        show_row(&mut content, y, row, &widths, rules);
        y -= ROW_HEIGHT;
    }
    pages.push(content);
    pages
}

fn show_row(content: &mut String, y: f32, row: &[String], widths: &[f32], rules: Rules) {
    let mut x = MARGIN;
    for (cell, width) in row.iter().zip(widths) {
        if rules == Rules::Drawn {
            writeln!(content, "0.5 w {x} {} {width} {ROW_HEIGHT} re S", y - 5.0).unwrap();
        }
        show(content, x + 4.0, y, SIZE, cell);
        x += width;
    }
}

fn show(content: &mut String, x: f32, y: f32, size: f32, text: &str) {
    let codes: String = text.encode_utf16().map(|unit| format!("{unit:04X}")).collect();
    writeln!(content, "BT /F {size} Tf 1 0 0 1 {x} {y} Tm <{codes}> Tj ET").unwrap();
}
