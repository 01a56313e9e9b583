//! What steers an analysis.

use std::io;
use std::path::PathBuf;

use ipnet::IpNet;

use crate::flow::Flow;
use crate::intel::AddressLists;
use crate::read::FlowFormat;

/// The organisation's networks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scope {
    /// Inside networks beyond the private and unique-local ranges.
    pub internal: Vec<IpNet>,
    /// Own addresses as the Internet sees them.
    pub egress: Vec<IpNet>,
    /// Addresses that VPN sessions are given.
    pub pools: Vec<IpNet>,
    /// VPN and edge devices.
    pub appliances: Vec<IpNet>,
    /// Own vulnerability scanners.
    pub scanners: Vec<IpNet>,
}

/// A published controller.
#[derive(Clone, PartialEq, Debug)]
pub struct Listed {
    /// Its address or addresses.
    pub net: IpNet,
    /// From when it holds, nanoseconds; none if nobody says.
    pub from: Option<i64>,
    /// Until when, nanoseconds.
    pub until: Option<i64>,
    /// How the publisher calls it.
    pub name: String,
    /// Whether the publisher says that it serves a botnet.
    pub is_botnet: bool,
}

/// What steers an analysis.
#[derive(Clone, Debug)]
pub struct Options {
    /// The organisation's networks.
    pub scope: Scope,
    /// Published controllers.
    pub listed: Vec<Listed>,
    /// Classes of addresses: hosting, VPN and the like; may be empty.
    pub lists: AddressLists,
    /// Bytes of flows kept in memory before they go to temporary files.
    pub memory_bytes: usize,
    /// Threads that analyse; reading is one.
    pub threads: usize,
    /// Where temporary files go.
    pub folder: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            scope: Scope::default(),
            listed: Vec::new(),
            lists: AddressLists::default(),
            memory_bytes: 384 << 20,
            threads: 1,
            folder: std::env::temp_dir(),
        }
    }
}

/// Gives flows with the numbers of their records, in any order.
pub type FlowPages<'a> = dyn Fn(&mut dyn FnMut(u64, Flow)) -> io::Result<()> + 'a;

/// One source of flows.
#[allow(missing_debug_implementations, reason = "it holds functions")]
pub enum Input<'a> {
    /// A text file.
    Text {
        /// Its name in findings.
        name: String,
        /// What it holds.
        format: FlowFormat,
        /// Opens it.
        open: Box<dyn Fn() -> io::Result<Box<dyn io::Read>> + 'a>,
    },
    /// Records that were read elsewhere.
    Records {
        /// The file's name in findings.
        name: String,
        /// Gives them.
        pages: Box<FlowPages<'a>>,
    },
}

impl Input<'_> {
    /// The file's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Input::Text { name, .. } | Input::Records { name, .. } => name,
        }
    }
}
