//! What a document says as a whole: which earlier one says nearly the same, and which of its knowledge base's labels
//! fit it.

pub mod nearest;
pub mod print;
pub mod routes;
pub mod store;

use crate::access::{Access, require_base};
use crate::app::App;
use crate::ingest::pipeline::EmbedPassages;
use crate::store::{Connection, reader};
use anwen_contract::knowledge::MAX_NAME_CHARS;
use anwen_contract::labels::{Label, MAX_LABEL_EXAMPLES, MAX_LABEL_TEXT_CHARS, MAX_LABELS};
use anwen_contract::{ApiError, DocumentId, KnowledgeBaseId, Role};
use anwen_platform::{Database, DbError};
use nearest::{Prototype, nearest};
use print::Print;
use std::collections::HashSet;

/// Documents that are given labels anew in one transaction.
const DOCUMENTS_PER_STEP: i64 = 100;
/// Documents with labels by hand that serve as examples; the newest of them.
const MAX_EXAMPLE_DOCUMENTS: i64 = 500;

/// The labels of a knowledge base, in their order.
pub async fn labels(app: &App, access: &Access, base: KnowledgeBaseId) -> Result<Vec<Label>, ApiError> {
    let mut connection = reader(&app.database).await?;
    require_base(&mut connection, access, base, Role::Viewer).await?;
    Ok(store::labels(&mut connection, base).await?.into_iter().map(|stored| stored.label).collect())
}

/// Replaces the labels of a knowledge base. Documents that no person has labelled are given theirs anew in the
/// background; a label that has gone is taken from every document.
pub async fn set_labels(
    app: &App,
    access: &Access,
    base: KnowledgeBaseId,
    labels: &[Label],
) -> Result<Vec<Label>, ApiError> {
    let labels = checked(labels)?;
    let mut transaction = app.database.begin_write().await?;
    crate::bases::store::lock(&mut transaction, base).await?;
    require_base(&mut transaction, access, base, Role::Editor).await?;
    store::replace_labels(&mut transaction, base, &labels).await?;
    transaction.commit().await?;
    let background = app.clone();
    app.shutdown.spawn(async move {
        if let Err(cause) = label_all(&background, base).await {
            tracing::warn!(%cause, %base, "documents could not be given their labels anew");
        }
    });
    Ok(labels)
}

fn checked(labels: &[Label]) -> Result<Vec<Label>, ApiError> {
    if labels.len() > MAX_LABELS {
        return Err(ApiError::invalid(format!("at most {MAX_LABELS} labels")));
    }
    let mut names = HashSet::new();
    labels
        .iter()
        .map(|label| {
            let cleaned = |text: &str| text.replace('\0', "").trim().to_owned();
            let label = Label {
                name: cleaned(&label.name),
                description: cleaned(&label.description),
                examples: label.examples.iter().map(|text| cleaned(text)).filter(|text| !text.is_empty()).collect(),
            };
            let is_long = |text: &String| text.chars().count() > MAX_LABEL_TEXT_CHARS;
            if label.name.is_empty() || label.name.chars().count() > MAX_NAME_CHARS {
                return Err(ApiError::invalid(format!("name: 1 to {MAX_NAME_CHARS} characters")));
            }
            if label.examples.len() > MAX_LABEL_EXAMPLES
                || is_long(&label.description)
                || label.examples.iter().any(is_long)
            {
                return Err(ApiError::invalid(format!(
                    "a label has at most {MAX_LABEL_EXAMPLES} examples, each text at most {MAX_LABEL_TEXT_CHARS} characters"
                )));
            }
            if !names.insert(label.name.clone()) {
                return Err(ApiError::invalid(format!("the label {} stands twice", label.name)));
            }
            Ok(label)
        })
        .collect()
}

/// What labels are told by: their texts as vectors, and the documents that people gave them to.
pub async fn prototypes(
    database: &Database,
    embedder: &dyn EmbedPassages,
    base: KnowledgeBaseId,
    model: &str,
) -> Result<Vec<Prototype>, ApiError> {
    let stored = store::labels(&mut *reader(database).await?, base).await?;
    let mut prototypes = Vec::new();
    for label in stored {
        let vectors = match label.vectors {
            Some(vectors) => vectors,
            None => {
                let vectors = embedder.embed(model, &texts_of(&label.label)).await?;
                let mut transaction = database.begin_write().await?;
                store::note_vectors(&mut transaction, base, &label.label, &vectors).await?;
                transaction.commit().await?;
                vectors
            }
        };
        prototypes
            .extend(vectors.into_iter().map(|vector| Prototype { label: label.label.name.clone(), vector }));
    }
    if !prototypes.is_empty() {
        let mut connection = reader(database).await?;
        prototypes.extend(store::corrected(&mut connection, base, MAX_EXAMPLE_DOCUMENTS).await?);
    }
    Ok(prototypes)
}

fn texts_of(label: &Label) -> Vec<String> {
    let named = if label.description.is_empty() {
        label.name.clone()
    } else {
        format!("{}：{}", label.name, label.description)
    };
    std::iter::once(named).chain(label.examples.iter().cloned()).collect()
}

/// Notes what a document says: links it with what says nearly the same, and labels it unless a person has.
pub async fn note(
    connection: &mut Connection,
    (base, document): (KnowledgeBaseId, DocumentId),
    print: &Print,
    prototypes: &[Prototype],
) -> Result<(), DbError> {
    store::note_print(connection, base, document, print).await?;
    store::link(connection, base, document, print).await?;
    let chosen = nearest(&print.centroid, prototypes);
    store::set_labels(connection, document, chosen.as_ref()).await
}

/// Labels every document of a knowledge base that no person has labelled, from what is stored of each.
async fn label_all(app: &App, base: KnowledgeBaseId) -> Result<(), ApiError> {
    let model = store::model_of(&mut *reader(&app.database).await?, base).await?;
    let Some(model) = model else { return Ok(()) };
    let prototypes = prototypes(&app.database, app.embedder.as_ref(), base, &model).await?;
    let mut after = None;
    loop {
        let mut transaction = app.database.begin_write().await?;
        let page = store::centroids(&mut transaction, base, after, DOCUMENTS_PER_STEP).await?;
        for (document, centroid) in &page {
            let chosen = nearest(centroid, &prototypes);
            store::set_labels(&mut transaction, *document, chosen.as_ref()).await?;
        }
        transaction.commit().await?;
        after = page.last().map(|(document, _)| *document);
        if (page.len() as i64) < DOCUMENTS_PER_STEP || app.shutdown.token().is_cancelled() {
            break;
        }
    }
    app.signals.documents_changed();
    Ok(())
}

/// Gives a document the labels that a person says, in place of all that it has.
///
/// # Errors
/// `invalid_request` when the knowledge base has no such label.
pub async fn correct(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    document: DocumentId,
    names: &[String],
) -> Result<(), ApiError> {
    let known: HashSet<String> =
        store::labels(connection, base).await?.into_iter().map(|stored| stored.label.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(*name)) {
        return Err(ApiError::invalid(format!("labels: this knowledge base has no label {unknown}")));
    }
    let names: HashSet<&String> = names.iter().collect();
    Ok(store::correct(connection, document, names).await?)
}

/// Takes a document that is being deleted out of what is compared; another stands for those that it stood for.
pub async fn forget(
    connection: &mut Connection,
    base: KnowledgeBaseId,
    document: DocumentId,
) -> Result<(), DbError> {
    store::unlink(connection, base, document).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, description: &str, examples: usize) -> Label {
        Label { name: name.into(), description: description.into(), examples: vec!["x".into(); examples] }
    }

    #[test]
    fn labels_are_named_once_and_bounded() {
        for (labels, is_right) in [
            (vec![label("合同", "", 0), label("制度", "规章", 20)], true),
            (vec![label("a", "", 0), label(" a ", "", 0)], false),
            (vec![label(" ", "", 0)], false),
            (vec![label("a", &"x".repeat(MAX_LABEL_TEXT_CHARS + 1), 0)], false),
            (vec![label("a", "", MAX_LABEL_EXAMPLES + 1)], false),
            (vec![label("a", "", 0); MAX_LABELS + 1], false),
        ] {
            assert_eq!(checked(&labels).is_ok(), is_right, "{:?}", labels.first());
        }
    }
}
