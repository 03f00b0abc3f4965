//! A migration that no list names is never applied, and one that only one database has leaves the other behind.

use crate::Violation;
use crate::repository::Repository;

const FOLDER: &str = "migrations/";
const DATABASES: [&str; 2] = ["/sqlite/", "/postgres/"];

pub fn forgotten(repository: &Repository) -> Vec<Violation> {
    let files: Vec<&String> =
        repository.paths.iter().filter(|path| path.starts_with(FOLDER) && path.ends_with(".sql")).collect();
    if files.is_empty() {
        return vec![Violation::new(FOLDER, 1, "no migrations here: this rule looks in the wrong place")];
    }
    let unnamed = files.iter().filter(|path| !is_named(repository, path)).map(|path| {
        Violation::new(path, 1, "no store's list of migrations names this file, so it is never applied")
    });
    let lonely = files
        .iter()
        .filter(|path| !repository.paths.contains(&twin(path)))
        .map(|path| Violation::new(path, 1, "the other database has no migration of this name"));
    unnamed.chain(lonely).collect()
}

fn is_named(repository: &Repository, path: &str) -> bool {
    let end = format!("{path}\")");
    let mut sources = repository.with_suffix(".rs").filter(|file| file.path.starts_with("services/"));
    sources.any(|file| file.text.lines().any(|line| line.contains("include_str!") && line.contains(&end)))
}

/// The file of the same migration for the other database.
fn twin(path: &str) -> String {
    let [sqlite, postgres] = DATABASES;
    if path.contains(sqlite) { path.replace(sqlite, postgres) } else { path.replace(postgres, sqlite) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::TextFile;

    fn repository(paths: &[&str], source: &str) -> Repository {
        let source = TextFile { path: "services/web/src/store.rs".to_owned(), text: source.to_owned() };
        Repository { paths: paths.iter().map(|path| (*path).to_owned()).collect(), texts: vec![source] }
    }

    #[test]
    fn a_migration_that_no_list_names_is_found() {
        let both = ["migrations/web/sqlite/0001_a.sql", "migrations/web/postgres/0001_a.sql"];
        let named = both.map(|path| format!("sql: include_str!(\"../../../{path}\"),\n"));
        assert!(forgotten(&repository(&both, &named.concat())).is_empty());
        assert_eq!(forgotten(&repository(&both, &named[0])).len(), 1);
        assert_eq!(forgotten(&repository(&both[..1], &named.concat())).len(), 1);
        assert_eq!(forgotten(&repository(&[], "")).len(), 1);
    }
}
