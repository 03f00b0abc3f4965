//! In which order a person reads shapes on a slide.

/// A shape's place; any unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::parse) struct Place {
    pub(in crate::parse) left: f64,
    pub(in crate::parse) top: f64,
    pub(in crate::parse) right: f64,
    pub(in crate::parse) bottom: f64,
}

/// Shapes may overlap by this share of the smaller one and still stand apart.
const OVERLAP: f64 = 0.2;
/// More shapes are left in the file's order: they are a drawing.
const MAX_SHAPES: usize = 120;

/// The indices in reading order: rows of shapes from above, in each the columns from the left, and in each of those
/// rows again. Where a place is not known, or shapes lie over each other, the file's order stays.
pub(in crate::parse) fn reading_order(places: &[Option<Place>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    let known: Option<Vec<Place>> = places.iter().copied().collect();
    match known {
        Some(known) if known.len() <= MAX_SHAPES => cut(&known, order, true, 0),
        _ => {
            order.sort_unstable();
            order
        }
    }
}

fn cut(places: &[Place], shapes: Vec<usize>, by_rows: bool, failed: usize) -> Vec<usize> {
    if shapes.len() < 2 || failed >= 2 {
        return shapes;
    }
    let groups = groups(places, &shapes, by_rows);
    if groups.len() == 1 {
        return cut(places, shapes, !by_rows, failed + 1);
    }
    groups.into_iter().flat_map(|group| cut(places, group, !by_rows, 0)).collect()
}

/// Shapes that share a range of the axis, each group in the file's order.
fn groups(places: &[Place], shapes: &[usize], by_rows: bool) -> Vec<Vec<usize>> {
    let range = |shape: usize| {
        let place = places[shape];
        let (from, to) = if by_rows { (place.top, place.bottom) } else { (place.left, place.right) };
        (from, to.max(from))
    };
    let mut sorted = shapes.to_vec();
    sorted.sort_by(|&a, &b| range(a).0.total_cmp(&range(b).0));
    let mut groups: Vec<(f64, Vec<usize>)> = Vec::new();
    for shape in sorted {
        let (from, to) = range(shape);
        match groups.last_mut() {
            Some((end, group)) if from < *end - OVERLAP * smallest(group, shape, &range) => {
                *end = end.max(to);
                group.push(shape);
            }
            _ => groups.push((to, vec![shape])),
        }
    }
    let in_file_order = |(_, mut group): (f64, Vec<usize>)| {
        group.sort_unstable();
        group
    };
    groups.into_iter().map(in_file_order).collect()
}

fn smallest(group: &[usize], shape: usize, range: &impl Fn(usize) -> (f64, f64)) -> f64 {
    let extent = |shape: usize| range(shape).1 - range(shape).0;
    group.iter().map(|&other| extent(other)).fold(extent(shape), f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(left: f64, top: f64, width: f64, height: f64) -> Option<Place> {
        Some(Place { left, top, right: left + width, bottom: top + height })
    }

    #[test]
    fn columns_are_read_from_the_top_before_the_next_one() {
        // The right column stands first in the file; its boxes are not level with those of the left.
        let places = [
            place(50.0, 10.0, 40.0, 30.0),
            place(50.0, 45.0, 40.0, 40.0),
            place(0.0, 10.0, 40.0, 60.0),
            place(0.0, 75.0, 40.0, 10.0),
        ];
        assert_eq!(reading_order(&places), [2, 3, 0, 1]);
    }

    #[test]
    fn rows_are_read_one_after_the_other() {
        let places =
            [place(0.0, 60.0, 90.0, 20.0), place(50.0, 0.0, 40.0, 20.0), place(0.0, 0.0, 40.0, 20.0)];
        assert_eq!(reading_order(&places), [2, 1, 0]);
    }

    #[test]
    fn shapes_over_each_other_or_without_a_place_keep_their_order() {
        assert_eq!(reading_order(&[place(0.0, 5.0, 9.0, 9.0), place(1.0, 0.0, 9.0, 9.0)]), [0, 1]);
        assert_eq!(reading_order(&[place(0.0, 50.0, 9.0, 9.0), None, place(0.0, 0.0, 9.0, 9.0)]), [0, 1, 2]);
    }
}
