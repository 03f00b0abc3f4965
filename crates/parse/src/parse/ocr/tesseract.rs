//! The program Tesseract as a child process: a picture on its standard input, its answer on its standard output.
//!
//! It is started by the process that parses, so that it inherits the limits of that one: no files can be written,
//! memory and processor time are bounded. Both are then lowered to what one page may take. It gets an environment of
//! two variables and no arguments that come from a document.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::picture::{Grey, Turn};
use super::settings::OcrSettings;

const USUAL_PLACES: [&str; 3] =
    ["/usr/bin/tesseract", "/usr/local/bin/tesseract", "/opt/homebrew/bin/tesseract"];
/// hOCR of a page full of small words.
const MAX_ANSWER_BYTES: u64 = 32 * 1024 * 1024;
const MAX_ERROR_BYTES: u64 = 16 * 1024;
/// Longer lists of languages are not a setting but a mistake.
const MAX_LANGUAGES_LENGTH: usize = 200;
/// Confidence below which the detected orientation is not believed (Tesseract's own scale; about 1 is a guess).
const MIN_ORIENTATION_CONFIDENCE: f32 = 2.0;

/// Why nothing can be recognised at all. For people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::parse) struct Unavailable(pub(in crate::parse) String);

/// Why one page was not recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PageError {
    TookTooLong,
    /// No language of the settings is installed: no page will be recognised.
    NoLanguage(String),
    /// For the log.
    Failed(String),
}

/// Tesseract, found on this machine.
#[derive(Clone, Debug)]
pub(in crate::parse) struct Tesseract {
    program: PathBuf,
    tessdata: Option<PathBuf>,
    languages: String,
    page_time: Duration,
    page_memory_bytes: u64,
}

/// Where the program is that the settings mean.
pub fn find_program(settings: &OcrSettings) -> Option<PathBuf> {
    if settings.program.as_os_str().is_empty() {
        return USUAL_PLACES.iter().map(PathBuf::from).find(|path| path.is_file());
    }
    settings.program.is_file().then(|| settings.program.clone())
}

impl Tesseract {
    pub(in crate::parse) fn find(settings: &OcrSettings) -> Result<Self, Unavailable> {
        let program = find_program(settings).ok_or_else(|| {
            Unavailable(
                "the program Tesseract, which recognises text in pictures, is not installed on the server"
                    .to_owned(),
            )
        })?;
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '/');
        let languages = settings.languages.as_str();
        if languages.is_empty() || languages.len() > MAX_LANGUAGES_LENGTH || !languages.chars().all(known) {
            return Err(Unavailable(
                "the setting of the languages to recognise is not a list of names joined by +".to_owned(),
            ));
        }
        Ok(Self {
            program,
            tessdata: Some(settings.tessdata.clone()).filter(|path| !path.as_os_str().is_empty()),
            languages: languages.to_owned(),
            page_time: Duration::from_millis(settings.page_timeout_ms.max(1)),
            page_memory_bytes: settings.page_memory_bytes,
        })
    }

    /// The words of a picture as hOCR, by `deadline` at the latest.
    pub(super) fn words(&self, picture: &Grey, dpi: u32, deadline: Instant) -> Result<String, PageError> {
        // Mode 3: the layout is analysed, the orientation is not.
        let arguments =
            ["-l", &self.languages, "--psm", "3", "--dpi", &dpi.to_string(), "-c", "tessedit_create_hocr=1"];
        let answer = self.run(&arguments, picture, deadline)?;
        if answer.errors.contains("couldn't load any languages") {
            return Err(PageError::NoLanguage(missing_languages(&answer.errors).join(", ")));
        }
        if !answer.succeeded {
            return Err(PageError::Failed(answer.errors));
        }
        Ok(answer.output)
    }

    /// How far the picture has to be turned to be upright; `None` when it is, or when there is no telling.
    pub(super) fn turn_needed(&self, picture: &Grey, dpi: u32, deadline: Instant) -> Option<Turn> {
        let arguments = ["-l", "osd", "--psm", "0", "--dpi", &dpi.to_string()];
        let answer = self.run(&arguments, picture, deadline).ok()?;
        orientation(&answer.output)
    }

    fn run(&self, arguments: &[&str], picture: &Grey, deadline: Instant) -> Result<Answer, PageError> {
        let mut command = Command::new(&self.program);
        command.args(["stdin", "stdout"]).args(arguments);
        if let Some(tessdata) = &self.tessdata {
            command.arg("--tessdata-dir").arg(tessdata);
        }
        let child = command
            .env_clear()
            .env("OMP_THREAD_LIMIT", "1")
            .env("LC_ALL", "C")
            .current_dir(Path::new("/"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| PageError::Failed(format!("cannot be started: {error}")))?;
        let mut running = Running(child);
        self.limit(&running.0);
        let time = deadline.saturating_duration_since(Instant::now()).min(self.page_time);
        running.converse(picture.to_pgm(), time)
    }

    /// Lowers the inherited limits; where the kernel refuses, the inherited ones stand.
    fn limit(&self, child: &Child) {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let Some(pid) = pid else { return };
        let seconds = self.page_time.as_secs().max(1);
        for (resource, value) in [(Resource::Cpu, seconds), (Resource::Data, self.page_memory_bytes)] {
            let limit = Rlimit { current: Some(value), maximum: Some(value) };
            if let Err(error) = prlimit(Some(pid), resource, limit) {
                tracing::debug!(%error, ?resource, "limit of the recognition not lowered");
            }
        }
    }
}

struct Answer {
    succeeded: bool,
    output: String,
    errors: String,
}

/// A child that does not outlive its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Writes and reads on threads of their own, so that neither side waits for the other, and waits for the end of
    /// the output.
    fn converse(&mut self, input: Vec<u8>, time: Duration) -> Result<Answer, PageError> {
        let failed = |what: &str| PageError::Failed(what.to_owned());
        let mut to_child = self.0.stdin.take().ok_or_else(|| failed("no pipe"))?;
        let from_child = self.0.stdout.take().ok_or_else(|| failed("no pipe"))?;
        let errors = self.0.stderr.take().ok_or_else(|| failed("no pipe"))?;
        let (say, heard) = mpsc::channel();
        let say_errors = say.clone();
        std::thread::scope(|threads| {
            let started = [
                // A child that ended early says so by its status.
                std::thread::Builder::new()
                    .spawn_scoped(threads, move || to_child.write_all(&input).unwrap_or_default()),
                std::thread::Builder::new().spawn_scoped(threads, move || {
                    let _ = say.send((true, read_text(from_child, MAX_ANSWER_BYTES)));
                }),
                std::thread::Builder::new().spawn_scoped(threads, move || {
                    let _ = say_errors.send((false, read_text(errors, MAX_ERROR_BYTES)));
                }),
            ];
            let end = Instant::now() + time;
            let mut answer = Answer { succeeded: false, output: String::new(), errors: String::new() };
            let mut result = Ok(());
            if started.iter().any(Result::is_err) {
                result = Err(failed("no thread for its pipes"));
            }
            for _ in 0..2 {
                if result.is_err() {
                    break;
                }
                match heard.recv_timeout(end.saturating_duration_since(Instant::now())) {
                    Ok((true, text)) => answer.output = text,
                    Ok((false, text)) => answer.errors = text,
                    Err(_) => result = Err(PageError::TookTooLong),
                }
            }
            if result.is_err() {
                // The threads end when the pipes do.
                let _ = self.0.kill();
            }
            let status = self.0.wait().map_err(|error| failed(&error.to_string()))?;
            result?;
            answer.succeeded = status.success();
            judge(status, answer)
        })
    }
}

fn judge(status: std::process::ExitStatus, answer: Answer) -> Result<Answer, PageError> {
    use std::os::unix::process::ExitStatusExt;
    const SIGKILL: i32 = 9;
    const SIGXCPU: i32 = 24;
    match status.signal() {
        Some(SIGXCPU | SIGKILL) => Err(PageError::TookTooLong),
        Some(signal) => Err(PageError::Failed(format!("ended by signal {signal}: {}", answer.errors.trim()))),
        None => Ok(answer),
    }
}

/// Reads to the end, so that the child never waits for its reader, and keeps so many bytes.
fn read_text(mut from: impl Read, limit: u64) -> String {
    let mut bytes = Vec::new();
    let _ = from.by_ref().take(limit).read_to_end(&mut bytes);
    let _ = std::io::copy(&mut from, &mut std::io::sink());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `Failed loading language 'chi_sim'`
fn missing_languages(errors: &str) -> Vec<&str> {
    errors.lines().filter_map(|line| line.split_once("loading language '")?.1.split('\'').next()).collect()
}

fn orientation(answer: &str) -> Option<Turn> {
    let value =
        |key: &str| answer.lines().find_map(|line| line.strip_prefix(key)?.trim().parse::<f32>().ok());
    let confidence = value("Orientation confidence:")?;
    let degrees = value("Rotate:")?;
    if confidence < MIN_ORIENTATION_CONFIDENCE { None } else { Turn::from_degrees(degrees as u32) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn script(text: &str) -> (tempfile::TempDir, OcrSettings) {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("tesseract");
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        (folder, OcrSettings { program, page_timeout_ms: 10_000, ..OcrSettings::default() })
    }

    fn words(settings: &OcrSettings, time: Duration) -> Result<String, PageError> {
        // Larger than a pipe, so that a program that does not read would block its writer.
        let picture = Grey { width: 1000, height: 500, pixels: vec![255; 500_000] };
        Tesseract::find(settings).unwrap().words(&picture, 200, Instant::now() + time)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_picture_goes_in_and_the_answer_comes_out() {
        let (_folder, settings) = script("wc -c; echo \"$@\"");
        let answer = words(&settings, LONG).unwrap();
        assert!(answer.starts_with("500016"), "{answer}");
        assert!(answer.contains("stdin stdout -l chi_sim+eng --psm 3 --dpi 200"), "{answer}");
    }

    #[test]
    fn a_program_that_hangs_is_ended_at_the_deadline() {
        let (_folder, settings) = script("exec sleep 600");
        assert_eq!(words(&settings, Duration::from_millis(300)), Err(PageError::TookTooLong));
    }

    #[test]
    fn what_goes_wrong_has_its_own_reason() {
        for (text, expected) in [
            ("kill -XCPU $$", PageError::TookTooLong),
            (
                "echo \"Failed loading language 'tlh'\nTesseract couldn't load any languages!\" >&2; exit 1",
                PageError::NoLanguage("tlh".to_owned()),
            ),
            ("echo broken >&2; exit 1", PageError::Failed("broken\n".to_owned())),
        ] {
            let (_folder, settings) = script(text);
            assert_eq!(words(&settings, LONG), Err(expected), "{text}");
        }
    }

    #[test]
    fn the_program_sees_limits_and_no_environment() {
        let (_folder, settings) = script("cat >/dev/null; ulimit -t; env");
        let answer = words(&settings, LONG).unwrap();
        assert!(answer.starts_with("10\n"), "{answer}");
        assert!(answer.contains("OMP_THREAD_LIMIT=1") && !answer.contains("CARGO"), "{answer}");
    }

    #[test]
    fn a_program_that_is_not_there_and_languages_that_are_none_are_told() {
        let absent = OcrSettings { program: "/nonexistent/tesseract".into(), ..OcrSettings::default() };
        assert!(Tesseract::find(&absent).unwrap_err().0.contains("not installed"));
        let (_folder, settings) = script("true");
        let odd = OcrSettings { languages: "eng; rm".to_owned(), ..settings };
        assert!(Tesseract::find(&odd).unwrap_err().0.contains("languages"));
    }

    #[test]
    fn the_turn_is_read_where_it_is_believed() {
        let answer = |degrees: u32, confidence: f32| {
            format!(
                "Page number: 0\nOrientation in degrees: 0\nRotate: {degrees}\nOrientation confidence: {confidence}\n"
            )
        };
        assert_eq!(orientation(&answer(180, 8.0)), Some(Turn::Half));
        assert_eq!(orientation(&answer(180, 0.4)), None);
        assert_eq!(orientation(&answer(0, 20.0)), None);
        assert_eq!(orientation("Too few characters. Skipping this page"), None);
    }
}
