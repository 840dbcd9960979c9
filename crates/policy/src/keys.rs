//! Which keys there are, and which of them count where.

/// Keys of `permissions`.
pub(crate) const PERMISSIONS: &[&str] = &[
    "allow",
    "ask",
    "deny",
    "additionalDirectories",
    "defaultMode",
    "disableAutoMode",
    "disableBypassPermissionsMode",
];

/// Keys of `sandbox`.
pub(crate) const SANDBOX: &[&str] = &[
    "enabled",
    "failIfUnavailable",
    "autoAllowBashIfSandboxed",
    "excludedCommands",
    "allowUnsandboxedCommands",
    "ignoreViolations",
    "enableWeakerNestedSandbox",
    "filesystem",
    "network",
    "credentials",
    "allowAppleEvents",
    "enableWeakerNetworkIsolation",
    "bwrapPath",
    "socatPath",
    "ripgrep",
];

/// Keys of `sandbox.filesystem`.
pub(crate) const FILESYSTEM: &[&str] =
    &["allowWrite", "denyWrite", "denyRead", "allowRead", "allowManagedReadPathsOnly", "disabled"];

/// Keys of `sandbox.network`.
pub(crate) const NETWORK: &[&str] = &[
    "allowedDomains",
    "deniedDomains",
    "strictAllowlist",
    "allowManagedDomainsOnly",
    "allowUnixSockets",
    "allowAllUnixSockets",
    "allowLocalBinding",
    "httpProxyPort",
    "socksProxyPort",
    "tlsTerminate",
    "allowMachLookup",
];

/// Keys of `sandbox.network.tlsTerminate`.
pub(crate) const TLS_TERMINATION: &[&str] = &["caCertPath", "caKeyPath"];

/// Keys of `sandbox.credentials`.
pub(crate) const CREDENTIALS: &[&str] =
    &["files", "envVars", "allowPlaintextInject", "awsPairs", "sigv4"];

/// Keys of an entry of `sandbox.credentials.files`.
pub(crate) const CREDENTIAL_FILE: &[&str] = &[
    "path",
    "mode",
    "extract",
    "decode",
    "maskClaims",
    "maskDuplicates",
    "injectHosts",
    "onExtractNoMatch",
];

/// Keys of an entry of `sandbox.credentials.envVars`.
pub(crate) const CREDENTIAL_VARIABLE: &[&str] =
    &["name", "mode", "extract", "decode", "maskClaims", "injectHosts", "onExtractNoMatch"];

/// Keys of an entry of `sandbox.credentials.awsPairs`.
pub(crate) const AWS_PAIR: &[&str] = &["accessKeyIdVar", "secretAccessKeyVar", "sessionTokenVar"];

/// Keys of `sandbox.credentials.sigv4`.
pub(crate) const SIGV4: &[&str] = &["streaming", "presigned", "sigv4a"];

/// Keys of `portcullis`.
pub(crate) const NATIVE: &[&str] = &[
    "managedExcludedCommandsOnly",
    "managedSandboxEscapeOnly",
    "preapprovedHosts",
    "scrubEnv",
    "allowNested",
    "log",
    "privateAddresses",
];

/// Top-level keys whose misspelling is worth a word; all other unknown top-level keys belong to
/// the host.
pub(crate) const TOP: &[&str] = &["permissions", "sandbox", "portcullis"];

/// Keys that only managed settings can set.
pub(crate) const MANAGED_ONLY: &[&str] = &[
    "allowManagedPermissionRulesOnly",
    "sandbox.filesystem.allowManagedReadPathsOnly",
    "sandbox.network.allowManagedDomainsOnly",
    "portcullis.managedExcludedCommandsOnly",
    "portcullis.managedSandboxEscapeOnly",
];

/// Keys that a file of the project can never set: each would let a repository open the boundary
/// it is kept in. Mask entries of `sandbox.credentials` and mode `auto` belong here as well.
pub(crate) const NEVER_FROM_PROJECT: &[&str] = &[
    "sandbox.filesystem.disabled",
    "sandbox.network.strictAllowlist",
    "sandbox.network.tlsTerminate",
    "sandbox.credentials.allowPlaintextInject",
    "sandbox.credentials.awsPairs",
    "sandbox.credentials.sigv4",
    "sandbox.allowAppleEvents",
    "portcullis.allowNested",
    // SECURITY: decisions are appended to this file, so a repository could have any file of the
    // user's grow.
    "portcullis.log",
];

/// Keys that are accepted and do nothing here, with the reason.
pub(crate) const NO_EFFECT: &[(&str, &str)] = &[
    ("sandbox.allowAppleEvents", "it is about macOS"),
    ("sandbox.enableWeakerNetworkIsolation", "it is about macOS"),
    ("sandbox.network.allowMachLookup", "it is about macOS"),
    ("sandbox.bwrapPath", "the sandbox here needs no bubblewrap"),
    ("sandbox.socatPath", "the sandbox here needs no socat"),
    ("sandbox.ripgrep", "the sandbox here needs no ripgrep"),
];
