use std::io;

use crate::{FlowFormat, Input, Options, Results, analyse};

fn run(rows: &[(f64, String, String)]) -> Results {
    let mut text = "#path\tdns\n#fields\tts\tid.orig_h\tid.resp_h\tquery\tqtype_name\n".to_owned();
    for (at, client, name) in rows {
        text += &format!("{:.6}\t{client}\t10.0.0.5\t{name}\tTXT\n", 1_740_960_000.0 + at);
    }
    let open =
        move || Ok(Box::new(io::Cursor::new(text.clone().into_bytes())) as Box<dyn io::Read>);
    let input =
        Input::Text { name: "dns.log".into(), format: FlowFormat::Zeek, open: Box::new(open) };
    analyse(vec![input], &Options::default()).unwrap()
}

/// Letters that look like encoded data.
fn label(number: u64, length: usize) -> String {
    let letters = b"abcdefghijklmnopqrstuvwxyz234567";
    let at = |n: usize| crate::spill::mix(number * 1000 + n as u64) as usize % letters.len();
    (0..length).map(|n| char::from(letters[at(n)])).collect()
}

#[test]
fn long_and_ever_new_names_below_one_domain_are_a_tunnel() {
    let rows: Vec<_> = (0..400)
        .map(|n| (n as f64, "10.0.0.9".to_owned(), format!("{}.t.drop.example", label(n, 40))))
        .collect();
    let results = run(&rows);
    let one = results.tunnels.first().unwrap();
    assert_eq!((one.domain.as_str(), one.names), ("drop.example", 400));
    assert_eq!(one.client.to_string(), "10.0.0.9");
}

#[test]
fn names_that_everybody_asks_for_and_lists_of_addresses_are_none() {
    let mut rows = Vec::new();
    for n in 0..900_u64 {
        // A maker of protection asks for hashes, from every computer.
        let client = format!("10.0.{}.{}", n % 3, n % 200 + 1);
        rows.push((n as f64, client.clone(), format!("{}.avqs.shield.example", label(n, 40))));
        // A mail server asks a list about addresses.
        rows.push((n as f64, "10.0.0.25".into(), format!("{}.2.0.192.list.example", n % 255)));
        // And people read.
        rows.push((n as f64, client, format!("www{}.news.example", n % 4)));
    }
    assert!(run(&rows).tunnels.is_empty());
}
