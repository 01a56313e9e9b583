//! What can be typed. Completions, the man page and the reference page follow from this.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Finds the intruder behind the legitimate user.
///
/// Makyo takes the evidence that a victim already holds (mail, VPN and edge logs, Windows event
/// logs, Microsoft 365 and Entra logs, network flow logs) and answers nine questions about an
/// intrusion. It reads copies, asks nothing of the network, and writes only into the case folder.
#[derive(Debug, Parser)]
#[command(name = "makyo", version, propagate_version = true, max_term_width = 100, after_help = EXIT_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Tells more on stderr; twice for still more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Form of log lines on stderr.
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// Shows no progress bar.
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
}

const EXIT_HELP: &str = "Exit status: 0 done; 1 done, and something at or above --fail-on was found; \
2 could not do it; 3 done, but some evidence could not be read.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The main job: reads evidence, detects, answers, writes the case and its report.
    Investigate(Investigate),
    /// Reads and normalises only; prints a line of JSON for each event.
    Events(Events),
    /// Runs rules only; prints a line of JSON for each match.
    Detect(Detect),
    /// Prints one answer of a case.
    Show(Show),
    /// Runs SQL over a case's events, findings, graph and answers.
    Sql(Sql),
    /// Writes the shareable results of a case.
    Report(Report),
    /// Proves that a case and its evidence are unchanged.
    Verify(Verify),
    /// For those who write rules.
    #[command(subcommand)]
    Rules(Rules),
    /// For those who describe log sources.
    #[command(subcommand)]
    Sources(Sources),
    /// Groups incidents of several cases into campaigns, with the evidence for each link.
    #[command(after_help = LINK_HELP)]
    Link(Link),
    /// Weighs hypotheses about who it was, with what each rests on and what would change it.
    #[command(after_help = ATTRIBUTE_HELP)]
    Attribute(Attribute),
    /// Shows cases as web pages (not in this version).
    Serve(Later),
    /// Investigates again whenever evidence grows, and tells what changed in the answers.
    #[command(after_help = WATCH_HELP)]
    Watch(Watch),
    /// Writes a synthetic organisation's logs and their truth, or scores a case against such a truth.
    Simulate(Simulate),
    /// Prints shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Prints the man page.
    Man,
}

const WATCH_HELP: &str = "Examples:
  makyo watch exports/ --case office.case --org org.toml
  makyo watch exports/ --case office.case --every 300 --format jsonl >> changes.jsonl
  makyo watch exports/ --case office.case --once --fail-on high

A file that is new or has changed is read again, and no other; the answers are made anew from all \
evidence. Exit status 1: something at or above --fail-on was found, which also ends the watch.";

const LINK_HELP: &str = "Examples:
  makyo link ministry.case university.case
  makyo link cases/*.case partner-bundle.json --format json
  makyo link misp-events/ --format csv > links.csv

Targets and methods alone link nothing: two incidents need two independent specific things \
in common. Exit status 3: something that was given could not be read.";

#[derive(Debug, Args)]
pub(crate) struct Link {
    /// Case folders, STIX 2.1 bundles, MISP events (also gzipped), or folders of such files.
    #[arg(required = true, value_name = "CASE_OR_INCIDENT")]
    pub(crate) incidents: Vec<PathBuf>,
    /// Form of the output.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
    /// Threads; the result does not depend on it.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
}

const ATTRIBUTE_HELP: &str = "Examples:
  makyo attribute ministry.case --knowledge enterprise-attack.json
  makyo attribute partner-bundle.json --knowledge enterprise-attack.json.gz threat-actor.json
  makyo attribute campaign/*.json --knowledge enterprise-attack.json --format json
  makyo attribute ministry.case --knowledge enterprise-attack.json --format stix > judgement.json

A group that the knowledge does not have, and somebody who imitates the leading group, are \
hypotheses too. Where only targets and methods speak, nobody gets more than 55 %. Whether a state is \
responsible is not judged. Exit status 3: something that was given could not be read.";

#[derive(Debug, Args)]
pub(crate) struct Attribute {
    /// Case folders, STIX 2.1 bundles, MISP events (also gzipped), or folders of such files.
    #[arg(required = true, value_name = "CASE_OR_INCIDENT")]
    pub(crate) incidents: Vec<PathBuf>,
    /// What is published about groups: STIX such as ATT&CK, MISP galaxies; plain or gzip.
    #[arg(long, required = true, value_name = "STIX", num_args = 1..)]
    pub(crate) knowledge: Vec<PathBuf>,
    /// Judges this incident; may be given more than once for one campaign. Without it, the largest
    /// campaign, or the incident with most evidence.
    #[arg(long, value_name = "ID")]
    pub(crate) incident: Vec<String>,
    /// Form of the output.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: JudgementFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum JudgementFormat {
    /// Aligned columns and sentences for people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON document a line, one for each hypothesis.
    Jsonl,
    /// Comma separated values, a row for each item of evidence.
    Csv,
    /// A STIX 2.1 bundle.
    Stix,
}

#[derive(Debug, Args)]
pub(crate) struct Later {
    /// Whatever was typed.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub(crate) rest: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns for people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Jsonl,
    /// Comma separated values.
    Csv,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub(crate) enum FailOn {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// Files and folders with evidence; archives are unpacked, formats told by content.
    #[arg(required = true, value_name = "EVIDENCE")]
    pub(crate) evidence: Vec<PathBuf>,
    /// The organisation's own facts: domains, networks, third parties, changes, assets.
    #[arg(long, value_name = "FILE")]
    pub(crate) org: Option<PathBuf>,
    /// More source descriptions: a folder of NAME/source.yml and shapes/NAME.yml.
    #[arg(long, value_name = "DIR")]
    pub(crate) sources: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Investigate {
    #[command(flatten)]
    pub(crate) inquiry: Inquiry,
    /// How the nine answers are printed.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    pub(crate) inquiry: Inquiry,
    /// Looks for new evidence every so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) every: u64,
    /// Ends after one pass.
    #[arg(long)]
    pub(crate) once: bool,
    /// How changes are printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: ChangeFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ChangeFormat {
    /// A line for people.
    Text,
    /// One JSON document a line.
    Jsonl,
}

/// What `investigate` and `watch` are given.
#[derive(Debug, Args)]
pub(crate) struct Inquiry {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// The case folder; a run that was killed goes on there.
    #[arg(long, value_name = "DIR")]
    pub(crate) case: PathBuf,
    /// More rules beside the built-in ones: Sigma (.yml) and YARA (.yar) files or folders of them.
    #[arg(long, value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    /// Indicators: STIX, MISP, CSV or one value a line, also gzipped; files or folders. What many
    /// share, such as private addresses, is refused and named.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) intel: Vec<PathBuf>,
    /// Values for `%name%` in rules with `expand`: a file with `placeholders: {NAME: [VALUE, ..]}`.
    #[arg(long, value_name = "FILE")]
    pub(crate) placeholders: Option<PathBuf>,
    /// Exit status 1 if a finding of this level or higher is made.
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) fail_on: Option<FailOn>,
    /// Threads; the answers do not depend on it.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
}

#[derive(Debug, Args)]
pub(crate) struct Events {
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, Args)]
pub(crate) struct Detect {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Sigma (.yml) and YARA (.yar) files or folders of them; without any, the built-in rules.
    #[arg(long, value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    /// Indicators: STIX, MISP, CSV or one value a line, also gzipped; files or folders.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(crate) intel: Vec<PathBuf>,
    /// Values for `%name%` in rules with `expand`: a file with `placeholders: {NAME: [VALUE, ..]}`.
    #[arg(long, value_name = "FILE")]
    pub(crate) placeholders: Option<PathBuf>,
    /// Exit status 1 if something that is printed has this level or a higher one.
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) fail_on: Option<FailOn>,
    #[command(flatten)]
    pub(crate) only: Only,
    /// Tells for each match which tests held and with which values, and at the end on stderr which
    /// rules could not match and why.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Threads; the output does not depend on it.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
}

/// Which records are looked at, and which matches are printed.
#[derive(Debug, Args)]
pub(crate) struct Only {
    /// Only records from this time on: `2025-01-31T08:00:00Z`, or a date, which begins at midnight
    /// UTC.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Only records up to this time; a date counts to its end.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Only records of this host, by its short name; `*` and `?` stand for any letters. May be
    /// given more than once.
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Vec<String>,
    /// Prints only matches of rules with this id or title; `*` and `?` stand for any letters. May
    /// be given more than once.
    #[arg(long, value_name = "ID_OR_TITLE")]
    pub(crate) rule: Vec<String>,
    /// Prints only matches of rules of this level or a higher one.
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) level: Option<FailOn>,
}

/// What `show` can show.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum What {
    Entry,
    Accounts,
    Hosts,
    Path,
    Access,
    Assets,
    Beacons,
    Coverage,
    Persistence,
    Containment,
    Messages,
    Findings,
    Incidents,
    Timeline,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The answer.
    #[arg(value_enum)]
    pub(crate) what: What,
    #[command(flatten)]
    pub(crate) case: InCase,
}

#[derive(Debug, Args)]
pub(crate) struct InCase {
    /// The case folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) case: PathBuf,
    /// Form of the output.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Sql {
    /// The statement, over the tables events, items, findings, graph, defects and all answers.
    pub(crate) statement: String,
    #[command(flatten)]
    pub(crate) case: InCase,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ReportAs {
    Html,
    Markdown,
    Stix,
    Misp,
    Navigator,
    Timesketch,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Lang {
    /// English.
    En,
    /// Japanese.
    Ja,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The case folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) case: PathBuf,
    /// The form: for people html and markdown, for other programs the rest.
    #[arg(long = "as", value_enum, default_value = "html")]
    pub(crate) form: ReportAs,
    /// The language of the frame (html and markdown); sentences of findings stay as they are.
    #[arg(long, value_enum, default_value = "en")]
    pub(crate) lang: Lang,
    /// What `makyo link --format json` printed: answers question 8 (html and markdown).
    #[arg(long, value_name = "FILE")]
    pub(crate) linkage: Option<PathBuf>,
    /// What `makyo attribute --format json` printed: answers question 9 (html and markdown).
    #[arg(long, value_name = "FILE")]
    pub(crate) judgement: Option<PathBuf>,
}

/// Log records only, of an organisation that does not exist; the same options give the same bytes.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// What happens: agency, agency-inside, benign ...; without any, all are named.
    #[arg(required_unless_present = "score")]
    pub(crate) scenario: Option<String>,
    /// Another seed gives another organisation and another intrusion.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The size; 1 is 1,600 accounts.
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    pub(crate) scale: f64,
    /// How many days.
    #[arg(long, value_name = "D", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=366))]
    pub(crate) days: u16,
    /// The folder, empty or new: it gets evidence/, org.toml, truth.json and README.txt.
    #[arg(long, value_name = "DIR", required_unless_present = "score")]
    pub(crate) out: Option<PathBuf>,
    /// Compares the answers of a case with a truth.
    #[arg(long, num_args = 2, value_names = ["CASE", "TRUTH"], conflicts_with_all = ["scenario", "out"])]
    pub(crate) score: Vec<PathBuf>,
    /// Form of the figures.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The case folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) case: PathBuf,
    /// Folder that evidence paths are relative to, if it is not the current one.
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Lists rules with their level and log source.
    List(RulePaths),
    /// Names every rule that cannot be loaded or cannot fire, and why.
    Check(RuleCheck),
    /// Runs the tests that stand beside rules as Markdown, or SigmaHQ's regression tests.
    Test(RuleTest),
}

#[derive(Debug, Args)]
pub(crate) struct RulePaths {
    /// Sigma and YARA files or folders; without any, the built-in rules.
    pub(crate) paths: Vec<PathBuf>,
    /// Values for `%name%` in rules with `expand`: a file with `placeholders: {NAME: [VALUE, ..]}`.
    #[arg(long, value_name = "FILE")]
    pub(crate) placeholders: Option<PathBuf>,
    /// Form of the list.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct RuleTest {
    #[command(flatten)]
    pub(crate) rules: RulePaths,
    /// A folder of SigmaHQ's regression data: each `info.yml` names a rule and a log in which it
    /// must match.
    #[arg(long, value_name = "DIR")]
    pub(crate) regression: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RuleCheck {
    #[command(flatten)]
    pub(crate) rules: RulePaths,
    /// Files and folders with evidence: says of each rule whether it can fire on what they hold.
    #[arg(long, value_name = "PATH")]
    pub(crate) evidence: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sources {
    /// Lists the log sources that are described.
    List(SourcePaths),
    /// Names every mistake in source descriptions.
    Check(SourcePaths),
    /// Reads the fixtures of source descriptions and compares the events.
    Test(SourcePaths),
}

#[derive(Debug, Args)]
pub(crate) struct SourcePaths {
    /// A folder of NAME/source.yml beside the built-in ones; without it, the built-in ones alone.
    pub(crate) path: Option<PathBuf>,
    /// Form of the list.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}
