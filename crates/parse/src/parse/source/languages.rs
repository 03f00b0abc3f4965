//! Which language a file of program text is in, by its name or its first line.

/// Endings of names (in lower case) and the language's name as code fences write it.
const EXTENSIONS: &[(&str, &str)] = &[
    ("rs", "rust"),
    ("py", "python"),
    ("pyi", "python"),
    ("pyw", "python"),
    ("js", "javascript"),
    ("mjs", "javascript"),
    ("cjs", "javascript"),
    ("jsx", "jsx"),
    ("ts", "typescript"),
    ("mts", "typescript"),
    ("cts", "typescript"),
    ("tsx", "tsx"),
    ("vue", "vue"),
    ("svelte", "svelte"),
    ("c", "c"),
    ("h", "c"),
    ("cc", "cpp"),
    ("cpp", "cpp"),
    ("cxx", "cpp"),
    ("hpp", "cpp"),
    ("hh", "cpp"),
    ("hxx", "cpp"),
    ("cu", "cuda"),
    ("cs", "csharp"),
    ("java", "java"),
    ("kt", "kotlin"),
    ("kts", "kotlin"),
    ("scala", "scala"),
    ("groovy", "groovy"),
    ("gradle", "groovy"),
    ("go", "go"),
    ("swift", "swift"),
    ("m", "objectivec"),
    ("mm", "objectivec"),
    ("rb", "ruby"),
    ("php", "php"),
    ("pl", "perl"),
    ("pm", "perl"),
    ("lua", "lua"),
    ("r", "r"),
    ("jl", "julia"),
    ("dart", "dart"),
    ("ex", "elixir"),
    ("exs", "elixir"),
    ("erl", "erlang"),
    ("hs", "haskell"),
    ("ml", "ocaml"),
    ("clj", "clojure"),
    ("lisp", "lisp"),
    ("el", "lisp"),
    ("scm", "scheme"),
    ("zig", "zig"),
    ("nim", "nim"),
    ("v", "verilog"),
    ("sv", "systemverilog"),
    ("vhd", "vhdl"),
    ("vhdl", "vhdl"),
    ("asm", "asm"),
    ("s", "asm"),
    ("f90", "fortran"),
    ("f", "fortran"),
    ("pas", "pascal"),
    ("vb", "vb"),
    ("vbs", "vb"),
    ("bas", "vb"),
    ("cob", "cobol"),
    ("cbl", "cobol"),
    ("sql", "sql"),
    ("sh", "bash"),
    ("bash", "bash"),
    ("zsh", "bash"),
    ("fish", "fish"),
    ("ps1", "powershell"),
    ("psm1", "powershell"),
    ("bat", "batch"),
    ("cmd", "batch"),
    ("css", "css"),
    ("scss", "scss"),
    ("less", "less"),
    ("proto", "protobuf"),
    ("thrift", "thrift"),
    ("graphql", "graphql"),
    ("gql", "graphql"),
    ("tf", "hcl"),
    ("hcl", "hcl"),
    ("cmake", "cmake"),
    ("mk", "makefile"),
    ("dockerfile", "dockerfile"),
    ("tex", "latex"),
    ("sty", "latex"),
    ("bib", "bibtex"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
    ("toml", "toml"),
    ("ini", "ini"),
    ("cfg", "ini"),
    ("conf", "ini"),
    ("properties", "properties"),
    ("env", "properties"),
    ("diff", "diff"),
    ("patch", "diff"),
    ("json5", "json5"),
    ("jsonc", "json5"),
];

/// Whole names, in lower case.
const NAMES: &[(&str, &str)] = &[
    ("makefile", "makefile"),
    ("gnumakefile", "makefile"),
    ("dockerfile", "dockerfile"),
    ("containerfile", "dockerfile"),
    ("jenkinsfile", "groovy"),
    ("vagrantfile", "ruby"),
    ("gemfile", "ruby"),
    ("rakefile", "ruby"),
    ("cmakelists.txt", "cmake"),
    (".bashrc", "bash"),
    (".gitignore", "gitignore"),
    (".editorconfig", "ini"),
];

/// Programs that a first line `#!` names.
const INTERPRETERS: &[(&str, &str)] = &[
    ("python", "python"),
    ("bash", "bash"),
    ("zsh", "bash"),
    ("sh", "bash"),
    ("node", "javascript"),
    ("deno", "typescript"),
    ("perl", "perl"),
    ("ruby", "ruby"),
    ("php", "php"),
    ("lua", "lua"),
    ("rscript", "r"),
    ("awk", "awk"),
];

/// The language of a file with this name (without folders).
pub(in crate::parse) fn by_name(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    if let Some((_, language)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(language);
    }
    let (_, extension) = name.rsplit_once('.')?;
    EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|(_, language)| *language)
}

/// The language of a script that names its interpreter in its first line.
pub(in crate::parse) fn by_first_line(text: &str) -> Option<&'static str> {
    let command = text.strip_prefix("#!")?.lines().next()?;
    let mut words = command.split_whitespace().filter_map(|word| word.rsplit('/').next());
    let program = words.find(|word| *word != "env" && !word.starts_with('-'))?.to_ascii_lowercase();
    let program = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    INTERPRETERS.iter().find(|(known, _)| *known == program).map(|(_, language)| *language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters() {
        for (text, language) in [
            ("#!/usr/bin/env python3\nprint()", Some("python")),
            ("#!/bin/sh -e\n", Some("bash")),
            ("#!/usr/bin/env -S deno run\n", Some("typescript")),
            ("#! nothing known", None),
            ("text", None),
        ] {
            assert_eq!(by_first_line(text), language, "{text}");
        }
    }
}
