//! A function fits a screen, a file one idea: `MAX_FUNCTION_LINES` and `MAX_FILE_LINES`.

use regex::Regex;

use crate::Violation;
use crate::lexer::{end_of_item, line_of};
use crate::repository::RustFile;

const MAX_FILE_LINES: usize = 500;
/// About 60 is the habit; this is where it stops. Functions of tests are not measured: a long table is a good test.
const MAX_FUNCTION_LINES: usize = 80;

pub fn too_long(file: &RustFile<'_>) -> Vec<Violation> {
    let lines = file.text.lines().count();
    let whole = (lines > MAX_FILE_LINES).then(|| {
        Violation::new(
            file.path,
            lines,
            format!("{lines} lines, at most {MAX_FILE_LINES}: give its second idea a file"),
        )
    });
    whole.into_iter().chain(long_functions(file)).collect()
}

fn long_functions(file: &RustFile<'_>) -> Vec<Violation> {
    let function = Regex::new(r"\bfn\s+(\w+)").unwrap();
    let code = &file.lexed.code;
    function
        .captures_iter(code)
        .filter_map(|found| {
            let start = found.get(0)?.start();
            let first = line_of(code, start);
            let length = line_of(code, end_of_item(code, start)) - first + 1;
            (length > MAX_FUNCTION_LINES && !file.is_test(first)).then(|| {
                let name = &found[1];
                let message =
                    format!("fn {name} has {length} lines, at most {MAX_FUNCTION_LINES}: split it by idea");
                Violation::new(file.path, first, message)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_of(lines: usize) -> String {
        format!("fn long(x: [u8; 2]) {{\n{}}}\n", "    a();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_over_the_limit_is_found() {
        for (lines, count) in [(MAX_FUNCTION_LINES, 0), (MAX_FUNCTION_LINES + 1, 1)] {
            assert_eq!(too_long(&RustFile::new("a.rs", &function_of(lines))).len(), count, "{lines} lines");
        }
    }

    #[test]
    fn a_long_test_function_is_not_measured() {
        let text = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function_of(200));
        assert_eq!(too_long(&RustFile::new("a.rs", &text)), []);
    }

    #[test]
    fn a_file_over_the_limit_is_found() {
        for (lines, count) in [(MAX_FILE_LINES, 0), (MAX_FILE_LINES + 1, 1)] {
            assert_eq!(too_long(&RustFile::new("a.rs", &"//\n".repeat(lines))).len(), count, "{lines} lines");
        }
    }
}
