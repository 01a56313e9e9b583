//! Names that deceive.

use crate::name::{extension, is_dangerous, tricks};

#[test]
fn double_padded_and_turned() {
    assert_eq!(tricks("案内.docx.lnk"), ["double_extension"]);
    assert_eq!(tricks("案内.pdf　　　　　　.exe"), ["padded_name", "double_extension"]);
    assert_eq!(tricks("案内\u{202e}fdp.exe"), ["turned_name"]);
    assert_eq!(tricks("案内．ｐｄｆ．ｅｘｅ"), ["double_extension"]);
    for quiet in ["案内.docx", "v1.2.exe", "archive.tar.gz", "report.2025.pdf", "setup.exe", ""] {
        assert_eq!(tricks(quiet), Vec::<&str>::new(), "{quiet}");
    }
}

#[test]
fn extensions_as_windows_reads_them() {
    assert_eq!(extension("folder/a.PDF"), "pdf");
    assert_eq!(extension("a.exe. "), "exe");
    assert_eq!(extension("none"), "");
    assert!(is_dangerous("x.VHDX") && is_dangerous("a.hta") && !is_dangerous("a.docx"));
}

/// Every word for something seen has a weight and a sentence, or it would be passed over.
#[test]
fn every_fact_is_weighed() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let weights = std::fs::read_to_string(format!("{root}/../../../knowledge/weights.yml"));
    let weights = weights.expect("weights");
    let mut files = Vec::new();
    for folder in ["", "/archive", "/document"] {
        for entry in std::fs::read_dir(format!("{root}{folder}")).expect("sources").flatten() {
            files.push(entry.path());
        }
    }
    let mut count = 0;
    for path in files.iter().filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(path).expect("a source");
        for call in text.split(".fact(").skip(1) {
            let call = call.split(';').next().unwrap_or_default();
            let words = call.split('"').skip(1).step_by(2);
            for id in words.filter(|word| word.contains('_') && !word.contains([' ', '{', '.'])) {
                assert!(weights.contains(&format!("    {id}: {{ weight:")), "{id} in {path:?}");
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count}");
}
