//! From a page's own coordinates to those of the page as it is displayed.

use crate::document::PageSize;

/// Size of a page whose boxes are missing or empty (US Letter, as PDF readers assume).
const DEFAULT_BOX: [f32; 4] = [0.0, 0.0, 612.0, 792.0];
/// No page is larger (points times user unit); a larger box is damage.
const MAX_EXTENT: f32 = 1_000_000.0;

/// How a page is displayed: which part of its space, turned how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PageFrame {
    /// Left, bottom, right, top of the visible part in the page's own space, y upwards.
    visible: [f32; 4],
    rotation: Rotation,
    user_unit: f32,
}

/// Clockwise turn of the page for display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rotation {
    None,
    Quarter,
    Half,
    ThreeQuarters,
}

impl PageFrame {
    /// The visible part is the crop box within the media box (ISO 32000-1, 14.11.2), as pdf.js takes it: without an
    /// overlap the media box. A rotation that is not a multiple of 90 degrees counts as none.
    pub(super) fn new(
        media_box: Option<[f32; 4]>,
        crop_box: Option<[f32; 4]>,
        rotation_degrees: i64,
        user_unit: f32,
    ) -> Self {
        let media = media_box.and_then(usable).unwrap_or(DEFAULT_BOX);
        let visible = crop_box.and_then(usable).and_then(|crop| intersection(crop, media)).unwrap_or(media);
        let rotation = match rotation_degrees.rem_euclid(360) {
            90 => Rotation::Quarter,
            180 => Rotation::Half,
            270 => Rotation::ThreeQuarters,
            _ => Rotation::None,
        };
        let user_unit =
            if user_unit.is_finite() && user_unit > 0.0 && user_unit <= 1_000.0 { user_unit } else { 1.0 };
        Self { visible, rotation, user_unit }
    }

    /// Size as displayed, points.
    pub(super) fn size(&self) -> PageSize {
        let [x0, y0, x1, y1] = self.visible;
        let (width, height) = ((x1 - x0) * self.user_unit, (y1 - y0) * self.user_unit);
        match self.rotation {
            Rotation::None | Rotation::Half => PageSize { width, height },
            Rotation::Quarter | Rotation::ThreeQuarters => PageSize { width: height, height: width },
        }
    }

    /// A point in the page's own space to points from the top left corner of the displayed page.
    pub(super) fn point(&self, x: f32, y: f32) -> (f32, f32) {
        let [x0, y0, x1, y1] = self.visible;
        let (dx, dy) = match self.rotation {
            Rotation::None => (x - x0, y1 - y),
            Rotation::Quarter => (y - y0, x - x0),
            Rotation::Half => (x1 - x, y - y0),
            Rotation::ThreeQuarters => (y1 - y, x1 - x),
        };
        (dx * self.user_unit, dy * self.user_unit)
    }

    /// A direction in the page's own space to one on the displayed page, y downwards.
    pub(super) fn vector(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = match self.rotation {
            Rotation::None => (x, -y),
            Rotation::Quarter => (y, x),
            Rotation::Half => (-x, y),
            Rotation::ThreeQuarters => (-y, -x),
        };
        (dx * self.user_unit, dy * self.user_unit)
    }
}

/// Corners in order, and an area that text could stand on.
fn usable(corners: [f32; 4]) -> Option<[f32; 4]> {
    let [a, b, c, d] = corners;
    if !corners.iter().all(|value| value.is_finite() && value.abs() < MAX_EXTENT) {
        return None;
    }
    let ordered = [a.min(c), b.min(d), a.max(c), b.max(d)];
    (ordered[2] - ordered[0] >= 1.0 && ordered[3] - ordered[1] >= 1.0).then_some(ordered)
}

fn intersection(a: [f32; 4], b: [f32; 4]) -> Option<[f32; 4]> {
    usable_overlap([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])])
}

fn usable_overlap(overlap: [f32; 4]) -> Option<[f32; 4]> {
    (overlap[2] - overlap[0] >= 1.0 && overlap[3] - overlap[1] >= 1.0).then_some(overlap)
}

/// Direction in which a run of text is read on the displayed page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Reading {
    LeftToRight,
    /// Turned clockwise by a quarter.
    Downwards,
    UpsideDown,
    Upwards,
}

impl Reading {
    pub(super) const ALL: [Self; 4] = [Self::LeftToRight, Self::Downwards, Self::UpsideDown, Self::Upwards];

    /// The nearest of the four for a direction on the displayed page.
    pub(super) fn of(dx: f32, dy: f32) -> Self {
        if dx.abs() >= dy.abs() {
            if dx >= 0.0 { Self::LeftToRight } else { Self::UpsideDown }
        } else if dy > 0.0 {
            Self::Downwards
        } else {
            Self::Upwards
        }
    }

    /// A point on the displayed page in coordinates in which this text runs from left to right and its lines downwards.
    pub(super) fn upright(self, (x, y): (f32, f32), page: PageSize) -> (f32, f32) {
        match self {
            Self::LeftToRight => (x, y),
            Self::Downwards => (y, page.width - x),
            Self::UpsideDown => (page.width - x, page.height - y),
            Self::Upwards => (page.height - y, x),
        }
    }

    /// The inverse of [`upright`](Self::upright) for a box: left, top, right, bottom on the displayed page.
    pub(super) fn displayed(self, upright: [f32; 4], page: PageSize) -> [f32; 4] {
        let [u0, v0, u1, v1] = upright;
        match self {
            Self::LeftToRight => upright,
            Self::Downwards => [page.width - v1, u0, page.width - v0, u1],
            Self::UpsideDown => [page.width - u1, page.height - v1, page.width - u0, page.height - v0],
            Self::Upwards => [v0, page.height - u1, v1, page.height - u0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_and_crop_box_give_the_displayed_page() {
        // The crop box begins at (10, 20) and is 200 x 100; the point is 30 right of and 40 above its lower left corner.
        let frame = |degrees| {
            PageFrame::new(Some([0.0, 0.0, 500.0, 500.0]), Some([10.0, 20.0, 210.0, 120.0]), degrees, 1.0)
        };
        for (degrees, size, point) in [
            (0, (200.0, 100.0), (30.0, 60.0)),
            (90, (100.0, 200.0), (40.0, 30.0)),
            (180, (200.0, 100.0), (170.0, 40.0)),
            (270, (100.0, 200.0), (60.0, 170.0)),
            (-90, (100.0, 200.0), (60.0, 170.0)),
            (45, (200.0, 100.0), (30.0, 60.0)),
        ] {
            let frame = frame(degrees);
            assert_eq!((frame.size().width, frame.size().height), size, "{degrees}");
            assert_eq!(frame.point(40.0, 60.0), point, "{degrees}");
        }
    }

    #[test]
    fn boxes_that_make_no_sense_are_replaced() {
        let size = |media, crop| {
            let size = PageFrame::new(media, crop, 0, 1.0).size();
            (size.width, size.height)
        };
        assert_eq!(size(None, None), (612.0, 792.0));
        assert_eq!(size(Some([0.0, 0.0, 0.0, 0.0]), None), (612.0, 792.0));
        assert_eq!(size(Some([100.0, 300.0, 0.0, 0.0]), None), (100.0, 300.0));
        assert_eq!(size(Some([0.0, 0.0, 100.0, 300.0]), Some([400.0, 400.0, 500.0, 500.0])), (100.0, 300.0));
        assert_eq!(size(Some([0.0, 0.0, 100.0, 300.0]), Some([-50.0, -50.0, 50.0, 500.0])), (50.0, 300.0));
        assert_eq!(size(Some([f32::NAN, 0.0, 100.0, 300.0]), None), (612.0, 792.0));
    }

    #[test]
    fn the_user_unit_scales() {
        let frame = PageFrame::new(Some([0.0, 0.0, 100.0, 100.0]), None, 0, 2.0);
        assert_eq!((frame.size().width, frame.point(10.0, 90.0)), (200.0, (20.0, 20.0)));
    }

    #[test]
    fn upright_coordinates_come_back_as_they_went() {
        let page = PageSize { width: 300.0, height: 500.0 };
        for reading in Reading::ALL {
            let (u0, v0) = reading.upright((10.0, 20.0), page);
            let (u1, v1) = reading.upright((40.0, 90.0), page);
            let upright = [u0.min(u1), v0.min(v1), u0.max(u1), v0.max(v1)];
            assert_eq!(reading.displayed(upright, page), [10.0, 20.0, 40.0, 90.0], "{reading:?}");
        }
    }

    #[test]
    fn text_turned_with_the_page_reads_left_to_right() {
        // A page turned clockwise by a quarter whose text runs upwards in its own space.
        let frame = PageFrame::new(None, None, 90, 1.0);
        let (dx, dy) = frame.vector(0.0, 1.0);
        assert_eq!(Reading::of(dx, dy), Reading::LeftToRight);
    }
}
