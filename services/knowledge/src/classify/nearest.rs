//! Which label is nearest.

/// The cosine at which "none of these" stands among the labels: what is no nearer than texts of unrelated subjects
/// are to one another has none.
const NONE_AT: f32 = 0.3;
/// Cosines that differ by this much differ by a factor e in confidence.
const SCALE: f32 = 0.05;
/// The least confidence with which a label is given.
const MIN_CONFIDENCE: f32 = 0.5;

/// A point that a label is told by: its description, an example, or a document that a person gave it to.
#[derive(Debug, Clone, PartialEq)]
pub struct Prototype {
    pub label: String,
    pub vector: Vec<f32>,
}

/// A label and how sure it is, 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    pub label: String,
    pub confidence: f32,
}

/// The label of the nearest prototype, where it is clearly the nearest: the confidence is a softmax over each label's
/// best cosine and "none of these".
pub fn nearest(vector: &[f32], prototypes: &[Prototype]) -> Option<Chosen> {
    let mut best: Vec<(&str, f32)> = Vec::new();
    for prototype in prototypes.iter().filter(|prototype| prototype.vector.len() == vector.len()) {
        let score = cosine(vector, &prototype.vector);
        match best.iter_mut().find(|(label, _)| *label == prototype.label) {
            Some((_, known)) => *known = known.max(score),
            None => best.push((&prototype.label, score)),
        }
    }
    let (label, score) = best.iter().copied().max_by(|one, other| one.1.total_cmp(&other.1))?;
    let weight = |cosine: f32| ((cosine - score) / SCALE).exp();
    let all: f32 = best.iter().map(|(_, cosine)| weight(*cosine)).sum::<f32>() + weight(NONE_AT);
    let confidence = 1.0 / all;
    (confidence >= MIN_CONFIDENCE).then(|| Chosen { label: label.to_owned(), confidence })
}

/// The cosine of two vectors of one length; 0 where one has no direction.
pub fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let dot: f32 = one.iter().zip(other).map(|(a, b)| a * b).sum();
    let length = |vector: &[f32]| vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    let product = length(one) * length(other);
    if product > 0.0 { dot / product } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prototype(label: &str, vector: [f32; 2]) -> Prototype {
        Prototype { label: label.to_owned(), vector: vector.to_vec() }
    }

    #[test]
    fn the_nearest_label_is_given_where_it_is_clear() {
        let prototypes =
            [prototype("east", [1.0, 0.0]), prototype("north", [0.0, 1.0]), prototype("north", [0.1, 0.9])];
        let of = |vector: [f32; 2]| nearest(&vector, &prototypes).map(|chosen| chosen.label);
        assert_eq!(of([1.0, 0.2]).as_deref(), Some("east"));
        assert_eq!(of([0.3, 1.0]).as_deref(), Some("north"));
        // Between two, and far from both.
        assert_eq!(nearest(&[1.0, 1.0], &prototypes[..2]), None);
        assert_eq!(of([-1.0, 0.0]), None);
        assert_eq!(of([0.0, 0.0]), None);
    }

    #[test]
    fn one_label_alone_must_still_be_near() {
        let only = [prototype("east", [1.0, 0.0])];
        assert!(nearest(&[1.0, 0.1], &only).is_some_and(|chosen| chosen.confidence > 0.9));
        assert_eq!(nearest(&[0.1, 1.0], &only), None);
    }

    #[test]
    fn vectors_of_another_model_are_not_compared() {
        assert_eq!(nearest(&[1.0, 0.0, 0.0], &[prototype("east", [1.0, 0.0])]), None);
    }
}
