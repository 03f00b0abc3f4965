//! Messages as they travel (RFC 5322, MIME).

use mail_parser::mailbox::mbox::MessageIterator;
use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::{Body, Envelope, MAX_DEPTH, MIN_INLINE_PICTURE_BYTES};
use crate::document::{ParsedDocument, warning};
use crate::parse::ParseOptions;
use crate::parse::builder::DocumentBuilder;
use crate::parse::failure::ParseFailure;
use crate::parse::format::Format;
use crate::parse::html;

/// A message.
pub(in crate::parse) fn parse(data: &[u8], options: &ParseOptions) -> Result<ParsedDocument, ParseFailure> {
    let mut builder = DocumentBuilder::new(Format::Eml.media_type(), &options.limits);
    let message = MessageParser::default()
        .parse(data)
        .ok_or_else(|| ParseFailure::damaged("the message has no header that can be read"))?;
    envelope_of(&message).describe(&mut builder);
    read_message(&message, 1, "", &mut builder);
    Ok(builder.finish())
}

/// A mailbox: a section for each message.
pub(in crate::parse) fn parse_mailbox(
    data: &[u8],
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let mut builder = DocumentBuilder::new(Format::Mbox.media_type(), &options.limits);
    let mut damaged = 0usize;
    for (index, message) in MessageIterator::new(data).enumerate() {
        if builder.is_full() {
            break;
        }
        let contents = message.as_ref().map(|message| message.contents());
        match contents.ok().and_then(|contents| MessageParser::default().parse(contents)) {
            Some(message) => read_message(&message, 1, &format!("{}/", index + 1), &mut builder),
            None => damaged += 1,
        }
    }
    if damaged > 0 {
        builder.document().warn(warning::PARTLY_DAMAGED, format!("{damaged} messages cannot be read"));
    }
    Ok(builder.finish())
}

/// A web page with all that belongs to it; the page itself is what is read.
pub(in crate::parse) fn parse_saved_page(
    data: &[u8],
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let message = MessageParser::default().parse(data);
    let page = message.as_ref().and_then(|message| {
        message.parts.iter().find_map(|part| match &part.body {
            PartType::Html(html) => Some(html.to_string()),
            _ => None,
        })
    });
    let page = page.ok_or_else(|| ParseFailure::damaged("there is no page in the saved web page"))?;
    let mut document = html::parse(page.as_bytes(), options)?;
    document.media_type = Format::Mhtml.media_type().to_owned();
    Ok(document)
}

fn read_message(message: &Message<'_>, level: u8, folder: &str, builder: &mut DocumentBuilder) {
    envelope_of(message).push(level, builder);
    let html = message.html_bodies().find_map(html_of);
    Body { plain: message.text_bodies().find_map(plain_of), html: html.clone() }.push(builder);
    let shows_pictures = html.is_some_and(|html| html.contains("cid:"));
    for (index, part) in message.attachments().enumerate() {
        attach(part, index, level, folder, shows_pictures, builder);
    }
}

fn html_of(part: &MessagePart<'_>) -> Option<String> {
    match &part.body {
        PartType::Html(html) => Some(html.to_string()),
        _ => None,
    }
}

fn plain_of(part: &MessagePart<'_>) -> Option<String> {
    match &part.body {
        PartType::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

fn attach(
    part: &MessagePart<'_>,
    index: usize,
    level: u8,
    folder: &str,
    shows_pictures: bool,
    builder: &mut DocumentBuilder,
) {
    let name = part.attachment_name().map(|name| name.replace(['/', '\\'], "_"));
    if let (PartType::Message(message), None, true) = (&part.body, &name, level < MAX_DEPTH) {
        read_message(message, level + 1, &format!("{folder}{}/", index + 1), builder);
        return;
    }
    let is_picture = part.content_type().is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("image"));
    let is_inline = shows_pictures && is_picture && part.content_id().is_some();
    let contents = part.contents();
    if is_inline && contents.len() < MIN_INLINE_PICTURE_BYTES {
        return;
    }
    let name = name.unwrap_or_else(|| {
        let extension = part.content_type().and_then(|kind| extension_of(kind.ctype(), kind.subtype()));
        format!("attachment-{}{}", index + 1, extension.unwrap_or_default())
    });
    builder.embed(format!("{folder}{name}"), contents.to_vec());
}

fn extension_of(main: &str, sub: Option<&str>) -> Option<String> {
    let media_type = format!("{main}/{}", sub?);
    let extension = Format::by_media_type(&media_type)?.extensions().first()?;
    Some(format!(".{extension}"))
}

fn envelope_of(message: &Message<'_>) -> Envelope {
    Envelope {
        subject: message.subject().unwrap_or_default().to_owned(),
        from: people(message.from()),
        to: people(message.to()),
        cc: people(message.cc()),
        date: message.date().map(|date| date.to_rfc3339()).unwrap_or_default(),
    }
}

/// `Name <address>, …`
fn people(address: Option<&Address<'_>>) -> String {
    let Some(address) = address else { return String::new() };
    let person = |(name, address): (Option<&str>, Option<&str>)| match (name, address) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => String::new(),
    };
    address.iter().map(|one| person((one.name(), one.address()))).collect::<Vec<_>>().join(", ")
}
