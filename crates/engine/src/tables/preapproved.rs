//! Documentation hosts that a fetch may reach without a rule.
//!
//! Observed behaviour of the reference client, host by host; a host is listed exactly, without its
//! subdomains. Switched off by `portcullis.preapprovedHosts: false`. Deny and ask rules come first.

/// Whether a host is on the list.
pub fn is_preapproved(host: &str) -> bool {
    HOSTS.binary_search(&host).is_ok()
}

/// The hosts of the list.
pub fn preapproved_hosts() -> &'static [&'static str] {
    HOSTS
}

/// Sorted.
const HOSTS: &[&str] = &[
    "blazor.net",
    "bun.sh",
    "code.claude.com",
    "cypress.io",
    "d3js.org",
    "developer.android.com",
    "developer.apple.com",
    "developer.mozilla.org",
    "doc.rust-lang.org",
    "docs.aws.amazon.com",
    "docs.djangoproject.com",
    "docs.netlify.com",
    "docs.oracle.com",
    "docs.python.org",
    "docs.spring.io",
    "docs.swift.org",
    "docs.unrealengine.com",
    "en.cppreference.com",
    "expressjs.com",
    "flask.palletsprojects.com",
    "getbootstrap.com",
    "gradle.org",
    "graphql.org",
    "httpd.apache.org",
    "jestjs.io",
    "jquery.com",
    "keras.io",
    "laravel.com",
    "learn.microsoft.com",
    "maven.apache.org",
    "modelcontextprotocol.io",
    "nodejs.org",
    "numpy.org",
    "pandas.pydata.org",
    "platform.claude.com",
    "react.dev",
    "redis.io",
    "redux.js.org",
    "spark.apache.org",
    "tailwindcss.com",
    "threejs.org",
    "vuejs.org",
    "www.mongodb.com",
    "www.php.net",
    "www.sqlite.org",
    "www.tensorflow.org",
    "www.typescriptlang.org",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sorted_and_exact() {
        assert!(HOSTS.is_sorted());
        assert!(is_preapproved("docs.python.org"));
        assert!(!is_preapproved("python.org"));
        assert!(!is_preapproved("x.docs.python.org"));
    }
}
