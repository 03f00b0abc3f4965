//! Kinds of text, told apart by marks that other kinds do not have; the name decides where there are none.

use crate::parse::encoding;
use crate::parse::format::{Family, Format};
use crate::parse::source::languages;

/// How much of a text is looked at.
const SAMPLE_BYTES: usize = 64 * 1024;
/// Longest header block of a message that is looked at (lines).
const MAX_HEADER_LINES: usize = 400;
/// So many of the fields that only messages have make a text a message.
const MIN_MAIL_FIELDS: usize = 3;

/// The format of a file that is characters.
pub(super) fn text_format(data: &[u8], file_name: &str) -> Format {
    let sample = encoding::decode(&data[..data.len().min(SAMPLE_BYTES)]).text;
    let whole = data.len() <= SAMPLE_BYTES;
    let promised = Format::by_name(file_name);
    if is_html_document(&sample) {
        return Format::Html;
    }
    if let Some(format) = mail_format(&sample, promised) {
        return format;
    }
    match promised {
        Some(Format::Html) if contains_html_tags(&sample) => Format::Html,
        Some(Format::Json | Format::JsonLines) => {
            json_format(data, &sample, whole).unwrap_or(Format::SourceCode)
        }
        Some(Format::Xml) if begins_with_element(&sample) => Format::Xml,
        Some(format @ (Format::Csv | Format::Tsv | Format::Markdown | Format::SourceCode)) => format,
        _ => by_content(data, &sample, whole, promised, file_name),
    }
}

fn by_content(data: &[u8], sample: &str, whole: bool, promised: Option<Format>, file_name: &str) -> Format {
    if sample.trim_start().starts_with("<?xml") && begins_with_element(sample) {
        return Format::Xml;
    }
    if let Some(format) = json_format(data, sample, whole) {
        return format;
    }
    if languages::by_first_line(sample).is_some() {
        return Format::SourceCode;
    }
    // A name that promises text of some kind is believed; one that promises nothing leaves it to the content.
    let names_text = promised.is_some_and(|format| format.family() == Family::Text);
    let has_unknown_ending = promised.is_none() && file_name.contains('.');
    if !names_text && !has_unknown_ending && looks_like_markdown(sample) {
        return Format::Markdown;
    }
    Format::PlainText
}

/// Whether the text begins as an HTML document does, comments and an XML declaration aside.
fn is_html_document(text: &str) -> bool {
    let head: String = behind_prolog(text).chars().take(16).collect::<String>().to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body"].iter().any(|start| head.starts_with(start))
}

/// What follows white space, comments and an XML declaration.
fn behind_prolog(text: &str) -> &str {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let skipped = if rest.starts_with("<!--") {
            rest.find("-->").map(|end| end + 3)
        } else if rest.starts_with("<?") {
            rest.find("?>").map(|end| end + 2)
        } else {
            None
        };
        match skipped {
            Some(end) => rest = rest[end..].trim_start(),
            None => return rest,
        }
    }
}

fn begins_with_element(text: &str) -> bool {
    let mut characters = behind_prolog(text).chars();
    characters.next() == Some('<')
        && characters.next().is_some_and(|c| c.is_alphabetic() || matches!(c, '!' | '_' | '?'))
}

fn contains_html_tags(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["<p", "<div", "<h1", "<h2", "<table", "<br", "<ul", "<a ", "<span", "<body", "<html"]
        .iter()
        .any(|tag| lower.contains(tag))
}

/// JSON and lines of JSON: the whole file where it is small, its beginning where it is not.
fn json_format(data: &[u8], sample: &str, whole: bool) -> Option<Format> {
    let trimmed = sample.trim_start_matches('\u{feff}').trim();
    if !trimmed.starts_with(['{', '[']) {
        return None;
    }
    let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let lines: Vec<&str> = trimmed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // The last line of a sample may be cut.
    let sure = if whole { lines.len() } else { lines.len().saturating_sub(1) };
    let is_record = |line: &&str| line.starts_with(['{', '[']) && is_json(line);
    if sure >= 2 && lines[..sure].iter().all(is_record) {
        return Some(Format::JsonLines);
    }
    let text = encoding::decode(data).text;
    is_json(text.trim_start_matches('\u{feff}').trim()).then_some(Format::Json)
}

/// A message, a mailbox or a saved page: they begin with a block of fields.
fn mail_format(sample: &str, promised: Option<Format>) -> Option<Format> {
    let text = sample.trim_start_matches(['\u{feff}', '\n', '\r']);
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let fields = |text: &str| Fields::read(text);
    // Each message of a mailbox begins with a line `From address date`.
    if first.starts_with("From ") && fields(rest).mail >= 2 {
        return Some(Format::Mbox);
    }
    let found = fields(text);
    let expects_mail = matches!(promised, Some(Format::Eml | Format::Mhtml | Format::Mbox));
    let is_message = if expects_mail {
        found.all >= 1
    } else {
        found.mail >= MIN_MAIL_FIELDS && (found.transport || promised.is_none())
    };
    if !is_message {
        return None;
    }
    let is_saved_page = found.saved_page || promised == Some(Format::Mhtml);
    Some(if is_saved_page { Format::Mhtml } else { Format::Eml })
}

/// The block of fields that a message begins with.
#[derive(Debug, Default)]
struct Fields {
    all: usize,
    /// Those that messages have.
    mail: usize,
    /// One that only a mail program writes stands among them.
    transport: bool,
    saved_page: bool,
}

impl Fields {
    fn read(text: &str) -> Self {
        let mut fields = Self::default();
        for line in text.lines().take(MAX_HEADER_LINES) {
            if line.trim().is_empty() {
                return fields;
            }
            if line.starts_with([' ', '\t']) && fields.all > 0 {
                continue;
            }
            let Some((name, _)) = line.split_once(':') else { return Self::default() };
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if name.is_empty() || !name.bytes().all(plain) {
                return Self::default();
            }
            fields.count(&name.to_ascii_lowercase());
        }
        fields
    }

    fn count(&mut self, name: &str) {
        self.all += 1;
        let transport = matches!(
            name,
            "received"
                | "return-path"
                | "message-id"
                | "mime-version"
                | "delivered-to"
                | "content-type"
                | "dkim-signature"
                | "x-mailer"
                | "content-transfer-encoding"
        );
        self.transport |= transport;
        self.saved_page |= name == "snapshot-content-location";
        let common =
            matches!(name, "from" | "to" | "cc" | "subject" | "date" | "reply-to" | "sender" | "in-reply-to");
        self.mail += usize::from(transport || common);
    }
}

/// A text without a telling name is Markdown when at least two kinds of Markdown's marks stand in it.
fn looks_like_markdown(text: &str) -> bool {
    let mut heading = false;
    let mut fence = false;
    let mut table = false;
    for line in text.lines() {
        let hashes = line.bytes().take_while(|&byte| byte == b'#').count();
        heading |= (1..=6).contains(&hashes) && line[hashes..].starts_with(' ');
        fence |= line.starts_with("```");
        table |= line.starts_with('|') && line.contains("---");
    }
    let link = text.contains("](");
    [heading, fence, table, link].into_iter().filter(|&mark| mark).count() >= 2
}
