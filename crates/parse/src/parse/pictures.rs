//! What files say about their pictures, when it says anything.

use crate::clean;

/// The description of a picture as its caption; `None` for those that programs put there by themselves: `Picture 3`,
/// `image1.png`.
pub(super) fn description(text: &str) -> Option<String> {
    let text = clean::normalise(text.trim());
    let text = text.trim_end_matches("Description automatically generated").trim();
    let lower = text.to_lowercase();
    let is_file = !lower.contains(' ')
        && [".png", ".jpg", ".jpeg", ".gif", ".bmp", ".emf", ".wmf", ".svg", ".tif", ".tiff"]
            .iter()
            .any(|ending| lower.ends_with(ending));
    let name = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let is_usual = ["", "picture", "image", "graphic", "图片", "图像", "图形"].contains(&name);
    (!is_file && !is_usual).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_person_wrote_is_a_description() {
        for (text, expected) in [
            ("Sales by region", Some("Sales by region")),
            ("Picture 3", None),
            ("temp_1.PNG", None),
            ("图片 2", None),
            (" ", None),
            ("A red car Description automatically generated", Some("A red car")),
        ] {
            assert_eq!(description(text).as_deref(), expected, "{text}");
        }
    }
}
