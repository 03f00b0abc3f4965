//! Pictures in requests: base64, data URLs, and addresses for those who can fetch them safely.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use crate::config::Config;
use crate::engine::Image;
use crate::error::RuntimeError;

/// Clients write base64 with padding and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Fetches pictures that a request names by address.
///
/// A server that fetches what strangers name is a way into the network behind it. So this service fetches nothing itself:
/// whoever implements this has to refuse private addresses and bound what is read.
#[async_trait]
pub trait RemoteImages: Send + Sync {
    /// The bytes at `url`, `max_bytes` at most.
    async fn fetch(&self, url: &str, max_bytes: usize) -> Result<Bytes, RuntimeError>;
}

/// Refuses every address.
pub struct NoRemoteImages;

#[async_trait]
impl RemoteImages for NoRemoteImages {
    async fn fetch(&self, _url: &str, _max_bytes: usize) -> Result<Bytes, RuntimeError> {
        Err(RuntimeError::Invalid(
            "pictures are not fetched from addresses here; send the picture itself as a data URL (data:image/png;base64,…)"
                .to_owned(),
        ))
    }
}

/// Reads the pictures of one request, within its bounds.
pub(super) struct ImageReader {
    remote: Arc<dyn RemoteImages>,
    max_images: usize,
    max_bytes: usize,
    read: usize,
}

impl ImageReader {
    pub(super) fn new(remote: &Arc<dyn RemoteImages>, config: &Config) -> Self {
        Self {
            remote: Arc::clone(remote),
            max_images: config.max_images,
            max_bytes: config.max_image_bytes,
            read: 0,
        }
    }

    /// A picture from a data URL or an address.
    pub(super) async fn read_url(&mut self, url: &str) -> Result<Image, RuntimeError> {
        if url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
            return self.read_base64(url);
        }
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            return Err(invalid("an image's url is neither a data URL nor an http address"));
        }
        self.count()?;
        let bytes = self.remote.fetch(url, self.max_bytes).await?;
        self.checked(bytes)
    }

    /// A picture from base64, with or without the head of a data URL.
    pub(super) fn read_base64(&mut self, text: &str) -> Result<Image, RuntimeError> {
        self.count()?;
        let encoded = match text.get(..5) {
            Some(scheme) if scheme.eq_ignore_ascii_case("data:") => match text.split_once(',') {
                Some((head, data)) if head.ends_with(";base64") => data,
                _ => return Err(invalid("a data URL of a picture must be base64: data:image/png;base64,…")),
            },
            _ => text,
        };
        // Checked before decoding, so that no more is held than will be kept.
        if encoded.len() / 4 * 3 > self.max_bytes {
            return Err(self.too_large());
        }
        let bytes = BASE64.decode(encoded.trim()).map_err(|_| invalid("a picture is not valid base64"))?;
        self.checked(Bytes::from(bytes))
    }

    fn count(&mut self) -> Result<(), RuntimeError> {
        self.read += 1;
        if self.read > self.max_images {
            return Err(RuntimeError::Invalid(format!(
                "at most {} pictures in one request",
                self.max_images
            )));
        }
        Ok(())
    }

    fn checked(&self, bytes: Bytes) -> Result<Image, RuntimeError> {
        if bytes.len() > self.max_bytes {
            return Err(self.too_large());
        }
        if !is_picture(&bytes) {
            return Err(invalid("a picture is none of PNG, JPEG, WebP, GIF and BMP"));
        }
        Ok(Image(bytes))
    }

    fn too_large(&self) -> RuntimeError {
        RuntimeError::Invalid(format!("a picture has more than {} bytes; make it smaller", self.max_bytes))
    }
}

fn invalid(message: &str) -> RuntimeError {
    RuntimeError::Invalid(message.to_owned())
}

/// By the first bytes, whatever the data URL says of its type.
fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n")
        || bytes.starts_with(b"\xff\xd8\xff")
        || bytes.starts_with(b"GIF87a")
        || bytes.starts_with(b"GIF89a")
        || bytes.starts_with(b"BM")
        || (bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn reader(max_bytes: usize) -> ImageReader {
        let remote: Arc<dyn RemoteImages> = Arc::new(NoRemoteImages);
        ImageReader::new(&remote, &Config { max_images: 2, max_image_bytes: max_bytes, ..Config::default() })
    }

    #[tokio::test]
    async fn base64_is_read_with_and_without_head_and_padding() {
        let gif = BASE64.encode(b"GIF89a..");
        let expected = Image(Bytes::from_static(b"GIF89a.."));
        assert_eq!(reader(100).read_base64(&gif).unwrap(), expected);
        assert_eq!(reader(100).read_base64(gif.trim_end_matches('=')).unwrap(), expected);
        assert_eq!(reader(100).read_url(&format!("data:image/gif;base64,{gif}")).await.unwrap(), expected);
    }

    #[tokio::test]
    async fn what_is_no_picture_too_large_or_elsewhere_is_refused() {
        let gif = BASE64.encode(b"GIF89a..........");
        for (url, word) in [
            (format!("data:image/gif;base64,{gif}"), "more than 8 bytes"),
            ("data:image/gif;base64,aGk=".to_owned(), "none of PNG"),
            ("data:image/gif;base64,%%".to_owned(), "base64"),
            ("data:image/gif,abc".to_owned(), "base64"),
            ("https://example.com/a.png".to_owned(), "not fetched"),
            ("file:///etc/passwd".to_owned(), "neither"),
        ] {
            let refusal = reader(8).read_url(&url).await.unwrap_err().to_string();
            assert!(refusal.contains(word), "{url}: {refusal}");
        }
    }

    #[test]
    fn the_number_of_pictures_is_bounded() {
        let gif = BASE64.encode(b"GIF89a");
        let mut reader = reader(100);
        reader.read_base64(&gif).unwrap();
        reader.read_base64(&gif).unwrap();
        assert!(reader.read_base64(&gif).is_err());
    }
}
