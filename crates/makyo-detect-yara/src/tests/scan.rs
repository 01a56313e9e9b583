use std::io::Write as _;
use std::time::Duration;

use makyo_base::{
    Artifact, ArtifactId, ArtifactKind, Content, DefectKind, EntityKind, FindingSource, Holder,
    Position, hex, sha256,
};
use proptest::prelude::*;

use super::{PATIENCE, compile, fits, root};
use crate::{SCAN_BYTES_MAX, STRINGS_MAX, YaraError, YaraRules};

const RULE: &str = r#"rule r {
    meta: id = "i" title = "inert words" level = "medium" techniques = "T1566.001"
    strings: $a = "abc" $b = "xyz"
    condition: $a and #b >= 0 }"#;

fn artifact() -> Artifact {
    Artifact {
        id: ArtifactId([7; 32]),
        path: "m.mbox".into(),
        size_bytes: 9,
        kind: ArtifactKind::Mbox,
    }
}

#[test]
fn places_of_strings_are_listed_up_to_a_limit() {
    let (rules, _) = compile(&[RULE]);
    let found = rules.scan("--abc".repeat(50).as_bytes(), PATIENCE).expect("in time");
    let strings = &found[0].strings;
    assert_eq!(strings.len(), STRINGS_MAX);
    assert_eq!((strings[1].name.as_str(), strings[1].offset, strings[1].size), ("$a", 7, 3));
    assert_eq!(rules.scan(b"xyz", PATIENCE).expect("in time"), []);
}

#[test]
fn a_finding_names_message_sender_file_and_hash() {
    let (rules, _) = compile(&[RULE]);
    let artifact = artifact();
    let holder = Holder {
        identity: [1; 16],
        time: Some(5),
        message_uid: "1@partner.example".into(),
        sender: "ann@partner.example".into(),
        recipients: vec!["bob@agency.example".into(), "eve@agency.example".into()],
    };
    let content = Content {
        artifact: &artifact,
        position: Position::Record(3),
        name: "a.wsb",
        bytes: b"abc",
        holder: &holder,
    };
    let finding = rules.scan(content.bytes, PATIENCE).expect("in time")[0].finding(&content, 7.0);
    assert_eq!(
        (finding.source, finding.time, finding.weight_db),
        (FindingSource::Yara, Some(5), 7.0)
    );
    assert_eq!(finding.rule.id, "i");
    assert_eq!(
        finding.text,
        "inert words: in attachment `a.wsb` from ann@partner.example to bob@agency.example and 1 more"
    );
    assert_eq!((finding.records[0].file.as_str(), finding.records[0].record), ("m.mbox", 3));
    let has = |kind, value: &str| {
        finding.entities.iter().any(|one| one.kind == kind && one.value == value)
    };
    assert!(has(EntityKind::Message, "1@partner.example") && has(EntityKind::File, "a.wsb"));
    assert!(
        has(EntityKind::Hash, &hex(&sha256(b"abc")))
            && has(EntityKind::Account, "eve@agency.example")
    );
    let other = Holder { identity: [2; 16], ..holder.clone() };
    let again = rules.scan(b"abc", PATIENCE).expect("in time")[0]
        .finding(&Content { holder: &other, ..content }, 7.0);
    assert_ne!(finding.id, again.id);
    let whole = rules.scan(b"abc", PATIENCE).expect("in time")[0].file_finding(&artifact, 7.0);
    assert_eq!(whole.text, "inert words: in file `m.mbox`");
}

#[test]
fn what_is_too_large_or_too_slow_is_an_error_and_a_defect() {
    let (rules, _) = compile(&[RULE]);
    let large = vec![b'a'; SCAN_BYTES_MAX + 1];
    let error = rules.scan(&large, PATIENCE).expect_err("too large");
    assert!(matches!(error, YaraError::TooLarge { .. }), "{error}");
    let defect = error.defect("m.mbox", Position::Record(3), "a.iso");
    assert_eq!((defect.kind, defect.file.as_str()), (DefectKind::Limit, "m.mbox"));
    assert!(defect.detail.starts_with("`a.iso`: content is larger"), "{}", defect.detail);
    let (slow, problems) = compile(&[
        "rule slow { condition: for all i in (0..1000000) : ( for all j in (0..1000000) : ( i + j >= 0 ) ) }",
    ]);
    assert_eq!(problems, []);
    let error = slow.scan(b"abc", Duration::from_secs(1)).expect_err("too slow");
    assert!(matches!(error, YaraError::Timeout { seconds: 1 }), "{error}");
    assert_eq!(error.defect("f", Position::Whole, "").kind, DefectKind::Limit);
}

#[test]
fn files_are_read_up_to_the_limit_and_the_rest_is_said() {
    let (rules, _) = compile(&[RULE]);
    let folder = tempfile::tempdir().expect("folder");
    let small = folder.path().join("s.txt");
    std::fs::write(&small, "abc").expect("written");
    let scan = rules.scan_file(&small, PATIENCE).expect("readable");
    assert_eq!((scan.matches.len(), scan.scanned_bytes, scan.unscanned()), (1, 3, None));
    let large = folder.path().join("l.bin");
    let mut file = std::fs::File::create(&large).expect("created");
    file.write_all(b"abc").expect("written");
    file.set_len(SCAN_BYTES_MAX as u64 + 5).expect("sparse");
    let scan = rules.scan_file(&large, PATIENCE).expect("readable");
    assert_eq!((scan.matches.len(), scan.scanned_bytes), (1, SCAN_BYTES_MAX as u64));
    assert!(scan.unscanned().expect("said").contains("first 67108864 of 67108869"));
    let error = rules.scan_file(&folder.path().join("none"), PATIENCE).expect_err("not there");
    assert_eq!(error.defect("f", Position::Whole, "").kind, DefectKind::Unreadable);
}

#[test]
fn names_reach_the_rules() {
    let (rules, _) =
        compile(&["rule n { condition: filename == \"b.lnk\" and extension == \".lnk\" }"]);
    let count = |name: &str| rules.scan_named(name, b"x", PATIENCE).expect("in time").len();
    assert_eq!(
        (count("a.eml!b.lnk"), count("C:\\x\\b.lnk"), count("b.txt"), count("")),
        (1, 1, 0, 0)
    );
    assert_eq!(fits(&rules, b"x"), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_content_and_no_rule_text_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,80}") {
        static OWN: std::sync::LazyLock<YaraRules> = std::sync::LazyLock::new(|| {
            let path = root().join("rules/yara/shortcut_starts_interpreter_from_afar.yar");
            let modules = "import \"pe\" import \"elf\" import \"dotnet\" import \"hash\"\nrule m { condition: pe.is_pe or elf.type == 2 or dotnet.is_dotnet or hash.md5(0, filesize) == \"0\" }";
            YaraRules::compile(&[
                ("own".into(), std::fs::read_to_string(path).expect("rule")),
                ("modules".into(), modules.into()),
            ]).0
        });
        for head in [&b""[..], b"MZ", b"\x7fELF", &[0x4c, 0, 0, 0, 1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46]] {
            let whole = [head, &bytes].concat();
            prop_assert!(OWN.scan(&whole, PATIENCE).is_ok());
        }
        let _ = YaraRules::compile(&[("f".into(), text.clone())]);
        let _ = YaraRules::compile(&[("f".into(), format!("rule r {{ strings: $a = {text} condition: $a }}"))]);
    }
}
