//! Outlook's messages: a compound file whose streams are named by the number and type of the property they hold
//! ([MS-OXMSG]).

use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Body, Envelope, MAX_DEPTH};
use crate::document::ParsedDocument;
use crate::parse::ParseOptions;
use crate::parse::builder::DocumentBuilder;
use crate::parse::encoding;
use crate::parse::failure::ParseFailure;
use crate::parse::format::Format;

/// Properties, by their numbers in [MS-OXPROPS].
mod property {
    pub(super) const SUBJECT: u16 = 0x0037;
    pub(super) const SENT: u16 = 0x0039;
    pub(super) const SENDER_NAME: u16 = 0x0c1a;
    pub(super) const SENDER_ADDRESS: u16 = 0x0c1f;
    pub(super) const SENDER_SMTP: u16 = 0x5d01;
    pub(super) const DISPLAY_TO: u16 = 0x0e04;
    pub(super) const DISPLAY_CC: u16 = 0x0e03;
    pub(super) const DELIVERED: u16 = 0x0e06;
    pub(super) const BODY: u16 = 0x1000;
    pub(super) const HTML: u16 = 0x1013;
    pub(super) const CODE_PAGE: u16 = 0x3fde;
    pub(super) const ATTACHED_DATA: u16 = 0x3701;
    pub(super) const ATTACHED_NAME: u16 = 0x3704;
    pub(super) const ATTACHED_LONG_NAME: u16 = 0x3707;
    pub(super) const ATTACHMENT_HIDDEN: u16 = 0x7ffe;
}

/// Types of properties.
const UNICODE: u16 = 0x001f;
const EIGHT_BIT: u16 = 0x001e;
const BINARY: u16 = 0x0102;
const OBJECT: u16 = 0x000d;
/// Bytes before the first property of a message in a file, and of one inside another.
const TOP_HEADER_BYTES: usize = 32;
const INNER_HEADER_BYTES: usize = 24;
const ATTACHMENT_HEADER_BYTES: usize = 8;
/// Seconds from 1601 to 1970, and ticks of 100 ns in a second.
const EPOCH_DIFFERENCE_SECONDS: i64 = 11_644_473_600;
const TICKS_PER_SECOND: u64 = 10_000_000;

pub(in crate::parse) fn parse(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let mut builder = DocumentBuilder::new(Format::Msg.media_type(), &options.limits);
    let file = cfb::CompoundFile::open(Cursor::new(data))
        .map_err(|error| ParseFailure::damaged(format!("the message cannot be opened: {error}")))?;
    let mut message = Store { file, max_bytes: data.len() as u64 };
    message.envelope(Path::new("/"), TOP_HEADER_BYTES).describe(&mut builder);
    message.read(Path::new("/"), TOP_HEADER_BYTES, 1, "", &mut builder);
    Ok(builder.finish())
}

struct Store<'a> {
    file: cfb::CompoundFile<Cursor<&'a [u8]>>,
    /// No stream is longer than the file.
    max_bytes: u64,
}

impl Store<'_> {
    fn read(
        &mut self,
        folder: &Path,
        header_bytes: usize,
        level: u8,
        prefix: &str,
        builder: &mut DocumentBuilder,
    ) {
        self.envelope(folder, header_bytes).push(level, builder);
        let code_page =
            self.fixed(folder, header_bytes, property::CODE_PAGE).map(|value| value as u32 as u16);
        let html = self
            .bytes(folder, property::HTML, BINARY)
            .map(|bytes| encoding::decode_declared(&bytes, code_page.and_then(codepage_encoding)).text);
        let html = html.or_else(|| self.text(folder, property::HTML));
        Body { plain: self.text(folder, property::BODY), html }.push(builder);
        for (index, attachment) in self.storages(folder, "__attach_version1.0_").into_iter().enumerate() {
            self.attach(&attachment, index, level, prefix, builder);
        }
    }

    fn attach(
        &mut self,
        folder: &Path,
        index: usize,
        level: u8,
        prefix: &str,
        builder: &mut DocumentBuilder,
    ) {
        let inner = folder.join(format!("__substg1.0_{:04X}{OBJECT:04X}", property::ATTACHED_DATA));
        if self.file.is_storage(&inner) {
            if level < MAX_DEPTH {
                self.read(&inner, INNER_HEADER_BYTES, level + 1, &format!("{prefix}{}/", index + 1), builder);
            } else {
                builder.leave_out();
            }
            return;
        }
        let Some(bytes) = self.bytes(folder, property::ATTACHED_DATA, BINARY) else { return };
        let hidden = self.fixed(folder, ATTACHMENT_HEADER_BYTES, property::ATTACHMENT_HIDDEN);
        if hidden.is_some_and(|value| value & 0xff != 0) && bytes.len() < super::MIN_INLINE_PICTURE_BYTES {
            return;
        }
        let name = self
            .text(folder, property::ATTACHED_LONG_NAME)
            .or_else(|| self.text(folder, property::ATTACHED_NAME))
            .map(|name| name.replace(['/', '\\'], "_"))
            .unwrap_or_else(|| format!("attachment-{}", index + 1));
        builder.embed(format!("{prefix}{name}"), bytes);
    }

    fn envelope(&mut self, folder: &Path, header_bytes: usize) -> Envelope {
        let name = self.text(folder, property::SENDER_NAME).unwrap_or_default();
        let address = self
            .text(folder, property::SENDER_SMTP)
            .or_else(|| self.text(folder, property::SENDER_ADDRESS))
            // Exchange's own addresses are paths through a directory, which say nothing to people.
            .filter(|address| address.contains('@') && *address != name);
        let date = self
            .fixed(folder, header_bytes, property::SENT)
            .or_else(|| self.fixed(folder, header_bytes, property::DELIVERED));
        Envelope {
            subject: self.text(folder, property::SUBJECT).unwrap_or_default(),
            from: match address {
                Some(address) if name.is_empty() => address,
                Some(address) => format!("{name} <{address}>"),
                None => name,
            },
            to: self.text(folder, property::DISPLAY_TO).unwrap_or_default(),
            cc: self.text(folder, property::DISPLAY_CC).unwrap_or_default(),
            date: date.and_then(rfc3339).unwrap_or_default(),
        }
    }

    /// A property of text, in Unicode or in the message's code page.
    fn text(&mut self, folder: &Path, property: u16) -> Option<String> {
        let wide = self.bytes(folder, property, UNICODE);
        let text = match wide {
            Some(bytes) => encoding_rs::UTF_16LE.decode_without_bom_handling(&bytes).0.into_owned(),
            None => encoding::decode(&self.bytes(folder, property, EIGHT_BIT)?).text,
        };
        let text = text.trim_end_matches('\0');
        (!text.trim().is_empty()).then(|| text.to_owned())
    }

    fn bytes(&mut self, folder: &Path, property: u16, kind: u16) -> Option<Vec<u8>> {
        self.stream(&folder.join(format!("__substg1.0_{property:04X}{kind:04X}")))
    }

    /// A property whose value is a number: these stand together in one stream, sixteen bytes each.
    fn fixed(&mut self, folder: &Path, header_bytes: usize, property: u16) -> Option<u64> {
        let stream = self.stream(&folder.join("__properties_version1.0"))?;
        let entries = stream.get(header_bytes..)?.chunks_exact(16);
        let number =
            |bytes: &[u8]| bytes.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        entries
            .map(|entry| (number(&entry[2..4]), number(&entry[8..16])))
            .find(|(tag, _)| *tag == u64::from(property))
            .map(|(_, value)| value)
    }

    fn stream(&mut self, path: &Path) -> Option<Vec<u8>> {
        if !self.file.is_stream(path) {
            return None;
        }
        let mut stream = self.file.open_stream(path).ok()?;
        stream.rewind().ok()?;
        let mut bytes = Vec::new();
        stream.take(self.max_bytes).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn storages(&self, folder: &Path, prefix: &str) -> Vec<PathBuf> {
        let Ok(entries) = self.file.read_storage(folder) else { return Vec::new() };
        let wanted = entries.filter(|entry| entry.is_storage() && entry.name().starts_with(prefix));
        wanted.map(|entry| entry.path().to_owned()).collect()
    }
}

fn codepage_encoding(code_page: u16) -> Option<&'static Encoding> {
    let label = match code_page {
        65001 => "utf-8".to_owned(),
        936 => "gb18030".to_owned(),
        950 => "big5".to_owned(),
        932 => "shift_jis".to_owned(),
        949 => "euc-kr".to_owned(),
        28591 => "iso-8859-1".to_owned(),
        50220 => "iso-2022-jp".to_owned(),
        54936 => "gb18030".to_owned(),
        page => format!("windows-{page}"),
    };
    Encoding::for_label(label.as_bytes())
}

/// A time of Windows: ticks since 1601.
fn rfc3339(ticks: u64) -> Option<String> {
    let seconds = i64::try_from(ticks / TICKS_PER_SECOND).ok()? - EPOCH_DIFFERENCE_SECONDS;
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}
