//! How far the lines of a scanned page are from level, by projection profiles: summed along the right angle, rows of
//! text and the gaps between them differ most (Postl, 1986; the energy of row differences as measure).

use super::picture::Grey;

/// Larger angles are not looked for: a page that lies so askew is recognised as it is.
const MAX_DEGREES: f32 = 7.0;
const COARSE_STEP_DEGREES: f32 = 0.5;
const FINE_STEP_DEGREES: f32 = 0.1;
/// Smaller angles do no harm to the recognition.
const MIN_DEGREES: f32 = 0.25;
/// The rows must stand out by this factor more than they do without turning, …
const CLEARLY_BETTER: f32 = 1.15;
/// … and by this factor more than at most other angles: pictures have no right angle.
const CLEAR_PEAK: f32 = 1.6;
/// Columns that the picture is reduced to.
const WIDTH: usize = 800;
/// Pixels of ink that are looked at; of more, every second, third and so on.
const MAX_POINTS: usize = 60_000;

/// The angle of the lines in radians, positive when they fall to the right; 0 when they are level or when there is no
/// telling.
pub(super) fn angle(picture: &Grey) -> f32 {
    let points = ink(picture);
    if points.len() < 100 {
        return 0.0;
    }
    let level = energy(&points, 0.0);
    let steps = (MAX_DEGREES / COARSE_STEP_DEGREES) as i32;
    let mut scored: Vec<(f32, f32)> = (-steps..=steps)
        .map(|step| step as f32 * COARSE_STEP_DEGREES)
        .map(|degrees| (energy(&points, degrees), degrees))
        .collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let usual = scored[scored.len() / 2].0;
    let coarse = scored[scored.len() - 1].1;
    let fine_steps = (COARSE_STEP_DEGREES / FINE_STEP_DEGREES) as i32;
    let fine = best(&points, (-fine_steps..=fine_steps).map(|step| coarse + step as f32 * FINE_STEP_DEGREES));
    let reached = energy(&points, fine);
    let clear = reached > level * CLEARLY_BETTER && reached > usual * CLEAR_PEAK;
    if clear && fine.abs() >= MIN_DEGREES && fine.abs() < MAX_DEGREES { fine.to_radians() } else { 0.0 }
}

fn best(points: &[(f32, f32)], degrees: impl Iterator<Item = f32>) -> f32 {
    let scored = degrees.map(|degrees| (energy(points, degrees), degrees));
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0.0, |(_, degrees)| degrees)
}

/// Places of ink in the reduced picture. Of an area only its lower edge counts: that is where letters stand in line.
fn ink(picture: &Grey) -> Vec<(f32, f32)> {
    let step = (picture.width / WIDTH).max(1);
    let paper = picture.paper();
    let is_ink = |x: usize, y: usize| Grey::is_ink(picture.pixels[y * picture.width + x], paper);
    let mut points = Vec::new();
    for y in (0..picture.height.saturating_sub(step)).step_by(step) {
        for x in (0..picture.width).step_by(step) {
            if is_ink(x, y) && !is_ink(x, y + step) {
                points.push(((x / step) as f32, (y / step) as f32));
            }
        }
    }
    let every = points.len().div_ceil(MAX_POINTS).max(1);
    points.into_iter().step_by(every).collect()
}

/// Sum of the squares of the differences between neighbouring rows, when rows run at the angle.
fn energy(points: &[(f32, f32)], degrees: f32) -> f32 {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let row = |&(x, y): &(f32, f32)| y * cos - x * sin;
    let lowest = points.iter().map(row).fold(f32::INFINITY, f32::min);
    let highest = points.iter().map(row).fold(f32::NEG_INFINITY, f32::max);
    let mut counts = vec![0i32; (highest - lowest).max(0.0) as usize + 2];
    for point in points {
        counts[(row(point) - lowest) as usize] += 1;
    }
    counts.windows(2).map(|pair| (pair[1] - pair[0]) as f32).map(|difference| difference * difference).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of dashes that fall to the right by the angle.
    fn page(degrees: f32) -> Grey {
        let (width, height) = (1200usize, 1600usize);
        let mut picture = Grey { width, height, pixels: vec![245; width * height] };
        let slope = degrees.to_radians().tan();
        for row in 0..30 {
            for x in 150..1050 {
                if x % 23 < 6 {
                    continue;
                }
                let y = (180.0 + row as f32 * 42.0 + (x as f32 - 600.0) * slope) as usize;
                for thick in 0..14 {
                    picture.pixels[(y + thick) * width + x] = 20;
                }
            }
        }
        picture
    }

    #[test]
    fn the_angle_of_a_page_is_found() {
        for degrees in [-5.0f32, -2.0, -0.5, 0.7, 2.0, 6.0] {
            let found = angle(&page(degrees)).to_degrees();
            assert!((found - degrees).abs() <= 0.2, "{degrees}: {found}");
        }
    }

    #[test]
    fn a_level_page_and_an_empty_one_stay_as_they_are() {
        assert_eq!(angle(&page(0.0)), 0.0);
        assert_eq!(angle(&Grey { width: 100, height: 100, pixels: vec![255; 10_000] }), 0.0);
    }

    #[test]
    fn noise_has_no_angle() {
        let mut seed = 7u32;
        let pixels = (0..800 * 800)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if seed >> 28 == 0 { 0 } else { 255 }
            })
            .collect();
        assert_eq!(angle(&Grey { width: 800, height: 800, pixels }), 0.0);
    }
}
