//! Asking the full-text index.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use anwen_contract::{ChunkId, DocumentId, VersionId};
use tantivy::collector::{Count, TopDocs};
use tantivy::columnar::BytesColumn;
use tantivy::query::{BooleanQuery, BoostQuery, ConstScoreQuery, Occur, Query, TermQuery, TermSetQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, Searcher, SegmentReader, Term};
use uuid::Uuid;

use super::engine_error;
use super::schema::{Fields, id_term};
use crate::index::analysis::{Analyzer, TermKind};
use crate::index::{ChunkScore, IndexError, SearchScope};

/// Different terms of one question that are looked for; the rest of a pasted page adds nothing but work.
const MAX_QUERY_TERMS: usize = 128;

/// A code is what its author looks for, so it outweighs the words around it.
const CODE_WEIGHT: f32 = 2.0;
/// A piece says less than the whole that it was taken from, which stands beside it.
const PART_WEIGHT: f32 = 0.5;
/// A match in the title or a heading counts in the body, and this much again.
const TITLE_BOOST: f32 = 0.2;
const HEADING_BOOST: f32 = 0.2;

/// The terms of `query` with their weights; one that is repeated weighs as often as it is said.
pub(super) fn weighted_terms(analyzer: &Analyzer, query: &str) -> Vec<(String, f32)> {
    let mut terms: Vec<(String, f32)> = Vec::new();
    let mut positions: HashMap<String, usize> = HashMap::new();
    for term in analyzer.terms(query) {
        let weight = match term.kind {
            TermKind::Word => 1.0,
            TermKind::Code => CODE_WEIGHT,
            TermKind::Part => PART_WEIGHT,
        };
        match positions.get(&term.text) {
            Some(&position) => terms[position].1 += weight,
            None if terms.len() < MAX_QUERY_TERMS => {
                positions.insert(term.text.clone(), terms.len());
                terms.push((term.text, weight));
            }
            None => {}
        }
    }
    terms
}

/// The `limit` chunks of the scope with the highest sum of weighted BM25 scores.
pub(super) fn search(
    searcher: &Searcher,
    fields: Fields,
    terms: &[(String, f32)],
    scope: &SearchScope,
    limit: usize,
) -> Result<Vec<ChunkScore>, IndexError> {
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let query = scoped_query(fields, terms, scope);
    let found =
        searcher.search(&query, &TopDocs::with_limit(limit).order_by_score()).map_err(engine_error)?;
    let mut columns: HashMap<u32, IdColumns> = HashMap::new();
    let mut scores = Vec::with_capacity(found.len());
    for (score, address) in found {
        let ids = match columns.entry(address.segment_ord) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => {
                vacant.insert(IdColumns::open(searcher.segment_reader(address.segment_ord))?)
            }
        };
        scores.push(ids.chunk_score(address.doc_id, score)?);
    }
    Ok(scores)
}

/// BM25's limit for the question: what a short text that says each term over and over would score in its body.
pub(super) fn best_possible(
    searcher: &Searcher,
    fields: Fields,
    terms: &[(String, f32)],
) -> Result<f32, IndexError> {
    /// BM25's term frequency saturates at `k1 + 1`; tantivy's `k1` is 1.2.
    const SATURATION: f32 = 2.2;
    let chunks: u64 = searcher.segment_readers().iter().map(|segment| u64::from(segment.max_doc())).sum();
    let mut sum = 0.0;
    for (text, weight) in terms {
        let with_term = searcher.doc_freq(&Term::from_field_text(fields.body, text)).map_err(engine_error)?;
        let without_term = chunks.saturating_sub(with_term) as f32;
        sum += weight * (1.0 + (without_term + 0.5) / (with_term as f32 + 0.5)).ln();
    }
    Ok(SATURATION * sum)
}

/// How many chunks have one of the terms.
pub(super) fn count(searcher: &Searcher, terms: Vec<Term>) -> Result<usize, IndexError> {
    searcher.search(&TermSetQuery::new(terms), &Count).map_err(engine_error)
}

/// The terms as a weighted OR, and the scope as a filter that adds nothing to the score.
fn scoped_query(fields: Fields, terms: &[(String, f32)], scope: &SearchScope) -> BooleanQuery {
    let weighted = [(fields.body, 1.0), (fields.title, TITLE_BOOST), (fields.headings, HEADING_BOOST)];
    let clauses = terms
        .iter()
        .flat_map(|(text, weight)| {
            weighted.iter().map(move |(field, boost)| term_clause(*field, text, weight * boost))
        })
        .collect();
    let mut query: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, Box::new(BooleanQuery::new(clauses)))];
    let knowledge_bases = scope.knowledge_base_ids.iter().map(|id| id_term(fields.knowledge_base, id.0));
    query.push((Occur::Must, filter(knowledge_bases)));
    if let Some(documents) = &scope.document_ids {
        query.push((Occur::Must, filter(documents.iter().map(|id| id_term(fields.document, id.0)))));
    }
    BooleanQuery::new(query)
}

fn term_clause(field: Field, text: &str, weight: f32) -> (Occur, Box<dyn Query>) {
    let term = TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs);
    (Occur::Should, Box::new(BoostQuery::new(Box::new(term), weight)))
}

fn filter(terms: impl Iterator<Item = Term>) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(Box::new(TermSetQuery::new(terms)), 0.0))
}

/// The columns of one segment that hold the ids of its chunks.
struct IdColumns {
    chunk: BytesColumn,
    document: BytesColumn,
    version: BytesColumn,
    buffer: Vec<u8>,
}

impl IdColumns {
    fn open(segment: &SegmentReader) -> Result<Self, IndexError> {
        let column = |name: &str| {
            segment
                .fast_fields()
                .bytes(name)
                .map_err(engine_error)?
                .ok_or_else(|| corrupt(&format!("a segment has no column {name}")))
        };
        Ok(Self {
            chunk: column("chunk")?,
            document: column("document")?,
            version: column("version")?,
            buffer: Vec::with_capacity(16),
        })
    }

    fn chunk_score(&mut self, row: DocId, score: f32) -> Result<ChunkScore, IndexError> {
        let buffer = &mut self.buffer;
        Ok(ChunkScore {
            chunk_id: ChunkId(read_id(&self.chunk, row, buffer)?),
            document_id: DocumentId(read_id(&self.document, row, buffer)?),
            version_id: VersionId(read_id(&self.version, row, buffer)?),
            score,
        })
    }
}

fn read_id(column: &BytesColumn, row: DocId, buffer: &mut Vec<u8>) -> Result<Uuid, IndexError> {
    let ordinal = column.term_ords(row).next().ok_or_else(|| corrupt("a chunk has no id"))?;
    buffer.clear();
    column.ord_to_bytes(ordinal, buffer)?;
    Uuid::from_slice(buffer).map_err(|_| corrupt("an id is not 16 bytes"))
}

fn corrupt(what: &str) -> IndexError {
    IndexError::Engine { engine: super::ENGINE, message: format!("{what}, rebuild the index") }
}
