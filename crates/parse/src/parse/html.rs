//! HTML: the main content of articles; of pages that are something else (a table, a list, an application) the whole body
//! without its navigation.

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

/// The extracted main content is taken when it holds at least this share of the page's running text (text that is not in
/// links): less means that the page is no article, or that the extraction lost something that a reader would miss.
const MIN_MAIN_CONTENT_SHARE: f32 = 0.6;
/// The same for rows of tables.
const MIN_TABLE_SHARE: f32 = 0.75;
/// Main content is looked for in pages up to this size; the search takes time that grows faster than the page.
const MAX_MAIN_CONTENT_BYTES: usize = 4 * 1024 * 1024;
/// What surrounds the content of a page.
const SURROUNDINGS: &str = "script, style, noscript, template, nav, body > header, body > footer, iframe, object, dialog, [hidden], [aria-hidden=true], \
     [role=navigation], [role=banner], [role=contentinfo], [role=search]";
/// What pages mark as their content.
const MARKED_CONTENT: &str = "main, [role=main]";
/// How far into a file its `<meta charset>` may stand.
const CHARSET_WINDOW: usize = 1024;

pub(super) fn parse(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let decoded = decode(data);
    let mut builder = DocumentBuilder::new(Format::Html.media_type(), &options.limits);
    decoded.report(builder.document());

    let page = Document::from(decoded.text.as_str());
    let title = page_title(&page);
    describe(&page, builder.document());
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
    let holds = |selector: &str| content.select(selector).exists();
    let top = match top_headings.first() {
        Some(top) if holds("h1, h2, h3, p") => Some(top),
        // The title of a page without headings is no part of its text.
        None if holds("h2, h3, h4") => title.as_ref(),
        _ => None,
    };
    if let Some(top) = top.filter(|_| !keeps_top) {
        builder.push(Block::new(BlockKind::Heading { level: 1 }, top.clone(), None));
    }
    let root = content.body().unwrap_or_else(|| content.root());
    walk::read(&root, &top_headings, &mut builder);
    builder.document().title = title;
    Ok(builder.finish())
}

/// A page inside of something else (a chapter of a book): all of its body, nothing around it.
pub(super) fn read_page(html: &str, builder: &mut DocumentBuilder) {
    let page = Document::from(html);
    page.select("script, style, noscript, template").remove();
    let root = page.body().unwrap_or_else(|| page.root());
    walk::read(&root, &[], builder);
}

/// A piece of HTML inside of something else: the body of a message, an entry of a feed, a block in Markdown.
pub(super) fn read_fragment(html: &str, builder: &mut DocumentBuilder) {
    read_page(html, builder);
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
    encoding::decode_declared(data, declared)
}

/// What the page says of itself.
fn describe(page: &Document, document: &mut ParsedDocument) {
    let stated = |selector: &str| {
        let content = page.select_single(selector).attr("content")?;
        let content = one_line(&content);
        (!content.is_empty()).then_some(content)
    };
    let metadata = &mut document.metadata;
    metadata.language =
        page.select("html").attr("lang").map(|lang| lang.to_string()).filter(|lang| !lang.is_empty());
    metadata.author = stated("meta[name=author]").or_else(|| stated("meta[property=\"article:author\"]"));
    metadata.subject =
        stated("meta[name=description]").or_else(|| stated("meta[property=\"og:description\"]"));
    metadata.created =
        stated("meta[property=\"article:published_time\"]").or_else(|| stated("meta[name=date]"));
    metadata.modified = stated("meta[property=\"article:modified_time\"]");
    metadata.producer = stated("meta[name=generator]");
    let keywords = stated("meta[name=keywords]").unwrap_or_default();
    metadata.keywords = keywords
        .split([',', '，', ';', '；'])
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect();
}

/// The title that the page gives to others who link to it is without the site's name; it is taken where the page's own
/// title holds it.
fn page_title(page: &Document) -> Option<String> {
    let title = one_line(&page.select_single("head > title").text());
    let shared = page.select_single("meta[property=\"og:title\"]").attr("content");
    let shared = shared.map(|title| one_line(&title)).filter(|title| !title.is_empty());
    match shared {
        Some(shared) if title.is_empty() || title.contains(&shared) => Some(shared),
        _ => (!title.is_empty()).then_some(title),
    }
}

fn one_line(text: &str) -> String {
    clean::normalise(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The part of the page that a reader came for: what the page marks as that, or what looks like an article; `None` where
/// neither holds nearly all of the running text and of the tables.
fn main_content(page: &Document) -> Option<Document> {
    let all = Weight::of(page);
    let marked = page.select(MARKED_CONTENT);
    if marked.length() == 1 {
        let main = Document::from(marked.html());
        if Weight::of(&main).is_most_of(&all) {
            return Some(main);
        }
    }
    let html = page.html();
    if html.len() > MAX_MAIN_CONTENT_BYTES {
        return None;
    }
    let article = Readability::new(html, None, Some(Config::default())).ok()?.parse().ok()?;
    let document = Document::from(article.content);
    Weight::of(&document).is_most_of(&all).then_some(document)
}

/// How much there is to read. Text of links does not count: menus and lists of other pages are made of it.
struct Weight {
    characters: usize,
    table_rows: usize,
}

impl Weight {
    fn of(document: &Document) -> Self {
        let count = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        let in_links: usize = document.select("a").iter().map(|link| count(&link.text())).sum();
        let root = document.body().unwrap_or_else(|| document.root());
        Self {
            characters: count(&root.text()).saturating_sub(in_links),
            table_rows: document.select("td + td").length(),
        }
    }

    fn is_most_of(&self, all: &Self) -> bool {
        let share = |part: usize, whole: usize| if whole == 0 { 1.0 } else { part as f32 / whole as f32 };
        share(self.characters, all.characters) >= MIN_MAIN_CONTENT_SHARE
            && share(self.table_rows, all.table_rows) >= MIN_TABLE_SHARE
    }
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
    fn what_the_page_marks_as_its_content_is_read_alone() {
        let links = "<div class=box><a href=x>Other page</a> <a href=y>Another page</a></div>".repeat(20);
        let html = format!(
            "<html><body>{links}<main><h1>Pumps</h1><p>They move water.</p></main>{links}</body></html>"
        );
        assert_eq!(
            shapes(&html),
            [
                (BlockKind::Heading { level: 1 }, "Pumps".to_owned()),
                (BlockKind::Paragraph, "They move water.".to_owned())
            ]
        );
    }

    #[test]
    fn a_page_of_a_table_keeps_it_beside_much_text() {
        let rows = "<tr><td>P1</td><td>5 bar</td></tr>".repeat(30);
        let text =
            "<p>This paragraph is long enough to be taken for an article by whoever looks for one.</p>"
                .repeat(20);
        let html =
            format!("<html><body><article>{text}</article><div><table>{rows}</table></div></body></html>");
        assert!(shapes(&html).iter().any(|(kind, _)| matches!(kind, BlockKind::Table { .. })));
    }

    #[test]
    fn pictures_say_what_they_show() {
        let html = "<body><p>before</p><img alt='A pump with two valves' src=a.png><p>see <img alt='icon' src=b> here</p><img alt='' src=c></body>";
        assert_eq!(
            shapes(html),
            [
                (BlockKind::Paragraph, "before".to_owned()),
                (BlockKind::Figure, "A pump with two valves".to_owned()),
                (BlockKind::Paragraph, "see icon here".to_owned()),
            ]
        );
    }

    #[test]
    fn a_page_says_who_wrote_it_when() {
        let html = "<html lang=zh><head><title>泵 - 网站</title><meta property='og:title' content='泵'><meta name=keywords content='泵，阀'>\
            <meta property='article:published_time' content='2024-01-01'></head><body><p>x</p></body></html>";
        let document = parse(html.as_bytes(), &ParseOptions::default()).unwrap();
        assert_eq!(document.title.as_deref(), Some("泵"));
        assert_eq!(document.metadata.keywords, ["泵", "阀"]);
        assert_eq!(document.metadata.created.as_deref(), Some("2024-01-01"));
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
