//! The shipped policies, as `policies/` holds them.

/// One shipped policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shipped {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its settings.
    pub(crate) settings: &'static str,
    /// What it promises.
    pub(crate) tests: &'static str,
    /// What it is for; the first line is its title.
    pub(crate) readme: &'static str,
}

macro_rules! shipped {
    ($($name:literal)*) => {
        &[$(Shipped {
            name: $name,
            settings: include_str!(concat!("../../../../policies/", $name, "/settings.json")),
            tests: include_str!(concat!("../../../../policies/", $name, "/policy.test.toml")),
            readme: include_str!(concat!("../../../../policies/", $name, "/README.md")),
        }),*]
    };
}

/// Every shipped policy, the strictest first.
pub(crate) const POLICIES: &[Shipped] = shipped! {
    "locked-down" "read-only-review" "ci" "managed-baseline" "data-science"
    "development-node" "development-python" "development-rust" "development-go"
};

impl Shipped {
    /// Its title, of its readme.
    pub(crate) fn title(&self) -> &'static str {
        let first = self.readme.lines().next().unwrap_or(self.name);
        first.strip_prefix("# ").unwrap_or(first)
    }
}
