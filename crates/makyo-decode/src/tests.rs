mod cloud;
mod contents;
mod damage;
mod formats;
mod inference;
mod mail;
mod profiles;
mod real;
mod simulated;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::{DecodeOptions, Sources, TextEvents, decode_text};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All descriptions of the repository.
pub(crate) fn sources() -> &'static Sources {
    static LOADED: LazyLock<Sources> = LazyLock::new(load);
    &LOADED
}

fn load() -> Sources {
    let mut files = Vec::new();
    for folder in fs::read_dir(root().join("sources")).expect("sources").flatten() {
        for file in fs::read_dir(folder.path()).expect("folder").flatten() {
            let path = file.path();
            if path.extension().is_some_and(|end| end == "yml") {
                let name = path.strip_prefix(root().join("sources")).expect("inside");
                files.push((name.display().to_string(), fs::read_to_string(&path).expect("text")));
            }
        }
    }
    files.sort();
    match Sources::load(&files) {
        Ok(sources) => sources,
        Err(problems) => {
            panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        }
    }
}

/// The events of a text.
pub(crate) fn events(sources: &Sources, text: &str) -> TextEvents {
    let options =
        DecodeOptions { directory: vec!["agency".into(), "ad".into()], ..DecodeOptions::default() };
    let mut out = TextEvents::default();
    decode_text("test", text, sources, &options, &mut out).expect("never stops");
    out
}
