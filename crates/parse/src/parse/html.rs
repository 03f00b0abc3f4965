//! HTML: the main content where a page is mostly something else, otherwise the whole body without its navigation.

mod walk;

use dom_query::Document;
use dom_smoothie::{Config, Readability};

use super::builder::DocumentBuilder;
use super::encoding::{self, Decoded};
use super::failure::ParseFailure;
use super::format::Format;
use super::{Engine, ParseOptions};
use crate::clean;
use crate::document::{Block, BlockKind, ParsedDocument};

/// The extracted main content is taken when it holds at least this share of the body's text; less means that the
/// extraction lost something that a reader would miss.
const MIN_MAIN_CONTENT_SHARE: f32 = 0.6;
/// Main content is looked for in pages up to this size; the search takes time that grows faster than the page.
const MAX_MAIN_CONTENT_BYTES: usize = 4 * 1024 * 1024;
/// What surrounds the content of a page.
const SURROUNDINGS: &str = "script, style, noscript, template, nav, body > header, body > footer, iframe, object, dialog, [hidden], [aria-hidden=true], \
     [role=navigation], [role=banner], [role=contentinfo], [role=search]";
/// How far into a file its `<meta charset>` may stand.
const CHARSET_WINDOW: usize = 1024;

pub(super) fn parse(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let decoded = decode(data);
    let mut builder = DocumentBuilder::new(Format::Html.media_type(), &options.limits);
    decoded.report(builder.document());

    let page = Document::from(decoded.text.as_str());
    let title = page_title(&page);
    builder.document().metadata.language =
        page.select("html").attr("lang").map(|lang| lang.to_string()).filter(|lang| !lang.is_empty());
    builder.document().metadata.author =
        page.select_single("meta[name=author]").attr("content").map(|author| author.trim().to_owned());
    page.select(SURROUNDINGS).remove();
    let top_headings: Vec<String> = page
        .select("h1")
        .iter()
        .map(|heading| one_line(&heading.text()))
        .filter(|text| !text.is_empty())
        .collect();

    let main = match options.engine {
        Engine::First => main_content(&page),
        Engine::Second => None,
    };
    let content = main.as_ref().unwrap_or(&page);
    let keeps_top =
        content.select("h1, h2").iter().any(|heading| top_headings.contains(&one_line(&heading.text())));
    if !keeps_top
        && let Some(top) = top_headings.first().or(title.as_ref())
        && content.select("h1, h2, h3, p").exists()
    {
        builder.push(Block::new(BlockKind::Heading { level: 1 }, top.clone(), None));
    }
    let root = content.body().unwrap_or_else(|| content.root());
    walk::read(&root, &top_headings, &mut builder);
    builder.document().title = title;
    Ok(builder.finish())
}

/// By byte order mark, by what the page declares, or as any text.
fn decode(data: &[u8]) -> Decoded {
    let head = &data[..data.len().min(CHARSET_WINDOW)];
    let declared = memchr::memmem::find(&head.to_ascii_lowercase(), b"charset=").and_then(|at| {
        let label = head[at + 8..].iter().skip_while(|byte| matches!(byte, b'"' | b'\'' | b' '));
        let label: Vec<u8> = label
            .copied()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            .collect();
        encoding_rs::Encoding::for_label(&label)
    });
    if let Some(declared) = declared
        && declared != encoding_rs::UTF_8
        && encoding_rs::Encoding::for_bom(data).is_none()
        && std::str::from_utf8(data).is_err()
    {
        let (text, encoding, replaced) = declared.decode(data);
        return Decoded { text: text.into_owned(), encoding: encoding.name(), replaced, guessed: false };
    }
    encoding::decode(data)
}

fn page_title(page: &Document) -> Option<String> {
    let title = one_line(&page.select_single("head > title").text());
    (!title.is_empty()).then_some(title)
}

fn one_line(text: &str) -> String {
    clean::normalise(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The article on the page, when it is nearly all of the page's text anyway: what the extraction adds is that menus and
/// lists of links go which are not marked as such.
fn main_content(page: &Document) -> Option<Document> {
    let html = page.html();
    if html.len() > MAX_MAIN_CONTENT_BYTES {
        return None;
    }
    let article = Readability::new(html, None, Some(Config::default())).ok()?.parse().ok()?;
    let document = Document::from(article.content);
    let characters = |document: &Document| document.text().chars().filter(|c| !c.is_whitespace()).count();
    let (kept, all) = (characters(&document), characters(page));
    (kept as f32 >= all as f32 * MIN_MAIN_CONTENT_SHARE).then_some(document)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shapes(html: &str) -> Vec<(BlockKind, String)> {
        let document = parse(html.as_bytes(), &ParseOptions::default()).unwrap();
        document.blocks.into_iter().map(|block| (block.kind, block.text)).collect()
    }

    #[test]
    fn structure_is_kept_and_surroundings_go() {
        let html = "<!doctype html><html lang=en><head><title>T</title><style>p{}</style></head><body><nav>menu</nav>\
            <h1>Title</h1><p>One\n  two <b>three</b><br>four</p><ol start=3><li>a<ul><li>b</li></ul></li><li>c</li></ol>\
            <pre>x\n  y</pre><table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table><script>no()</script></body></html>";
        assert_eq!(
            shapes(html),
            [
                (BlockKind::Heading { level: 1 }, "Title".to_owned()),
                (BlockKind::Paragraph, "One two three\nfour".to_owned()),
                (BlockKind::ListItem { depth: 0 }, "3. a".to_owned()),
                (BlockKind::ListItem { depth: 1 }, "- b".to_owned()),
                (BlockKind::ListItem { depth: 0 }, "4. c".to_owned()),
                (BlockKind::Code { language: None }, "x\n  y".to_owned()),
                (
                    BlockKind::Table {
                        rows: vec![vec!["k".into(), "v".into()], vec!["1".into(), "2".into()]],
                        header_rows: 1
                    },
                    "k | v\n1 | 2".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn a_layout_table_is_not_a_table() {
        let html = "<table><tr><td><h2>Head</h2><p>para</p></td></tr></table>";
        assert_eq!(
            shapes(html),
            [(BlockKind::Heading { level: 2 }, "Head".to_owned()), (BlockKind::Paragraph, "para".to_owned())]
        );
    }

    #[test]
    fn merged_cells_keep_their_columns() {
        let html = "<table><tr><td colspan=2>wide</td><td>x</td></tr><tr><td>1</td><td>2</td><td>3</td></tr></table>";
        assert_eq!(shapes(html)[0].1, "wide |  | x\n1 | 2 | 3");
    }

    #[test]
    fn a_cell_over_several_rows_stands_in_each() {
        let html = "<table><tr><td rowspan=2>pump</td><td>P1</td></tr><tr><td>P2</td></tr><tr><td>fan</td><td>F1</td></tr></table>";
        assert_eq!(shapes(html)[0].1, "pump | P1\npump | P2\nfan | F1");
    }

    #[test]
    fn the_declared_encoding_is_used() {
        let html = "<html><head><meta charset=\"gb2312\"></head><body><p>员工手册</p></body></html>";
        let (bytes, _, _) = encoding_rs::GB18030.encode(html);
        let document = parse(&bytes, &ParseOptions::default()).unwrap();
        assert_eq!(document.blocks[0].text, "员工手册");
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let depth = 20_000;
        let html = format!("<body>{}deep{}</body>", "<div>".repeat(depth), "</div>".repeat(depth));
        let options = ParseOptions { engine: Engine::Second, ..ParseOptions::default() };
        let document = parse(html.as_bytes(), &options).unwrap();
        assert_eq!(document.blocks[0].text, "deep");
    }
}
