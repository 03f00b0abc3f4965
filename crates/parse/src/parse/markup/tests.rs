use super::*;
use crate::document::BlockKind;

fn shapes(source: &str) -> Vec<(BlockKind, String)> {
    let document = parse(source.as_bytes(), &ParseOptions::default()).unwrap();
    document.blocks.into_iter().map(|block| (block.kind, block.text)).collect()
}

fn heading(level: u8, text: &str) -> (BlockKind, String) {
    (BlockKind::Heading { level }, text.to_owned())
}

fn paragraph(text: &str) -> (BlockKind, String) {
    (BlockKind::Paragraph, text.to_owned())
}

#[test]
fn docbook_has_sections_lists_code_and_tables() {
    let source = "<article xmlns='http://docbook.org/ns/docbook'><info><title>Guide</title></info>\
        <section><title>Install</title><para>Run <command>make</command>\n now.</para>\
        <itemizedlist><listitem><para>one</para></listitem><listitem><para>two</para></listitem></itemizedlist>\
        <programlisting language='sh'>make\n  run</programlisting>\
        <section><title>Deep</title><informaltable><tgroup cols='2'><thead><row><entry>k</entry><entry>v</entry></row></thead>\
        <tbody><row><entry>a</entry><entry>1</entry></row></tbody></tgroup></informaltable></section></section></article>";
    let table = BlockKind::Table {
        rows: vec![vec!["k".into(), "v".into()], vec!["a".into(), "1".into()]],
        header_rows: 1,
    };
    assert_eq!(
        shapes(source),
        [
            heading(1, "Guide"),
            heading(2, "Install"),
            paragraph("Run make now."),
            (BlockKind::ListItem { depth: 0 }, "- one".to_owned()),
            (BlockKind::ListItem { depth: 0 }, "- two".to_owned()),
            (BlockKind::Code { language: Some("sh".into()) }, "make\n  run".to_owned()),
            heading(3, "Deep"),
            (table, "k | v\na | 1".to_owned()),
        ]
    );
}

#[test]
fn an_article_of_a_journal_begins_with_its_title_and_authors() {
    let source = "<article><front><journal-meta><journal-id>X</journal-id></journal-meta><article-meta>\
        <article-id>10.1/1</article-id><title-group><article-title>On pumps</article-title></title-group>\
        <contrib-group><contrib><name><surname>Li</surname><given-names>Wei</given-names></name></contrib></contrib-group>\
        <aff><label>1</label>Institute of Flow</aff><abstract><p>Short.</p></abstract></article-meta></front>\
        <body><sec><title>Methods</title><p>We measured<xref>1</xref>.</p>\
        <table-wrap><label>Table 1</label><caption><title>Rates</title></caption><table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table></table-wrap>\
        </sec></body></article>";
    let got = shapes(source);
    let expected = [
        heading(1, "On pumps"),
        paragraph("Wei Li"),
        paragraph("Institute of Flow"),
        heading(2, "Abstract"),
        paragraph("Short."),
        heading(2, "Methods"),
        paragraph("We measured1."),
        (BlockKind::Figure, "Table 1 Rates".to_owned()),
    ];
    assert_eq!(got[..expected.len()], expected);
    assert_eq!(got[expected.len()].1, "a | b\n1 | 2");
}

#[test]
fn an_entry_of_a_feed_is_a_section_and_its_html_is_read() {
    let source = "<rss><channel><title>News</title><item><title>Pump fails</title><pubDate>Mon, 1 Jan 2024</pubDate>\
        <description>&lt;p&gt;It &lt;b&gt;stopped&lt;/b&gt;.&lt;/p&gt;</description></item></channel></rss>";
    assert_eq!(
        shapes(source),
        [
            heading(1, "News"),
            heading(2, "Pump fails"),
            paragraph("Mon, 1 Jan 2024"),
            paragraph("It stopped.")
        ]
    );
}

#[test]
fn records_of_one_kind_are_a_table() {
    let source = "<plant site='A'><pump><id>P1</id><rate>5</rate></pump><pump><id>P2</id><rate>7</rate></pump></plant>";
    let got = shapes(source);
    assert_eq!(got[0], heading(1, "plant"));
    assert_eq!(got[1], paragraph("site: A"));
    assert_eq!(got[2].1, "id | rate\nP1 | 5\nP2 | 7");
}

#[test]
fn other_data_is_told_by_names_and_values() {
    let source = "<config><server><host>db1</host><port>5432</port></server><debug>no</debug></config>";
    assert_eq!(
        shapes(source),
        [
            heading(1, "config"),
            heading(2, "server"),
            paragraph("host: db1\nport: 5432"),
            paragraph("debug: no")
        ]
    );
}

#[test]
fn the_declared_encoding_is_used() {
    let source = "<?xml version='1.0' encoding='gb2312'?><a><b>员工手册</b></a>";
    let (bytes, _, _) = encoding_rs::GB18030.encode(source);
    let document = parse(&bytes, &ParseOptions::default()).unwrap();
    assert_eq!(document.blocks[1].text, "b: 员工手册");
}
