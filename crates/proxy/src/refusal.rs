//! What a client is told when its wish is not fulfilled: a status, a code, a sentence and the cure.

use crate::Destination;
use crate::address::AddressClass;
use portcullis_rules::Host;

/// Why a client gets no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request is malformed.
    Malformed(&'static str),
    /// The destination is on the deny list.
    Denied(Destination),
    /// The destination is on no list.
    NotListed(Destination),
    /// The destination is an address on no list, which a name may have been looked up for.
    NotListedAddress(Destination),
    /// The destination leads to an address it must not lead to.
    Address(Destination, AddressClass),
    /// Somebody said no.
    DeniedByUser(Destination),
    /// Nobody answered.
    AskTimeout(Destination),
    /// Too many questions wait.
    TooManyAsks(Destination),
    /// The sandbox has too many connections.
    TooManyConnections,
    /// The name leads nowhere.
    LookupFailed(Destination),
    /// The name server does not answer.
    LookupTimeout(Destination),
    /// The destination refuses the connection.
    UpstreamRefused(Destination),
    /// The destination does not answer.
    UpstreamTimeout(Destination),
    /// The destination answers with something that is not HTTP.
    UpstreamAnswer(Destination, &'static str),
    /// The proxy on the way wants other credentials.
    UpstreamCredentials(Destination),
    /// The proxy on the way refuses.
    UpstreamProxy(Destination),
    /// The client asks the proxy to speak TLS.
    UseConnect,
    /// A method that echoes the request.
    Method,
    /// The head is too large.
    HeadTooLarge,
    /// No credentials, or wrong ones.
    Credentials,
    /// Data came faster than the decision.
    EarlyData,
    /// The client went away or did not finish in time.
    Gone,
    /// The hello of a tunnel is not acceptable.
    Hello(HelloRefusal),
}

/// What is wrong with the first bytes of a tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelloRefusal {
    /// Its server name is another host that is not allowed.
    Mismatch(Host),
    /// It is not a hello that can be read.
    Malformed,
    /// It hides the server name.
    Encrypted,
    /// It is not TLS where only TLS is allowed.
    NotTls,
}

impl Refusal {
    /// The stable code, in `X-Proxy-Error` and in records.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "bad-request",
            Self::Denied(_) => "blocked-by-denylist",
            Self::NotListed(_) | Self::NotListedAddress(_) => "blocked-by-allowlist",
            Self::Address(..) => "blocked-by-address-policy",
            Self::DeniedByUser(_) => "denied-by-user",
            Self::AskTimeout(_) => "ask-timeout",
            Self::TooManyAsks(_) => "too-many-asks",
            Self::TooManyConnections => "too-many-connections",
            Self::LookupFailed(_) => "dns-failed",
            Self::LookupTimeout(_) => "dns-timeout",
            Self::UpstreamRefused(_) => "upstream-refused",
            Self::UpstreamTimeout(_) => "upstream-timeout",
            Self::UpstreamAnswer(..) => "upstream-answer",
            Self::UpstreamCredentials(_) => "upstream-proxy-auth",
            Self::UpstreamProxy(_) => "upstream-proxy-refused",
            Self::UseConnect => "use-connect",
            Self::Method => "method-not-allowed",
            Self::HeadTooLarge => "head-too-large",
            Self::Credentials => "proxy-auth-required",
            Self::EarlyData => "early-data",
            Self::Gone => "client-gone",
            Self::Hello(HelloRefusal::Mismatch(_)) => "sni-mismatch",
            Self::Hello(HelloRefusal::Malformed) => "bad-client-hello",
            Self::Hello(HelloRefusal::Encrypted) => "ech",
            Self::Hello(HelloRefusal::NotTls) => "non-tls-on-443",
        }
    }

    /// The HTTP status; `None` where the connection is closed without a word.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Malformed(_) => Some(400),
            Self::Denied(_)
            | Self::NotListed(_)
            | Self::NotListedAddress(_)
            | Self::Address(..)
            | Self::DeniedByUser(_)
            | Self::AskTimeout(_) => Some(403),
            Self::Method => Some(405),
            Self::Credentials => Some(407),
            Self::HeadTooLarge => Some(431),
            Self::UseConnect => Some(501),
            Self::LookupFailed(_)
            | Self::UpstreamRefused(_)
            | Self::UpstreamAnswer(..)
            | Self::UpstreamCredentials(_)
            | Self::UpstreamProxy(_) => Some(502),
            Self::TooManyAsks(_) | Self::TooManyConnections => Some(503),
            Self::LookupTimeout(_) | Self::UpstreamTimeout(_) => Some(504),
            Self::EarlyData | Self::Gone | Self::Hello(_) => None,
        }
    }

    /// The reply code of SOCKS5 (RFC 1928, section 6).
    pub fn socks_reply(&self) -> u8 {
        match self {
            Self::Malformed(_)
            | Self::Denied(_)
            | Self::NotListed(_)
            | Self::NotListedAddress(_)
            | Self::Address(..)
            | Self::DeniedByUser(_)
            | Self::AskTimeout(_)
            | Self::Credentials
            | Self::UseConnect
            | Self::Method
            | Self::HeadTooLarge
            | Self::Hello(_) => 2,
            Self::LookupFailed(_) | Self::LookupTimeout(_) | Self::UpstreamTimeout(_) => 4,
            Self::UpstreamRefused(_) => 5,
            Self::TooManyAsks(_)
            | Self::TooManyConnections
            | Self::UpstreamAnswer(..)
            | Self::UpstreamCredentials(_)
            | Self::UpstreamProxy(_)
            | Self::EarlyData
            | Self::Gone => 1,
        }
    }

    /// One sentence. It names the host, never an address it leads to, a path or another rule.
    pub fn sentence(&self) -> String {
        match self {
            Self::Malformed(why) => format!("malformed proxy request: {why}"),
            Self::Denied(to) => format!("{to} is on the list of denied hosts"),
            Self::NotListed(to) | Self::NotListedAddress(to) => {
                format!("{to} is not on the list of allowed hosts")
            }
            Self::Address(to, class) => {
                let article =
                    if class.word().starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
                match &to.host {
                    Host::Name(name) => {
                        format!(
                            "{name} leads to {article} {} address, which is not allowed",
                            class.word()
                        )
                    }
                    Host::V4(_) | Host::V6(_) => format!(
                        "the address is {article} {} address, which is only allowed if it is listed itself",
                        class.word()
                    ),
                }
            }
            Self::DeniedByUser(to) => format!("{to} was denied when asked about"),
            Self::AskTimeout(to) => format!("nobody answered whether {to} is allowed"),
            Self::TooManyAsks(to) => format!("too many questions wait to ask about {to}"),
            Self::TooManyConnections => "too many connections from this sandbox".to_owned(),
            Self::LookupFailed(to) => format!("{} cannot be resolved", to.host),
            Self::LookupTimeout(to) => format!("{} was not resolved in time", to.host),
            Self::UpstreamRefused(to) => format!("{to} cannot be connected to"),
            Self::UpstreamTimeout(to) => format!("{to} does not answer"),
            Self::UpstreamAnswer(to, why) => format!("{to} gave no usable answer: {why}"),
            Self::UpstreamCredentials(to) => {
                format!("the upstream proxy wants other credentials for {to}")
            }
            Self::UpstreamProxy(to) => format!("the upstream proxy does not connect to {to}"),
            Self::UseConnect => "https URLs need CONNECT; this proxy does not speak TLS".to_owned(),
            Self::Method => "this method is not forwarded".to_owned(),
            Self::HeadTooLarge => "the request head is too large".to_owned(),
            Self::Credentials => "this proxy wants credentials".to_owned(),
            Self::EarlyData => "too much data before the decision".to_owned(),
            Self::Gone => "the client went away".to_owned(),
            Self::Hello(HelloRefusal::Mismatch(host)) => {
                format!("the TLS server name {host} is another host, which is not allowed")
            }
            Self::Hello(HelloRefusal::Malformed) => "the TLS hello cannot be read".to_owned(),
            Self::Hello(HelloRefusal::Encrypted) => {
                "the TLS hello hides the server name".to_owned()
            }
            Self::Hello(HelloRefusal::NotTls) => "only TLS is allowed on port 443".to_owned(),
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> Option<String> {
        match self {
            Self::NotListed(to) | Self::AskTimeout(to) => Some(allow_line(&to.host)),
            Self::NotListedAddress(to) => Some(format!(
                "a socks5:// client looks names up itself; use socks5h so that the name reaches the proxy. {}",
                allow_line(&to.host)
            )),
            Self::Address(to, AddressClass::Private) if to.host.name().is_some() => Some(format!(
                "to allow it, name it exactly in your own settings. {}",
                allow_line(&to.host)
            )),
            Self::Malformed(_)
            | Self::Denied(_)
            | Self::Address(..)
            | Self::DeniedByUser(_)
            | Self::TooManyAsks(_)
            | Self::TooManyConnections
            | Self::LookupFailed(_)
            | Self::LookupTimeout(_)
            | Self::UpstreamRefused(_)
            | Self::UpstreamTimeout(_)
            | Self::UpstreamAnswer(..)
            | Self::UpstreamCredentials(_)
            | Self::UpstreamProxy(_)
            | Self::UseConnect
            | Self::Method
            | Self::HeadTooLarge
            | Self::Credentials
            | Self::EarlyData
            | Self::Gone
            | Self::Hello(_) => None,
        }
    }

    /// The whole HTTP answer, to a HEAD request or another; empty where the connection is closed without
    /// a word.
    pub fn response(&self, is_head: bool) -> Vec<u8> {
        let Some(status) = self.status() else { return Vec::new() };
        let mut body = format!("portcullis: {}\n", self.sentence());
        if let Some(cure) = self.cure() {
            body.push_str(&cure);
            body.push('\n');
        }
        // Most clients print the reason phrase of a failed CONNECT and nothing else.
        let challenge = match self {
            Self::Credentials => "Proxy-Authenticate: Basic realm=\"portcullis\"\r\n",
            _ => "",
        };
        // A body behind the answer to a HEAD would be the start of the next answer to its reader
        // (RFC 9110, section 9.3.2); its length is told all the same.
        let sent = if is_head { "" } else { body.as_str() };
        format!(
            "HTTP/1.1 {status} {}\r\nX-Proxy-Error: {}\r\n{challenge}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{sent}",
            self.sentence(),
            self.code(),
            body.len(),
        )
        .into_bytes()
    }
}

/// The line of settings that allows a host.
fn allow_line(host: &Host) -> String {
    format!(
        "to allow it, add to settings: {{\"sandbox\":{{\"network\":{{\"allowedDomains\":[\"{host}\"]}}}}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_a_head_request_without_a_body() {
        let text = |is_head| String::from_utf8(Refusal::Method.response(is_head)).unwrap();
        let (head, body) =
            text(false).split_once("\r\n\r\n").map(|(a, b)| (a.to_owned(), b.len())).unwrap();
        assert!(head.contains(&format!("Content-Length: {body}\r\n")), "{head}");
        assert_eq!(text(true), format!("{head}\r\n\r\n"));
    }
}
