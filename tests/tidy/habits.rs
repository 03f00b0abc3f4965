//! No panic on purpose outside tests, nothing unfinished, no test skipped without the command that runs it.

use regex::Regex;

use crate::Violation;
use crate::repository::RustFile;

pub fn broken_habits(file: &RustFile<'_>) -> Vec<Violation> {
    // The lints can be silenced where they stand; this cannot.
    let panics =
        Regex::new(r#"\.(unwrap|unwrap_err)\(\)|\.expect(_err)?\("|\b(unwrap|expect)_used\b"#).unwrap();
    let unfinished = Regex::new(r"\b(todo|unimplemented)!").unwrap();
    let violation = |line, message: &str| Violation::new(file.path, line, message);

    let panicking = file.production_lines().filter(|(_, code)| panics.is_match(code)).map(|(line, _)| {
        violation(line, "unwrap or expect outside tests: return the error, or choose a type without it")
    });
    let code_lines = || file.lexed.code.lines().zip(1..);
    let left = code_lines()
        .filter(|(code, _)| unfinished.is_match(code))
        .map(|(_, line)| violation(line, "unfinished: do it, or leave it out"));
    let ignored = code_lines()
        .filter(|(code, line)| code.contains("#[ignore") && !names_a_command(file, *line))
        .map(|(_, line)| violation(line, "say how to run it: #[ignore = \"make ...\"]"));
    panicking.chain(left).chain(ignored).collect()
}

fn names_a_command(file: &RustFile<'_>, line: usize) -> bool {
    let command = Regex::new(r"\b(make|cargo) \w").unwrap();
    file.lexed.strings.iter().any(|(at, text)| *at == line && command.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        broken_habits(&RustFile::new("services/web/src/a.rs", text))
            .iter()
            .map(|violation| violation.line)
            .collect()
    }

    #[test]
    fn panics_outside_tests_are_found() {
        let text = "fn a() { x.unwrap(); }\nfn b() { y.expect(\"z\"); }\n#[allow(clippy::unwrap_used)]\nfn c() { parser.expect(Token::End); x.unwrap_or(1); } // .unwrap()\n#[cfg(test)]\n#[allow(clippy::unwrap_used)]\nmod tests { fn t() { x.unwrap(); } }";
        assert_eq!(lines(text), [1, 2, 3]);
    }

    #[test]
    fn unfinished_work_is_found_in_tests_too() {
        assert_eq!(
            lines(
                "fn a() { todo!() }\n#[cfg(test)]\nmod tests { fn t() { unimplemented!() } }\nlet s = \"todo!\";"
            ),
            [1, 3]
        );
    }

    #[test]
    fn an_ignored_test_must_name_the_command_that_runs_it() {
        assert_eq!(
            lines(
                "#[ignore]\nfn a() {}\n#[ignore = \"slow\"]\nfn b() {}\n#[ignore = \"make leak-matrix\"]\nfn c() {}"
            ),
            [1, 3]
        );
    }
}
