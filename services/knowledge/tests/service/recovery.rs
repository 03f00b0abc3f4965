//! Whatever step a process dies in, every document ends up indexed exactly once.

use crate::harness::{Backend, Background, Place, World, config};
use crate::on_each_database;
use anwen_contract::knowledge::DocumentStatus;
use anwen_contract::{DocumentId, Timestamp};
use anwen_knowledge::follow::{self, Targets};
use anwen_knowledge::index::{Selection, SpaceName};
use anwen_knowledge::ingest::worker::{IngestWorker, WorkerRules};
use anwen_knowledge::jobs;
use anwen_knowledge::store::reader;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const DIMENSION: usize = 64;

/// The steps between an upload and an answer, after any of which a process may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Uploaded,
    Claimed,
    Written,
    Applied,
    Committed,
    Published,
}

const STEPS: [Step; 6] =
    [Step::Uploaded, Step::Claimed, Step::Written, Step::Applied, Step::Committed, Step::Published];

fn text() -> String {
    (0..30)
        .map(|number| format!("# Section {number}\n\nThe value of item {number} is {}.\n\n", number * 7))
        .collect()
}

fn worker(world: &World) -> IngestWorker {
    let settings = config().workers;
    IngestWorker {
        name: "test".to_owned(),
        pipeline: world.service.pipeline().clone(),
        rules: WorkerRules {
            lease: settings.lease(),
            retry: settings.retry_rules(),
            look_anyway: Duration::from_millis(10),
        },
    }
}

/// Goes on with the one job there is, up to `last`.
async fn go_until(world: &World, last: Step) {
    let app = world.service.app();
    if last == Step::Claimed {
        let mut transaction = app.database.begin_write().await.unwrap();
        let (now, far) = (Timestamp::now(), Timestamp::now().plus_millis(3_600_000));
        let kind = app.database.kind();
        jobs::store::claim(&mut transaction, kind, "dies", now, far).await.unwrap().unwrap();
        transaction.commit().await.unwrap();
    }
    if last >= Step::Written {
        assert!(worker(world).work_once(&CancellationToken::new()).await.unwrap());
    }
    if last == Step::Published {
        return world.service.follower("test".to_owned()).catch_up().await.unwrap();
    }
    if last >= Step::Applied {
        let entries = follow::store::after(&mut reader(&app.database).await.unwrap(), 0, 100).await.unwrap();
        for logged in &entries {
            app.indexes.apply(&app.database, &logged.entry, Targets::BOTH).await.unwrap();
        }
        if last == Step::Committed {
            let reached = entries.last().unwrap().sequence.unsigned_abs();
            app.indexes.lexical.commit(reached).await.unwrap();
            app.indexes.vectors.flush(reached).await.unwrap();
        }
    }
}

/// Ends a service as a process would end, as far as its files are concerned.
async fn end(world: World) {
    world.shutdown.finish().await;
    drop(world);
}

/// How many passages of the document each index holds; `None` while an index has not been made.
async fn counts_or_none(world: &World, document: DocumentId) -> Option<(usize, usize)> {
    let indexes = &world.service.app().indexes;
    let space = SpaceName::for_model("embedding", DIMENSION);
    let selection = Selection::Document(document);
    Some((
        indexes.vectors.count(&space, &selection).await.ok()?,
        indexes.lexical.count(&selection).await.ok()?,
    ))
}

async fn counts(world: &World, document: DocumentId) -> (usize, usize) {
    counts_or_none(world, document).await.expect("both indexes")
}

on_each_database! {
    async fn a_process_may_end_after_any_step(backend: Backend) {
        for step in STEPS {
            let place = Place::new(backend).await;
            let world = World::at(&place, config(), Background::Stopped).await;
            let somebody = world.somebody();
            let owner = somebody.asker.clone();
            let base = somebody.new_base("Steps").await;
            let id = somebody.upload_one(base, "items.md", text().as_bytes()).await;
            go_until(&world, step).await;
            end(world).await;

            let world = World::at(&place, config(), Background::Running).await;
            let somebody = world.person(owner);
            let document = world.settled(&somebody, id).await;
            assert_eq!(document.status, DocumentStatus::Indexed, "{step:?}: {:?}", document.error);
            let expected = document.chunk_count as usize;
            assert!(expected > 0);
            assert_eq!(counts(&world, id).await, (expected, expected), "{step:?}");
            let found = somebody.found("value of item 17").await;
            let matching = found.iter().filter(|text| text.contains("item 17 is 119")).count();
            assert_eq!(matching, 1, "{step:?}: {found:?}");
            end(world).await;
        }
    }

    async fn following_the_log_twice_changes_nothing(backend: Backend) {
        let world = World::new(backend).await;
        let owner = world.somebody();
        let base = owner.new_base("Twice").await;
        let kept = owner.upload_one(base, "items.md", text().as_bytes()).await;
        let gone = owner.upload_one(base, "gone.md", b"Soon gone.").await;
        let expected = world.settled(&owner, kept).await.chunk_count as usize;
        world.settled(&owner, gone).await;
        owner.delete(&format!("/v1/documents/{gone}")).await;
        let app = world.service.app();
        world.until(|| async { (counts(&world, gone).await == (0, 0)).then_some(()) }).await;
        let entries =
            follow::store::after(&mut reader(&app.database).await.unwrap(), 0, 100).await.unwrap();
        for logged in entries.iter().chain(&entries) {
            app.indexes.apply(&app.database, &logged.entry, Targets::BOTH).await.unwrap();
        }
        let reached = entries.last().unwrap().sequence.unsigned_abs();
        app.indexes.lexical.commit(reached).await.unwrap();
        assert_eq!(counts(&world, kept).await, (expected, expected));
        assert_eq!(counts(&world, gone).await, (0, 0));
    }

    async fn lost_indexes_are_filled_from_what_is_stored(backend: Backend) {
        let place = Place::new(backend).await;
        let world = World::at(&place, config(), Background::Running).await;
        let owner = world.somebody();
        let base = owner.new_base("Lost").await;
        let id = owner.upload_one(base, "items.md", text().as_bytes()).await;
        let expected = world.settled(&owner, id).await.chunk_count as usize;
        let asker = owner.asker.clone();
        // The log no longer reaches back to the beginning.
        let mut transaction = world.service.app().database.begin_write().await.unwrap();
        let later = Timestamp::now().plus_millis(1);
        follow::store::note_reached(&mut transaction, "standalone", "vectors", 1, later).await.unwrap();
        assert!(follow::store::trim(&mut transaction, later).await.unwrap() > 0);
        transaction.commit().await.unwrap();
        end(world).await;
        std::fs::remove_dir_all(place.directory.path().join("indexes")).unwrap();

        let world = World::at(&place, config(), Background::Running).await;
        world.until(|| async {
            (counts_or_none(&world, id).await == Some((expected, expected))).then_some(())
        }).await;
        let owner = world.person(asker);
        assert!(owner.found("value of item 17").await.iter().any(|text| text.contains("119")));
        end(world).await;
    }

    async fn indexes_can_be_built_again_and_damage_is_found(backend: Backend) {
        let place = Place::new(backend).await;
        let world = World::at(&place, config(), Background::Running).await;
        let owner = world.somebody();
        let base = owner.new_base("Rebuilt").await;
        let id = owner.upload_one(base, "items.md", text().as_bytes()).await;
        let expected = world.settled(&owner, id).await.chunk_count as usize;
        let asker = owner.asker.clone();
        end(world).await;

        let world = World::at(&place, config(), Background::Stopped).await;
        let healthy = world.service.doctor(false).await.unwrap();
        assert!(healthy.is_healthy(), "{healthy:?}");
        let indexes = &world.service.app().indexes;
        indexes.vectors.delete(&Selection::Document(id)).await.unwrap();
        let damaged = world.service.doctor(true).await.unwrap();
        assert_eq!((damaged.incomplete.as_slice(), damaged.requeued), ([id].as_slice(), 1));
        assert_eq!(world.service.reindex().await.unwrap(), expected);
        assert!(world.service.doctor(false).await.unwrap().incomplete.is_empty());
        end(world).await;

        // The job that the doctor made builds a generation beside the one that serves.
        let world = World::at(&place, config(), Background::Running).await;
        let owner = world.person(asker);
        world.settled(&owner, id).await;
        world.until(|| async { (counts(&world, id).await == (expected, expected)).then_some(()) }).await;
        assert!(world.service.doctor(false).await.unwrap().is_healthy());
        end(world).await;
    }
}
