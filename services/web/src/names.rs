//! Names that people give: how they are checked and how they are compared.

use anwen_contract::ApiError;
use unicode_normalization::UnicodeNormalization as _;

/// The most characters of a user's or group's name.
pub const MAX_NAME_CHARS: usize = 64;
/// The most characters of a shown name, a key's name or a title.
pub const MAX_LABEL_CHARS: usize = 200;
/// The most characters of a description.
pub const MAX_DESCRIPTION_CHARS: usize = 2_000;

/// The form in which names are compared: NFKC, lower case, without surrounding space.
pub fn name_key(name: &str) -> String {
    name.trim().nfkc().collect::<String>().to_lowercase()
}

/// A name by which something is called: not empty, one line, without control characters.
pub fn checked_name(name: &str, what: &str, max_chars: usize) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(ApiError::invalid(format!("{what} is empty")));
    }
    checked_label(name, what, max_chars)
}

/// A text of one line that may be empty.
pub fn checked_label(text: &str, what: &str, max_chars: usize) -> Result<String, ApiError> {
    let text = text.trim();
    if text.chars().count() > max_chars {
        return Err(ApiError::invalid(format!("{what} has more than {max_chars} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(ApiError::invalid(format!("{what} holds control characters")));
    }
    Ok(text.to_owned())
}

/// A name to sign in with: letters and digits of any script, and `. _ - @`.
pub fn checked_username(name: &str) -> Result<String, ApiError> {
    let name = checked_name(name, "username", MAX_NAME_CHARS)?;
    if !name.chars().all(|c| c.is_alphanumeric() || "._-@".contains(c)) {
        return Err(ApiError::invalid("username: letters, digits and . _ - @ only"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_words() {
        for (name, accepted) in [
            ("li.ming@example.com", true),
            ("王小明", true),
            (" admin ", true),
            ("", false),
            ("a b", false),
            ("a\nb", false),
            ("<script>", false),
            (&"x".repeat(MAX_NAME_CHARS + 1), false),
        ] {
            assert_eq!(checked_username(name).is_ok(), accepted, "{name:?}");
        }
    }

    #[test]
    fn names_that_look_alike_are_one() {
        assert_eq!(name_key(" Ａdmin "), name_key("admin"));
    }
}
