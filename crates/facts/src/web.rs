//! The host of a URL, read twice: as browsers read it, and as RFC 3986 does.

use crate::HostFact;
use url::{Host, Url};

/// Judges the URL of a fetch.
///
/// SECURITY: the checker and the client that fetches may read a URL by different rules
/// (`https://a.example\@b.example`, userinfo, encoded dots). Only a host that both readings agree on
/// can be allowed; deny and ask look at every reading.
pub(crate) fn host_of(url: &str) -> HostFact {
    let mut fact = HostFact {
        url: url.to_owned(),
        host: None,
        other_hosts: Vec::new(),
        path: String::new(),
        problem: None,
    };
    let plain = plain_host(url);
    let parsed = match Url::parse(url) {
        Ok(parsed) => parsed,
        Err(error) => {
            fact.problem = Some(format!("the URL cannot be read: {error}"));
            fact.other_hosts.extend(plain);
            return fact;
        }
    };
    if !matches!(parsed.scheme(), "http" | "https") {
        fact.problem = Some(format!("`{}` is not http or https", parsed.scheme()));
    }
    parsed.path().clone_into(&mut fact.path);
    let host = match parsed.host() {
        Some(Host::Domain(name)) => Some(without_dot(name).to_ascii_lowercase()),
        Some(Host::Ipv4(address)) => Some(address.to_string()),
        Some(Host::Ipv6(address)) => {
            // A connection to it goes to the IPv4 address within.
            fact.other_hosts.extend(address.to_ipv4_mapped().map(|inner| inner.to_string()));
            Some(format!("[{address}]"))
        }
        None => None,
    };
    let Some(host) = host.filter(|host| !host.is_empty()) else {
        fact.problem = Some("the URL has no host".to_owned());
        fact.other_hosts.extend(plain);
        return fact;
    };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        fact.problem = fact.problem.or(Some("the URL holds a user name or password".to_owned()));
    }
    if url.contains('\\') {
        fact.problem = fact.problem.or(Some("the URL holds a backslash".to_owned()));
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        fact.problem =
            fact.problem.or(Some("the URL holds a blank or control character".to_owned()));
    }
    if host.ends_with('.') {
        fact.problem = fact.problem.or(Some("the host ends in more than one dot".to_owned()));
    }
    match plain {
        Some(plain) if !same_host(&plain, &host) => {
            fact.problem =
                fact.problem.or_else(|| Some(format!("the host may also read as `{plain}`")));
            fact.other_hosts.push(plain);
        }
        Some(_) => {}
        // `https:/example.com/`, `https:///example.com/`
        None => {
            let problem = "by RFC 3986 the URL has no host, browsers read one";
            fact.problem = fact.problem.or(Some(problem.to_owned()));
        }
    }
    fact.host = Some(host);
    fact
}

/// The host by RFC 3986: after `//` and the last `@`, up to `/`, `?`, `#` or the port.
fn plain_host(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once(':')?;
    let rest = rest.strip_prefix("//").filter(|_| !scheme.contains(['/', '?', '#']))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = if host.starts_with('[') {
        host.split_inclusive(']').next()?
    } else {
        host.split(':').next()?
    };
    let host = without_dot(&decoded(host)?).to_ascii_lowercase();
    (!host.is_empty()).then_some(host)
}

/// A name without the one dot that may end it.
fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// A reg-name with its percent-encoding undone (RFC 3986 section 3.2.2).
fn decoded(host: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = host.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let value = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether two spellings are one host: IDNA and numeric addresses may differ in spelling only.
fn same_host(plain: &str, host: &str) -> bool {
    plain == host
        || Host::parse(plain).is_ok_and(|parsed| match parsed {
            Host::Domain(name) => without_dot(&name) == host,
            Host::Ipv4(address) => address.to_string() == host,
            Host::Ipv6(address) => format!("[{address}]") == host,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_twice() {
        for (url, host, problem) in [
            ("https://Example.com./p", Some("example.com"), false),
            ("https://bücher.example/", Some("xn--bcher-kva.example"), false),
            ("https://example.com#@evil.com", Some("example.com"), false),
            ("https://good.example@evil.example/", Some("evil.example"), true),
            ("https://good.example\\@evil.example/", Some("good.example"), true),
            ("https://example.com%2eevil.com/", Some("example.com.evil.com"), false),
            ("http://0x7f.1/", Some("127.0.0.1"), false),
            ("http://[::1]:80/", Some("[::1]"), false),
            ("https://example.com../", Some("example.com."), true),
            ("https:/example.com/", Some("example.com"), true),
            ("https:///example.com/", Some("example.com"), true),
            ("https:example.com/?x=https://example.com/", Some("example.com"), true),
            ("http://[::ffff:127.0.0.1]/", Some("[::ffff:127.0.0.1]"), false),
            ("file:///etc/passwd", None, true),
            ("ftp://example.com/", Some("example.com"), true),
            ("nonsense", None, true),
        ] {
            let fact = host_of(url);
            assert_eq!(fact.host.as_deref(), host, "{url}");
            assert_eq!(fact.problem.is_some(), problem, "{url}: {:?}", fact.problem);
        }
    }
}
