//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Private question answering over your own documents.
#[derive(Debug, Parser)]
#[command(name = "anwen", version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub common: CommonArguments,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct CommonArguments {
    /// The settings file; `anwen.toml` in the working directory when there is one.
    #[arg(long, global = true, env = "ANWEN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Overrides `server.data_dir`.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Print JSON for scripts.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything in one process; the web interface is on http://localhost:8080.
    Serve,
    /// Ask the server that runs with these settings whether it answers; the exit status says it.
    Healthcheck(HealthcheckArguments),
    /// Make the first administrator.
    Setup(SetupArguments),
    /// Add files and folders to a knowledge base and wait until they are indexed.
    Ingest(IngestArguments),
    /// Ask a question and print the answer with its sources.
    Ask(AskArguments),
    /// The models on this machine: list, fetch, carry over and remove them.
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Manage users without signing in.
    #[command(subcommand)]
    Users(UsersCommand),
    /// Look for damage (missing originals, chunks that are not indexed) and mend what can be mended.
    Doctor,
    /// Say what is wrong with the settings.
    CheckConfig(CheckConfigArguments),
    /// Bring the databases to this version's schema.
    Migrate,
    /// Build both indexes again from what is stored.
    Reindex,
    /// Read one file as the server would and print what it holds.
    Parse(ParseArguments),
    /// Measure retrieval on BEIR-style folders (corpus.jsonl, queries.jsonl, qrels.tsv).
    Eval(EvalArguments),
    /// Reads one untrusted file in a limited process; started by the server.
    #[command(hide = true)]
    ParseWorker(ParseWorkerArguments),
}

#[derive(Debug, Args)]
pub struct HealthcheckArguments {
    /// Whether it can do its work, its dependencies included.
    #[arg(long)]
    pub ready: bool,
}

#[derive(Debug, Args)]
pub struct CheckConfigArguments {
    /// Print every setting that is in force, as a settings file (secrets left out).
    #[arg(long)]
    pub show: bool,
}

#[derive(Debug, Args)]
pub struct SetupArguments {
    #[arg(long)]
    pub username: String,
    /// Read from standard input when absent.
    #[arg(long, env = "ANWEN_SETUP_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    #[arg(long, default_value = "")]
    pub display_name: String,
}

#[derive(Debug, Args)]
pub struct IngestArguments {
    /// Files and folders.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// The knowledge base's name; it is made when absent.
    #[arg(long)]
    pub kb: String,
    /// On whose behalf; the first administrator when absent.
    #[arg(long)]
    pub user: Option<String>,
    /// Go on and add what changes, until stopped.
    #[arg(long)]
    pub watch: bool,
}

#[derive(Debug, Args)]
pub struct AskArguments {
    pub question: String,
    /// The knowledge base's name; all that the user may read when absent.
    #[arg(long)]
    pub kb: Option<String>,
    /// On whose behalf; the first administrator when absent.
    #[arg(long)]
    pub user: Option<String>,
    /// The model that answers.
    #[arg(long)]
    pub model: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Every model in the models directory.
    List,
    /// Fetch a model: `qwen3:8b`, `hf.co/owner/repository:Q4_K_M`, `modelscope.cn/owner/repository`, `s3://bucket/prefix`.
    Pull(ModelArguments),
    /// Add a model from an archive that `export` wrote, or from a GGUF file or a folder.
    Import(ImportArguments),
    /// Write a model into one archive, for a machine without a network.
    Export(ExportArguments),
    /// Remove a model and the files that no other shares.
    Remove(ModelArguments),
}

#[derive(Debug, Args)]
pub struct ModelArguments {
    /// `name[:tag]`.
    pub name: String,
}

#[derive(Debug, Args)]
pub struct ImportArguments {
    /// An archive, a GGUF file, or a folder in Hugging Face's layout.
    pub path: PathBuf,
    /// The name it gets; the archive's own, or the file's, when absent.
    #[arg(long)]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub struct ExportArguments {
    /// `name[:tag]`.
    pub name: String,
    /// The archive; it must not exist yet.
    pub file: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Set a new password, end the user's sessions and lift a lock-out.
    ResetPassword(ResetPasswordArguments),
}

#[derive(Debug, Args)]
pub struct ResetPasswordArguments {
    pub name: String,
    /// Read from standard input when absent; a random one is made and printed when that is empty.
    #[arg(long, env = "ANWEN_NEW_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
}

#[derive(Debug, Args)]
pub struct ParseArguments {
    pub file: PathBuf,
    #[arg(long, value_enum, default_value_t = ParseFormat::Text)]
    pub format: ParseFormat,
}

/// How `parse` prints a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ParseFormat {
    Text,
    Markdown,
    Json,
}

#[derive(Debug, Args)]
pub struct EvalArguments {
    /// One set, or a folder of sets.
    pub dir: PathBuf,
    /// Measure only the first N questions of each set.
    #[arg(long, value_name = "N")]
    pub max_queries: Option<usize>,
}

#[derive(Debug, Args)]
pub struct ParseWorkerArguments {
    /// Passed on to the worker as they are.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
