//! Picture files as documents: every picture is a page whose text is recognised. A TIFF file may hold several.

use std::io::Cursor;

use ::image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::ParseOptions;
use super::builder::DocumentBuilder;
use super::failure::{FailureCode, ParseFailure};
use super::format::Format;
use super::ocr::{self, DrawPage, Grey, PagePicture, Recognition};
use crate::document::{PageSize, ParsedDocument, warning};

/// Pictures are measured as browsers show them: 96 pixels to an inch.
const POINTS_PER_PIXEL: f32 = 0.75;
/// Larger pictures are not decoded.
const MAX_SIDE_PIXELS: u32 = 30_000;
const MAX_PIXELS: u64 = 120_000_000;
const MAX_DECODER_BYTES: u64 = 1024 * 1024 * 1024;
/// Larger pictures are made smaller: letters are large enough then, and time is not wasted.
const ENOUGH_PIXELS: u64 = 24_000_000;
/// Smaller pictures (of a screen, mostly) are made larger: Tesseract reads letters of 20 to 40 pixels best.
const SMALL_PIXELS: u64 = 1_600_000;

pub(super) fn parse(
    data: &[u8],
    format: Format,
    options: &ParseOptions,
) -> Result<ParsedDocument, ParseFailure> {
    let file = PictureFile::open(data, format, options.limits.max_pages as usize);
    let sizes = file.sizes()?;
    let mut builder = DocumentBuilder::new(format.media_type(), &options.limits);
    let document = builder.document();
    document.page_count = u32::try_from(file.page_count).ok();
    if file.page_count > sizes.len() {
        document.warn(
            warning::PAGES_TRUNCATED,
            format!("only the first {} of {} pages were read", sizes.len(), file.page_count),
        );
    }
    let numbers: Vec<u32> = (1..).take(sizes.len()).collect();
    document.pages = sizes;
    let recognition = match &options.ocr {
        Some(settings) => {
            let recognition = ocr::recognise(settings, &numbers, &file, || options.recognition_starts());
            recognition.describe(document, settings.low_confidence);
            recognition
        }
        None => Recognition::default(),
    };
    super::pdf::from_pictures(builder, &recognition, options)
}

struct PictureFile<'d> {
    data: &'d [u8],
    format: Format,
    /// Where the directories of a TIFF file's pages begin.
    directories: Vec<u32>,
    page_count: usize,
}

impl<'d> PictureFile<'d> {
    fn open(data: &'d [u8], format: Format, max_pages: usize) -> Self {
        let mut directories = if format == Format::Tiff { tiff_directories(data) } else { Vec::new() };
        let page_count = directories.len().max(1);
        directories.truncate(max_pages.max(1));
        Self { data, format, directories, page_count }
    }

    /// Sizes of all pages as displayed; of a page that cannot be read the size is unknown and zero.
    fn sizes(&self) -> Result<Vec<PageSize>, ParseFailure> {
        let mut first_error = None;
        let mut sizes = Vec::new();
        for index in 0..self.directories.len().max(1) {
            match self.dimensions(index) {
                Ok((width, height)) => sizes.push(points(width, height)),
                Err(error) => {
                    sizes.push(PageSize { width: 0.0, height: 0.0 });
                    first_error.get_or_insert(error);
                }
            }
        }
        match first_error {
            Some(error) if sizes.iter().all(|size| size.width == 0.0) => Err(error),
            _ => Ok(sizes),
        }
    }

    fn dimensions(&self, index: usize) -> Result<(u32, u32), ParseFailure> {
        let bytes = self.page(index);
        let opened = super::caught(|| {
            self.decoder(&bytes).map(|mut decoder| {
                let (width, height) = decoder.dimensions();
                if is_on_its_side(&mut decoder) { (height, width) } else { (width, height) }
            })
        });
        let (width, height) = match opened {
            Some(Ok(dimensions)) => dimensions,
            Some(Err(error)) => return Err(cannot_decode(&error.to_string())),
            None => return Err(cannot_decode("the decoder panicked")),
        };
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(ParseFailure::new(
                FailureCode::FileTooLarge,
                format!("the picture has {width} times {height} pixels, more than the limit of {MAX_PIXELS}"),
            ));
        }
        Ok((width, height))
    }

    /// The file as it would be if it began with this page.
    fn page(&self, index: usize) -> Vec<u8> {
        let mut bytes = self.data.to_vec();
        if let Some(directory) = self.directories.get(index)
            && let Some(first) = bytes.get_mut(4..8)
        {
            let is_little = self.data.starts_with(b"II");
            first.copy_from_slice(&if is_little { directory.to_le_bytes() } else { directory.to_be_bytes() });
        }
        bytes
    }

    fn decoder<'b>(&self, bytes: &'b [u8]) -> ::image::ImageResult<impl ImageDecoder + use<'b>> {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), self.decoder_format());
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_SIDE_PIXELS);
        limits.max_image_height = Some(MAX_SIDE_PIXELS);
        limits.max_alloc = Some(MAX_DECODER_BYTES);
        reader.limits(limits);
        reader.into_decoder()
    }

    fn decoder_format(&self) -> ImageFormat {
        match self.format {
            Format::Jpeg => ImageFormat::Jpeg,
            Format::Tiff => ImageFormat::Tiff,
            Format::Bmp => ImageFormat::Bmp,
            Format::WebP => ImageFormat::WebP,
            Format::Gif => ImageFormat::Gif,
            _ => ImageFormat::Png,
        }
    }
}

impl DrawPage for PictureFile<'_> {
    fn draw(&self, number: u32) -> Result<PagePicture, String> {
        let index = number as usize - 1;
        let (width, height) = self.dimensions(index).map_err(|failure| failure.message)?;
        let bytes = self.page(index);
        let mut decoder = self.decoder(&bytes).map_err(|error| error.to_string())?;
        let orientation = decoder.orientation().ok();
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| error.to_string())?;
        drop(bytes);
        if let Some(orientation) = orientation {
            picture.apply_orientation(orientation);
        }
        let pixels = u64::from(width) * u64::from(height);
        if pixels > ENOUGH_PIXELS {
            let factor = (ENOUGH_PIXELS as f64 / pixels as f64).sqrt();
            let side = |side: u32| ((f64::from(side) * factor) as u32).max(1);
            picture = picture.thumbnail_exact(side(width), side(height));
        }
        let mut grey = on_white(picture);
        if pixels < SMALL_PIXELS {
            grey = grey.doubled();
        }
        let size = points(width, height);
        let points_per_pixel = (size.width / grey.width as f32, size.height / grey.height as f32);
        Ok(PagePicture { grey, points_per_pixel, size })
    }
}

fn points(width: u32, height: u32) -> PageSize {
    PageSize { width: width as f32 * POINTS_PER_PIXEL, height: height as f32 * POINTS_PER_PIXEL }
}

fn is_on_its_side(decoder: &mut impl ImageDecoder) -> bool {
    use ::image::metadata::Orientation;
    matches!(
        decoder.orientation(),
        Ok(Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH)
    )
}

/// What is transparent shows white paper.
fn on_white(picture: DynamicImage) -> Grey {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if !picture.color().has_alpha() {
        return Grey { width, height, pixels: picture.into_luma8().into_raw() };
    }
    let pixels = picture.into_luma_alpha8().into_raw();
    let pixels = pixels.chunks_exact(2).map(|pixel| {
        let (shade, alpha) = (u32::from(pixel[0]), u32::from(pixel[1]));
        ((shade * alpha + 255 * (255 - alpha)) / 255) as u8
    });
    Grey { width, height, pixels: pixels.collect() }
}

fn cannot_decode(detail: &str) -> ParseFailure {
    tracing::debug!(detail, "picture not decoded");
    ParseFailure::damaged("the picture is damaged, or of a kind that cannot be read")
}

/// The offsets of a TIFF file's image directories (TIFF 6.0, section 2), each once: chains may run in circles. Files of
/// the larger kind (BigTIFF) are read for their first page only.
fn tiff_directories(data: &[u8]) -> Vec<u32> {
    /// A longer chain is damage.
    const MAX_DIRECTORIES: usize = 10_000;
    let is_little = match data.get(..4) {
        Some([b'I', b'I', 42, 0]) => true,
        Some([b'M', b'M', 0, 42]) => false,
        _ => return Vec::new(),
    };
    let number = |at: usize| -> Option<u32> {
        let bytes: [u8; 4] = data.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    let entries = |at: usize| -> Option<usize> {
        let bytes: [u8; 2] = data.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(usize::from(if is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }))
    };
    let mut seen = std::collections::HashSet::new();
    let mut directories = Vec::new();
    let mut next = number(4);
    while let Some(offset @ 1..) = next
        && directories.len() < MAX_DIRECTORIES
        && seen.insert(offset)
    {
        let at = offset as usize;
        let Some(count) = entries(at) else { break };
        directories.push(offset);
        next = at.checked_add(2 + count * 12).and_then(number);
    }
    directories
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::parse::parse_bytes;
    use ::image::{GrayImage, Luma};

    fn encoded(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = GrayImage::from_pixel(width, height, Luma([200]));
        let picture = DynamicImage::ImageLuma8(picture);
        let picture = if format == ImageFormat::WebP { picture.into_rgb8().into() } else { picture };
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Two TIFF files made one: the second's directory hangs on the first's, its offsets moved.
    fn two_pages() -> Vec<u8> {
        let first = encoded(ImageFormat::Tiff, 40, 20);
        let second = encoded(ImageFormat::Tiff, 30, 60);
        let mut joined = first.clone();
        if joined.len() % 2 == 1 {
            joined.push(0);
        }
        let base = joined.len() as u32;
        let u16_at = |data: &[u8], at: usize| u16::from_le_bytes(data[at..at + 2].try_into().unwrap());
        let u32_at = |data: &[u8], at: usize| u32::from_le_bytes(data[at..at + 4].try_into().unwrap());
        let end_of = |data: &[u8]| {
            let directory = u32_at(data, 4) as usize;
            directory + 2 + usize::from(u16_at(data, directory)) * 12
        };
        let mut moved = second.clone();
        let directory = u32_at(&second, 4) as usize;
        for entry in 0..usize::from(u16_at(&second, directory)) {
            let at = directory + 2 + entry * 12;
            let bytes_each = match u16_at(&second, at + 2) {
                1 | 2 => 1,
                3 => 2,
                4 => 4,
                _ => 8,
            };
            let is_strip = u16_at(&second, at) == 273;
            if is_strip || bytes_each * u32_at(&second, at + 4) > 4 {
                let value = u32_at(&second, at + 8) + base;
                moved[at + 8..at + 12].copy_from_slice(&value.to_le_bytes());
            }
        }
        joined.extend(moved);
        let link = end_of(&first);
        joined[link..link + 4].copy_from_slice(&(base + directory as u32).to_le_bytes());
        joined
    }

    #[test]
    fn every_page_of_a_tiff_file_is_found_and_drawn() {
        let data = two_pages();
        let file = PictureFile::open(&data, Format::Tiff, 100);
        let sizes: Vec<(f32, f32)> =
            file.sizes().unwrap().iter().map(|size| (size.width, size.height)).collect();
        assert_eq!(sizes, [(30.0, 15.0), (22.5, 45.0)]);
        let second = file.draw(2).unwrap();
        assert_eq!((second.grey.width, second.grey.height), (60, 120));
        assert!((second.points_per_pixel.0 - 0.375).abs() < 1e-6);
    }

    #[test]
    fn a_chain_of_tiff_pages_that_runs_in_a_circle_ends() {
        let mut data = encoded(ImageFormat::Tiff, 4, 4);
        let directory = u32::from_le_bytes(data[4..8].try_into().unwrap());
        let entries =
            u16::from_le_bytes(data[directory as usize..directory as usize + 2].try_into().unwrap());
        let link = directory as usize + 2 + usize::from(entries) * 12;
        data[link..link + 4].copy_from_slice(&directory.to_le_bytes());
        assert_eq!(tiff_directories(&data), [directory]);
    }

    #[test]
    fn pictures_of_every_kind_are_detected_and_decoded() {
        for (encoder, format) in [
            (ImageFormat::Png, Format::Png),
            (ImageFormat::Jpeg, Format::Jpeg),
            (ImageFormat::Tiff, Format::Tiff),
            (ImageFormat::Bmp, Format::Bmp),
            (ImageFormat::WebP, Format::WebP),
            (ImageFormat::Gif, Format::Gif),
        ] {
            let data = if encoder == ImageFormat::Gif {
                let mut bytes = Cursor::new(Vec::new());
                DynamicImage::new_rgba8(64, 48).write_to(&mut bytes, encoder).unwrap();
                bytes.into_inner()
            } else {
                encoded(encoder, 64, 48)
            };
            assert_eq!(super::super::detect::detect(&data, "x"), Ok(format));
            let file = PictureFile::open(&data, format, 1);
            assert_eq!(file.draw(1).unwrap().size, PageSize { width: 48.0, height: 36.0 }, "{format:?}");
        }
    }

    #[test]
    fn what_is_transparent_is_white_paper() {
        let grey = on_white(DynamicImage::new_rgba8(2, 2));
        assert_eq!(grey.pixels, [255; 4]);
    }

    #[test]
    fn damaged_pictures_and_giants_are_refused_with_a_code() {
        let png = encoded(ImageFormat::Png, 64, 48);
        let mut giant = png.clone();
        // Width and height stand in the first chunk; its checksum no longer fits, which is damage too.
        giant[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        for data in [png[..30].to_vec(), giant] {
            let failure = parse_bytes(data, "a.png", &ParseOptions::default()).unwrap_err();
            assert_eq!(failure.code, FailureCode::DamagedFile);
        }
    }

    #[test]
    fn without_recognition_a_picture_holds_no_text() {
        let failure =
            parse_bytes(encoded(ImageFormat::Png, 64, 48), "a.png", &ParseOptions::default()).unwrap_err();
        assert_eq!(failure.code, FailureCode::NoText);
        assert!(failure.message.contains("switched off"), "{}", failure.message);
    }
}
