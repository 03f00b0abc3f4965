//! Files inside the file (ISO 32000-1, 7.11.4): from the tree of embedded files and from annotations.

use std::collections::HashSet;

use hayro_interpret::hayro_syntax::object::{self, Dict, Object, Stream};

use super::trees;
use crate::document::EmbeddedFile;

/// Attachments of a document that are taken.
const MAX_ATTACHMENTS: usize = 500;
/// Bytes of all attachments together.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Collects attachments within the bounds.
#[derive(Debug, Default)]
pub(in crate::parse::pdf) struct Attachments {
    pub(in crate::parse::pdf) files: Vec<EmbeddedFile>,
    /// Some did not fit or could not be read.
    pub(in crate::parse::pdf) incomplete: bool,
    bytes: usize,
    seen: HashSet<(u32, i32)>,
}

impl Attachments {
    /// Those that belong to the document as a whole.
    pub(super) fn of_document(&mut self, catalog: &Dict<'_>) {
        let Some(root) = catalog
            .get::<Dict<'_>>(b"Names".as_slice())
            .and_then(|names| names.get::<Dict<'_>>(b"EmbeddedFiles".as_slice()))
        else {
            return;
        };
        trees::leaves(&root, b"Names", &mut |entries| {
            let values: Vec<Object<'_>> = entries.iter::<Object<'_>>().take(trees::MAX_ENTRIES).collect();
            for pair in values.chunks_exact(2) {
                let name = pair[0].clone().into_string();
                if let Some(specification) = pair[1].clone().into_dict() {
                    self.take(&specification, name.as_deref());
                }
            }
        });
    }

    /// One file specification; `name` is what the tree calls it.
    pub(in crate::parse::pdf) fn take(&mut self, specification: &Dict<'_>, name: Option<&[u8]>) {
        let Some(files) = specification.get::<Dict<'_>>(b"EF".as_slice()) else { return };
        let Some(stream) = [b"UF".as_slice(), b"F".as_slice(), b"Unix".as_slice(), b"DOS".as_slice()]
            .into_iter()
            .find_map(|key| files.get::<Stream<'_>>(key))
        else {
            return;
        };
        let id = stream.obj_id();
        if !self.seen.insert((id.obj_number, id.gen_number)) {
            return;
        }
        let stated = [b"UF".as_slice(), b"F".as_slice()]
            .into_iter()
            .find_map(|key| specification.get::<object::String<'_>>(key))
            .and_then(|value| super::text::one_line(&value))
            .or_else(|| super::text::one_line(name?));
        let path = stated.unwrap_or_else(|| format!("attachment-{}", self.files.len() + 1));
        let size = stream
            .dict()
            .get::<Dict<'_>>(b"Params".as_slice())
            .and_then(|parameters| parameters.get::<i32>(b"Size".as_slice()))
            .and_then(|size| usize::try_from(size).ok())
            .unwrap_or(0);
        let left = MAX_BYTES - self.bytes;
        if self.files.len() >= MAX_ATTACHMENTS || size > left || stream.raw_data().len() > left {
            self.incomplete = true;
            return;
        }
        match stream.decoded_data() {
            Ok(data) if data.len() <= left => {
                self.bytes += data.len();
                self.files.push(EmbeddedFile { path: path.replace('\\', "/"), bytes: data.into_owned() });
            }
            _ => self.incomplete = true,
        }
    }
}
