//! A page as a picture in shades of grey, and the ways of turning it.

/// Steps between the paper's shade and a pixel that counts as ink.
const INK_CONTRAST: u8 = 48;
/// A picture with less ink than this share is an empty page.
const EMPTY_SHARE: f32 = 0.000_15;

/// One byte a pixel, 0 is black; rows from top to bottom without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::parse) struct Grey {
    pub(in crate::parse) width: usize,
    pub(in crate::parse) height: usize,
    pub(in crate::parse) pixels: Vec<u8>,
}

/// How far a picture has to be turned clockwise to be upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Quarter,
    Half,
    ThreeQuarters,
}

impl Turn {
    pub(super) fn from_degrees(degrees: u32) -> Option<Self> {
        match degrees {
            90 => Some(Self::Quarter),
            180 => Some(Self::Half),
            270 => Some(Self::ThreeQuarters),
            _ => None,
        }
    }
}

/// An affine map: `x' = a x + c y + e`, `y' = b x + d y + f`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::parse) struct Map {
    pub(super) coefficients: [f32; 6],
}

impl Map {
    pub(super) const IDENTITY: Self = Self { coefficients: [1.0, 0.0, 0.0, 1.0, 0.0, 0.0] };

    pub(super) fn scale(x: f32, y: f32) -> Self {
        Self { coefficients: [x, 0.0, 0.0, y, 0.0, 0.0] }
    }

    pub(super) fn apply(&self, x: f32, y: f32) -> (f32, f32) {
        let [a, b, c, d, e, f] = self.coefficients;
        (a * x + c * y + e, b * x + d * y + f)
    }

    /// First `self`, then `next`.
    pub(super) fn then(&self, next: &Self) -> Self {
        let [a, b, c, d, ..] = self.coefficients;
        let [na, nb, nc, nd, ..] = next.coefficients;
        let (e, f) = next.apply(self.coefficients[4], self.coefficients[5]);
        Self { coefficients: [na * a + nc * b, nb * a + nd * b, na * c + nc * d, nb * c + nd * d, e, f] }
    }
}

impl Grey {
    /// From rows of red, green and blue with a step of `bytes_per_pixel`; what follows blue is ignored.
    pub(in crate::parse) fn from_rgb(
        width: usize,
        height: usize,
        bytes: &[u8],
        bytes_per_pixel: usize,
    ) -> Self {
        let pixels = bytes
            .chunks_exact(bytes_per_pixel.max(3))
            .map(|rgb| {
                // Rec. 601 luma in 256ths.
                ((u32::from(rgb[0]) * 77 + u32::from(rgb[1]) * 150 + u32::from(rgb[2]) * 29) >> 8) as u8
            })
            .collect();
        Self { width, height, pixels }
    }

    /// The shade that most of the picture has, in steps of four.
    pub(super) fn paper(&self) -> u8 {
        let mut counts = [0usize; 64];
        for pixel in &self.pixels {
            counts[usize::from(pixel >> 2)] += 1;
        }
        let (shade, _) = counts.iter().enumerate().max_by_key(|&(_, count)| *count).unwrap_or((63, &0));
        (shade as u8) << 2 | 2
    }

    pub(super) fn is_ink(pixel: u8, paper: u8) -> bool {
        pixel.abs_diff(paper) >= INK_CONTRAST
    }

    /// Whether there is next to nothing on the page.
    pub(super) fn is_empty(&self) -> bool {
        let paper = self.paper();
        let ink = self.pixels.iter().filter(|&&pixel| Self::is_ink(pixel, paper)).count();
        (ink as f32) < self.pixels.len() as f32 * EMPTY_SHARE
    }

    /// The picture in a form that costs nothing to write and to read (Netpbm's binary grey map).
    pub(super) fn to_pgm(&self) -> Vec<u8> {
        let mut bytes = format!("P5\n{} {}\n255\n", self.width, self.height).into_bytes();
        bytes.extend_from_slice(&self.pixels);
        bytes
    }

    /// The picture turned clockwise, and the map from places in it to places in this one.
    pub(super) fn turned(&self, turn: Turn) -> (Self, Map) {
        let (w, h) = (self.width, self.height);
        let (wf, hf) = (w as f32, h as f32);
        match turn {
            Turn::Half => {
                let pixels = self.pixels.iter().rev().copied().collect();
                (Self { width: w, height: h, pixels }, Map { coefficients: [-1.0, 0.0, 0.0, -1.0, wf, hf] })
            }
            Turn::Quarter => {
                let pixels = self.transposed(|x, y| (h - 1 - y) * w + x);
                (Self { width: h, height: w, pixels }, Map { coefficients: [0.0, -1.0, 1.0, 0.0, 0.0, hf] })
            }
            Turn::ThreeQuarters => {
                let pixels = self.transposed(|x, y| y * w + (w - 1 - x));
                (Self { width: h, height: w, pixels }, Map { coefficients: [0.0, 1.0, -1.0, 0.0, wf, 0.0] })
            }
        }
    }

    /// Pixels of a picture whose rows are this one's columns; `index` is told column and row here.
    fn transposed(&self, index: impl Fn(usize, usize) -> usize) -> Vec<u8> {
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for x in 0..self.width {
            pixels.extend((0..self.height).map(|y| self.pixels[index(x, y)]));
        }
        pixels
    }

    /// The picture with its lines, which rise or fall by `angle` (radians, positive: fall to the right), made level;
    /// corners that come in from outside have the paper's shade. With the map from places in it to places in this one.
    pub(super) fn levelled(&self, angle: f32) -> (Self, Map) {
        let (sin, cos) = angle.sin_cos();
        let (w, h) = (self.width as f32, self.height as f32);
        let width = (w * cos.abs() + h * sin.abs()).ceil() as usize;
        let height = (w * sin.abs() + h * cos.abs()).ceil() as usize;
        let (cx, cy) = (width as f32 / 2.0, height as f32 / 2.0);
        // Old place = centre + rotation by the angle of (new place - new centre).
        let map = Map {
            coefficients: [cos, sin, -sin, cos, w / 2.0 - cos * cx + sin * cy, h / 2.0 - sin * cx - cos * cy],
        };
        let paper = self.paper();
        let mut pixels = vec![paper; width * height];
        for y in 0..height {
            for x in 0..width {
                let (old_x, old_y) = map.apply(x as f32 + 0.5, y as f32 + 0.5);
                pixels[y * width + x] = self.sample(old_x - 0.5, old_y - 0.5, paper);
            }
        }
        (Self { width, height, pixels }, map)
    }

    /// The shade at a place between pixels, by bilinear interpolation.
    fn sample(&self, x: f32, y: f32, outside: u8) -> u8 {
        if x < 0.0 || y < 0.0 || x >= (self.width - 1) as f32 || y >= (self.height - 1) as f32 {
            return outside;
        }
        let (column, row) = (x as usize, y as usize);
        let (right, below) = (x - column as f32, y - row as f32);
        let at = row * self.width + column;
        let [a, b] = [self.pixels[at], self.pixels[at + 1]].map(f32::from);
        let [c, d] = [self.pixels[at + self.width], self.pixels[at + self.width + 1]].map(f32::from);
        let above_shade = a + (b - a) * right;
        let below_shade = c + (d - c) * right;
        (above_shade + (below_shade - above_shade) * below).round() as u8
    }

    /// Twice as wide and high, for letters of a few pixels.
    pub(in crate::parse) fn doubled(&self) -> Self {
        let (width, height) = (self.width * 2, self.height * 2);
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let old_y = (y as f32 - 0.5) / 2.0;
            for x in 0..width {
                let old_x = (x as f32 - 0.5) / 2.0;
                let nearest = self.pixels[(y / 2) * self.width + x / 2];
                pixels.push(self.sample(old_x, old_y, nearest));
            }
        }
        Self { width, height, pixels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 wide, 2 high, every pixel of its own shade.
    fn small() -> Grey {
        Grey { width: 3, height: 2, pixels: vec![1, 2, 3, 4, 5, 6] }
    }

    #[test]
    fn turning_moves_pixels_clockwise() {
        assert_eq!(small().turned(Turn::Quarter).0.pixels, [4, 1, 5, 2, 6, 3]);
        assert_eq!(small().turned(Turn::Half).0.pixels, [6, 5, 4, 3, 2, 1]);
        assert_eq!(small().turned(Turn::ThreeQuarters).0.pixels, [3, 6, 2, 5, 1, 4]);
    }

    #[test]
    fn the_map_of_a_turn_leads_back_to_the_pixel() {
        let picture = small();
        for turn in [Turn::Quarter, Turn::Half, Turn::ThreeQuarters] {
            let (turned, map) = picture.turned(turn);
            for y in 0..turned.height {
                for x in 0..turned.width {
                    let (old_x, old_y) = map.apply(x as f32 + 0.5, y as f32 + 0.5);
                    let old = picture.pixels[old_y as usize * picture.width + old_x as usize];
                    assert_eq!(old, turned.pixels[y * turned.width + x], "{turn:?} {x} {y}");
                }
            }
        }
    }

    #[test]
    fn a_falling_line_is_level_afterwards() {
        let (width, height, angle) = (400, 200, 0.05f32);
        let mut picture = Grey { width, height, pixels: vec![255; width * height] };
        for x in 20..380 {
            let y = 80 + (x as f32 * angle.tan()) as usize;
            for thick in 0..3 {
                picture.pixels[(y + thick) * width + x] = 0;
            }
        }
        let (levelled, map) = picture.levelled(angle);
        let dark = |x: usize| (0..levelled.height).find(|y| levelled.pixels[y * levelled.width + x] < 128);
        let (Some(left), Some(right)) = (dark(60), dark(340)) else { panic!("the line is gone") };
        assert!(left.abs_diff(right) <= 1, "{left} {right}");
        let (x, y) = map.apply(60.5, left as f32 + 1.0);
        assert!((y - (80.0 + x * angle.tan())).abs() < 3.0, "{x} {y}");
    }

    #[test]
    fn maps_are_applied_one_after_the_other() {
        let map = Map { coefficients: [0.0, 1.0, -1.0, 0.0, 5.0, 0.0] };
        let both = map.then(&Map::scale(2.0, 3.0));
        let (x, y) = map.apply(7.0, 11.0);
        assert_eq!(both.apply(7.0, 11.0), (x * 2.0, y * 3.0));
    }

    #[test]
    fn a_page_with_a_speck_is_empty_and_one_with_a_line_is_not() {
        let mut picture = Grey { width: 1000, height: 1000, pixels: vec![250; 1_000_000] };
        picture.pixels[..100].fill(0);
        assert!(picture.is_empty());
        picture.pixels[..1000].fill(0);
        assert!(!picture.is_empty());
    }
}
