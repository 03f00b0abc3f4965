//! What a measurement says, as JSON and as a table.

use std::fmt::Write;

use serde::Serialize;

use super::metrics::Metrics;

/// All sets of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub sets: Vec<SetReport>,
}

/// One set. Shares are from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetReport {
    pub name: String,
    pub documents: usize,
    pub chunks: usize,
    pub queries: usize,
    pub dense: Metrics,
    pub lexical: Metrics,
    pub hybrid: Metrics,
    /// With a cross-encoder behind the fusion; `None` without one.
    pub rerank: Option<Metrics>,
    /// The fusion against the better of its two rankings.
    pub hybrid_minus_best: Difference,
}

/// A paired difference of recall@10.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The ranking with the higher recall@10: `dense` or `lexical`.
    pub best: &'static str,
    #[serde(rename = "recall@10")]
    pub recall_at_10: f64,
    /// Half the width of the 95 % interval around it.
    pub half_interval: f64,
}

impl Report {
    /// A table in percent, three lines a set.
    pub fn table(&self) -> String {
        let mut table = String::new();
        let _ = writeln!(
            table,
            "{:<24} {:>7} {:>7} {:>7} {:<8} {:>7} {:>7} {:>7} {:>7}   hybrid - best, R@10",
            "set", "docs", "chunks", "queries", "ranking", "R@5", "R@10", "MRR@10", "nDCG@10"
        );
        for set in &self.sets {
            let difference = &set.hybrid_minus_best;
            let note = format!(
                "{:+.1} ± {:.1} ({})",
                100.0 * difference.recall_at_10,
                100.0 * difference.half_interval,
                difference.best
            );
            let rankings = [
                ("dense", Some(set.dense)),
                ("lexical", Some(set.lexical)),
                ("hybrid", Some(set.hybrid)),
                ("rerank", set.rerank),
            ];
            for (ranking, metrics) in rankings {
                let Some(metrics) = metrics else { continue };
                let (name, sizes, note) = match ranking {
                    "dense" => (
                        set.name.as_str(),
                        [set.documents, set.chunks, set.queries].map(|size| size.to_string()),
                        "",
                    ),
                    "hybrid" => ("", [const { String::new() }; 3], note.as_str()),
                    _ => ("", [const { String::new() }; 3], ""),
                };
                let [documents, chunks, queries] = sizes;
                let line = format!(
                    "{name:<24} {documents:>7} {chunks:>7} {queries:>7} {ranking:<8} {:>7.1} {:>7.1} {:>7.1} {:>7.1}   {note}",
                    100.0 * metrics.recall_at_5,
                    100.0 * metrics.recall_at_10,
                    100.0 * metrics.mrr_at_10,
                    100.0 * metrics.ndcg_at_10
                );
                let _ = writeln!(table, "{}", line.trim_end());
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let metrics = |share: f64| Metrics {
            recall_at_5: share,
            recall_at_10: share,
            mrr_at_10: share,
            ndcg_at_10: share,
        };
        let hybrid_minus_best = Difference { best: "lexical", recall_at_10: 0.0125, half_interval: 0.02 };
        Report {
            sets: vec![SetReport {
                name: "tiny".to_owned(),
                documents: 3,
                chunks: 4,
                queries: 2,
                dense: metrics(0.25),
                lexical: metrics(0.5),
                hybrid: metrics(0.5125),
                rerank: None,
                hybrid_minus_best,
            }],
        }
    }

    #[test]
    #[allow(clippy::unwrap_used)]
    fn the_json_has_the_public_shape() {
        let json = serde_json::to_value(report()).unwrap();
        let set = &json["sets"][0];
        assert_eq!(set["name"], "tiny");
        assert_eq!(set["queries"], 2);
        for ranking in ["dense", "lexical", "hybrid"] {
            for measure in ["recall@5", "recall@10", "mrr@10", "ndcg@10"] {
                assert!(set[ranking][measure].is_number(), "{ranking} {measure}");
            }
        }
        assert!(set["rerank"].is_null());
    }

    #[test]
    fn the_table_is_in_percent() {
        let table = report().table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[1].starts_with("tiny") && lines[1].contains("25.0"), "{table}");
        assert!(
            lines[3].ends_with("+1.2 ± 2.0 (lexical)") || lines[3].ends_with("+1.3 ± 2.0 (lexical)"),
            "{table}"
        );
    }
}
