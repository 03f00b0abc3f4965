//! A single compressed stream: most often a tar archive, otherwise one file.

use std::io::Read;

use super::{bomb, tarball};
use crate::document::ParsedDocument;
use crate::parse::builder::DocumentBuilder;
use crate::parse::failure::ParseFailure;
use crate::parse::format::Format;
use crate::parse::limits::{ContentLimits, INFLATION_GRACE_BYTES};
use crate::parse::{ParseOptions, detect};

/// Memory that an xz stream's dictionary may take, in KiB.
const MAX_XZ_MEMORY_KIB: u32 = 256 * 1024;

/// How a stream is compressed.
#[derive(Clone, Copy, Debug)]
pub(in crate::parse) enum Packing {
    Gzip,
    Bzip2,
    Xz,
}

impl Packing {
    fn media_type(self) -> &'static str {
        match self {
            Self::Gzip => Format::Gzip.media_type(),
            Self::Bzip2 => Format::Bzip2.media_type(),
            Self::Xz => Format::Xz.media_type(),
        }
    }
}

pub(in crate::parse) fn parse(
    data: &[u8],
    packing: Packing,
    file_name: &str,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let content = match packing {
        Packing::Gzip => inflate(flate2::read::MultiGzDecoder::new(data), data.len(), &options.limits)?,
        Packing::Bzip2 => inflate(bzip2::read::MultiBzDecoder::new(data), data.len(), &options.limits)?,
        Packing::Xz => {
            let reader = lzma_rust2::XzReader::new_mem_limit(data, true, MAX_XZ_MEMORY_KIB);
            inflate(reader, data.len(), &options.limits)?
        }
    };
    let mut builder = DocumentBuilder::new(packing.media_type(), &options.limits);
    if detect::is_tar(&content) {
        tarball::read_members(&content, options, &mut builder)?;
    } else {
        builder.embed(inner_name(file_name), content);
    }
    Ok(builder.finish())
}

fn inflate(reader: impl Read, packed_bytes: usize, limits: &ContentLimits) -> Result<Vec<u8>, ParseFailure> {
    let by_ratio =
        (packed_bytes as u64).saturating_mul(limits.max_inflation_ratio).max(INFLATION_GRACE_BYTES);
    let allowed = by_ratio.min(limits.max_inflated_bytes);
    let mut content = Vec::new();
    let result = reader.take(allowed.saturating_add(1)).read_to_end(&mut content);
    if content.len() as u64 > allowed {
        return Err(bomb(&format!("{packed_bytes} bytes inflate to more than {allowed}")));
    }
    match result {
        Ok(_) => Ok(content),
        Err(error) => Err(ParseFailure::damaged(format!(
            "the compressed file cannot be read, it may have been cut off: {error}"
        ))),
    }
}

/// The name of what is compressed: that of the whole without its last ending.
fn inner_name(file_name: &str) -> String {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
        _ => "content".to_owned(),
    }
}
