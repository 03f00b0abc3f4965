//! Markdown (CommonMark with tables, footnotes and front matter) and MDX, whose imports and component tags are left
//! out while the text between the tags stays.

mod blocks;
mod front_matter;
mod mdx;

use super::ParseOptions;
use super::builder::DocumentBuilder;
use super::encoding;
use super::failure::ParseFailure;
use super::format::Format;
use crate::clean;
use crate::document::{Block, BlockKind, ParsedDocument};
use front_matter::FrontMatter;

pub(super) fn parse(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let decoded = encoding::decode(data);
    let mut builder = DocumentBuilder::new(Format::Markdown.media_type(), &options.limits);
    decoded.report(builder.document());
    let source = clean::normalise(&decoded.text.replace("\r\n", "\n"));
    let (front_matter, body) = FrontMatter::split(&source);
    // Sites show these above the text; often they stand nowhere else.
    let title = front_matter.text(&["title"]);
    if let Some(title) = &title {
        builder.push(Block::new(BlockKind::Heading { level: 1 }, title.clone(), None));
    }
    if let Some(description) = front_matter.text(&["description", "intro", "summary"]) {
        builder.push(Block::new(BlockKind::Paragraph, description, None));
    }
    let begins_with = title.is_some();
    read_source(body, &mut builder);
    let document = builder.document();
    front_matter.describe(&mut document.metadata);
    let same = |block: &Block| {
        matches!(block.kind, BlockKind::Heading { .. }) && Some(&block.text) == title.as_ref()
    };
    if begins_with && document.blocks.iter().filter(|block| same(block)).count() > 1 {
        document.blocks.remove(0);
    }
    document.title = title.or_else(|| {
        let first =
            document.blocks.iter().find(|block| matches!(block.kind, BlockKind::Heading { level: 1 }))?;
        Some(first.text.clone())
    });
    Ok(builder.finish())
}

/// Markdown inside of something else: a cell of a notebook.
pub(super) fn read_text(source: &str, builder: &mut DocumentBuilder) {
    read_source(&clean::normalise(&source.replace("\r\n", "\n")), builder);
}

fn read_source(source: &str, builder: &mut DocumentBuilder) {
    let source = mdx::without_component_tags(&mdx::without_module_lines(source));
    blocks::read(&source, builder);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shapes(source: &str) -> Vec<(BlockKind, String)> {
        let document = parse(source.as_bytes(), &ParseOptions::default()).unwrap();
        document.blocks.into_iter().map(|block| (block.kind, block.text)).collect()
    }

    #[test]
    fn structure_is_kept_and_marks_are_not() {
        let source = "---\ntitle: \"Guide\"\n---\n# One {#one}\n\nSome *text* with `code` and a [link](http://x).\nNext line.\n\n\
            1. first\n   - inner\n2. second\n\n```rust\nlet a = 1;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
        assert_eq!(
            shapes(source),
            [
                (BlockKind::Heading { level: 1 }, "Guide".to_owned()),
                (BlockKind::Heading { level: 1 }, "One".to_owned()),
                (BlockKind::Paragraph, "Some text with code and a link. Next line.".to_owned()),
                (BlockKind::ListItem { depth: 0 }, "1. first".to_owned()),
                (BlockKind::ListItem { depth: 1 }, "- inner".to_owned()),
                (BlockKind::ListItem { depth: 0 }, "2. second".to_owned()),
                (BlockKind::Code { language: Some("rust".to_owned()) }, "let a = 1;".to_owned()),
                (
                    BlockKind::Table {
                        rows: vec![vec!["a".into(), "b".into()], vec!["1".into(), "2".into()]],
                        header_rows: 1
                    },
                    "a | b\n1 | 2".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn lines_of_chinese_join_without_a_space() {
        assert_eq!(shapes("这是第一行\n第二行")[0].1, "这是第一行第二行");
    }

    #[test]
    fn mdx_loses_its_code_and_keeps_its_text() {
        let source = "import { Callout } from 'x'\nexport const a = {\n  b: 1,\n}\n\n# Title\n\n<Callout type=\"info\" onClick={() => a > b}>\n\
            Inside **text**\n</Callout>\n\n```js\nimport kept from 'y'\n```\n";
        assert_eq!(
            shapes(source),
            [
                (BlockKind::Heading { level: 1 }, "Title".to_owned()),
                (BlockKind::Paragraph, "Inside text".to_owned()),
                (BlockKind::Code { language: Some("js".to_owned()) }, "import kept from 'y'".to_owned()),
            ]
        );
    }

    #[test]
    fn html_is_read_as_html() {
        let source = "# A\n\n<table>\n<tr><th>k</th><th>v</th></tr>\n<tr><td>a</td><td>1</td></tr>\n</table>\n\n\
            <details><summary>More</summary>\n\nHidden *text*.\n\n</details>\n\nLine<br>two <kbd>x</kbd>\n";
        let texts: Vec<String> = shapes(source).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["A", "k | v\na | 1", "More", "Hidden text.", "Line two x"]);
    }

    #[test]
    fn footnotes_and_tasks() {
        let source = "Text[^1].\n\n- [x] done\n- [ ] open\n\n[^1]: The note.\n";
        assert_eq!(
            shapes(source),
            [
                (BlockKind::Paragraph, "Text[^1].".to_owned()),
                (BlockKind::ListItem { depth: 0 }, "- [x] done".to_owned()),
                (BlockKind::ListItem { depth: 0 }, "- [ ] open".to_owned()),
                (BlockKind::Footnote, "[^1]: The note.".to_owned()),
            ]
        );
    }

    #[test]
    fn front_matter_is_facts_and_no_text() {
        for source in [
            "---\ntitle: Guide\ndate: 2024-01-02\nauthor: Ann\ntags: [pump, 'valve']\nlayout: x\n---\nBody.\n",
            "---\ntitle: 'Guide'\ndate: 2024-01-02 # when\nauthors:\n  - Ann\ntags:\n- pump\n- valve\n---\nBody.\n",
            "+++\ntitle = \"Guide\"\ndate = 2024-01-02\nauthor = \"Ann\"\ntags = [\"pump\", \"valve\"]\n+++\nBody.\n",
        ] {
            let document = parse(source.as_bytes(), &ParseOptions::default()).unwrap();
            let texts: Vec<&str> = document.blocks.iter().map(|block| block.text.as_str()).collect();
            assert_eq!(texts, ["Guide", "Body."], "{source}");
            assert_eq!(document.metadata.created.as_deref(), Some("2024-01-02"), "{source}");
            assert_eq!(document.metadata.author.as_deref(), Some("Ann"), "{source}");
            assert_eq!(document.metadata.keywords, ["pump", "valve"], "{source}");
        }
    }

    #[test]
    fn the_title_comes_from_front_matter_or_the_first_heading() {
        let title = |source: &str| parse(source.as_bytes(), &ParseOptions::default()).unwrap().title;
        assert_eq!(title("---\ntitle: A\n---\n# B\n").as_deref(), Some("A"));
        assert_eq!(title("text\n\n# B\n").as_deref(), Some("B"));
        assert_eq!(title("text\n"), None);
    }
}
