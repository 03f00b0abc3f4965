#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Cursor, Write};

use crate::document::{ParsedDocument, warning};
use crate::parse::fixtures::{archive, assert_outline, parsed, relations};
use crate::parse::{ContentLimits, FailureCode, ParseOptions, parse_bytes};

const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="0.00%"/><numFmt numFmtId="165" formatCode="&quot;¥&quot;#,##0.00"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="14"/></cellXfs></styleSheet>"#;

/// A workbook of these sheets: name, state, and what stands in the worksheet element.
fn xlsx(sheets: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut list = String::new();
    let mut links = vec![("rS".to_owned(), "styles", "styles.xml".to_owned())];
    let mut parts: Vec<(String, String)> = Vec::new();
    for (index, (name, state, body)) in sheets.iter().enumerate() {
        list.push_str(&format!(
            r#"<sheet name="{name}" sheetId="{index}" state="{state}" r:id="r{index}"/>"#
        ));
        links.push((format!("r{index}"), "worksheet", format!("worksheets/sheet{index}.xml")));
        parts.push((format!("xl/worksheets/sheet{index}.xml"), format!("<worksheet>{body}</worksheet>")));
    }
    let links: Vec<(&str, &str, &str)> = links.iter().map(|(a, b, c)| (a.as_str(), *b, c.as_str())).collect();
    parts.push(("xl/workbook.xml".to_owned(), format!("<workbook><sheets>{list}</sheets></workbook>")));
    parts.push(("xl/_rels/workbook.xml.rels".to_owned(), relations(&links)));
    parts.push(("xl/styles.xml".to_owned(), STYLES.to_owned()));
    parts.push(("[Content_Types].xml".to_owned(), "<Types/>".to_owned()));
    let parts: Vec<(&str, &[u8])> =
        parts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    archive(&parts)
}

fn text(place: &str, value: &str) -> String {
    format!(r#"<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>"#)
}

fn number(place: &str, style: usize, value: &str) -> String {
    format!(r#"<c r="{place}" s="{style}"><v>{value}</v></c>"#)
}

fn row(number: usize, attributes: &str, cells: &[String]) -> String {
    format!(r#"<row r="{number}" {attributes}>{}</row>"#, cells.concat())
}

fn data(rows: &[String]) -> String {
    format!("<sheetData>{}</sheetData>", rows.concat())
}

fn single(rows: &[String], behind: &str) -> ParsedDocument {
    parsed(xlsx(&[("S", "visible", &(data(rows) + behind))]), "a.xlsx")
}

#[test]
fn values_are_shown_in_their_formats() {
    let rows = [
        row(1, "", &[text("A1", "品名"), text("B1", "占比"), text("C1", "价格"), text("D1", "日期")]),
        row(
            2,
            "",
            &[
                text("A2", "水泵"),
                number("B2", 1, "0.125"),
                number("C2", 2, "1234.5"),
                number("D2", 3, "45352"),
            ],
        ),
    ];
    assert_outline(
        &single(&rows, ""),
        &[("h1", "S"), ("table1", "品名 | 占比 | 价格 | 日期\n水泵 | 12.50% | ¥1,234.50 | 2024-03-01")],
    );
}

#[test]
fn formulas_are_their_values_and_those_never_computed_stay_formulas() {
    let rows = [
        row(1, "", &[text("A1", "sum"), text("B1", "open")]),
        row(
            2,
            "",
            &[
                r#"<c r="A2"><f>1+1</f><v>2</v></c>"#.to_owned(),
                r#"<c r="B2"><f>SUM(A2:A9)</f></c>"#.to_owned(),
            ],
        ),
    ];
    assert_outline(&single(&rows, ""), &[("h1", "S"), ("table1", "sum | open\n2 | =SUM(A2:A9)")]);
}

#[test]
fn merged_cells_stand_in_each_row_and_head_each_column() {
    let rows = [
        row(1, "", &[text("A1", "部门"), text("B1", "2023")]),
        row(2, "", &[text("B2", "上半年"), text("C2", "下半年")]),
        row(3, "", &[text("A3", "销售"), number("B3", 0, "1"), number("C3", 0, "2")]),
        row(4, "", &[number("B4", 0, "3"), number("C4", 0, "4")]),
    ];
    let merges = r#"<mergeCells><mergeCell ref="A1:A2"/><mergeCell ref="B1:C1"/><mergeCell ref="A3:A4"/></mergeCells>"#;
    assert_outline(
        &single(&rows, merges),
        &[("h1", "S"), ("table2", "部门 | 2023 | 2023\n部门 | 上半年 | 下半年\n销售 | 1 | 2\n销售 | 3 | 4")],
    );
}

#[test]
fn a_title_tables_and_a_remark_of_one_sheet_are_apart() {
    let remark = "All amounts are preliminary and will be audited by the end of the second quarter.";
    let rows = [
        row(1, "", &[text("A1", "Report")]),
        row(3, "", &[text("A3", "name"), text("B3", "n")]),
        row(4, "", &[text("A4", "x"), number("B4", 0, "1")]),
        row(7, "", &[text("A7", "city"), text("B7", "code")]),
        row(8, "", &[text("A8", "Bonn"), text("B8", "b")]),
        row(10, "", &[text("A10", remark)]),
    ];
    assert_outline(
        &single(&rows, ""),
        &[
            ("h1", "S"),
            ("p", "Report"),
            ("table1", "name | n\nx | 1"),
            ("table1", "city | code\nBonn | b"),
            ("p", remark),
        ],
    );
}

#[test]
fn tables_side_by_side_are_two() {
    let rows: Vec<String> = (1..=3)
        .map(|r| {
            let cell = |c: &str, v: &str| {
                if r == 1 {
                    text(&format!("{c}1"), v)
                } else {
                    number(&format!("{c}{r}"), 0, &format!("{r}"))
                }
            };
            row(r, "", &[cell("A", "a"), cell("B", "b"), cell("D", "d"), cell("E", "e")])
        })
        .collect();
    assert_outline(
        &single(&rows, ""),
        &[("h1", "S"), ("table1", "a | b\n2 | 2\n3 | 3"), ("table1", "d | e\n2 | 2\n3 | 3")],
    );
}

#[test]
fn what_is_hidden_is_left_out_with_a_warning() {
    let rows = [
        row(1, "", &[text("A1", "k"), text("B1", "secret"), text("C1", "v")]),
        row(2, r#"hidden="1""#, &[text("A2", "gone")]),
        row(3, r#"hidden="1" outlineLevel="1""#, &[text("A3", "folded"), text("C3", "1")]),
    ];
    let columns = r#"<cols><col min="2" max="2" hidden="1"/></cols>"#;
    let sheet = columns.to_owned() + &data(&rows);
    let document = parsed(xlsx(&[("S", "visible", &sheet), ("H", "hidden", &data(&rows))]), "a.xlsx");
    assert_outline(&document, &[("h1", "S"), ("table1", "k | v\nfolded | 1")]);
    assert_eq!(document.warnings[0].code, warning::HIDDEN_LEFT_OUT);
    assert_eq!(document.warnings[0].message, "1 hidden sheets and 2 hidden rows or columns were not read");
}

#[test]
fn rows_that_a_filter_hides_are_read() {
    let rows = [
        row(1, "", &[text("A1", "k"), text("B1", "v")]),
        row(2, r#"hidden="1""#, &[text("A2", "x"), text("B2", "y")]),
    ];
    let filter = r#"<autoFilter ref="A1:B2"><filterColumn colId="0"/></autoFilter>"#;
    assert_outline(&single(&rows, filter), &[("h1", "S"), ("table1", "k | v\nx | y")]);
}

#[test]
fn sheets_are_pages_with_their_names_as_labels() {
    let one = data(&[row(1, "", &[text("A1", "x")])]);
    let document = parsed(xlsx(&[("一月", "visible", &one), ("二月", "visible", &one)]), "a.xlsx");
    assert_eq!(document.page_labels, ["一月", "二月"]);
    assert_eq!(document.page_count, Some(2));
    assert_eq!(document.blocks.iter().map(|block| block.page.unwrap()).collect::<Vec<_>>(), [1, 1, 2, 2]);
}

#[test]
fn a_workbook_larger_than_the_limit_is_cut_with_a_warning() {
    let rows: Vec<String> = (1..=50).map(|r| row(r, "", &[text(&format!("A{r}"), "abcdefghij")])).collect();
    let limits = ContentLimits { max_characters: 100, ..ContentLimits::default() };
    let options = ParseOptions { limits, ..ParseOptions::default() };
    let document = parse_bytes(xlsx(&[("S", "visible", &data(&rows))]), "a.xlsx", &options).unwrap();
    assert!(document.character_count() <= 100);
    assert!(document.warnings.iter().any(|warned| warned.code == warning::TEXT_TRUNCATED));
}

#[test]
fn separators_and_encodings_of_delimited_values_are_found() {
    let expected = &[("table1", "名称 | 数量\n水泵, 大 | 12\n阀门 | 3")];
    for text in [
        "名称,数量\n\"水泵, 大\",12\n阀门,3\n",
        "名称;数量\n水泵, 大;12\n阀门;3\n",
        "名称\t数量\n水泵, 大\t12\n阀门\t3\n",
        "sep=|\n名称|数量\n水泵, 大|12\n阀门|3\n",
    ] {
        assert_outline(&parsed(text.as_bytes().to_vec(), "a.csv"), expected);
    }
    let document =
        parsed(encoding_rs::GBK.encode("名称,数量\n\"水泵, 大\",12\n阀门,3\n").0.into_owned(), "a.csv");
    assert_outline(&document, expected);
    assert_eq!(document.metadata.encoding.as_deref(), Some("gb18030"));
}

/// A record of the old binary format.
fn record(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(content.len() as u16).to_le_bytes(), content].concat()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn the_old_binary_format_shows_formats_and_strings_over_two_records() {
    let begin = |kind: u8| record(0x809, &[0, 6, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let cell = |row: u8, column: u8, style: u8| vec![row, 0, column, 0, style, 0];
    // The second string is cut after its first character; its rest stands behind new flags.
    let mut strings = vec![2, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0];
    strings.extend(b"rate");
    strings.extend([2, 0, 1]);
    strings.extend(wide("占"));
    let mut globals = begin(5);
    globals.extend(record(0x41e, &[&[164, 0, 5, 0, 0][..], b"0.00%"].concat()));
    for format in [0u8, 164] {
        globals.extend(record(0xe0, &[0, 0, format, 0]));
    }
    globals.extend(record(0xfc, &strings));
    globals.extend(record(0x3c, &[&[1u8][..], &wide("比")].concat()));
    let sheet_entry = 4 + 8 + 1;
    let offset = (globals.len() + sheet_entry + 4) as u32;
    globals.extend(record(0x85, &[&offset.to_le_bytes()[..], &[0, 0, 1, 0], b"S"].concat()));
    globals.extend(record(0x0a, &[]));
    let mut sheet = begin(0x10);
    sheet.extend(record(0xfd, &[cell(0, 0, 0), vec![0, 0, 0, 0]].concat()));
    sheet.extend(record(0xfd, &[cell(0, 1, 0), vec![1, 0, 0, 0]].concat()));
    sheet.extend(record(0x203, &[cell(1, 0, 1), 0.125f64.to_le_bytes().to_vec()].concat()));
    sheet.extend(record(0x27e, &[cell(1, 1, 0), (1250u32 << 2 | 3).to_le_bytes().to_vec()].concat()));
    sheet.extend(record(0x0a, &[]));
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    file.create_stream("/Workbook").unwrap().write_all(&[globals, sheet].concat()).unwrap();
    let document = parsed(file.into_inner().into_inner(), "a.xls");
    assert_outline(&document, &[("h1", "S"), ("table1", "rate | 占比\n12.50% | 12.5")]);
}

#[test]
fn the_binary_format_in_an_archive_is_read() {
    let record = |kind: u16, content: &[u8]| {
        let kind =
            if kind < 128 { vec![kind as u8] } else { vec![(kind & 0x7f) as u8 | 0x80, (kind >> 7) as u8] };
        [&kind[..], &[content.len() as u8], content].concat()
    };
    let string = |text: &str| [&(text.encode_utf16().count() as u32).to_le_bytes()[..], &wide(text)].concat();
    let cell = |column: u8, style: u8| vec![column, 0, 0, 0, style, 0, 0, 0];
    let workbook = record(156, &[vec![0; 8], string("r1"), string("S")].concat());
    let strings = record(19, &[vec![0], string("占比")].concat());
    let styles = [
        record(44, &[vec![164, 0], string("0.0%")].concat()),
        record(617, &[]),
        record(47, &[0; 4]),
        record(47, &[0, 0, 164, 0]),
        record(618, &[]),
    ]
    .concat();
    let sheet = [
        record(0, &[0; 12]),
        record(7, &[cell(0, 0), vec![0; 4]].concat()),
        record(6, &[cell(1, 0), string("b")].concat()),
        record(0, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        record(5, &[cell(0, 1), 0.5f64.to_le_bytes().to_vec()].concat()),
        record(4, &[cell(1, 0), vec![1]].concat()),
    ]
    .concat();
    let links = relations(&[("r1", "worksheet", "worksheets/sheet1.bin")]);
    let data = archive(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.bin", &workbook),
        ("xl/_rels/workbook.bin.rels", links.as_bytes()),
        ("xl/sharedStrings.bin", &strings),
        ("xl/styles.bin", &styles),
        ("xl/worksheets/sheet1.bin", &sheet),
    ]);
    assert_outline(&parsed(data, "a.xlsb"), &[("h1", "S"), ("table1", "占比 | b\n50.0% | TRUE")]);
}

#[test]
fn a_workbook_without_text_and_one_cut_off_have_codes() {
    let empty = xlsx(&[("S", "visible", &data(&[]))]);
    let fails = |data: Vec<u8>| parse_bytes(data, "a.xlsx", &ParseOptions::default()).unwrap_err().code;
    assert_eq!(fails(empty.clone()), FailureCode::NoText);
    assert_eq!(fails(empty[..empty.len() / 2].to_vec()), FailureCode::DamagedFile);
}
