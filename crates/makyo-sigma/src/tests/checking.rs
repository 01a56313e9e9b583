//! A selection asked part by part holds where the plan of it does.

use makyo_base::{Object, Value, parse_json};
use proptest::prelude::*;

use crate::{Check, Matcher, Numbered, Scratch, Selection, load_yaml};

struct Named<'r>(&'r Object<'r>, &'r [String]);

impl Numbered for Named<'_> {
    fn value(&self, field: usize) -> Option<&Value<'_>> {
        self.0.path(self.1.get(field)?)
    }

    fn whole(&self) -> &Object<'_> {
        self.0
    }
}

const SELECTIONS: &[&str] = &[
    "{ A: b }",
    "{ A: [b, Ab, 'B c'] }",
    "{ A|contains: [a, 'é'], B|exists: true }",
    "{ A|startswith: 'K', B: null }",
    "{ A|endswith: 'B ' }",
    "{ A|re: '^[a-k]+$', C.D: 7 }",
    "[ { A: b, B: a }, { C.D|gt: 3 }, { B|exists: false } ]",
    "{ A|fieldref: B }",
    "{ A|contains|all: [a, b] }",
    "{ A|cased: B }",
    "{ A: 'a*b' }",
    "[ keyword, 'a b' ]",
    "{ A|neq: b }",
    "{ A: '' }",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn part_by_part_is_as_by_plan(
        a in proptest::option::of("[abABkK\u{212a}é *]{0,4}"),
        b in prop_oneof![Just("null".to_owned()), Just("[\"a\",\"b\"]".to_owned()), "\"[abAB ]{0,2}\""],
        d in prop_oneof![Just("7".to_owned()), Just("\"4.5\"".to_owned()), Just("[1,9]".to_owned()), Just("{\"x\":\"keyword\"}".to_owned())],
        has in 0..4_u8,
    ) {
        let mut fields = Vec::new();
        fields.extend(a.map(|a| format!("\"A\":\"{a}\"")));
        fields.extend((has & 1 == 1).then(|| format!("\"b\":{b}")));
        fields.extend((has & 2 == 2).then(|| format!("\"C\":{{\"D\":{d}}}")));
        let text = format!("{{{}}}", fields.join(","));
        let Ok(Value::Object(record)) = parse_json(&text) else { panic!("{text}") };
        for selection in SELECTIONS {
            let node = load_yaml(selection).expect("it reads").remove(0);
            let selection = Selection::parse(&node).expect("a selection");
            let mut names: Vec<String> = Vec::new();
            let check = Check::new(&selection, &mut |name| {
                names.push(name.to_owned());
                names.len() - 1
            });
            let by_plan = Matcher::new(&selection).is_match(&mut Scratch::default(), &record);
            prop_assert_eq!(check.holds(&Named(&record, &names)), by_plan, "{:?} {}", selection, text);
        }
    }
}
