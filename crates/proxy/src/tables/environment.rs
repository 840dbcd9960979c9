//! What each tool needs to use a proxy, a row each with the reason.

/// A variable and why it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The variable.
    pub name: &'static str,
    /// What it holds.
    pub value: Value,
    /// Who reads it, and why this value.
    pub reason: &'static str,
}

/// What a variable holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// The proxy as an `http://` URL.
    Http,
    /// The proxy as a `socks5h://` URL, so that names reach it.
    Socks,
    /// Its address.
    Host,
    /// Its port.
    Port,
    /// This text.
    Fixed(&'static str),
    /// An ssh that connects through our own helper.
    Ssh,
    /// System properties of Java.
    Java,
    /// This text, where there is a token.
    WithTokenOnly(&'static str),
    /// The user name, where there is a token.
    UserWithTokenOnly,
    /// The token, where there is one.
    TokenOnly,
}

const fn row(name: &'static str, value: Value, reason: &'static str) -> Row {
    Row { name, value, reason }
}

/// The loopback of the sandbox is its own; everything else is judged. Networks are left out on purpose:
/// clients disagree about them, and without routes they would fail instead of being judged.
const NO_PROXY: Value = Value::Fixed("localhost,127.0.0.1,::1");

/// Every variable.
pub(crate) const ROWS: &[Row] = &[
    row(
        "http_proxy",
        Value::Http,
        "curl reads only the lower-case name for http, because CGI sets the other",
    ),
    row("HTTP_PROXY", Value::Http, "Go, Python, Ruby, aws, docker CLI"),
    row("https_proxy", Value::Http, "curl, wget, git, pip"),
    row("HTTPS_PROXY", Value::Http, "Go, Python, cargo, npm, aws, docker CLI"),
    row("all_proxy", Value::Http, "httpx crashes at a socks URL without an extra package"),
    row("ALL_PROXY", Value::Http, "curl and Rust clients for every other scheme"),
    row("ftp_proxy", Value::Socks, "curl would send GET ftp:// to an http proxy"),
    row("FTP_PROXY", Value::Socks, "as ftp_proxy"),
    row("no_proxy", NO_PROXY, "the sandbox's own loopback"),
    row("NO_PROXY", NO_PROXY, "as no_proxy"),
    row("grpc_proxy", Value::Http, "gRPC C core refuses socks URLs"),
    row("GRPC_PROXY", Value::Http, "as grpc_proxy, for other implementations"),
    row(
        "NODE_USE_ENV_PROXY",
        Value::Fixed("1"),
        "node from 22.21 follows the variables for fetch and https only if told",
    ),
    row("npm_config_proxy", Value::Http, "npm and pnpm"),
    row("npm_config_https_proxy", Value::Http, "npm and pnpm"),
    row("npm_config_noproxy", NO_PROXY, "npm and pnpm"),
    row("YARN_HTTP_PROXY", Value::Http, "yarn from 2 reads its own names"),
    row("YARN_HTTPS_PROXY", Value::Http, "yarn from 2 reads its own names"),
    row("CARGO_HTTP_PROXY", Value::Http, "cargo, also for registries over git"),
    row("PIP_PROXY", Value::Http, "pip, also in isolated mode"),
    row(
        "GIT_SSH_COMMAND",
        Value::Ssh,
        "git over ssh: our own helper, so that neither socat nor nc is needed and no token stands in an argument",
    ),
    row(
        "JAVA_TOOL_OPTIONS",
        Value::Java,
        "Java ignores the variables; it says on stderr that it picked this up",
    ),
    row("CLOUDSDK_PROXY_TYPE", Value::Fixed("http"), "gcloud has names of its own"),
    row("CLOUDSDK_PROXY_ADDRESS", Value::Host, "gcloud"),
    row("CLOUDSDK_PROXY_PORT", Value::Port, "gcloud"),
    row("CLOUDSDK_PROXY_USERNAME", Value::UserWithTokenOnly, "gcloud"),
    row("CLOUDSDK_PROXY_PASSWORD", Value::TokenOnly, "gcloud"),
    row("DOCKER_HTTP_PROXY", Value::Http, "tools that pass the docker CLI's settings on"),
    row("DOCKER_HTTPS_PROXY", Value::Http, "as DOCKER_HTTP_PROXY"),
    // git sends a CONNECT without credentials first unless the method is fixed.
    row("GIT_CONFIG_COUNT", Value::WithTokenOnly("1"), "git: one setting follows"),
    row(
        "GIT_CONFIG_KEY_0",
        Value::WithTokenOnly("http.proxyAuthMethod"),
        "git sends its first request without credentials otherwise",
    ),
    row("GIT_CONFIG_VALUE_0", Value::WithTokenOnly("basic"), "as GIT_CONFIG_KEY_0"),
];
