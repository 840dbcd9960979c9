//! The only way out of the sandbox: a proxy that judges every host.
//!
//! In: listening sockets, a [`NetworkPolicy`], somebody to ask and somebody to report to. Out:
//! connections to hosts that are allowed, refusals that say why, and a report of each. This crate
//! never reads settings files, never looks at what a tunnel carries beyond the server name of a TLS
//! handshake, and never resolves or dials what is not allowed.
//!
//! Start with [`Proxy::serve`], then [`judge`](NetworkPolicy::judge), the one place where a
//! destination is decided, and [`outside`], what resolves and dials.
#![forbid(unsafe_code)]

mod accept;
pub mod address;
pub mod ask;
mod auth;
pub mod authority;
mod body;
mod channel;
mod dns;
mod environment;
mod fake_address;
mod forward;
mod head;
mod hello;
mod hosts_file;
mod inbound;
mod limits;
mod log;
pub mod outside;
mod policy;
mod prompt;
mod proxy;
mod reach;
mod refusal;
mod report;
mod serve_http;
mod serve_socks;
mod socks;
mod tables;
mod transparent;
mod tunnel;
mod upstream;

pub use ask::{Answer, Decide, Question};
pub use auth::{Credentials, USER};
pub use authority::{Destination, Via};
pub use channel::ControlChannel;
pub use environment::{ChildEnvironment, ProxyAddress, Variable};
pub use head::{Framing, HeadProblem, Headers, RequestHead, ResponseHead};
pub use hello::{HelloProblem, ServerHello, read_hello};
pub use limits::Limits;
pub use log::JsonLines;
pub use policy::{
    AddressProblem, Allowance, Grant, HelloPolicy, Judgement, NetworkPolicy, Notice, Prohibition,
    ServerNameCheck, Unlisted, is_trusted,
};
pub use portcullis_policy::PrivateAddresses;
pub use prompt::TerminalPrompt;
pub use proxy::{Handover, Listener, Outside, Proxy};
pub use refusal::{HelloRefusal, Refusal};
pub use report::{Event, Reports, Verdict};
pub use socks::{SocksProblem, SocksRequest, read_socks_request};
pub use tables::environment::Value as VariableValue;
pub use upstream::{NoProxy, Protocol, Routes, UpstreamProxy};
