//! Sources, rules and weights are part of the program: a change of them is a change of it.

fn main() {
    for folder in ["sources", "rules", "knowledge"] {
        println!("cargo::rerun-if-changed=../../{folder}");
    }
}
