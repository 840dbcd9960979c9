//! `proxy`: the proxy alone.

use super::say;
use crate::args::{PolicyArgs, ProxyArgs};
use crate::console::Reply;
use crate::failure::Failure;
use crate::session::{Session, Surroundings, plain};
use portcullis_policy::Severity;
use portcullis_proxy::{
    ChildEnvironment, ControlChannel, Credentials, Decide, Event, Handover, JsonLines, Limits,
    Listener, NetworkPolicy, NoProxy, Notice, Outside, PrivateAddresses, Proxy, ProxyAddress,
    Reports, TerminalPrompt, UpstreamProxy,
};
use portcullis_sandbox::give_back_program;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Serves until the process is ended.
pub(crate) fn proxy(args: &ProxyArgs, as_json: bool) -> Result<Reply, Failure> {
    let address = listen_address(&args.listen)?;
    let (policy, warnings) = policy(args)?;
    let voice = Voice::parse("--ask", &args.ask)?;
    let log = args.log.as_deref().map(log).transpose()?;
    let listener = TcpListener::bind(address).map_err(|error| {
        Failure::internal(format!("cannot listen on `{address}`: {}", plain(&error)))
            .hint("choose another port by `--listen`; port 0 takes any that is free")
    })?;
    let address = listener.local_addr().map_err(|error| Failure::internal(plain(&error)))?;
    let credentials = if args.no_auth { None } else { Some(random_token()?) };
    let token = credentials.as_ref().map(|credentials| credentials.token().to_owned());
    for warning in warnings {
        say(&mut io::stderr(), &format!("warning: {warning}\n"))?;
    }
    let speaks_json = as_json || voice == Voice::Stdio;
    let (decider, channel) = voice.reach("--ask")?.start()?;
    let place = announcement(address, token, speaks_json)?;
    say(&mut io::stdout(), &place)?;
    let reports = Arc::new(Told { log, channel });
    let outside = Outside { decider, ..Outside::system(reports) };
    let listener = match credentials {
        Some(credentials) => Listener::Guarded(listener, credentials),
        None => Listener::Proxy(listener),
    };
    let handover = Handover::new("standalone", listener);
    let limits = Limits { connections: CONNECTIONS, ..Limits::default() };
    let proxy = Proxy::serve(vec![handover], policy, limits, outside)
        .map_err(|error| Failure::internal(format!("cannot start: {}", plain(&error))))?;
    // Reading flags and settings took more of the program than serving does.
    give_back_program();
    loop {
        std::thread::park();
        // Parking may end for no reason; the proxy goes on.
        if proxy.has_ended() {
            return Err(Failure::internal("the proxy ended by itself"));
        }
    }
}

fn listen_address(text: &str) -> Result<SocketAddr, Failure> {
    let address: SocketAddr = text.parse().map_err(|_no_address| {
        Failure::usage(format!("`--listen` is no address: `{text}`"))
            .hint("write an address and a port, such as `127.0.0.1:3128` or `[::1]:0`")
    })?;
    if !address.ip().is_loopback() {
        return Err(Failure::usage(format!("`--listen` would serve other machines: `{text}`"))
            .hint("listen on `127.0.0.1` or `[::1]`"));
    }
    Ok(address)
}

/// The lists of the flags and of the named settings, and what is doubtful about them.
fn policy(args: &ProxyArgs) -> Result<(NetworkPolicy, Vec<String>), Failure> {
    let selection = PolicyArgs {
        no_discovery: true,
        settings: args.settings.clone(),
        mode: args.mode.clone(),
        ..PolicyArgs::default()
    };
    let session = Session::open(&selection, Surroundings::of_process(&selection)?)?;
    let mut warnings = Vec::new();
    for diagnostic in &session.policy.diagnostics {
        if diagnostic.severity == Severity::Error {
            return Err(Failure::input(format!("{}: {}", diagnostic.source, diagnostic.message))
                .hint(diagnostic.hint.clone()));
        }
        warnings.push(format!("{}: {}", diagnostic.source, diagnostic.message));
    }
    let (mut policy, notices) = NetworkPolicy::from_settings(&session.policy, session.mode);
    // An entry that does nothing is not what its author thinks it is.
    let mut take = |flag: &str, notices: Vec<Notice>| {
        if let Some(dead) = notices.iter().find(|notice| notice.dead) {
            let why = notices.first().unwrap_or(dead);
            return Err(Failure::usage(format!("`{flag}`: {}", why.message)).hint(DOMAIN));
        }
        warnings.extend(notices.into_iter().map(|notice| format!("`{flag}`: {}", notice.message)));
        Ok(())
    };
    take("--settings", notices)?;
    for entry in &args.deny {
        take("--deny", policy.deny(entry))?;
    }
    for entry in &args.allow {
        take("--allow", policy.allow(entry, true))?;
    }
    if let Some(word) = &args.private_addresses {
        policy.private = PrivateAddresses::parse(word).ok_or_else(|| {
            Failure::usage(format!("`--private-addresses` cannot be `{word}`"))
                .hint("one of `exact`, `allow` and `deny`")
        })?;
    }
    policy.hello.only_tls_on_443 = args.only_tls;
    if let Some(url) = &args.upstream {
        let upstream = UpstreamProxy::parse(url).map_err(|why| {
            // The URL may hold a password, so it is not repeated.
            Failure::usage(format!("`--upstream` is no proxy: {why}"))
                .hint("write it as `http://proxy.example:3128` or `socks5h://proxy.example:1080`")
        })?;
        policy.routes.upstream = Some(upstream);
    }
    let (no_proxy, unread) = NoProxy::parse(args.no_proxy.as_deref().unwrap_or_default());
    if let Some(entry) = unread.first() {
        return Err(Failure::usage(format!(
            "`--no-proxy` has an entry that means nothing: `{entry}`"
        ))
        .hint("write hosts, addresses and networks, such as `.corp.example,10.0.0.0/8`"));
    }
    policy.routes.no_proxy = no_proxy;
    Ok((policy, warnings))
}

/// Somebody to ask, and the channel to them where it hears reports too.
pub(crate) type Opened = (Option<Arc<dyn Decide>>, Option<ControlChannel>);

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    Nobody,
    Terminal,
    Stdio,
    Socket(String),
}

impl Voice {
    /// Reads the value of a flag.
    pub(crate) fn parse(flag: &str, word: &str) -> Result<Self, Failure> {
        match word {
            "deny" => Ok(Self::Nobody),
            "terminal" => Ok(Self::Terminal),
            "stdio" => Ok(Self::Stdio),
            _ => match word.strip_prefix("unix:").filter(|path| !path.is_empty()) {
                Some(path) => Ok(Self::Socket(path.to_owned())),
                None => Err(Failure::usage(format!("`{flag}` cannot be `{word}`"))
                    .hint("one of `deny`, `terminal`, `stdio` and `unix:PATH`")),
            },
        }
    }

    /// Reaches whoever is asked, without a thread: what cannot be reached is known before anything runs.
    pub(crate) fn reach(self, flag: &str) -> Result<Line, Failure> {
        match self {
            Self::Nobody => Ok(Line::Nobody),
            Self::Stdio => Ok(Line::Stdio),
            Self::Terminal => {
                let opened = File::open("/dev/tty").and_then(|input| {
                    Ok(Line::Terminal(input, File::options().write(true).open("/dev/tty")?))
                });
                opened.map_err(|error| {
                    let why = plain(&error);
                    Failure::usage(format!("`{flag} terminal` finds no terminal: {why}")).hint(
                        format!(
                            "use `{flag} deny`, or `{flag} unix:PATH` with somebody who answers"
                        ),
                    )
                })
            }
            Self::Socket(path) => UnixStream::connect(&path).map(Line::Socket).map_err(|error| {
                Failure::usage(format!("`{flag}` cannot reach `{path}`: {}", plain(&error)))
                    .hint("start whoever answers first; it has to listen on that socket")
            }),
        }
    }
}

/// A line to whoever is asked.
#[derive(Debug)]
pub(crate) enum Line {
    Nobody,
    Stdio,
    Terminal(File, File),
    Socket(UnixStream),
}

impl Line {
    /// Starts to ask and to hear answers.
    pub(crate) fn start(self) -> Result<Opened, Failure> {
        let started = match self {
            Self::Nobody => return Ok((None, None)),
            Self::Terminal(input, output) => {
                let prompt = TerminalPrompt::start(input, output);
                let prompt = prompt.map_err(|error| Failure::internal(plain(&error)))?;
                return Ok((Some(Arc::new(prompt)), None));
            }
            Self::Stdio => ControlChannel::start(io::stdin(), io::stdout()),
            Self::Socket(socket) => {
                socket.try_clone().and_then(|input| ControlChannel::start(input, socket))
            }
        };
        let channel = started.map_err(|error| Failure::internal(plain(&error)))?;
        Ok((Some(Arc::new(channel.clone())), Some(channel)))
    }
}

/// The log and the control channel hear what happens.
struct Told {
    log: Option<Box<dyn Reports>>,
    channel: Option<ControlChannel>,
}

impl Reports for Told {
    fn report(&self, event: &Event) {
        if let Some(log) = &self.log {
            log.report(event);
        }
        if let Some(channel) = &self.channel {
            channel.report(event);
        }
    }
}

fn log(file: &str) -> Result<Box<dyn Reports>, Failure> {
    if file == "-" {
        return Ok(Box::new(JsonLines::new(io::stderr())));
    }
    let opened = File::options().append(true).create(true).open(file);
    let opened = opened.map_err(|error| {
        Failure::usage(format!("cannot log to `{file}`: {}", plain(&error)))
            .hint("name a file that can be written by `--log`, or `-` for the error output")
    })?;
    Ok(Box::new(JsonLines::new(opened)))
}

fn random_token() -> Result<Credentials, Failure> {
    Credentials::random()
        .map_err(|error| Failure::internal(format!("cannot make a token: {}", plain(&error))))
}

/// Where the proxy listens and what its clients need, as shell assignments or as JSON.
fn announcement(
    address: SocketAddr,
    token: Option<String>,
    as_json: bool,
) -> Result<String, Failure> {
    let helper = std::env::current_exe().map_err(|error| Failure::internal(plain(&error)))?;
    let helper = helper.to_string_lossy().into_owned();
    let proxy = ProxyAddress { address, token, helper };
    let environment = ChildEnvironment::derive(&proxy);
    if as_json {
        let variables: Map<String, Value> = environment
            .variables()
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let message = json!({ "type": "listening", "address": address.to_string(), "environment": variables });
        return Ok(format!("{message}\n"));
    }
    let lines = environment
        .variables()
        .iter()
        .map(|(name, value)| format!("export {name}='{}'\n", value.replace('\'', "'\\''")));
    Ok(format!("# listening on {address}\n{}", lines.collect::<String>()))
}

const DOMAIN: &str = "write a host such as `example.org`, `*.example.org` or `example.org:443`";

/// One proxy for everything on this machine carries more than one sandbox does.
const CONNECTIONS: usize = 4096;
