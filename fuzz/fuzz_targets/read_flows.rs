//! Any bytes as a flow log of any format: no panic, no hang.
#![no_main]

use libfuzzer_sys::fuzz_target;
use makyo_flow::{FlowFormat, Input, Options, analyse};

fuzz_target!(|bytes: &[u8]| {
    for format in [FlowFormat::Zeek, FlowFormat::Json, FlowFormat::Csv] {
        let bytes = bytes.to_vec();
        let open = move || {
            Ok(Box::new(std::io::Cursor::new(bytes.clone())) as Box<dyn std::io::Read>)
        };
        let input = Input::Text { name: "fuzz".to_owned(), format, open: Box::new(open) };
        let _ = analyse(vec![input], &Options::default());
    }
});
