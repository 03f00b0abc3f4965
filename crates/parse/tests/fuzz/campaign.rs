//! A campaign: so many inputs, each made from a seed, read by limited processes, and judged.
//!
//! What the quick processes answer is counted as it is. What kills one is given to the parser's real child process
//! ([`parse_in_child_with_ocr`]), whose verdict counts: a document (by the second parser) or a failure with a code. Everything else
//! is a finding, and fails the campaign.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anwen_parse::document::warning;
use anwen_parse::parse::ocr::OcrSettings;
use anwen_parse::parse::{Engine, FailureCode};
use anwen_parse::sandbox::{ParseLimits, ParseWorker, parse_in_child_with_ocr};

use crate::child::{Ended, Request};
use crate::mutate::{self, Input};
use crate::pool::{Reader, Reading};
use crate::random::Random;
use crate::recogniser;
use crate::report::{Report, Verdict};
use crate::seeds::Seeds;

/// Inputs over their time that are given to the real child process as well; each costs twice its time.
const MAX_CONFIRMED_TIMEOUTS: u64 = 20;
/// The stack for making inputs: damaged files are taken apart here too.
const MAKER_STACK_BYTES: usize = 64 * 1024 * 1024;

pub struct Plan {
    pub seed: u64,
    /// The number of the first input.
    pub first: u64,
    pub inputs: u64,
    pub jobs: usize,
    /// Processor time for each input.
    pub cpu_seconds: u64,
    /// The campaign ends early after this time, and its report says so.
    pub time: Option<Duration>,
    pub limits: ParseLimits,
    /// Where inputs are kept that took too long, crashed the parser, or are findings.
    pub keep: PathBuf,
    /// How to start [`child::serve`](crate::child::serve).
    pub reader: ParseWorker,
    /// How to start the parser's real child process.
    pub worker: ParseWorker,
}

/// Runs the campaign to its end.
///
/// # Errors
/// When the harness itself cannot work: no processes, no room for files.
pub fn run(plan: &Plan, seeds: &Seeds) -> std::io::Result<Report> {
    let shared_memory = Path::new("/dev/shm");
    let folder = match tempfile::tempdir_in(shared_memory) {
        Ok(folder) => folder,
        Err(_) => tempfile::tempdir()?,
    };
    // Programs cannot be started from shared memory everywhere.
    let programs = tempfile::tempdir()?;
    let campaign = Campaign {
        plan,
        ocr: recogniser::settings(programs.path())?,
        seeds,
        began: Instant::now(),
        next: AtomicU64::new(plan.first),
        timeouts: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        report: Mutex::new(Report::default()),
    };
    std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..plan.jobs.max(1))
            .map(|job| {
                let file = folder.path().join(format!("input-{job}"));
                let campaign = &campaign;
                std::thread::Builder::new()
                    .stack_size(MAKER_STACK_BYTES)
                    .spawn_scoped(scope, move || campaign.work(&file))
            })
            .collect();
        for job in jobs {
            job?.join().map_err(|_| std::io::Error::other("making an input panicked"))??;
        }
        std::io::Result::Ok(())
    })?;
    let mut report = campaign.report.into_inner().map_err(|_| std::io::Error::other("a job panicked"))?;
    report.seconds = campaign.began.elapsed().as_secs_f64();
    Ok(report)
}

/// Makes an input again.
pub fn input(plan: &Plan, seeds: &Seeds, number: u64) -> Input {
    mutate::make(&mut Random::of_input(plan.seed, number), seeds)
}

struct Campaign<'a> {
    plan: &'a Plan,
    seeds: &'a Seeds,
    ocr: OcrSettings,
    began: Instant,
    next: AtomicU64,
    timeouts: AtomicU64,
    is_over: AtomicBool,
    report: Mutex<Report>,
}

impl Campaign<'_> {
    fn work(&self, file: &Path) -> std::io::Result<()> {
        let mut reader = Reader::new(&self.plan.reader, &self.plan.limits);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let is_late = self.plan.time.is_some_and(|time| self.began.elapsed() > time);
            if number >= self.plan.first + self.plan.inputs || is_late || self.is_over.load(Ordering::Relaxed)
            {
                return Ok(());
            }
            let outcome = self.one(number, file, &mut reader, &runtime);
            if outcome.is_err() {
                self.is_over.store(true, Ordering::Relaxed);
            }
            outcome?;
        }
    }

    fn one(
        &self,
        number: u64,
        file: &Path,
        reader: &mut Reader<'_>,
        runtime: &tokio::runtime::Runtime,
    ) -> std::io::Result<()> {
        let input = input(self.plan, self.seeds, number);
        std::fs::write(file, &input.bytes)?;
        let began = Instant::now();
        let request = self.request(number, file, &input);
        let limit_ms = self.cpu_limit_ms(number);
        let (verdict, peak_kb, cpu_ms) = match reader.read(&request, limit_ms)? {
            Reading::Answered(answer) => (verdict(answer.ended), answer.peak_kb, answer.cpu_ms),
            Reading::OverTime => {
                let confirm = self.timeouts.fetch_add(1, Ordering::Relaxed) < MAX_CONFIRMED_TIMEOUTS;
                let verdict = if confirm {
                    self.confirm(number, request, reader, runtime)?
                } else {
                    Verdict::Failure(FailureCode::ParseTimeout.as_str().to_owned())
                };
                (verdict, 0, limit_ms)
            }
            Reading::Died => (self.confirm(number, request, reader, runtime)?, 0, 0),
        };
        let kept = verdict.is_worth_keeping().then(|| self.keep(number, &input, &verdict)).transpose()?;
        let mut report = self.report.lock().map_err(|_| std::io::Error::other("a job panicked"))?;
        let limit_kb = self.plan.limits.memory_bytes / 1024;
        let verdict = if peak_kb > limit_kb {
            Verdict::Finding(format!("the process had {peak_kb} kB, its limit is {limit_kb} kB"))
        } else {
            verdict
        };
        let seed = &self.seeds.all[input.seed];
        report.add(&seed.family, verdict, peak_kb, cpu_ms, began.elapsed(), kept);
        Ok(())
    }

    fn request(&self, number: u64, file: &Path, input: &Input) -> Request {
        Request {
            path: file.to_owned(),
            file_name: input.file_name.clone(),
            engine: Engine::First,
            ocr: recogniser::is_used_for(number).then(|| self.ocr.clone()),
        }
    }

    fn cpu_limit_ms(&self, number: u64) -> u64 {
        let pictures = if recogniser::is_used_for(number) { recogniser::CPU_SECONDS } else { 0 };
        (self.plan.cpu_seconds + pictures) * 1000
    }

    /// The verdict of the real child process on an input that ended the quick one.
    fn confirm(
        &self,
        number: u64,
        mut request: Request,
        reader: &mut Reader<'_>,
        runtime: &tokio::runtime::Runtime,
    ) -> std::io::Result<Verdict> {
        let limits = ParseLimits { cpu_seconds: self.plan.cpu_seconds, ..self.plan.limits.clone() };
        let ocr = request.ocr.clone().unwrap_or(OcrSettings { enabled: false, ..OcrSettings::default() });
        let parsing =
            parse_in_child_with_ocr(&self.plan.worker, &limits, &ocr, &request.path, &request.file_name);
        let parsed = runtime.block_on(parsing);
        let document = match parsed {
            Ok(document) => document,
            Err(failure) if failure.code == FailureCode::ParserUnavailable => {
                return Ok(Verdict::Finding(format!("ends without a code: {failure}")));
            }
            Err(failure) => return Ok(Verdict::Failure(failure.code.as_str().to_owned())),
        };
        // The parser's process lived: what died is what the service does with the document, or what had added up in the
        // process. A new one tells.
        let by_second = document.warnings.iter().any(|warned| warned.code == warning::SECOND_PARSER);
        if by_second {
            request.engine = Engine::Second;
        }
        if document.warnings.iter().any(|warned| warned.code == warning::OCR_FAILED) {
            request.ocr = None;
        }
        reader.forget();
        Ok(match reader.read(&request, self.cpu_limit_ms(number))? {
            Reading::Answered(answer) => verdict(answer.ended),
            // At the limit one try takes a little longer than the other.
            Reading::OverTime => Verdict::Failure(FailureCode::ParseTimeout.as_str().to_owned()),
            Reading::Died => {
                Verdict::Finding("cutting or rendering the document ends the process".to_owned())
            }
        })
    }

    fn keep(&self, number: u64, input: &Input, verdict: &Verdict) -> std::io::Result<PathBuf> {
        std::fs::create_dir_all(&self.plan.keep)?;
        let safe: String = input
            .file_name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
            .collect();
        let path = self.plan.keep.join(format!("{}-{}-{number}-{safe}", verdict.label(), self.plan.seed));
        std::fs::write(&path, &input.bytes)?;
        Ok(path)
    }
}

fn verdict(ended: Ended) -> Verdict {
    match ended {
        Ended::Document => Verdict::Document,
        Ended::Failure(code) if code == FailureCode::ParserUnavailable.as_str() => {
            Verdict::Finding("ends without a code".to_owned())
        }
        Ended::Failure(code) => Verdict::Failure(code),
        Ended::Broken(what) => Verdict::Finding(what),
    }
}
