//! The variables that make programs use the proxy.

use crate::auth::USER;
use crate::tables::environment::{ROWS, Value};
use std::net::SocketAddr;

pub use crate::tables::environment::Row as Variable;

/// Where children reach the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyAddress {
    /// The listener, as seen from the children.
    pub address: SocketAddr,
    /// The token they present, where the listener wants one.
    pub token: Option<String>,
    /// The program that `connect HOST PORT` is a command of: this one.
    pub helper: String,
}

/// The environment of children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildEnvironment {
    variables: Vec<(&'static str, String)>,
}

impl ChildEnvironment {
    /// The variables for a proxy at this address.
    pub fn derive(proxy: &ProxyAddress) -> Self {
        let set = |row: &Row| Some((row.name, value(row.value, proxy)?));
        Self { variables: ROWS.iter().filter_map(set).collect() }
    }

    /// Names and values.
    pub fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }

    /// The table they come from, each row with its reason.
    pub fn table() -> &'static [Variable] {
        ROWS
    }
}

use Variable as Row;

fn value(value: Value, proxy: &ProxyAddress) -> Option<String> {
    let userinfo = proxy.token.as_ref().map_or(String::new(), |token| format!("{USER}:{token}@"));
    let (host, port) = (proxy.address.ip(), proxy.address.port());
    let at = proxy.address;
    Some(match value {
        Value::Http => format!("http://{userinfo}{at}"),
        Value::Socks => format!("socks5h://{userinfo}{at}"),
        Value::Host => host.to_string(),
        Value::Port => port.to_string(),
        Value::Fixed(text) => text.to_owned(),
        Value::Ssh => format!(
            "ssh -o ControlMaster=no -o ControlPath=none -o ProxyCommand='{} connect %h %p'",
            proxy.helper.replace('%', "%%").replace('\'', "'\\''")
        ),
        Value::Java => format!(
            "-Dhttp.proxyHost={host} -Dhttp.proxyPort={port} -Dhttps.proxyHost={host} -Dhttps.proxyPort={port} -Dhttp.nonProxyHosts=localhost|127.*|[::1]"
        ),
        Value::WithTokenOnly(text) => {
            proxy.token.as_ref()?;
            text.to_owned()
        }
        Value::UserWithTokenOnly => {
            proxy.token.as_ref()?;
            USER.to_owned()
        }
        Value::TokenOnly => proxy.token.clone()?,
    })
}
