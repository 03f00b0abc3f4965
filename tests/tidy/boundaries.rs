//! Boundaries 1, 2 and 3 of ARCHITECTURE.md.

use std::collections::BTreeMap;

use regex::Regex;

use crate::Violation;
use crate::repository::{Repository, RustFile, TextFile};

const SERVICES: [&str; 4] = ["anwen-model-runtime", "anwen-knowledge", "anwen-search-proxy", "anwen-web"];

/// Which crates of the workspace a crate may depend on; `None` for a crate that has no place yet.
fn may_depend_on(crate_name: &str, dependency: &str) -> Option<bool> {
    let is_foundation = matches!(
        dependency,
        "anwen-contract" | "anwen-parse" | "anwen-platform" | "anwen-privacy" | "anwen-text"
    );
    match crate_name {
        "anwen-contract" | "anwen-dialogue" | "anwen-models" | "anwen-text" => Some(false),
        "anwen-platform" => Some(dependency == "anwen-contract"),
        "anwen-privacy" | "anwen-static-embedding" => Some(dependency == "anwen-text"),
        "anwen-parse" => Some(matches!(dependency, "anwen-contract" | "anwen-text")),
        // The composition root; its command line works on the models' folder.
        "anwen" => Some(is_foundation || dependency == "anwen-models" || SERVICES.contains(&dependency)),
        "anwen-model-runtime" => Some(
            is_foundation
                || matches!(dependency, "anwen-dialogue" | "anwen-models" | "anwen-static-embedding"),
        ),
        "anwen-tests" => Some(true),
        service if SERVICES.contains(&service) => Some(is_foundation),
        _ => None,
    }
}

/// Boundary 1: contract depends on no crate of the workspace, platform on contract, services on both, and nothing on a
/// service but the composition root and the tests.
pub fn crate_dependencies(repository: &Repository) -> Vec<Violation> {
    let manifests = repository.with_suffix("Cargo.toml").filter(|file| file.path != "Cargo.toml");
    manifests.flat_map(wrong_dependencies).collect()
}

fn wrong_dependencies(manifest: &TextFile) -> Vec<Violation> {
    let parsed: toml::Table = manifest.text.parse().expect("cargo reads this file too");
    let name = parsed["package"]["name"].as_str().unwrap();
    workspace_dependencies(&toml::Value::Table(parsed.clone()))
        .into_iter()
        .filter_map(|dependency| {
            let line = manifest
                .text
                .lines()
                .position(|line| line.starts_with(&dependency))
                .map_or(1, |index| index + 1);
            match may_depend_on(name, &dependency) {
                Some(true) => None,
                Some(false) => Some(Violation::new(
                    &manifest.path,
                    line,
                    format!("{name} must not depend on {dependency}"),
                )),
                None => Some(Violation::new(
                    &manifest.path,
                    line,
                    format!("give {name} a place in tests/tidy/boundaries.rs"),
                )),
            }
        })
        .collect()
}

/// The crates of this workspace in any dependency table, those under `[target]` too.
fn workspace_dependencies(manifest: &toml::Value) -> Vec<String> {
    let Some(table) = manifest.as_table() else { return Vec::new() };
    table
        .iter()
        .flat_map(|(key, value)| match key.as_str() {
            "dependencies" | "dev-dependencies" | "build-dependencies" => {
                let names = value.as_table().into_iter().flat_map(toml::Table::keys);
                names.filter(|name| *name == "anwen" || name.starts_with("anwen-")).cloned().collect()
            }
            _ => workspace_dependencies(value),
        })
        .collect()
}

/// `store.rs` or a file under `store/`, in any crate; and `rows.rs`, which reads the columns of rows for stores.
fn is_store(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "store" | "store.rs" | "rows.rs"))
}

/// The database pool and the migrator are the platform's.
fn may_hold_sql(path: &str) -> bool {
    is_store(path) || path.starts_with("crates/platform/src/db/") || path == "crates/platform/src/db.rs"
}

/// Boundary 2: SQL stands in `store` modules only; stores know no HTTP.
pub fn sql_and_http(file: &RustFile<'_>) -> Vec<Violation> {
    // In capitals, as SQL is written here; what escapes in small letters still needs sqlx to be run.
    let sql = Regex::new(
        r"^\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|(CREATE|ALTER|DROP)\s+(TABLE|INDEX|UNIQUE)|PRAGMA\s|WITH\s+(RECURSIVE\s+)?\w+\s+AS\s*\()",
    )
    .unwrap();
    let violation = |line, message: &str| Violation::new(file.path, line, message);
    if is_store(file.path) {
        return lines_that_name(file, &["axum", "hyper", "reqwest", "http", "tower_http"])
            .map(|(line, name)| violation(line, &format!("a store knows no HTTP: {name}")))
            .collect();
    }
    if may_hold_sql(file.path) {
        return Vec::new();
    }
    let strings = file.lexed.strings.iter().filter(|(line, text)| !file.is_test(*line) && sql.is_match(text));
    let in_strings = strings.map(|(line, _)| violation(*line, "SQL outside a store module"));
    let in_code =
        lines_that_name(file, &["sqlx"]).map(|(line, _)| violation(line, "sqlx outside a store module"));
    in_strings.chain(in_code).collect()
}

/// Boundary 3: within a folder of sources, which third-party crates only one module may name.
struct Guard {
    within: &'static str,
    module: &'static str,
    crates: &'static [&'static str],
}

/// Those that read file formats.
const FORMAT_CRATES: [&str; 18] = [
    "bzip2",
    "calamine",
    "cfb",
    "docx_rs",
    "dom_query",
    "dom_smoothie",
    "flate2",
    "hayro",
    "hayro_interpret",
    "htmd",
    "lopdf",
    "lzma_rust2",
    "mail_parser",
    "pdf_oxide",
    "pulldown_cmark",
    "quick_xml",
    "undoc",
    "zip",
];

const GUARDS: [Guard; 8] = [
    Guard {
        within: "services/",
        module: "services/knowledge/src/index",
        crates: &["qdrant_client", "qdrant_edge", "tantivy"],
    },
    Guard { within: "services/knowledge/src/", module: "", crates: &FORMAT_CRATES },
    Guard { within: "crates/", module: "crates/parse/src/parse", crates: &FORMAT_CRATES },
    Guard { within: "services/", module: "", crates: &["tar"] },
    Guard { within: "crates/models/", module: "crates/models/src/archive", crates: &["tar"] },
    Guard {
        within: "services/web/",
        module: "",
        crates: &["docx_rs", "hayro", "hayro_interpret", "lopdf", "pdf_oxide", "undoc"],
    },
    Guard {
        within: "crates/",
        module: "",
        crates: &[
            "candle",
            "candle_core",
            "llama_cpp_2",
            "mistralrs",
            "qdrant_client",
            "qdrant_edge",
            "tantivy",
        ],
    },
    Guard {
        within: "services/",
        module: "services/model-runtime/src/engine",
        crates: &[
            "candle",
            "candle_core",
            "candle_nn",
            "candle_transformers",
            "llama_cpp_2",
            "llama_cpp_sys_2",
            "mistralrs",
        ],
    },
];

impl Guard {
    fn covers(&self, path: &str) -> bool {
        let rest = path.strip_prefix(self.module).filter(|_| !self.module.is_empty());
        let is_inside = rest.is_some_and(|rest| rest.starts_with('/') || rest == ".rs");
        path.starts_with(self.within) && !is_inside
    }
}

pub fn guarded_crates(file: &RustFile<'_>) -> Vec<Violation> {
    GUARDS
        .iter()
        .filter(|guard| guard.covers(file.path))
        .flat_map(|guard| {
            lines_that_name(file, guard.crates).map(|(line, name)| {
                let message = match guard.module {
                    "" => format!("{name} has no business here"),
                    module => format!("only {module} names {name}"),
                };
                Violation::new(file.path, line, message)
            })
        })
        .collect()
}

/// The lines outside tests on which a crate is named as the root of a path (`name::`) or imported (`use name`).
fn lines_that_name<'a>(
    file: &'a RustFile<'_>,
    crates: &[&str],
) -> impl Iterator<Item = (usize, String)> + 'a {
    let names = crates.join("|");
    let root = Regex::new(&format!(r"(?:^|[^\w:.])({names})::|\buse\s+(?:::)?({names})\b")).unwrap();
    file.production_lines().filter_map(move |(line, code)| {
        let found = root.captures(code)?;
        let name = found.get(1).or_else(|| found.get(2))?;
        Some((line, name.as_str().to_owned()))
    })
}

/// Every crate that a guard names must exist under that name, or the guard guards nothing after a rename.
pub fn guarded_modules() -> BTreeMap<&'static str, &'static [&'static str]> {
    GUARDS.iter().filter(|guard| !guard.module.is_empty()).map(|guard| (guard.module, guard.crates)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(violations: Vec<Violation>) -> Vec<String> {
        violations.iter().map(Violation::to_string).collect()
    }

    fn manifest(text: &str) -> TextFile {
        TextFile { path: "x/Cargo.toml".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_service_that_depends_on_a_service_is_found() {
        let text = "[package]\nname = \"anwen-web\"\n[dependencies]\nanwen-contract = \"1\"\n[target.'cfg(unix)'.dev-dependencies]\nanwen-knowledge = \"1\"\n";
        assert_eq!(
            messages(wrong_dependencies(&manifest(text))),
            ["x/Cargo.toml:6: anwen-web must not depend on anwen-knowledge"]
        );
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        let text = "[package]\nname = \"anwen-new\"\n[dependencies]\nanwen-contract = \"1\"\n";
        assert_eq!(wrong_dependencies(&manifest(text)).len(), 1);
    }

    #[test]
    fn what_each_crate_may_depend_on() {
        let cases = [
            ("anwen-contract", "anwen-platform", Some(false)),
            ("anwen-platform", "anwen-contract", Some(true)),
            ("anwen-platform", "anwen-web", Some(false)),
            ("anwen-web", "anwen-text", Some(true)),
            ("anwen", "anwen-web", Some(true)),
            ("anwen-knowledge", "anwen", Some(false)),
        ];
        for (name, dependency, expected) in cases {
            assert_eq!(may_depend_on(name, dependency), expected, "{name} -> {dependency}");
        }
    }

    #[test]
    fn sql_outside_a_store_is_found() {
        let text = "fn a() { run(\"SELECT id\\nFROM chats\"); }\nfn b() { sqlx::query(x); }\nfn c() { say(\"Select a model from the list\"); }\nfn d() { say(\"Update the set\") }\n#[cfg(test)]\nmod tests { const Q: &str = \"DELETE FROM chats\"; }";
        let found = sql_and_http(&RustFile::new("services/web/src/chats/routes.rs", text));
        let lines: Vec<usize> = found.iter().map(|violation| violation.line).collect();
        assert_eq!(lines, [1, 2], "{found:?}");
        assert_eq!(sql_and_http(&RustFile::new("services/web/src/chats/store.rs", text)), []);
    }

    #[test]
    fn http_inside_a_store_is_found() {
        let text = "use axum::Json;\nfn a() -> http::StatusCode {}\nfn b(x: self::http::Y) {}";
        assert_eq!(sql_and_http(&RustFile::new("services/web/src/chats/store/rows.rs", text)).len(), 2);
    }

    #[test]
    fn a_guarded_crate_outside_its_module_is_found() {
        let cases = [
            ("services/knowledge/src/retrieve/mod.rs", "use tantivy::Index;", 1),
            ("services/knowledge/src/index/lexical.rs", "use tantivy::Index;", 0),
            ("services/knowledge/src/indexes.rs", "use tantivy::Index;", 1),
            ("services/knowledge/src/documents/routes.rs", "let d = lopdf::Document::load(p);", 1),
            ("services/knowledge/src/documents/routes.rs", "a.iter().zip(b); // lopdf::Document", 0),
            ("crates/parse/src/parse/pdf.rs", "let d = lopdf::Document::load(p);", 0),
            ("crates/parse/src/chunk.rs", "let d = lopdf::Document::load(p);", 1),
            ("services/model-runtime/src/routes.rs", "mistralrs::Model", 1),
            ("services/model-runtime/src/engine/mistralrs.rs", "mistralrs::Model", 0),
            ("crates/text/src/lib.rs", "use qdrant_client::Qdrant;", 1),
            ("services/search-proxy/src/read.rs", "use dom_smoothie::Readability;", 0),
        ];
        for (path, code, count) in cases {
            assert_eq!(guarded_crates(&RustFile::new(path, code)).len(), count, "{path}: {code}");
        }
    }

    #[test]
    fn each_guarded_module_exists_and_names_what_it_guards() {
        let repository = Repository::load();
        for (module, crates) in guarded_modules() {
            let mut files =
                repository.with_suffix(".rs").filter(|file| file.path.starts_with(module)).peekable();
            assert!(files.peek().is_some(), "{module} is guarded, and there is no such module");
            assert!(
                files.any(|file| crates.iter().any(|name| file.text.contains(name))),
                "{module} names none of {crates:?}: the guard is out of date"
            );
        }
    }
}
