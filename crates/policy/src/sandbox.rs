//! The sandbox settings that count, as typed values.

use portcullis_model::{AbsPath, RuleRef, Source};
use portcullis_rules::CommandPattern;
use std::ops::Deref;

/// A value and where it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where; `None` for a default.
    pub source: Option<Source>,
}

impl<T> Setting<T> {
    /// A value nobody set.
    pub fn default_to(value: T) -> Self {
        Self { value, source: None }
    }
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The key `sandbox`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// `enabled`: commands run in the sandbox.
    pub enabled: Setting<bool>,
    /// `autoAllowBashIfSandboxed`: sandboxed commands need no rule.
    pub auto_allow: Setting<bool>,
    /// `allowUnsandboxedCommands`: a call may ask to leave the sandbox.
    pub allow_unsandboxed: Setting<bool>,
    /// `failIfUnavailable`: without a working sandbox nothing runs.
    pub fail_if_unavailable: Setting<bool>,
    /// `enableWeakerNestedSandbox`: the sandbox may share the container's `/proc`.
    pub weaker_nested: Setting<bool>,
    /// `excludedCommands`: commands that run outside.
    pub excluded: Vec<ExcludedCommand>,
    /// `ignoreViolations`: violations that are not reported.
    pub ignored_violations: Vec<IgnoredViolations>,
    /// `filesystem`.
    pub filesystem: Filesystem,
    /// `network`.
    pub network: Network,
    /// `credentials`.
    pub credentials: Credentials,
}

/// One entry of `excludedCommands`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExcludedCommand {
    /// The entry as written.
    pub text: String,
    /// The entry as the content of a Bash rule.
    pub pattern: CommandPattern,
    /// Where it is written.
    pub source: Source,
}

impl ExcludedCommand {
    /// How an explanation shows the entry as a rule.
    pub fn reference(&self, class: portcullis_model::RuleClass) -> RuleRef {
        RuleRef { class, text: self.text.clone(), source: self.source.clone() }
    }
}

/// One entry of `ignoreViolations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredViolations {
    /// A part of the command; `*` is every command.
    pub command: String,
    /// Parts of violations.
    pub violations: Vec<String>,
    /// Where it is written.
    pub source: Source,
}

/// The key `sandbox.filesystem`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filesystem {
    /// `allowWrite`: what may be written beside the working directories.
    pub allow_write: Vec<SandboxPath>,
    /// `denyWrite`: what may not be written.
    pub deny_write: Vec<SandboxPath>,
    /// `denyRead`: what may not be read.
    pub deny_read: Vec<SandboxPath>,
    /// `allowRead`: what may be read all the same.
    pub allow_read: Vec<SandboxPath>,
    /// `allowManagedReadPathsOnly`: only managed `allowRead` entries count (they alone are listed).
    pub managed_read_only: Setting<bool>,
    /// `disabled`: files are not isolated at all.
    pub disabled: Setting<bool>,
}

/// A path of the sandbox settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxPath {
    /// The entry as written.
    pub text: String,
    /// Its absolute path, without a trailing slash or `/**`. Wildcards are kept as text.
    pub path: AbsPath,
    /// Whether `path` holds a wildcard (`*`, `?` or `[`).
    pub wildcard: bool,
    /// Where it is written.
    pub source: Source,
}

/// The key `sandbox.network`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// `allowedDomains`: hosts that may be contacted.
    pub allowed: Vec<SandboxDomain>,
    /// `deniedDomains`: hosts that may not.
    pub denied: Vec<SandboxDomain>,
    /// `strictAllowlist`: other hosts are blocked and not asked about.
    pub strict: Setting<bool>,
    /// `allowManagedDomainsOnly`: only managed `allowedDomains` and `WebFetch` allow rules count (they
    /// alone are listed), and other hosts are blocked and not asked about.
    pub managed_only: Setting<bool>,
    /// `allowUnixSockets`: sockets that may be connected to.
    pub unix_sockets: Vec<SandboxPath>,
    /// `allowAllUnixSockets`: every socket may be connected to.
    pub all_unix_sockets: Setting<bool>,
    /// `allowLocalBinding`: commands may listen on the loopback interface.
    pub local_binding: Setting<bool>,
    /// `httpProxyPort`: a proxy of the user's own.
    pub http_proxy_port: Setting<Option<u16>>,
    /// `socksProxyPort`: a proxy of the user's own.
    pub socks_proxy_port: Setting<Option<u16>>,
    /// `tlsTerminate`: the proxy reads HTTPS.
    pub tls_termination: Setting<Option<TlsTermination>>,
}

/// A host of the sandbox settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxDomain {
    /// The entry as written.
    pub text: String,
    /// The host: a name that may start with `*.`, `*`, or an address (IPv6 without brackets).
    pub host: String,
    /// The one port meant; every port where this is `None`.
    pub port: Option<u16>,
    /// Where it is written.
    pub source: Source,
}

/// The key `sandbox.network.tlsTerminate`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsTermination {
    /// `caCertPath`: the certificate of an own authority.
    pub ca_cert: Option<SandboxPath>,
    /// `caKeyPath`: its key.
    pub ca_key: Option<SandboxPath>,
}

/// The key `sandbox.credentials`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// `files`.
    pub files: Vec<CredentialFile>,
    /// `envVars`.
    pub variables: Vec<CredentialVariable>,
    /// `allowPlaintextInject`: secrets may be put into plain HTTP requests.
    pub plaintext_inject: Setting<bool>,
    /// `awsPairs`: variables that form one AWS credential.
    pub aws_pairs: Vec<AwsPair>,
    /// `sigv4`: which requests that cannot be signed anew are let through.
    pub sigv4: Setting<Sigv4>,
}

/// A protected file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialFile {
    /// The file.
    pub path: SandboxPath,
    /// How it is protected.
    pub protection: Protection,
}

/// A protected environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialVariable {
    /// Its name.
    pub name: String,
    /// How it is protected.
    pub protection: Protection,
    /// Where it is written.
    pub source: Source,
}

/// How a credential is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Commands cannot see it.
    Deny,
    /// Commands see a stand-in; the proxy puts the real value into requests.
    Mask(Mask),
}

/// How a credential is masked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    /// `extract`: a regular expression; only its first group is secret.
    pub extract: Option<String>,
    /// `decode`: `"jwt"`: tokens are replaced by well-formed tokens.
    pub jwt: bool,
    /// `maskClaims`: only these claims of a token are secret.
    pub claims: Vec<String>,
    /// `maskDuplicates`: other copies in the file are replaced as well.
    pub duplicates: bool,
    /// `injectHosts`: the hosts that get the real value; all allowed hosts where this is `None`.
    pub inject_hosts: Option<Vec<String>>,
    /// `onExtractNoMatch`: what happens when nothing is found to mask.
    pub on_no_match: OnNoMatch,
}

/// What happens when nothing is found to mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnNoMatch {
    /// The credential stays visible, with a warning.
    #[default]
    Warn,
    /// The credential is hidden.
    Deny,
    /// The sandbox does not start.
    Error,
}

/// One entry of `awsPairs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsPair {
    /// The variable of the access key id.
    pub access_key_id: String,
    /// The variable of the secret key.
    pub secret_access_key: String,
    /// The variable of the session token.
    pub session_token: Option<String>,
    /// Where it is written.
    pub source: Source,
}

/// The key `sandbox.credentials.sigv4`: which forms pass with the stand-in's signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sigv4 {
    /// Streaming uploads pass.
    pub streaming: Passage,
    /// Presigned addresses pass.
    pub presigned: Passage,
    /// `SigV4A` requests pass.
    pub sigv4a: Passage,
}

/// Whether a request that cannot be signed anew is let through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Passage {
    /// The proxy fails it.
    #[default]
    Deny,
    /// The proxy forwards it as it is.
    Passthrough,
}
