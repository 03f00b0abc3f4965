//! The kinds of files there are: one table, from which names, labels and media types follow.

use super::source::languages;

/// Formats that are read alike, or that are the same thing to the person who wrote the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    Pdf,
    Document,
    Presentation,
    Spreadsheet,
    Web,
    /// Text without a structure that a machine has to read.
    Text,
    /// Text with one: JSON, XML.
    Data,
    Code,
    Book,
    Mail,
    Archive,
    Picture,
}

/// A kind of file. Those that no parser is for are named too, so that a refusal can say what the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Pdf,
    Docx,
    Doc,
    Odt,
    Rtf,
    Pptx,
    Ppt,
    Odp,
    Xlsx,
    Xls,
    Xlsb,
    Ods,
    Csv,
    Tsv,
    Html,
    Mhtml,
    Markdown,
    PlainText,
    Json,
    JsonLines,
    Xml,
    SourceCode,
    Epub,
    Eml,
    Msg,
    Mbox,
    Zip,
    Tar,
    Gzip,
    Bzip2,
    Xz,
    Png,
    Jpeg,
    Tiff,
    Bmp,
    WebP,
    Gif,
}

/// What is known of a format without looking into a file.
struct Facts {
    format: Format,
    family: Family,
    media_type: &'static str,
    label: &'static str,
    /// In lower case. An ending stands with one format only.
    extensions: &'static [&'static str],
}

const fn facts(
    format: Format,
    family: Family,
    media_type: &'static str,
    label: &'static str,
    extensions: &'static [&'static str],
) -> Facts {
    Facts { format, family, media_type, label, extensions }
}

/// In the order of [`Format`]'s variants (a test compares), so that a format's number is its place.
const TABLE: [Facts; 37] = [
    facts(Format::Pdf, Family::Pdf, "application/pdf", "PDF", &["pdf"]),
    facts(
        Format::Docx,
        Family::Document,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "Word document",
        &["docx", "docm", "dotx", "dotm"],
    ),
    facts(Format::Doc, Family::Document, "application/msword", "Word 97-2003 document", &["doc", "dot"]),
    facts(
        Format::Odt,
        Family::Document,
        "application/vnd.oasis.opendocument.text",
        "OpenDocument text",
        &["odt", "ott", "fodt"],
    ),
    facts(Format::Rtf, Family::Document, "application/rtf", "rich text", &["rtf"]),
    facts(
        Format::Pptx,
        Family::Presentation,
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "PowerPoint presentation",
        &["pptx", "pptm", "ppsx", "ppsm", "potx", "potm"],
    ),
    facts(
        Format::Ppt,
        Family::Presentation,
        "application/vnd.ms-powerpoint",
        "PowerPoint 97-2003 presentation",
        &["ppt", "pps", "pot"],
    ),
    facts(
        Format::Odp,
        Family::Presentation,
        "application/vnd.oasis.opendocument.presentation",
        "OpenDocument presentation",
        &["odp", "otp", "fodp"],
    ),
    facts(
        Format::Xlsx,
        Family::Spreadsheet,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "Excel workbook",
        &["xlsx", "xlsm", "xltx", "xltm"],
    ),
    facts(
        Format::Xls,
        Family::Spreadsheet,
        "application/vnd.ms-excel",
        "Excel 97-2003 workbook",
        &["xls", "xlt"],
    ),
    facts(
        Format::Xlsb,
        Family::Spreadsheet,
        "application/vnd.ms-excel.sheet.binary.macroenabled.12",
        "Excel binary workbook",
        &["xlsb"],
    ),
    facts(
        Format::Ods,
        Family::Spreadsheet,
        "application/vnd.oasis.opendocument.spreadsheet",
        "OpenDocument spreadsheet",
        &["ods", "ots", "fods"],
    ),
    facts(Format::Csv, Family::Spreadsheet, "text/csv", "table of values", &["csv"]),
    facts(
        Format::Tsv,
        Family::Spreadsheet,
        "text/tab-separated-values",
        "tab-separated table",
        &["tsv", "tab"],
    ),
    facts(Format::Html, Family::Web, "text/html", "HTML", &["html", "htm", "xhtml", "shtml"]),
    facts(Format::Mhtml, Family::Web, "multipart/related", "saved web page", &["mhtml", "mht"]),
    facts(
        Format::Markdown,
        Family::Text,
        "text/markdown",
        "Markdown",
        &["md", "mdx", "markdown", "mkd", "mdown", "qmd", "rmd"],
    ),
    facts(
        Format::PlainText,
        Family::Text,
        "text/plain",
        "plain text",
        &["txt", "text", "log", "rst", "adoc", "asciidoc", "org", "srt", "vtt", "ics", "vcf", "nfo"],
    ),
    facts(
        Format::Json,
        Family::Data,
        "application/json",
        "JSON",
        &["json", "geojson", "jsonld", "ipynb", "webmanifest"],
    ),
    facts(
        Format::JsonLines,
        Family::Data,
        "application/jsonl",
        "lines of JSON",
        &["jsonl", "ndjson", "ldjson"],
    ),
    facts(
        Format::Xml,
        Family::Data,
        "application/xml",
        "XML",
        &[
            "xml", "nxml", "xsd", "xsl", "xslt", "svg", "rss", "atom", "dbk", "docbook", "dita", "opml",
            "kml", "gpx", "wsdl", "plist",
        ],
    ),
    // The endings of program text are in the table of languages.
    facts(Format::SourceCode, Family::Code, "text/x-source", "source code", &[]),
    facts(Format::Epub, Family::Book, "application/epub+zip", "EPUB book", &["epub"]),
    facts(Format::Eml, Family::Mail, "message/rfc822", "e-mail message", &["eml"]),
    facts(Format::Msg, Family::Mail, "application/vnd.ms-outlook", "Outlook message", &["msg", "oft"]),
    facts(Format::Mbox, Family::Mail, "application/mbox", "mailbox", &["mbox", "mbx"]),
    facts(Format::Zip, Family::Archive, "application/zip", "ZIP archive", &["zip"]),
    facts(Format::Tar, Family::Archive, "application/x-tar", "tar archive", &["tar"]),
    facts(Format::Gzip, Family::Archive, "application/gzip", "gzip archive", &["gz", "tgz"]),
    facts(Format::Bzip2, Family::Archive, "application/x-bzip2", "bzip2 archive", &["bz2", "tbz", "tbz2"]),
    facts(Format::Xz, Family::Archive, "application/x-xz", "xz archive", &["xz", "txz"]),
    facts(Format::Png, Family::Picture, "image/png", "PNG picture", &["png"]),
    facts(Format::Jpeg, Family::Picture, "image/jpeg", "JPEG picture", &["jpg", "jpeg", "jpe", "jfif"]),
    facts(Format::Tiff, Family::Picture, "image/tiff", "TIFF picture", &["tif", "tiff"]),
    facts(Format::Bmp, Family::Picture, "image/bmp", "BMP picture", &["bmp", "dib"]),
    facts(Format::WebP, Family::Picture, "image/webp", "WebP picture", &["webp"]),
    facts(Format::Gif, Family::Picture, "image/gif", "GIF picture", &["gif"]),
];

impl Format {
    /// All formats.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|facts| facts.format)
    }

    fn facts(self) -> &'static Facts {
        &TABLE[self as usize]
    }

    pub fn family(self) -> Family {
        self.facts().family
    }

    pub fn media_type(self) -> &'static str {
        self.facts().media_type
    }

    /// For people.
    pub fn label(self) -> &'static str {
        self.facts().label
    }

    /// The endings of names, in lower case, the usual one first; none for [`Self::SourceCode`], which has hundreds.
    pub fn extensions(self) -> &'static [&'static str] {
        self.facts().extensions
    }

    /// Whether the file is characters, which a text editor shows as they are.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv | Self::Eml | Self::Mbox | Self::Mhtml)
            || matches!(self.family(), Family::Text | Family::Data | Family::Code)
            || self == Self::Html
    }

    /// The format that a name's ending stands for, if it stands for one of ours.
    pub fn by_name(file_name: &str) -> Option<Self> {
        let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let by_extension = extension.and_then(|extension| {
            let known = |facts: &&Facts| facts.extensions.contains(&extension.as_str());
            TABLE.iter().find(known).map(|facts| facts.format)
        });
        by_extension.or_else(|| languages::by_name(name).map(|_| Self::SourceCode))
    }

    /// The format with this media type; parameters such as `; charset=` do not count.
    pub fn by_media_type(media_type: &str) -> Option<Self> {
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        TABLE.iter().find(|facts| facts.media_type == essence).map(|facts| facts.format)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_formats_number_is_its_place_in_the_table() {
        for (index, facts) in TABLE.iter().enumerate() {
            assert_eq!(facts.format as usize, index, "{:?}", facts.format);
        }
    }

    #[test]
    fn an_ending_and_a_media_type_stand_for_one_format() {
        let mut seen = HashSet::new();
        for facts in &TABLE {
            assert!(seen.insert(facts.media_type), "{}", facts.media_type);
            for extension in facts.extensions {
                assert!(seen.insert(extension), "{extension}");
                assert_eq!(Format::by_name(&format!("a.{}", extension.to_uppercase())), Some(facts.format));
            }
        }
    }

    #[test]
    fn names_stand_for_formats() {
        for (name, format) in [
            ("dir.d/report.PDF", Some(Format::Pdf)),
            ("main.rs", Some(Format::SourceCode)),
            ("Makefile", Some(Format::SourceCode)),
            ("logs.tar.gz", Some(Format::Gzip)),
            ("README", None),
            ("a.unknown", None),
        ] {
            assert_eq!(Format::by_name(name), format, "{name}");
        }
    }
}
