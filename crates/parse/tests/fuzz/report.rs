//! What a campaign has seen, as a table.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anwen_parse::parse::FailureCode;

/// Kept inputs that the report names.
const MAX_NAMED: usize = 20;

pub enum Verdict {
    Document,
    /// With a code of the table.
    Failure(String),
    /// What must not be; says what.
    Finding(String),
}

impl Verdict {
    pub fn label(&self) -> &str {
        match self {
            Self::Document => "document",
            Self::Failure(code) => code,
            Self::Finding(_) => "finding",
        }
    }

    /// Allowed are crashes and limits that have a code, but they are worth a look.
    pub fn is_worth_keeping(&self) -> bool {
        const WORTH_A_LOOK: [FailureCode; 4] = [
            FailureCode::ParserCrashed,
            FailureCode::ParseTimeout,
            FailureCode::ParseMemoryLimit,
            FailureCode::ParseOutputLimit,
        ];
        match self {
            Self::Document => false,
            Self::Failure(code) => WORTH_A_LOOK.iter().any(|worth| worth.as_str() == code),
            Self::Finding(_) => true,
        }
    }
}

#[derive(Default)]
pub struct Report {
    families: BTreeMap<String, BTreeMap<String, u64>>,
    codes: BTreeMap<String, u64>,
    pub findings: Vec<String>,
    kept: Vec<PathBuf>,
    pub inputs: u64,
    pub seconds: f64,
    peak_kb: u64,
    most_cpu_ms: u64,
    cpu_ms: u64,
    longest: Duration,
}

impl Report {
    pub fn add(
        &mut self,
        family: &str,
        verdict: Verdict,
        peak_kb: u64,
        cpu_ms: u64,
        took: Duration,
        kept: Option<PathBuf>,
    ) {
        self.inputs += 1;
        let label = verdict.label().to_owned();
        *self.codes.entry(label.clone()).or_default() += 1;
        *self.families.entry(family.to_owned()).or_default().entry(label).or_default() += 1;
        if let Verdict::Finding(what) = verdict {
            let path = kept.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
            self.findings.push(format!("{what}: {path}"));
        }
        self.kept.extend(kept);
        self.peak_kb = self.peak_kb.max(peak_kb);
        self.most_cpu_ms = self.most_cpu_ms.max(cpu_ms);
        self.cpu_ms += cpu_ms;
        self.longest = self.longest.max(took);
    }

    /// How many inputs ended with this code, or as a `document`.
    pub fn count(&self, label: &str) -> u64 {
        self.codes.get(label).copied().unwrap_or(0)
    }

    pub fn print(&self) {
        for path in self.kept.iter().take(MAX_NAMED) {
            println!("kept: {}", path.display());
        }
        if self.kept.len() > MAX_NAMED {
            println!("kept: {} more beside them", self.kept.len() - MAX_NAMED);
        }
        self.findings.iter().take(MAX_NAMED).for_each(|finding| println!("FINDING {finding}"));
        println!(
            "\n{} inputs in {:.0} s ({:.0} a second), {:.0} s of processor time; longest answered in {} ms of it, longest of \
             all {:.1} s; most memory {} MB; findings: {}\n",
            self.inputs,
            self.seconds,
            self.inputs as f64 / self.seconds.max(0.001),
            self.cpu_ms as f64 / 1000.0,
            self.most_cpu_ms,
            self.longest.as_secs_f64(),
            self.peak_kb / 1024,
            self.findings.len()
        );
        println!("{:<12}{:>9}{:>11}{:>10}   ended as", "family", "inputs", "documents", "failures");
        self.families.iter().for_each(|(family, codes)| print_row(family, codes));
        print_row("all", &self.codes);
    }
}

fn print_row(family: &str, codes: &BTreeMap<String, u64>) {
    let all: u64 = codes.values().sum();
    let documents = codes.get("document").copied().unwrap_or(0);
    let others: Vec<String> = codes
        .iter()
        .filter(|(code, _)| *code != "document")
        .map(|(code, count)| format!("{code} {count}"))
        .collect();
    println!("{family:<12}{all:>9}{documents:>11}{:>10}   {}", all - documents, others.join(", "));
}
