//! Tables with and without borders, captions, footnotes.

use super::*;

/// Strokes the borders of a table: xs and ys in the page's own space.
fn borders(xs: &[i32], ys: &[i32]) -> String {
    let (x0, x1) = (xs[0], xs[xs.len() - 1]);
    let (y0, y1) = (ys[0], ys[ys.len() - 1]);
    let across = ys.iter().map(|y| format!("{x0} {y} m {x1} {y} l S\n"));
    let down = xs.iter().map(|x| format!("{x} {y0} m {x} {y1} l S\n"));
    across.chain(down).collect()
}

fn table(document: &ParsedDocument) -> (&Vec<Vec<String>>, usize) {
    document
        .blocks
        .iter()
        .find_map(|block| match &block.kind {
            BlockKind::Table { rows, header_rows } => Some((rows, *header_rows)),
            _ => None,
        })
        .expect("a table")
}

#[test]
fn cells_with_borders_keep_their_lines_together_and_their_neighbours_apart() {
    let mut content = borders(&[50, 150, 300, 400], &[600, 640, 680, 700]);
    for (x, y, text) in [
        (55, 686, "Code"),
        (155, 686, "Meaning of the code"),
        (305, 686, "Hours"),
        (55, 666, "P0300"),
        (155, 666, "A random misfire that"),
        (155, 654, "wraps in its cell"),
        (305, 666, "2"),
        (55, 626, "P0301"),
        // Ends so close to the border that only the border parts it from the next cell.
        (155, 626, "misfire of cylinder number 1"),
        (305, 626, "31"),
    ] {
        content += &show("F1", 10, x, y, text);
    }
    content += &show("F1", 10, 50, 560, "A paragraph below the table, which is no part of it.");
    let document = parse(vec![page(&content)]);
    let (rows, header_rows) = table(&document);
    assert_eq!(
        rows,
        &[
            ["Code", "Meaning of the code", "Hours"],
            ["P0300", "A random misfire that wraps in its cell", "2"],
            ["P0301", "misfire of cylinder number 1", "31"]
        ]
    );
    assert_eq!(header_rows, 1);
    assert_eq!(texts(&document)[1], "A paragraph below the table, which is no part of it.");
    let (block, line) = line_of(&document, "wraps in its cell");
    assert_eq!(&block.text[line.start..line.end], "P0300 | A random misfire that wraps in its cell | 2");
    assert_stands_at(
        block.lines.iter().find(|line| (line.y0 - 138.0).abs() < 2.0).unwrap(),
        155.0,
        146.0,
        10.0,
    );
}

#[test]
fn a_cell_that_spans_rows_stands_in_each_of_them() {
    // No line between the first column's second and third row.
    let content = "50 700 m 300 700 l S 50 680 m 300 680 l S 150 660 m 300 660 l S 50 640 m 300 640 l S\n\
                   50 640 m 50 700 l S 150 640 m 150 700 l S 300 640 m 300 700 l S\n"
        .to_owned()
        + &show("F1", 10, 55, 686, "Region")
        + &show("F1", 10, 155, 686, "City")
        + &show("F1", 10, 55, 656, "North")
        + &show("F1", 10, 155, 666, "Harbin")
        + &show("F1", 10, 155, 646, "Shenyang");
    let document = parse(vec![page(&content)]);
    assert_eq!(table(&document).0, &[["Region", "City"], ["North", "Harbin"], ["North", "Shenyang"]]);
}

#[test]
fn a_frame_around_text_is_no_table() {
    let content = borders(&[40, 560], &[500, 760])
        + &show("F1", 10, 50, 700, "Text in a frame stays a paragraph,")
        + &show("F1", 10, 50, 688, "whatever is drawn around it.");
    let document = parse(vec![page(&content)]);
    assert_eq!(texts(&document), ["Text in a frame stays a paragraph, whatever is drawn around it."]);
}

#[test]
fn a_table_goes_on_over_the_page_and_its_header_is_not_repeated() {
    let part = |from: i32, top: i32| {
        let ys: Vec<i32> = (0..5).map(|row| top - 20 * row).rev().collect();
        let mut content = borders(&[50, 200, 400], &ys);
        content += &(show("F2", 10, 55, top - 14, "Part") + &show("F2", 10, 205, top - 14, "Price"));
        for row in 0..3 {
            let y = top - 34 - 20 * row;
            content += &show("F1", 10, 55, y, &format!("Pump {}", from + row));
            content += &show("F1", 10, 205, y, &format!("{}.00", 100 + from + row));
        }
        page(&content)
    };
    let document = parse(vec![part(1, 200), part(4, 760)]);
    let (rows, header_rows) = table(&document);
    assert_eq!(document.blocks.len(), 1);
    assert_eq!(header_rows, 1);
    assert_eq!(rows.len(), 7);
    assert_eq!((rows[0][0].as_str(), rows[6][0].as_str(), rows[6][1].as_str()), ("Part", "Pump 6", "106.00"));
    let block = &document.blocks[0];
    let last = block.lines.last().unwrap();
    assert_eq!((last.page, &block.text[last.start..last.end]), (2, "Pump 6 | 106.00"));
}

#[test]
fn wrapped_cells_without_borders_make_no_rows() {
    let mut content = String::new();
    for (x, y, text) in [
        (50, 700, "Item"),
        (150, 700, "Description"),
        (380, 700, "Interval"),
        (50, 676, "Pump"),
        (150, 676, "Hydraulic pump of the main"),
        (380, 676, "Every 500"),
        (150, 664, "circuit, with its filter"),
        (380, 664, "hours"),
        (50, 640, "Valve"),
        (150, 640, "Relief valve"),
        (380, 640, "Yearly"),
        (50, 616, "Hose"),
        (150, 616, "Return hose"),
        (380, 616, "Monthly"),
    ] {
        content += &show("F1", 10, x, y, text);
    }
    let document = parse(vec![page(&content)]);
    assert_eq!(
        table(&document).0,
        &[
            ["Item", "Description", "Interval"],
            ["Pump", "Hydraulic pump of the main circuit, with its filter", "Every 500 hours"],
            ["Valve", "Relief valve", "Yearly"],
            ["Hose", "Return hose", "Monthly"]
        ]
    );
}

#[test]
fn footnotes_stand_apart_and_the_paragraph_goes_on_behind_them() {
    let line = |y: i32, text: &str| show("F1", 10, 50, y, text);
    let first = line(200, "The body of the page goes on and on until it has to break in the")
        + &line(188, "middle of a sentence which the next page then continues with the")
        + "50 120 m 180 120 l S\n"
        + &show("F1", 8, 50, 100, "1 A note about the body, set in small letters.")
        + &show("F1", 8, 50, 90, "It has a second line.");
    let second =
        line(740, "words that follow here and end it.") + &line(700, "Another paragraph of the same body.");
    let document = parse(vec![page(&first), page(&second)]);
    let kinds: Vec<(&BlockKind, &str)> =
        document.blocks.iter().map(|block| (&block.kind, block.text.as_str())).collect();
    assert_eq!(
        kinds,
        [
            (
                &BlockKind::Paragraph,
                "The body of the page goes on and on until it has to break in the middle of a sentence which the \
                 next page then continues with the words that follow here and end it."
            ),
            (&BlockKind::Footnote, "1 A note about the body, set in small letters. It has a second line."),
            (&BlockKind::Paragraph, "Another paragraph of the same body.")
        ]
    );
}

#[test]
fn captions_are_figures_and_sentences_about_them_are_not() {
    let content = show("F1", 10, 50, 700, "Figure 1 shows the pump and where it is mounted in the frame.")
        + &show("F1", 9, 150, 500, "Figure 1: The pump in its frame");
    let document = parse(vec![page(&content)]);
    let kinds: Vec<&BlockKind> = document.blocks.iter().map(|block| &block.kind).collect();
    assert_eq!(kinds, [&BlockKind::Paragraph, &BlockKind::Figure]);
}

#[test]
fn three_columns_are_read_one_after_the_other() {
    let mut content = String::new();
    for row in 0..6 {
        for column in 0..3 {
            let text = format!("text of column {column} line {row}");
            content += &show("F1", 10, 40 + 185 * column, 700 - 13 * row, &text);
        }
    }
    let document = parse(vec![page(&content)]);
    let text = texts(&document).join(" ");
    let order: Vec<usize> = ["column 0 line 5", "column 1 line 0", "column 1 line 5", "column 2 line 0"]
        .iter()
        .map(|piece| text.find(piece).unwrap())
        .collect();
    assert!(order.is_sorted(), "{text}");
}

#[test]
fn a_bold_line_of_the_bodys_size_is_a_heading() {
    let content = show("F2", 10, 50, 700, "Scope of the rules")
        + &show("F1", 10, 50, 680, "They hold for everyone who works here, in every office of it.");
    let document = parse(vec![page(&content)]);
    assert!(matches!(document.blocks[0].kind, BlockKind::Heading { .. }), "{:?}", document.blocks[0].kind);
    assert_eq!(document.blocks[1].kind, BlockKind::Paragraph);
}
