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
