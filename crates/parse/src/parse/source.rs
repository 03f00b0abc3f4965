//! Program text: as it is, cut before its functions, types and sections, each with its first line as a heading, so that a
//! passage says which function it is of. Comments before a declaration go with it.

pub(super) mod languages;

use super::ParseOptions;
use super::builder::DocumentBuilder;
use super::encoding;
use super::failure::ParseFailure;
use super::format::Format;
use crate::document::{Block, BlockKind, ParsedDocument};

/// Longer lines name nothing.
const MAX_DECLARATION_BYTES: usize = 300;
/// Longer names of declarations are cut.
const MAX_NAME_CHARACTERS: usize = 100;
/// Words that begin a declaration, after those that only qualify it.
const KEYWORDS: [&str; 22] = [
    "fn",
    "def",
    "class",
    "function",
    "func",
    "struct",
    "enum",
    "trait",
    "impl",
    "interface",
    "module",
    "mod",
    "namespace",
    "object",
    "protocol",
    "extension",
    "procedure",
    "sub",
    "record",
    "macro_rules!",
    "message",
    "service",
];
/// Words that may stand before those.
const QUALIFIERS: [&str; 20] = [
    "pub",
    "pub(crate)",
    "pub(super)",
    "export",
    "default",
    "async",
    "public",
    "private",
    "protected",
    "internal",
    "static",
    "final",
    "abstract",
    "sealed",
    "open",
    "data",
    "const",
    "unsafe",
    "virtual",
    "partial",
];
/// The same for statements that define a database.
const SQL_OBJECTS: [&str; 7] = ["table", "view", "index", "function", "procedure", "trigger", "type"];

pub(super) fn parse(
    data: &[u8],
    file_name: &str,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let decoded = encoding::decode(data);
    let mut builder = DocumentBuilder::new(Format::SourceCode.media_type(), &options.limits);
    decoded.report(builder.document());
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    let language = languages::by_name(name).or_else(|| languages::by_first_line(&decoded.text));
    builder.document().metadata.subject = language.map(str::to_owned);
    let text = decoded.text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.split('\n').collect();
    for section in sections(&lines, language) {
        if builder.is_full() {
            break;
        }
        if let Some(name) = section.name {
            builder.push(Block::new(BlockKind::Heading { level: section.level }, name, None));
        }
        let code = lines[section.lines].join("\n");
        let kind = BlockKind::Code { language: language.map(str::to_owned) };
        builder.push(Block::new(kind, code.trim_matches('\n').replace('\0', ""), None));
    }
    Ok(builder.finish())
}

/// A run of lines under a declaration; the first may have none.
struct Section {
    name: Option<String>,
    level: u8,
    lines: std::ops::Range<usize>,
}

fn sections(lines: &[&str], language: Option<&str>) -> Vec<Section> {
    let mut sections = vec![Section { name: None, level: 1, lines: 0..0 }];
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = declaration(line, language) else { continue };
        let begin = first_line_of(lines, index);
        let level = if line.starts_with([' ', '\t']) { 3 } else { 2 };
        if let Some(last) = sections.last_mut() {
            last.lines.end = begin.max(last.lines.start);
        }
        let begin = sections.last().map_or(begin, |last| last.lines.end);
        sections.push(Section { name: Some(name), level, lines: begin..begin });
    }
    if let Some(last) = sections.last_mut() {
        last.lines.end = lines.len();
    }
    // A declaration alone on its lines (a forward one) still is a section; an empty beginning is none.
    sections.retain(|section| lines[section.lines.clone()].iter().any(|line| !line.trim().is_empty()));
    sections
}

/// The comments and attributes above a declaration belong to it.
fn first_line_of(lines: &[&str], declaration: usize) -> usize {
    let belongs = |line: &str| {
        let line = line.trim_start();
        ["//", "#", "/*", "*", "--", "@", "\"\"\"", "<!--", ";;", "%"]
            .iter()
            .any(|mark| line.starts_with(mark))
    };
    let above = lines[..declaration].iter().rev().take_while(|line| belongs(line)).count();
    declaration - above
}

/// What a line declares: `fn parse`, `class Pump`, `CREATE TABLE pumps`, `[section]`.
fn declaration(line: &str, language: Option<&str>) -> Option<String> {
    if line.len() > MAX_DECLARATION_BYTES {
        return None;
    }
    let text = line.trim_start();
    let is_nested = text.len() < line.len();
    match language? {
        "ini" | "toml" | "properties" => (text.starts_with('[') && text.ends_with(']')).then(|| named(text)),
        "latex" => {
            let (command, title) = text.strip_prefix('\\')?.split_once('{')?;
            let is_section = ["chapter", "section", "subsection", "subsubsection", "title"]
                .contains(&command.trim_end_matches('*'));
            is_section.then(|| named(title.trim_end_matches('}')))
        }
        "sql" => sql_declaration(text),
        "yaml" | "css" | "scss" | "less" | "diff" | "bibtex" | "json5" | "makefile" | "dockerfile"
        | "gitignore" => None,
        "bash" | "fish" if !is_nested => {
            let name = text
                .split_once("()")
                .map(|(name, _)| name)
                .or_else(|| text.strip_prefix("function ")?.split([' ', '{']).next())?;
            (!name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ')))
                .then(|| named(name))
        }
        _ => {
            let mut words = text.split_whitespace().skip_while(|word| QUALIFIERS.contains(word));
            let keyword = words.next()?;
            let keyword = keyword.split(['<', '(']).next().unwrap_or(keyword);
            words.next()?;
            KEYWORDS.contains(&keyword).then(|| named(text))
        }
    }
}

fn sql_declaration(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split_whitespace();
    if !matches!(words.next()?, "create" | "alter") {
        return None;
    }
    words.take(4).any(|word| SQL_OBJECTS.contains(&word)).then(|| named(text))
}

/// The declaration without its body and its parameters.
fn named(text: &str) -> String {
    let text = text.trim_matches(['[', ']']).split(['{', '(', '=', ';']).next().unwrap_or(text);
    let text = text.trim().trim_end_matches(':').trim_end();
    text.chars().take(MAX_NAME_CHARACTERS).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shapes(source: &str, name: &str) -> Vec<(BlockKind, String)> {
        let document = parse(source.as_bytes(), name, &ParseOptions::default()).unwrap();
        document.blocks.into_iter().map(|block| (block.kind, block.text)).collect()
    }

    fn code(language: &str, text: &str) -> (BlockKind, String) {
        (BlockKind::Code { language: Some(language.to_owned()) }, text.to_owned())
    }

    fn heading(level: u8, text: &str) -> (BlockKind, String) {
        (BlockKind::Heading { level }, text.to_owned())
    }

    #[test]
    fn functions_are_sections_with_their_comments() {
        let source = "use std::io;\n\n/// Reads.\npub fn read(path: &Path) -> u8 {\n    1\n}\n\n#[derive(Debug)]\nstruct Pump {\n    rate: u8,\n}\n";
        assert_eq!(
            shapes(source, "src/a.rs"),
            [
                code("rust", "use std::io;"),
                heading(2, "pub fn read"),
                code("rust", "/// Reads.\npub fn read(path: &Path) -> u8 {\n    1\n}"),
                heading(2, "struct Pump"),
                code("rust", "#[derive(Debug)]\nstruct Pump {\n    rate: u8,\n}"),
            ]
        );
    }

    #[test]
    fn methods_stand_under_their_class() {
        let source = "class Pump:\n    def start(self):\n        pass\n";
        assert_eq!(
            shapes(source, "a.py"),
            [
                heading(2, "class Pump"),
                code("python", "class Pump:"),
                heading(3, "def start"),
                code("python", "    def start(self):\n        pass"),
            ]
        );
    }

    #[test]
    fn settings_and_databases_have_sections_too() {
        assert_eq!(
            shapes("[server]\nport = 1\n", "a.toml"),
            [heading(2, "server"), code("toml", "[server]\nport = 1")]
        );
        assert_eq!(
            shapes("CREATE TABLE pumps (id INT);\n", "a.sql"),
            [heading(2, "CREATE TABLE pumps"), code("sql", "CREATE TABLE pumps (id INT);")]
        );
    }

    #[test]
    fn text_in_no_known_language_is_one_block() {
        assert_eq!(shapes("{\n  a: 1, // no JSON\n}", "a.json").len(), 1);
    }
}
