use makyo_base::Level;

use super::{compile, fits};

/// Written for this test in the style of public collections: imports, hexadecimal strings with
/// jumps and wildcards, lax regular expressions, counts, offsets, loops, external names, a private
/// helper.
const PUBLIC_STYLE: &str = r#"
import "pe"
import "hash"
import "math"
import "dotnet"
import "elf"

private rule is_pe { condition: uint16(0) == 0x5A4D and uint32(uint32(0x3C)) == 0x00004550 }

rule Example_Loader_Strings : loader T1574_002
{
    meta:
        description = "loader of an invented family"
        author = "somebody"
        date = "2024/01/01"
        hash1 = "b50d83820a5704522fee59164d7bc69bea5c834ebd9be7fd8ad35b040910807f"
        score = 80
    strings:
        $mz = { 4D 5A [0-64] 50 45 ?? 00 [2-4] ( 4C 01 | 64 86 ) }
        $code = { 8B ?? E8 [4] 83 C4 0? ~00 }
        $a = "dll_size %Iu bytes" ascii fullword
        $b = "inert" wide nocase
        $x = "plain text" xor(0x01-0xff)
        $c = /cmd\.exe\s{1,8}\/c [a-z]{2,16}{0,1}/ nocase
        $d = /https?:\/\/[^\/\s]{4,64}\/[a-f0-9]{8}\.(png|gif)/
        $e = "payload" base64
    condition:
        is_pe and filesize < 5MB and
        ( 2 of ($a, $b, $c, $d) or #code > 3 or for any i in (1..#mz) : ( @mz[i] < 0x400 ) or $x or $e ) and
        ( pe.number_of_sections > 2 or pe.imphash() == "00000000000000000000000000000000" or
          for any s in pe.sections : ( math.entropy(s.raw_data_offset, s.raw_data_size) > 7.2 ) ) and
        hash.sha256(0, filesize) != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" and
        not pe.exports("InertExport") and not dotnet.is_dotnet and filename != "good.dll"
}

rule Example_Elf { strings: $a = "/bin/inert" condition: uint32(0) == 0x464c457f and elf.type == elf.ET_EXEC and $a }

rule Example_Text
{
    meta:
        severity = "medium"
        mitre_attack = "T1566.001"
    strings: $a = "inert words" $b = /inert\s+words/
    condition: all of them and extension == ".txt"
}
"#;

#[test]
fn rules_of_public_style_compile() {
    let (rules, problems) = compile(&[PUBLIC_STYLE]);
    assert_eq!(problems, []);
    let list = rules.list();
    assert_eq!(list.len(), 4);
    let find = |name: &str| list.iter().find(|rule| rule.name == name).expect("there");
    let loader = find("Example_Loader_Strings");
    assert_eq!(
        (loader.level, loader.techniques.as_slice()),
        (Level::High, ["T1574.002".into()].as_slice())
    );
    assert_eq!(loader.title, "loader of an invented family");
    assert_eq!(loader.id, "1.yar:Example_Loader_Strings");
    let text = find("Example_Text");
    assert_eq!(
        (text.level, text.techniques.as_slice()),
        (Level::Medium, ["T1566.001".into()].as_slice())
    );
    assert_eq!(find("Example_Elf").level, Level::High, "none is stated");
}

#[test]
fn a_mistake_costs_its_own_file_only_and_is_told_with_its_line() {
    let (rules, problems) = compile(&[
        "rule good { strings: $a = \"x1x1\" condition: $a }",
        "rule fine { condition: true }\nrule bad {\n  strings: $a = \"x\"\n  condition: $b\n}",
        "rule good { strings: $a = \"y1y1\" condition: $a }",
        "rule {",
        "include \"/etc/passwd\"\nrule z { condition: true }",
    ]);
    let lines: Vec<(&str, usize)> =
        problems.iter().map(|one| (one.file.as_str(), one.line)).collect();
    assert!(lines.contains(&("2.yar", 4)), "{problems:?}");
    assert!(lines.contains(&("4.yar", 1)) && lines.contains(&("5.yar", 1)), "{problems:?}");
    assert!(problems.iter().all(|one| !one.reason.is_empty()));
    assert_eq!(rules.list().len(), 2, "{:?}", rules.list());
    assert_eq!(fits(&rules, b"x1x1 y1y1"), ["good", "good"]);
}

#[test]
fn a_rule_with_a_module_that_is_not_built_in_is_left_out_alone() {
    let (rules, problems) = compile(&[
        "import \"time\"\nimport \"vt\"\nrule asks_the_clock { condition: time.now() > 0 }\nrule stays { condition: true }\nrule follows { condition: asks_the_clock }",
        "import \"macho\"\nglobal\nprivate rule narrow { condition: macho.cputype == 7 }\nrule broad { condition: true }",
        "import \"pe\"\nrule uses { condition: pe.is_pe }",
        "import \"nonsense\"\nrule x { condition: true }",
    ]);
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 4, "{told:#?}");
    assert!(
        told[0].starts_with("1.yar:3: rule `asks_the_clock`") && told[0].contains("`time`"),
        "{told:#?}"
    );
    assert!(told[1].starts_with("1.yar:5: rule `follows`"), "{told:#?}");
    assert!(
        told[2].starts_with("2.yar:3: rule `narrow`") && told[2].contains("file is left out"),
        "{told:#?}"
    );
    assert!(told[3].starts_with("4.yar:1: "), "{told:#?}");
    let names: Vec<&str> = rules.list().iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["stays", "uses"]);
}

#[test]
fn nothing_and_order_of_files() {
    let (rules, problems) = compile(&[]);
    assert!(rules.is_empty() && problems.is_empty());
    assert_eq!(fits(&rules, b"x"), Vec::<String>::new());
    let files = [
        ("b".to_owned(), "rule r { condition: true }".to_owned()),
        ("a".to_owned(), "rule r { condition: true }".to_owned()),
    ];
    let forward = crate::YaraRules::compile(&files).0;
    let backward = crate::YaraRules::compile(&[files[1].clone(), files[0].clone()]).0;
    assert_eq!(forward.list(), backward.list());
    assert_eq!(
        forward.scan(b"x", super::PATIENCE).expect("in time"),
        backward.scan(b"x", super::PATIENCE).expect("in time")
    );
}
