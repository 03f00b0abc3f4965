//! Results of web search, ordered with the help of the model runtime's embedding.

#[path = "../../services/search-proxy/tests/http/labelled.rs"]
mod labelled;

use crate::harness::Anwen;
use anwen_contract::client::CallContext;
use anwen_contract::{Asker, UserId};
use anwen_search_proxy::meaning::Meaning;
use anwen_search_proxy::merge::{Candidate, fused, ordered};
use labelled::{DEPTH, SETS, questions, rounds};

/// What ordering by meaning may cost where engines and words have done well already.
const MAX_LOSS: f64 = 0.005;

#[tokio::test(flavor = "multi_thread")]
async fn meaning_orders_results_no_worse_than_words_alone() {
    let anwen = Anwen::start().await;
    let meaning = Meaning::new(anwen.model_runtime_url().parse().unwrap(), anwen.tokens()).unwrap();
    let asker =
        Asker { user_id: UserId::new(), groups: Vec::new(), is_admin: false, only_knowledge_bases: None };
    let context = CallContext::new(asker, "a-request".to_owned());
    for (set, labelled) in SETS {
        let (mut words, mut with_meaning, mut first_engine, mut answered) = (0.0, 0.0, 0.0, 0);
        let rounds = rounds(&questions(labelled));
        for round in &rounds {
            let candidates = fused(&round.contributions);
            let texts: Vec<String> = candidates.iter().map(Candidate::text).collect();
            let nearness = meaning.nearness(&round.query, texts.into_iter(), &context).await;
            answered += usize::from(nearness.is_some());
            first_engine += round.gains[0];
            words += round.gain_of(&ordered(candidates.clone(), &round.preferences(), None));
            with_meaning += round.gain_of(&ordered(candidates, &round.preferences(), nearness.as_deref()));
        }
        let count = rounds.len() as f64;
        let (words, with_meaning, first_engine) = (words / count, with_meaning / count, first_engine / count);
        println!(
            "{set}: nDCG@{DEPTH} best engine {first_engine:.4}, by words {words:.4}, with meaning {with_meaning:.4}; embedded {answered} of {count}"
        );
        // Some may be late on a busy machine.
        assert!(answered * 2 > rounds.len(), "{set}: {answered} were embedded in time");
        assert!(with_meaning >= words - MAX_LOSS, "{set}: {with_meaning:.4} beside {words:.4}");
    }
    anwen.stop().await;
}
