//! Reading a labelled set: `corpus.jsonl` (`id`, `title`, `text`), `queries.jsonl` (`id`, `text`) and `qrels.tsv`
//! (`query_id`, `doc_id`, `relevance`, with a header line). BEIR's own `_id`, `query-id` and `corpus-id` are read
//! as well.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::EvaluateError;

/// A document of the corpus.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Document {
    #[serde(alias = "_id")]
    pub id: String,
    #[serde(default)]
    pub title: String,
    pub text: String,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Query {
    #[serde(alias = "_id")]
    pub id: String,
    pub text: String,
}

/// A labelled set.
#[derive(Debug, Clone)]
pub struct LabelledSet {
    pub name: String,
    pub documents: Vec<Document>,
    /// Those with a relevant document in the corpus, in the order of the file.
    pub queries: Vec<Query>,
    /// For each query, the positions of its relevant documents in `documents`.
    pub relevant: Vec<HashSet<usize>>,
}

const CORPUS: &str = "corpus.jsonl";
const QUERIES: &str = "queries.jsonl";
const JUDGEMENTS: &str = "qrels.tsv";

/// The folders of sets at `path`: itself, or those inside it by name.
pub fn find_sets(path: &Path) -> Result<Vec<PathBuf>, EvaluateError> {
    let is_set = |folder: &Path| [CORPUS, QUERIES, JUDGEMENTS].iter().all(|file| folder.join(file).is_file());
    if is_set(path) {
        return Ok(vec![path.to_owned()]);
    }
    let read = |source| EvaluateError::Read { path: path.to_owned(), source };
    let mut sets = Vec::new();
    for entry in std::fs::read_dir(path).map_err(read)? {
        let folder = entry.map_err(read)?.path();
        if is_set(&folder) {
            sets.push(folder);
        }
    }
    sets.sort();
    if sets.is_empty() { Err(EvaluateError::NoSet(path.to_owned())) } else { Ok(sets) }
}

/// Reads the set in `folder`; of its queries the first `max_queries`.
pub fn read_set(folder: &Path, max_queries: Option<usize>) -> Result<LabelledSet, EvaluateError> {
    let documents: Vec<Document> = read_json_lines(&folder.join(CORPUS))?;
    let all_queries: Vec<Query> = read_json_lines(&folder.join(QUERIES))?;
    let positions: HashMap<&str, usize> =
        documents.iter().enumerate().map(|(position, document)| (document.id.as_str(), position)).collect();
    let mut judgements = read_judgements(&folder.join(JUDGEMENTS), &positions)?;
    let (mut queries, mut relevant) = (Vec::new(), Vec::new());
    for query in all_queries {
        if queries.len() == max_queries.unwrap_or(usize::MAX) {
            break;
        }
        if let Some(documents) = judgements.remove(&query.id) {
            queries.push(query);
            relevant.push(documents);
        }
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(LabelledSet { name, documents, queries, relevant })
}

/// Texts hold separators of lines and paragraphs other than `\n`, so nothing but that ends a line.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let without_return = |line: &str| -> usize { line.len() - usize::from(line.ends_with('\r')) };
    (1..).zip(text.split('\n')).map(move |(number, line)| (number, &line[..without_return(line)]))
}

fn read_text(path: &Path) -> Result<String, EvaluateError> {
    std::fs::read_to_string(path).map_err(|source| EvaluateError::Read { path: path.to_owned(), source })
}

fn read_json_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, EvaluateError> {
    lines(&read_text(path)?)
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|error| malformed(path, number, &error.to_string()))
        })
        .collect()
}

fn read_judgements(
    path: &Path,
    positions: &HashMap<&str, usize>,
) -> Result<HashMap<String, HashSet<usize>>, EvaluateError> {
    let mut judgements: HashMap<String, HashSet<usize>> = HashMap::new();
    for (number, line) in lines(&read_text(path)?).skip(1).filter(|(_, line)| !line.is_empty()) {
        let mut columns = line.split('\t');
        let (Some(query), Some(document), Some(relevance)) = (columns.next(), columns.next(), columns.next())
        else {
            return Err(malformed(path, number, "expected query, document and relevance, separated by tabs"));
        };
        let relevance: i64 =
            relevance.trim().parse().map_err(|_| malformed(path, number, "relevance is not a number"))?;
        if let Some(&position) = positions.get(document).filter(|_| relevance > 0) {
            judgements.entry(query.to_owned()).or_default().insert(position);
        }
    }
    Ok(judgements)
}

fn malformed(path: &Path, line: usize, message: &str) -> EvaluateError {
    EvaluateError::Malformed { path: path.to_owned(), line, message: message.to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn write_set(folder: &Path, corpus: &str, queries: &str, judgements: &str) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join(CORPUS), corpus).unwrap();
        std::fs::write(folder.join(QUERIES), queries).unwrap();
        std::fs::write(folder.join(JUDGEMENTS), judgements).unwrap();
    }

    #[test]
    fn a_set_is_read_with_its_relevant_documents() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("tiny");
        write_set(
            &folder,
            "{\"id\": \"d0\", \"text\": \"one\u{2028}line\", \"title\": \"t\"}\r\n{\"_id\": \"d1\", \"text\": \"two\"}\n\n",
            "{\"id\": \"q0\", \"text\": \"no answer\"}\n{\"id\": \"q1\", \"text\": \"a\"}\n{\"id\": \"q2\", \"text\": \"b\"}",
            "query_id\tdoc_id\trelevance\nq1\td1\t1\nq1\td0\t2\nq1\tgone\t1\nq2\td0\t1\nq0\td0\t0\n",
        );
        let set = read_set(&folder, None).unwrap();
        assert_eq!(set.name, "tiny");
        assert_eq!(set.documents[0].text, "one\u{2028}line");
        assert_eq!(set.queries.iter().map(|query| query.id.as_str()).collect::<Vec<_>>(), ["q1", "q2"]);
        assert_eq!(set.relevant, [HashSet::from([0, 1]), HashSet::from([0])]);
        assert_eq!(read_set(&folder, Some(1)).unwrap().queries.len(), 1);
    }

    #[test]
    fn sets_are_found_in_a_folder_and_as_a_folder() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(find_sets(root.path()), Err(EvaluateError::NoSet(_))));
        for name in ["b", "a"] {
            write_set(&root.path().join(name), "", "", "");
        }
        let expected = [root.path().join("a"), root.path().join("b")];
        assert_eq!(find_sets(root.path()).unwrap(), expected);
        assert_eq!(find_sets(&expected[0]).unwrap(), expected[..1]);
    }

    #[test]
    fn a_broken_line_is_named() {
        let root = tempfile::tempdir().unwrap();
        write_set(root.path(), "{\"id\": \"d0\", \"text\": \"x\"}\n{", "", "");
        let error = read_set(root.path(), None).unwrap_err().to_string();
        assert!(error.contains("corpus.jsonl, line 2"), "{error}");
    }
}
