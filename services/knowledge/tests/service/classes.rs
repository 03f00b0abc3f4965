//! Near-duplicates and labels.

use crate::harness::{Backend, Person, World};
use crate::on_each_database;
use anwen_contract::knowledge::{Document, RetrieveAnswer};
use anwen_contract::{DocumentId, KnowledgeBaseId};
use reqwest::Method;
use serde_json::{Value, json};

const VALVES: &str = "Valves are opened slowly, since a sudden flow hammers the pipe behind them.\n\n\
    Their stems are greased each spring. A leaking gland is tightened by a quarter of a turn, and no more.\n\n\
    Whoever closes a main valve hangs a red card on the wheel and writes the hour into the log.\n";

/// Twenty sentences of one subject; `changed` of them say something else.
fn report(subject: &str, changed: usize) -> String {
    let sentence = |number: usize| {
        let about = if number < changed { "budget" } else { subject };
        format!(
            "Paragraph {number} of the {about} report describes how the {about} is inspected by team {number}.\n\n"
        )
    };
    (0..20).map(sentence).collect()
}

async fn indexed(
    world: &World,
    owner: &Person<'_>,
    base: KnowledgeBaseId,
    name: &str,
    text: &str,
) -> Document {
    let id = owner.upload_one(base, name, text.as_bytes()).await;
    world.settled(owner, id).await
}

async fn shown(person: &Person<'_>, id: DocumentId) -> Document {
    person.get(&format!("/v1/documents/{id}")).await.json()
}

fn label_names(document: &Document) -> Vec<&str> {
    document.labels.iter().map(|label| label.name.as_str()).collect()
}

async fn set_labels(owner: &Person<'_>, base: KnowledgeBaseId, labels: Value) {
    let path = format!("/v1/knowledge-bases/{base}/labels");
    let answer: Value = owner.call(Method::PUT, &path, &labels).await.json();
    assert_eq!(answer.as_array().unwrap().len(), labels.as_array().unwrap().len());
}

on_each_database! {
    async fn an_edited_copy_is_linked_with_the_first_and_collapsed_in_results(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Copies").await;
        let first = indexed(&world, &owner, base, "pumps.md", &report("pump", 0)).await;
        let copy = indexed(&world, &owner, base, "archive/pumps (1).md", &report("pump", 1)).await;
        let other = indexed(&world, &owner, base, "valves.md", VALVES).await;
        let link = copy.near_duplicate_of.clone().unwrap();
        assert_eq!(link.document_id, first.id);
        assert!((0.8..1.0).contains(&link.similarity), "{}", link.similarity);
        assert_eq!((&first.near_duplicate_of, &other.near_duplicate_of), (&None, &None));
        let body = json!({"query": "how the pump is inspected by team 12"});
        let answer: RetrieveAnswer = owner.call(Method::POST, "/v1/retrieve", &body).await.json();
        let texts: Vec<&str> = answer.hits.iter().filter(|hit| hit.text.contains("team 12")).map(|hit| hit.text.as_str()).collect();
        assert_eq!(texts.len(), texts.iter().collect::<std::collections::HashSet<_>>().len(), "the same text twice");
        // When the first goes, the copy stands for itself.
        owner.delete(&format!("/v1/documents/{}", first.id)).await;
        assert_eq!(shown(&owner, copy.id).await.near_duplicate_of, None);
        let again = indexed(&world, &owner, base, "pumps again.md", &report("pump", 0)).await;
        assert_eq!(again.near_duplicate_of.map(|link| link.document_id), Some(copy.id));
    }

    async fn copies_in_other_knowledge_bases_are_not_told_of(backend: Backend) {
        let world = World::new(backend).await;
        let (owner, other) = (world.somebody(), world.somebody());
        let (base, theirs) = (owner.new_base("Mine").await, other.new_base("Theirs").await);
        indexed(&world, &owner, base, "pumps.md", &report("pump", 0)).await;
        let copy = indexed(&world, &other, theirs, "pumps.md", &report("pump", 1)).await;
        assert_eq!(copy.near_duplicate_of, None);
    }

    async fn documents_are_given_the_nearest_label_and_people_correct_it(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Classes").await;
        let pump = "pump inspected by team report describes how the pump paragraph of the";
        let lease = "the tenant shall pay rent to the landlord under this lease agreement";
        let early = indexed(&world, &owner, base, "pump.md", &report("pump", 0)).await;
        assert_eq!(label_names(&early), Vec::<&str>::new());
        set_labels(&owner, base, json!([{"name": "Machines", "description": pump}, {"name": "Contracts", "examples": [lease]}])).await;
        // What was there before is labelled in the background.
        world.until(|| async { (label_names(&shown(&owner, early.id).await) == ["Machines"]).then_some(()) }).await;
        let text = "The tenant shall pay the rent to the landlord. This lease agreement binds the tenant and the landlord.";
        let contract = indexed(&world, &owner, base, "lease.md", text).await;
        assert_eq!(label_names(&contract), ["Contracts"]);
        assert!(contract.labels[0].confidence >= 0.5 && !contract.labels[0].corrected);

        let path = format!("/v1/documents/{}", contract.id);
        assert_eq!(owner.call(Method::PATCH, &path, &json!({"labels": ["Nothing"]})).await.code(), "invalid_request");
        let corrected: Document = owner.call(Method::PATCH, &path, &json!({"labels": ["Machines"]})).await.json();
        assert_eq!((label_names(&corrected), corrected.labels[0].corrected), (vec!["Machines"], true));
        // Nothing overwrites what a person said, and it is an example from now on.
        set_labels(&owner, base, json!([{"name": "Machines", "description": pump}, {"name": "Contracts", "description": "x"}])).await;
        let similar = indexed(&world, &owner, base, "lease 2.md", &format!("{text} It begins in May.")).await;
        assert_eq!(label_names(&similar), ["Machines"]);
        assert_eq!(label_names(&shown(&owner, contract.id).await), ["Machines"]);
    }

    async fn labels_narrow_lists_and_searches(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Filters").await;
        let one = indexed(&world, &owner, base, "one.md", "The pump runs dry at night.").await;
        // Far enough from the first, which becomes an example of its label, not to be given that too.
        let text = "Leaseholders receive pump invoices monthly: thirty days for payment, twelve instalments.";
        indexed(&world, &owner, base, "two.md", text).await;
        set_labels(&owner, base, json!([{"name": "夜间"}])).await;
        let path = format!("/v1/documents/{}", one.id);
        owner.call(Method::PATCH, &path, &json!({"labels": ["夜间"]})).await;
        let listed: Value = owner.get(&format!("/v1/knowledge-bases/{base}/documents?label=夜间")).await.json();
        let names: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["one.md"]);
        for mode in ["hybrid", "dense", "lexical"] {
            let body = json!({"query": "pump", "mode": mode, "filters": {"labels": ["夜间"]}});
            let answer: RetrieveAnswer = owner.call(Method::POST, "/v1/retrieve", &body).await.json();
            assert!(!answer.hits.is_empty() && answer.hits.iter().all(|hit| hit.document_id == one.id), "{mode}: {:?}", answer.hits);
        }
        // A label that goes is taken from every document.
        set_labels(&owner, base, json!([])).await;
        assert_eq!(label_names(&shown(&owner, one.id).await), Vec::<&str>::new());
    }
}
