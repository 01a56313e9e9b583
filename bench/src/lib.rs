//! Makyo measured: against floors and rivals, on the same input in the same run.
//!
//! Benchmarks are subcommands of the program of this crate; what they share with the differential
//! tests is here. `README.md` says how to run them and how to run rivals that are not linked in.

pub mod cpu;
pub mod dense;
pub mod matching;
pub mod rival;
